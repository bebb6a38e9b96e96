"""Positions of units, from a vehicle locator or a dispatch system, stored as visits to zones."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.cityfile.schema import DEGREES, SourcePlace
from geodata.clock import utc_now
from geodata.errors import DataError
from geodata.ingest.placing import CityFrame, place_points
from geodata.ingest.sources import digest_text, open_source, texts_of
from geodata.readers.dates import read_instants
from geodata.repositories import audit, cities, import_log, recorded, runs
from geodata.repositories.import_log import ChangeLog
from spatial.patrol.matching import MatchSpec, match_visits

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from geodata.db.engine import Database
    from geodata.import_report import SourceReport
    from geodata.repositories.cities import CityRecord
    from spatial.patrol.matching import Matches

LONGEST_UNIT = 120
SOURCE = "matched: "


@dataclass(frozen=True, kw_only=True)
class PositionsFile:
    """A table of positions and what its columns are called; ``time`` may be a date and a time."""

    path: Path
    unit: str
    time: tuple[str, ...]
    x: str
    y: str
    crs: str = DEGREES
    activity: str | None = None
    date_format: str | None = None


@dataclass(frozen=True, kw_only=True)
class MatchAsk:
    """Which zones positions are matched to, and what counts as a visit.

    ``dry`` stores nothing; ``district`` narrows the zones.
    """

    run: str
    district: str | None = None
    buffer_m: float = 25.0
    joined_minutes: float = 5.0
    least_minutes: float = 3.0
    silent_minutes: float = 5.0
    dry: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchResult:
    """What became of a file of positions.

    ``positions`` is the account of its rows: stored are those that visits are made of. ``visits``
    counts by what became of each; ``found`` has zone, unit, start_ms, end_ms and positions.
    """

    city: str
    run: str
    positions: SourceReport
    visits: dict[str, int]
    found: pd.DataFrame
    number: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the result as scripts read it."""
        return {
            "city": self.city,
            "run": self.run,
            "positions": self.positions.as_json(),
            "visits": self.visits,
            "import": self.number,
            "found": [
                {**row, "start_ms": int(row["start_ms"]), "end_ms": int(row["end_ms"])}
                for row in self.found[
                    ["zone", "district", "unit", "start_ms", "end_ms", "positions"]
                ].to_dict("records")
            ],
        }


def match_positions(
    database: Database, slug: str, source: PositionsFile, ask: MatchAsk, who: str
) -> MatchResult:
    """Match positions to the zones of a run and store them as visits, which count as imported.

    What is stored is an import of its own, which can be undone. The same file stores nothing twice.

    Raises
    ------
    NotStoredError
        If the city or the run is not stored.
    DataError, DosageError
        If the file cannot be used, or what is requested cannot be.
    """
    with database.session() as session:
        city = cities.get_city(session, slug)
        run = runs.get_run(session, ask.run)
    zones = run.zones
    if run.city != city.slug:
        msg = f"run {run.id} is of {run.city}, not of {city.slug}; name a run of the city"
        raise DataError(msg)
    if ask.district is not None:
        zones = zones[zones["district"] == ask.district]
    if len(zones) == 0:
        msg = f"run {run.id} has no zone there; its zones are in {_districts(run.zones)}"
        raise DataError(msg)
    metre = 1.0 / float(city.districts.crs.axis_info[0].unit_conversion_factor)
    spec = MatchSpec(
        buffer_units=ask.buffer_m * metre,
        joined_minutes=ask.joined_minutes,
        least_minutes=ask.least_minutes,
        silent_minutes=ask.silent_minutes,
    )
    table, report = _read(source, city)
    codes, names = pd.factorize(table["unit"], sort=True)
    found = match_visits(
        codes.astype(np.int64),
        table["ms"].to_numpy(dtype=np.int64),
        table["x"].to_numpy(dtype=float),
        table["y"].to_numpy(dtype=float),
        list(zones.geometry),
        spec,
    )
    used = int(found.positions.sum())
    report.stored = used
    report.leave_out("in no zone", found.in_no_zone)
    report.leave_out("of a stop too short to be a visit", len(table) - used - found.in_no_zone)
    report.require_balance()
    visits = _visits(found, table, list(names), zones)
    counts = {"found": len(visits), "too_short": found.short}
    if ask.dry:
        return MatchResult(city=slug, run=run.id, positions=report, visits=counts, found=visits)
    return _store(database, city, source, ask, visits, report, counts, who)


def _read(source: PositionsFile, city: CityRecord) -> tuple[pd.DataFrame, SourceReport]:
    try:
        CRS.from_user_input(source.crs)
    except CRSError as error:
        msg = f"crs {source.crs[:60]!r} is not known; write it as EPSG:2264"
        raise DataError(msg) from error
    place = SourcePlace(
        label=source.path.name, path=str(source.path), x=source.x, y=source.y, crs=source.crs
    )
    opened = open_source(place, "positions", [source.unit, *source.time, source.activity])
    frame, sieve = opened.frame, opened.sieve
    clock = read_instants(
        frame[source.time[0]],
        frame[source.time[1]] if len(source.time) == 2 else None,
        date_format=source.date_format,
        timezone=city.timezone,
    )
    sieve.report.notes += clock.notes
    units = [text[:LONGEST_UNIT] for text in texts_of(frame[source.unit])]
    sieve.leave_out("bad time", np.isnan(clock.ms))
    sieve.leave_out("no unit", np.array([not unit for unit in units], dtype=bool))
    now_ms = dt.datetime.now(dt.UTC).timestamp() * 1000
    with np.errstate(invalid="ignore"):
        sieve.leave_out("in the future", clock.ms > now_ms)
    area = CityFrame(crs=CRS.from_user_input(city.crs), bounds=city.study_area.bounds)
    points = place_points(frame[source.x], frame[source.y], source.crs, area, sieve)
    table = pd.DataFrame(
        {
            "unit": pd.Series(units, dtype=object),
            "ms": clock.ms,
            "x": shapely.get_x(points),
            "y": shapely.get_y(points),
            "activity": texts_of(frame[source.activity]) if source.activity else "",
        }
    )
    table = table[sieve.keep].reset_index(drop=True)
    if len(table) == 0:
        causes = ", ".join(f"{n} {reason}" for reason, n in sieve.report.left_out.items())
        msg = f"{source.path.name}: no row can be used ({causes or 'it holds none'})"
        raise DataError(msg)
    return table, sieve.report


def _visits(
    found: Matches, table: pd.DataFrame, names: list[str], zones: gpd.GeoDataFrame
) -> pd.DataFrame:
    codes, districts = zones["id"].to_numpy(dtype=object), zones["district"].to_numpy(dtype=object)
    at = table.iloc[found.at]
    units = [str(names[number]) for number in found.unit]
    keys = [
        digest_text(f"matched|{unit}|{zone}|{start}")
        for unit, zone, start in zip(units, codes[found.zone], found.start_ms, strict=True)
    ]
    return pd.DataFrame(
        {
            "row_key": keys,
            "zone": codes[found.zone],
            "district": districts[found.zone],
            "unit": units,
            "activity": [text[:200] or None for text in at["activity"].tolist()],
            "start_ms": found.start_ms.astype(float),
            "end_ms": found.end_ms.astype(float),
            "x": at["x"].to_numpy(dtype=float),
            "y": at["y"].to_numpy(dtype=float),
            "positions": found.positions,
        }
    )


def _store(
    database: Database,
    city: CityRecord,
    source: PositionsFile,
    ask: MatchAsk,
    visits: pd.DataFrame,
    report: SourceReport,
    counts: dict[str, int],
    who: str,
) -> MatchResult:
    with database.session(write=True) as session:
        before = import_log.settings_before(session, city.slug)
        log = ChangeLog()
        done = recorded.store_records(
            session, city.id, "visits", f"{SOURCE}{source.path.name}", visits, log
        )
        now = utc_now()
        number = None
        if done.new or done.corrected:
            number = import_log.save_version(
                session, city.id, now, log, before, described=None, who=who
            )
        counts = {
            **counts,
            "stored": done.new,
            "corrected": done.corrected,
            "already_stored": done.same,
            "other_content_in_another_source": done.conflicting,
        }
        document = {"run": ask.run, "file": source.path.name, "import": number, **counts}
        audit.record(session, who, "visit.match", city.slug, document)
    return MatchResult(
        city=city.slug,
        run=ask.run,
        positions=report,
        visits=counts,
        found=visits,
        number=number,
    )


def _districts(zones: gpd.GeoDataFrame) -> str:
    return ", ".join(sorted(set(zones["district"]))) or "no district: it has none"
