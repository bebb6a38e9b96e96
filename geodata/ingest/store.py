"""A city file's sources into the database: everything checked first, then stored in one go."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from geodata.basemap.renewal import read_own, renew_base_map
from geodata.cityfile.measures import counted_in_rows
from geodata.cityfile.sections import RECORD_KINDS
from geodata.clock import utc_now
from geodata.db.geometry import geometry_faults
from geodata.errors import DataError
from geodata.import_report import ALREADY_STORED, notes_of_alike, notes_of_reclassified
from geodata.ingest.addresses import gather_addresses, locator_of, named_streets
from geodata.ingest.areas import (
    GatheredResidents,
    StoredAreas,
    gather_areas,
    gather_named_areas,
    gather_residents,
)
from geodata.ingest.sources import (
    GatheredRecords,
    gather_base,
    gather_factor,
    gather_incidents,
)
from geodata.ingest.unchanged import Reading, known_sources
from geodata.readers.delimited import reporting_rows
from geodata.remote import fetch_city
from geodata.repositories import audit, cities, import_log, incidents, layers
from geodata.repositories import recorded as records
from geodata.repositories.import_log import ChangeLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.cityfile.description import CityFile
    from geodata.db.engine import Database
    from geodata.import_report import SourceReport
    from geodata.ingest.address_places import Locator
    from geodata.ingest.areas import Areas
    from geodata.ingest.sources import Gathered
    from geodata.remote import Fetching

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What an import did, source by source."""

    city: str
    sources: tuple[SourceReport, ...]

    def as_json(self) -> dict[str, object]:
        """Return the result as interface scripts read it."""
        return {"city": self.city, "sources": [report.as_json() for report in self.sources]}


def import_city(
    database: Database,
    described: CityFile,
    *,
    who: str = "",
    fetching: Fetching | None = None,
    progress: Progress | None = None,
    after: int | None = None,
    forget: Sequence[tuple[str, str]] = (),
    skip_unchanged: bool = False,
    tolerant: bool = False,
) -> ImportResult:
    """Read every source of a city file and store it, all or nothing unless ``tolerant``.

    Reading and checking come first and touch no table; storing is one transaction. Importing the
    same files again stores nothing twice. Addresses are fetched first, if it is stated how.

    Parameters
    ----------
    database, described, who, fetching, progress
        What is imported where, by whom (it stands in the audit, with what changed) and how.
    after
        Number of the import that the city file goes on from; any, if left out.
    forget
        Section and source of rows that are to go: what a city file names no longer stays stored
        unless it is stated here. Of base shapes it is the kind that is named.
    skip_unchanged
        Whether incidents, factors and records are left as they are stored where their file and all
        that their reading depends on are those of the newest import.
    tolerant
        Whether sources of a stored city that cannot be read stay as they are stored, with the
        fault in their account, while the others are stored: of every section, districts, boundary,
        residents and addresses too.

    Raises
    ------
    DataError
        If a source cannot be used; the message names it, and what is stored stays as it was. Also
        if another import came in between.
    GridError
        If the cell of the city file cannot be right.
    """
    reading = Reading(tolerant=tolerant)
    if fetching is not None:
        faults = reading.faults if tolerant else None
        described = fetch_city(described, fetching, progress=progress, faults=faults)
    _look_up(database, described, reading, unchanged=skip_unchanged and not forget)
    with reporting_rows(progress):
        areas, gathered, recorded, lived = _gather(described, progress, reading)
    own, no_tiles = _read_tiles(described, areas, reading)
    with database.session(write=True) as session:
        log = _begin(session, described.slug, after, forget)
        reports, result = _store(
            session, described, areas, gathered, recorded, lived, progress, log=log, who=who
        )
        audit.record(session, who, "data.import", described.slug, result)
    if no_tiles is None:
        renew_base_map(database, described.slug, described.attribution, own)
    return ImportResult(city=described.slug, sources=(*reports, *([no_tiles] if no_tiles else ())))


def _look_up(database: Database, described: CityFile, reading: Reading, *, unchanged: bool) -> None:
    """Look up what a reading goes on with: sources that are unchanged, areas that are stored."""
    with database.session() as session:
        if unchanged:
            reading.known = known_sources(session, described)
        if reading.tolerant:
            reading.stored = _stored_areas(session, described, reading)


def _stored_areas(session: Session, described: CityFile, reading: Reading) -> StoredAreas | None:
    """Return the areas to go on with, nothing where none are stored in this reference system."""
    there = cities.find_areas(session, described.slug)
    if there is None or cities.get_city(session, described.slug).crs != described.crs:
        return None
    study_area, districts, coverage = there
    return StoredAreas(
        study_area=study_area,
        districts={code: (name, shape) for code, name, shape in districts},
        coverage=coverage,
        faults=reading.faults,
    )


def _read_tiles(
    described: CityFile, areas: Areas, reading: Reading
) -> tuple[bytes | None, SourceReport | None]:
    """Return the city's own tiles; or the account of a file that could not be read."""
    try:
        return read_own(described.basemap, areas.study_area, areas.frame.crs), None
    except DataError as error:
        if described.basemap is None:
            raise
        return None, reading.fault("basemap", described.basemap, error).report


def _gather(
    described: CityFile, progress: Progress | None, reading: Reading
) -> tuple[Areas, dict[str, list[Gathered]], list[GatheredRecords], GatheredResidents | None]:
    """Read and check every source; nothing is stored."""
    now = utc_now()
    step = _steps(described, progress)
    areas = gather_areas(described, reading.stored)
    reading.forget_known_unless(areas)
    step()
    gathered: dict[str, list[Gathered]] = {"incidents": [], "factors": [], "base": [], "areas": []}
    for base in described.base:
        gathered["base"].append(reading.layer("base", None, base, gather_base, areas.frame))
        step()
    for named in described.areas:
        gathered["areas"].append(
            reading.layer("areas", None, named, gather_named_areas, areas.frame.crs)
        )
        step()
    homes, locator = _gather_addresses(described, areas, gathered["base"], reading)
    city = (areas.frame, described.timezone, areas.study_area, now, locator)
    for position, incident in enumerate(described.incidents):
        gathered["incidents"].append(
            reading.layer("incidents", position, incident, gather_incidents, *city)
        )
        step()
    for position, factor in enumerate(described.factors):
        gathered["factors"].append(
            reading.layer("factors", position, factor, gather_factor, areas.frame)
        )
        step()
    counted = counted_in_rows(described.measures)
    recorded: list[GatheredRecords] = homes
    turn: dict[str, int] = {}
    for source in described.records:
        position = turn.get(source.section, 0)
        turn[source.section] = position + 1
        city_of_records = (areas.frame, described.timezone, areas.districts, counted, now, locator)
        recorded.append(reading.records(position, source, *city_of_records))
        step()
    return areas, gathered, recorded, _gather_residents(described, areas, reading)


def _gather_residents(
    described: CityFile, areas: Areas, reading: Reading
) -> GatheredResidents | None:
    """Read the residents; nothing where the city file has none."""
    source = described.residents
    if source is None:
        return None
    try:
        with geometry_faults(source.place.label):
            return gather_residents(source, areas)
    except DataError as error:
        report = reading.fault("residents", source.place, error).report
        return GatheredResidents(rows=gpd.GeoDataFrame(), report=report, sha256="", stays=True)


def _steps(described: CityFile, progress: Progress | None) -> Callable[[], None]:
    """Return what reports that one more source was read."""
    parts = (
        described.incidents,
        described.factors,
        described.base,
        described.areas,
        described.records,
    )
    total = 1 + sum(map(len, parts))
    done = itertools.count(1)

    def step() -> None:
        if progress:
            progress("reading", next(done), total)

    return step


def _gather_addresses(
    described: CityFile, areas: Areas, base: list[Gathered], reading: Reading
) -> tuple[list[GatheredRecords], Locator | None]:
    """Read the addresses, and what finds a place by them; nothing where there are none."""
    source = described.addresses
    if source is None:
        return [], None
    if not source.homes and not _wants_addresses(described):
        return [], None
    try:
        with geometry_faults(source.place.label):
            found = gather_addresses(source, areas.frame)
            named = named_streets(described.base)
            streets = [rows for one, rows in zip(described.base, base, strict=True) if one in named]
            return [found.homes], locator_of(source, found, areas.frame, streets)
    except DataError as error:
        report = reading.fault("addresses", source.place, error).report
        reading.no_places = report.fault or ""
        none = pd.DataFrame({"x": [], "y": []})
        homes = GatheredRecords(
            section="addresses", rows=none, report=report, sha256="", stays=True
        )
        return [homes], None


def _wants_addresses(described: CityFile) -> bool:
    """Return whether any source has rows that are placed by their address."""
    named = [one.address for one in described.incidents]
    return any(name is not None for name in (*named, *(one.address for one in described.records)))


def _store(
    session: Session,
    described: CityFile,
    areas: Areas,
    gathered: dict[str, list[Gathered]],
    recorded: list[GatheredRecords],
    lived: GatheredResidents | None,
    progress: Progress | None,
    *,
    log: ChangeLog,
    who: str,
) -> tuple[list[SourceReport], dict[str, Any]]:
    when = utc_now()
    before = import_log.settings_before(session, described.slug)
    srid = areas.frame.crs.to_epsg() or 0
    districts = {
        code: (name, shapely.set_srid(shape, srid))
        for code, (name, shape) in areas.districts.items()
    }
    study_area = shapely.set_srid(areas.study_area, srid)
    _account_areas(session, described.slug, study_area, districts, areas)
    coverage = shapely.set_srid(areas.coverage, srid) if areas.coverage is not None else None
    city = cities.save_city(session, described, study_area, districts, when, coverage=coverage)
    _stamp(gathered, srid)
    kinds = _kinds_by_source(gathered["incidents"])
    for rows in (one for one in gathered["incidents"] if not one.stays):
        _store_incidents(session, city, rows, log, kinds.get(rows.report.source))
    _store_factors(session, city, described, gathered["factors"], log)
    _store_base(session, city, described, gathered["base"], log)
    _store_named_areas(session, city, described, gathered["areas"], log)
    homes = [f for f in recorded if f.section == "addresses" and (len(f.rows) or f.stays)]
    if not any(found.stays for found in homes):
        _store_addresses(session, city, homes[0] if homes else None, log)
    if lived is None or not lived.stays:
        _store_residents(session, city, lived, srid, log)
    for found in recorded:
        if found.section != "addresses" and not found.stays:
            _store_records(session, city, found, log)
    accounts = [
        *areas.reports,
        *((rows.report, rows.sha256) for group in gathered.values() for rows in group),
        *((rows.report, rows.sha256) for rows in recorded),
        *([(lived.report, lived.sha256)] if lived else []),
    ]
    for position, (report, sha256) in enumerate(accounts, start=1):
        report.require_balance()
        import_log.save_report(session, city, report, sha256, when)
        if progress:
            progress("storing", position, len(accounts))
    number = import_log.save_version(session, city, when, log, before, described=described, who=who)
    return [report for report, _ in accounts], {"import": number, "changes": log.summary()}


def _begin(
    session: Session, slug: str, after: int | None, forget: Sequence[tuple[str, str]]
) -> ChangeLog:
    """Make sure that nothing came in between, and remove what is to go."""
    if after is not None:
        import_log.require_newest(session, slug, after)
    log = ChangeLog()
    for section, source in forget:
        _forget(session, slug, section, source, log)
    return log


def _forget(session: Session, slug: str, section: str, source: str, log: ChangeLog) -> None:
    """Remove the rows of a source; factors and whole layers go by not being named."""
    city = cities.get_city(session, slug).id
    if section == "incidents":
        incidents.forget_source(session, city, source, log)
    elif section == "base":
        layers.replace_base(session, city, source, [], log)
    elif section in RECORD_KINDS:
        records.forget_source(session, city, section, source, log)


def _account_areas(
    session: Session,
    slug: str,
    study_area: BaseGeometry,
    districts: dict[str, tuple[str, BaseGeometry]],
    areas: Areas,
) -> None:
    """Call districts and boundary stored already where they are exactly what is stored."""
    there = cities.find_areas(session, slug)
    if there is None:
        return
    same = {
        "boundary": shapely.equals_exact(there[0], study_area),
        "coverage": areas.coverage is not None
        and there[2] is not None
        and shapely.equals_exact(there[2], areas.coverage),
        "districts": [(c, n) for c, n, _ in there[1]] == [(c, n) for c, (n, _) in districts.items()]
        and all(
            shapely.equals_exact(old, new)
            for (*_, old), (_, new) in zip(there[1], districts.values(), strict=True)
        ),
    }
    for report, _ in areas.reports:
        if same[report.kind]:
            report.leave_out("already stored", report.stored)
            report.stored = 0


def _stamp(gathered: dict[str, list[Gathered]], srid: int) -> None:
    """Write the number of the reference system into every shape, for PostGIS."""
    for group in gathered.values():
        for source in group:
            shapes = shapely.set_srid([row["geom"] for row in source.rows], srid)
            for row, shape in zip(source.rows, shapes, strict=True):
                row["geom"] = shape


def _kinds_by_source(gathered: Sequence[Gathered]) -> dict[str, incidents.Kinds]:
    """Return what each source says of the outcomes of its ids, in all of its sections together.

    One of which a section was not read is left out: it may state what the others do not.
    """
    sources: dict[str, list[Gathered]] = {}
    for one in gathered:
        sources.setdefault(one.report.source, []).append(one)
    return {
        source: incidents.Kinds(
            stated={(row["outcome"], row["row_key"]) for one in mine for row in one.rows},
            unlisted=frozenset[str]().union(*(one.unlisted for one in mine)),
            outcomes=frozenset[str]().union(*(one.outcomes for one in mine)),
        )
        for source, mine in sources.items()
        if not any(one.stays for one in mine)
    }


def _store_incidents(
    session: Session,
    city: int,
    gathered: Gathered,
    log: ChangeLog,
    kinds: incidents.Kinds | None,
) -> None:
    report, rows = gathered.report, gathered.rows
    known = incidents.known_rows(session, city)
    report.notes += notes_of_alike(incidents.count_alike(known, rows))
    found = incidents.store_incidents(session, city, report.source, rows, log, known, kinds)
    gathered.report.account(found.new, found.corrected, found.same, found.conflicting)
    gathered.report.notes += notes_of_reclassified(found.reclassified)


def _store_addresses(
    session: Session, city: int, gathered: GatheredRecords | None, log: ChangeLog
) -> None:
    """Make the stored addresses exactly those of the file."""
    if gathered is None:
        cities.replace_addresses(session, city, None, log)
        return
    changed = cities.replace_addresses(session, city, gathered.rows, log)
    gathered.report.stored = len(gathered.rows) if changed else 0
    gathered.report.leave_out("already stored", 0 if changed else len(gathered.rows))


def _store_residents(
    session: Session,
    city: int,
    gathered: GatheredResidents | None,
    srid: int,
    log: ChangeLog,
) -> None:
    """Make the stored residents exactly those of the file."""
    if gathered is None:
        cities.replace_residents(session, city, None, log)
        return
    rows = gathered.rows
    rows = rows.set_geometry(shapely.set_srid(rows.geometry.to_numpy(), srid))
    changed = cities.replace_residents(session, city, rows, log)
    gathered.report.stored = len(rows) if changed else 0
    gathered.report.leave_out("already stored", 0 if changed else len(rows))


def _store_records(session: Session, city: int, gathered: GatheredRecords, log: ChangeLog) -> None:
    source, section = gathered.report.source, gathered.section
    found = records.store_records(session, city, section, source, gathered.rows, log)
    gathered.report.account(found.new, found.corrected, found.same, found.conflicting)


def _store_factors(
    session: Session, city: int, described: CityFile, gathered: list[Gathered], log: ChangeLog
) -> None:
    names = [source.factor.name for source in described.factors]
    gone = layers.forget_factors(session, city, names, log)
    for position, (source, rows) in enumerate(zip(described.factors, gathered, strict=True)):
        number = layers.store_factor(session, city, source.factor, position)
        if not rows.stays:
            new, removed = layers.replace_features(session, number, rows.rows, log)
            _account(rows, new, removed)
        if gone and position == 0:
            rows.report.notes.append(f"factors no longer in the city file: {', '.join(gone)}")


def _store_base(
    session: Session, city: int, described: CityFile, gathered: list[Gathered], log: ChangeLog
) -> None:
    """Store base shapes; several sources of one kind together make its snapshot."""
    kinds = dict.fromkeys(source.kind for source in described.base)
    for kind in kinds:
        mine = [
            rows
            for source, rows in zip(described.base, gathered, strict=True)
            if source.kind == kind
        ]
        if any(rows.stays for rows in mine):
            _keep_kind(kind, mine)
            continue
        seen: set[str] = set()
        for rows in mine:
            fresh = [row for row in rows.rows if row["row_key"] not in seen]
            rows.report.leave_out("also in an earlier source", len(rows.rows) - len(fresh))
            rows.rows[:] = fresh
            seen.update(row["row_key"] for row in fresh)
        there = layers.base_keys(session, city, kind)
        everything = [row for rows in mine for row in rows.rows]
        _, removed = layers.replace_base(session, city, kind, everything, log)
        for position, rows in enumerate(mine):
            new = sum(row["row_key"] not in there for row in rows.rows)
            _account(rows, new, removed if position == 0 else 0)


def _store_named_areas(
    session: Session, city: int, described: CityFile, gathered: list[Gathered], log: ChangeLog
) -> None:
    """Make the stored areas exactly those of the file; a kind has one source."""
    layers.forget_named_areas(session, city, [source.kind for source in described.areas], log)
    for source, rows in zip(described.areas, gathered, strict=True):
        if not rows.stays:
            _account(rows, *layers.replace_named_areas(session, city, source.kind, rows.rows, log))


def _keep_kind(kind: str, mine: Sequence[Gathered]) -> None:
    """Leave the shapes of a kind as they are: without one of its sources it would have holes."""
    for rows in mine:
        rows.report.leave_out(ALREADY_STORED, len(rows.rows))
        if not rows.stays:
            rows.report.notes.append(f"another source of {kind} was not read: kept as stored")


def _account(gathered: Gathered, new: int, removed: int) -> None:
    gathered.report.stored = new
    gathered.report.leave_out("already stored", len(gathered.rows) - new)
    if removed:
        gathered.report.notes.append(f"{removed} shapes no longer in the file were removed")
