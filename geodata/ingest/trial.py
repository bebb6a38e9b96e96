"""What an import would do with a source, row by row, without storing anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.cityfile.address_sources import AddressSource
from geodata.cityfile.sections import BaseSource, FactorSource, IncidentSource
from geodata.clock import utc_now
from geodata.db.geometry import geometry_faults
from geodata.errors import DataError
from geodata.import_report import notes_of_alike
from geodata.ingest.addresses import gather_addresses
from geodata.ingest.areas import open_area
from geodata.ingest.arrivals import gather_rows
from geodata.ingest.location import frame_of
from geodata.ingest.sources import (
    Gathered,
    OpenedSource,
    gather_base,
    gather_factor,
    open_source,
)
from geodata.readers import read_place
from geodata.repositories.incidents import count_alike, known_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.cityfile.description import CityFile
    from geodata.cityfile.schema import SourcePlace
    from geodata.cityfile.sections import RecordSource
    from geodata.import_report import SourceReport
    from geodata.ingest.sources import GatheredRecords
    from geodata.repositories.cities import CityRecord

MOST_ROWS = 1_000
WIDEST = 80


@dataclass(frozen=True, kw_only=True)
class AreaSource:
    """What a city has one of: districts, boundary, coverage, an extract.

    ``columns`` are those that must be there.
    """

    kind: str
    place: SourcePlace
    columns: tuple[str, ...] = ()


if TYPE_CHECKING:
    Source = IncidentSource | FactorSource | BaseSource | RecordSource | AreaSource | AddressSource


@dataclass(frozen=True, kw_only=True)
class RowOut:
    """One row that would be left out: its number in the file, why, and what it says."""

    row: int
    reason: str
    says: dict[str, str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """What would come of a source.

    ``kept`` rows would be stored unless they are there already. ``rows`` are those left out, in the
    order of the file, ``MOST_ROWS`` at most; ``left_out`` counts them all by reason. ``refused``
    says why nothing at all would be stored, if so.
    """

    read: int = 0
    kept: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    rows: tuple[RowOut, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str | None = None


def what_would_be_left_out(
    source: Source,
    city: CityRecord,
    *,
    start: int = 0,
    most: int = MOST_ROWS,
    reason: str = "",
    session: Session | None = None,
    whole: CityFile | None = None,
) -> Trial:
    """Read and check a source as an import would.

    Parameters
    ----------
    source
        What a city file would say of it; its file must be local.
    city
        The stored city.
    start, most
        Which of the rows that are left out to give, for pages of them.
    reason
        Give those only that are left out for it.
    session
        Reads what is stored, to tell which rows equal others of the city.
    whole
        The city file that the source is part of: its addresses find rows without coordinates.
    """
    try:
        with geometry_faults(source.place.label):
            gathered = _gather(source, city, whole)
    except DataError as error:
        return Trial(refused=str(error))
    report = gathered.sieve.report if isinstance(gathered, OpenedSource) else gathered.report
    if session is not None and isinstance(source, IncidentSource):
        rows = gathered.rows if isinstance(gathered, Gathered) else []
        report.notes += notes_of_alike(count_alike(known_rows(session, city.id), rows))
    return Trial(
        read=report.read,
        kept=_kept(gathered),
        left_out=dict(report.left_out),
        rows=_rows(source, report, start, most, reason),
        notes=tuple(report.notes),
    )


def _kept(gathered: Gathered | GatheredRecords | OpenedSource) -> int:
    return len(gathered.frame if isinstance(gathered, OpenedSource) else gathered.rows)


def _gather(
    source: Source, city: CityRecord, whole: CityFile | None
) -> Gathered | GatheredRecords | OpenedSource:
    frame = frame_of(city)
    if isinstance(source, AddressSource):
        return gather_addresses(source, frame).homes
    if isinstance(source, AreaSource):
        if source.kind == "osm":
            return open_source(source.place, source.kind, [])
        return open_area(source.place, source.kind, frame.crs, source.columns)
    if isinstance(source, FactorSource):
        return gather_factor(source, frame)
    if isinstance(source, BaseSource):
        return gather_base(source, frame)
    return gather_rows(source, city, whole, utc_now())


def _rows(
    source: Source, report: SourceReport, start: int, most: int, wanted: str
) -> tuple[RowOut, ...]:
    """Find the rows again in the file, by the numbers that were kept of them."""
    out = sorted(
        (int(row), reason)
        for reason, rows in report.rows_out
        for row in rows
        if wanted in ("", reason)
    )
    layer = read_place(source.place)
    columns = [name for name in layer.frame.columns if name != "geometry"]
    found = []
    for row, reason in out[start : start + most]:
        values = layer.frame.iloc[int(np.searchsorted(layer.rows, row))]
        found.append(
            RowOut(row=row, reason=reason, says={str(n): _text(values[n]) for n in columns})
        )
    return tuple(found)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)[:WIDEST]
