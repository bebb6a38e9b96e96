"""A city file's sources into the database: everything checked first, then stored in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from geodata.cityfile.measures import counted_in_rows
from geodata.cityfile.sections import RECORD_KINDS
from geodata.clock import utc_now
from geodata.db.geometry import geometry_faults
from geodata.import_report import notes_of_alike
from geodata.ingest.areas import gather_areas, gather_residents
from geodata.ingest.recorded_rows import gather_records
from geodata.ingest.sources import gather_addresses, gather_base, gather_factor, gather_incidents
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
    from geodata.ingest.areas import Areas, GatheredResidents
    from geodata.ingest.sources import Gathered, GatheredRecords
    from geodata.remote import Fetching
    from geodata.repositories.incidents import Stored

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What an import did, source by source."""

    city: str
    sources: tuple[SourceReport, ...]

    def as_json(self) -> dict[str, Any]:
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
) -> ImportResult:
    """Read every source of a city file and store it, all or nothing.

    Reading and checking come first and touch no table; storing is one transaction. Importing the
    same files again stores nothing twice. Addresses are fetched first, if it is stated how. ``who``
    imports stands in the audit, with what the import changed.

    Parameters
    ----------
    database, described
        What is imported where.
    who, fetching, progress
        As above.
    after
        Number of the import that the city file goes on from; any, if left out.
    forget
        Section and source of rows that are to go: what a city file names no longer stays stored
        unless it is stated here. Of base shapes it is the kind that is named.

    Raises
    ------
    DataError
        If a source cannot be used; the message names it, and what is stored stays as it was. Also
        if another import came in between.
    GridError
        If the cell of the city file cannot be right.
    """
    if fetching is not None:
        described = fetch_city(described, fetching, progress=progress)
    areas, gathered, recorded, lived = _gather(described, progress)
    with database.session(write=True) as session:
        log = _begin(session, described.slug, after, forget)
        reports, result = _store(
            session, described, areas, gathered, recorded, lived, progress, log=log, who=who
        )
        audit.record(session, who, "data.import", described.slug, result)
    return ImportResult(city=described.slug, sources=tuple(reports))


def _gather(
    described: CityFile, progress: Callable[[str, int, int], None] | None
) -> tuple[Areas, dict[str, list[Gathered]], list[GatheredRecords], GatheredResidents | None]:
    """Read and check every source; nothing is stored."""
    total = 1 + sum(
        len(part)
        for part in (described.incidents, described.factors, described.base, described.records)
    )
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress("reading", done, total)

    areas = gather_areas(described)
    step()
    gathered: dict[str, list[Gathered]] = {"incidents": [], "factors": [], "base": []}
    for incident in described.incidents:
        with geometry_faults(incident.place.label):
            gathered["incidents"].append(
                gather_incidents(incident, areas.frame, described.timezone, areas.study_area)
            )
        step()
    for factor in described.factors:
        with geometry_faults(factor.place.label):
            gathered["factors"].append(gather_factor(factor, areas.frame))
        step()
    for base in described.base:
        with geometry_faults(base.place.label):
            gathered["base"].append(gather_base(base, areas.frame))
        step()
    shapes = {code: shape for code, (_, shape) in areas.districts.items()}
    counted = counted_in_rows(described.measures)
    recorded: list[GatheredRecords] = []
    if described.addresses is not None:
        recorded.append(gather_addresses(described.addresses, areas.frame))
    for source in described.records:
        with geometry_faults(source.place.label):
            recorded.append(
                gather_records(source, areas.frame, described.timezone, shapes, counted, utc_now())
            )
        step()
    lived = None
    if described.residents is not None:
        with geometry_faults(described.residents.place.label):
            lived = gather_residents(described.residents, areas)
    return areas, gathered, recorded, lived


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
    for rows in gathered["incidents"]:
        _store_incidents(session, city, rows, log)
    _store_factors(session, city, described, gathered["factors"], log)
    _store_base(session, city, described, gathered["base"], log)
    homes = [found for found in recorded if found.section == "addresses"]
    _store_addresses(session, city, homes[0] if homes else None, log)
    _store_residents(session, city, lived, srid, log)
    for found in recorded:
        if found.section != "addresses":
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


def _store_incidents(session: Session, city: int, gathered: Gathered, log: ChangeLog) -> None:
    report, rows = gathered.report, gathered.rows
    known = incidents.known_rows(session, city)
    report.notes += notes_of_alike(incidents.count_alike(known, rows))
    found = incidents.store_incidents(session, city, report.source, rows, log, known)
    _account_rows(gathered.report, found)


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
    _account_rows(gathered.report, found)


def _account_rows(report: SourceReport, found: Stored) -> None:
    report.stored = found.new + found.corrected
    report.leave_out("already stored", found.same)
    report.leave_out("same id from another source with other content", found.conflicting)
    if found.corrected:
        report.notes.append(f"{found.corrected} rows stored earlier were corrected")


def _store_factors(
    session: Session, city: int, described: CityFile, gathered: list[Gathered], log: ChangeLog
) -> None:
    names = [source.factor.name for source in described.factors]
    gone = layers.forget_factors(session, city, names, log)
    for position, (source, rows) in enumerate(zip(described.factors, gathered, strict=True)):
        number = layers.store_factor(session, city, source.factor, position)
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


def _account(gathered: Gathered, new: int, removed: int) -> None:
    gathered.report.stored = new
    gathered.report.leave_out("already stored", len(gathered.rows) - new)
    if removed:
        gathered.report.notes.append(f"{removed} shapes no longer in the file were removed")
