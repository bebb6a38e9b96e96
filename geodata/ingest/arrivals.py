"""Rows that arrive by themselves: pushed in batches, or in files that a system puts into a folder.

They are rows of a source of the city file, read as an import of that source reads them, so that
what comes piece by piece is what would come at once. A later row of an id takes the place of the
earlier one, which is kept with the import log.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geodata.cityfile.description import read_content
from geodata.cityfile.measures import counted_in_rows
from geodata.cityfile.sections import RECORD_KINDS, IncidentSource, RecordSource
from geodata.clock import utc_now
from geodata.errors import DataError
from geodata.import_report import notes_of_reclassified
from geodata.ingest.addresses import gather_addresses, locator_of, named_streets
from geodata.ingest.location import frame_of
from geodata.ingest.recorded_rows import gather_records
from geodata.ingest.sources import Gathered, GatheredRecords, gather_base, gather_incidents
from geodata.readers.staging import Layer, save_rows
from geodata.remote.fetch import is_address
from geodata.repositories import audit, cities, import_log, incidents, recorded
from geodata.repositories.import_log import ChangeLog

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.cityfile.description import CityFile
    from geodata.db.engine import Database
    from geodata.import_report import SourceReport
    from geodata.ingest.address_places import Locator
    from geodata.ingest.placing import CityFrame
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.incidents import Stored

    FeedSource = IncidentSource | RecordSource

MOST_ROWS = 5_000  # of one batch; more rows are a file


def sources_of(described: CityFile, section: str = "") -> list[FeedSource]:
    """Return the sources of a city whose rows may arrive by themselves, of one section or all."""
    every: list[tuple[str, FeedSource]] = [("incidents", one) for one in described.incidents]
    every += [(one.section, one) for one in described.records]
    return [source for name, source in every if section in ("", name)]


def city_file_now(database: Database, slug: str) -> CityFile:
    """Return the city file of the newest import of a stored city.

    Raises
    ------
    NotStoredError
        If there is no such city, or its city file was not kept.
    """
    with database.session() as session:
        kept = import_log.city_file_of(session, slug)
    return read_content(kept.content, Path(slug), Path(kept.root))


def store_batch(
    database: Database,
    slug: str,
    section: str,
    rows: Sequence[Mapping[str, object]],
    who: str,
    *,
    source: str = "",
) -> SourceReport:
    """Store a batch of rows under the columns that the city file names.

    Parameters
    ----------
    database, slug
        Where, and of which city.
    section
        A section of records of the city file, such as "alerts".
    rows
        By column; values become text, as a table has them. ``MOST_ROWS`` at most.
    who
        Who sends them.
    source
        Which source of the section, as the city file calls it, where it has several.

    Raises
    ------
    NotStoredError
        If there is no such city.
    DataError
        If the city has no such source, or it has no id, or no row of the batch can be used.
    """
    if section not in RECORD_KINDS:
        msg = f"{section!r} takes no rows; rows can be sent of {', '.join(RECORD_KINDS)}"
        raise DataError(msg)
    if not 1 <= len(rows) <= MOST_ROWS:
        msg = f"a batch has 1 to {MOST_ROWS:,} rows, this has {len(rows):,}; send several batches"
        raise DataError(msg)
    described = city_file_now(database, slug)
    found = _chosen(sources_of(described, section), slug, section, source)
    if found.id is None:
        msg = (
            f"{found.place.label} has no id: rows that come again could not be known; name its "
            f"column as id in [{section}.fields] of the city file"
        )
        raise DataError(msg)
    frame = pd.DataFrame([{str(k): _text(v) for k, v in row.items()} for row in rows], dtype="str")
    numbers = np.arange(1, len(frame) + 1)
    with tempfile.TemporaryDirectory(prefix="saferground-batch-") as folder:
        path = Path(folder) / "rows"
        save_rows(Layer(frame=frame, rows=numbers, sha256="", notes=()), path)
        return store_source(database, described, found, who, rows=path)


def store_source(
    database: Database,
    described: CityFile,
    source: FeedSource,
    who: str,
    *,
    rows: Path | None = None,
) -> SourceReport:
    """Store what a source says now, or saved ``rows`` of it; nothing of it is removed.

    Raises
    ------
    DataError
        If no row can be used.
    """
    place = source.place if rows is None else dataclasses.replace(source.place, rows=str(rows))
    source = dataclasses.replace(source, place=place)
    slug, now, log = described.slug, utc_now(), ChangeLog()
    with database.session() as session:
        city = cities.get_city(session, slug)
    found = gather_rows(source, city, described, now)
    report = found.report
    with database.session(write=True) as session:
        done = _store(session, city, found, log)
        report.account(done.new, done.corrected, done.same, done.conflicting)
        report.require_balance()
        if done.new or done.corrected or done.reclassified:
            number = import_log.save_arrival(session, slug, city.id, now, log, who)
            document = {"import": number, "source": report.source, "changes": log.summary()}
            audit.record(session, who, "data.arrive", slug, document)
    return report


def gather_rows(
    source: FeedSource, city: CityRecord, described: CityFile | None, now: dt.datetime
) -> Gathered | GatheredRecords:
    """Read and check rows for a stored city as an import of their source does.

    ``described`` says where its addresses are, for rows that are placed by them.
    """
    frame = frame_of(city)
    locator = None if source.address is None else _locator(described, frame)
    if isinstance(source, IncidentSource):
        return gather_incidents(source, frame, city.timezone, city.study_area, now, locator)
    named = zip(city.districts["name"], city.districts.geometry, strict=True)
    districts = dict(zip(city.districts["code"], named, strict=True))
    counted = counted_in_rows(city.measures)
    return gather_records(source, frame, city.timezone, districts, counted, now, locator)


def _locator(described: CityFile | None, frame: CityFrame) -> Locator | None:
    """Return what finds addresses; nothing where its files are yet to be fetched."""
    if described is None or described.addresses is None:
        return None
    streets = named_streets(described.base)
    places = [described.addresses.place, *(one.place for one in streets)]
    if any(is_address(place.path) for place in places):
        return None
    found = gather_addresses(described.addresses, frame)
    shapes = [gather_base(one, frame) for one in streets]
    return locator_of(described.addresses, found, frame, shapes)


def _store(
    session: Session, city: CityRecord, found: Gathered | GatheredRecords, log: ChangeLog
) -> Stored:
    source = found.report.source
    if isinstance(found, GatheredRecords):
        return recorded.store_records(session, city.id, found.section, source, found.rows, log)
    srid = CRS.from_user_input(city.crs).to_epsg() or 0
    for row in found.rows:
        row["geom"] = shapely.set_srid(row["geom"], srid)
    keys = {row["row_key"] for row in found.rows} | found.unlisted
    known = incidents.known_rows(session, city.id, sorted(keys))
    kinds = incidents.Kinds(
        stated={(row["outcome"], row["row_key"]) for row in found.rows},
        unlisted=found.unlisted,
        outcomes=found.outcomes,
    )
    done = incidents.store_incidents(session, city.id, source, found.rows, log, known, kinds)
    found.report.notes += notes_of_reclassified(done.reclassified)
    return done


def _chosen(found: Sequence[FeedSource], slug: str, section: str, source: str) -> RecordSource:
    """Return the one source that is meant."""
    mine = [one for one in found if source in ("", one.place.label)]
    if len(mine) == 1 and isinstance(mine[0], RecordSource):
        return mine[0]
    known = ", ".join(one.place.label for one in found)
    if not found:
        msg = f"{slug} has no [[{section}]] in its city file; add one that names the columns"
    elif not mine:
        msg = f"{slug} has no source {source!r} of {section}; its sources are {known}"
    else:
        msg = f"{slug} has several sources of {section} ({known}); name one"
    raise DataError(msg)


def _text(value: object) -> str | None:
    """Write a value of JSON as a table has it."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) or None
