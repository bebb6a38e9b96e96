"""Visits that officers log: taken once each, corrected by versions, counted with imported ones.

The newest version of a logged visit is a row of the ``visit`` table too, under a key and a source
of its own, at a point within its zone. So all that reads visits reads these, and imports and their
undoing, which know rows by key and source, leave them alone.
"""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import shapely
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from geodata.db.staff_tables import LoggedVisit, VisitVersion
from geodata.db.tables import Run, Visit
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit
from geodata.repositories.recorded import read_frame
from geodata.repositories.zone_versions import find_zone

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd
    from shapely.geometry import Point
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CityRecord

    Taken = Literal["new", "ended", "same"]

SOURCE, KEY = "logged by officers", "logged/"
LONGEST_UNIT, LONGEST_NOTE, LONGEST_WHY = 40, 1000, 500
MINUTE_MS = 60_000
AHEAD_MS = 10 * MINUTE_MS  # a telephone's clock may be so much ahead
OLDEST_MS = 31 * 24 * 60 * MINUTE_MS
LONGEST_MS = 12 * 60 * MINUTE_MS
SORTS = ("start", "zone", "unit", "minutes")
Fault = tuple[str, str]  # a field, and what is wrong with it


@dataclass(frozen=True, kw_only=True)
class VisitFacts:
    """What is stated of a visit; clocks are milliseconds since 1970 UTC, no end while it lasts."""

    zone: str
    unit: str
    start_ms: int
    end_ms: int | None
    activity: str
    note: str = ""

    @property
    def minutes(self) -> int | None:
        """How long it was, nothing while it lasts."""
        return None if self.end_ms is None else round((self.end_ms - self.start_ms) / MINUTE_MS)


@dataclass(frozen=True, kw_only=True)
class VisitRecord:
    """A logged visit as its newest version tells it; ``version`` counts from 1."""

    uuid: str
    district: str
    run: str
    facts: VisitFacts
    version: int
    withdrawn: bool
    logged_by: str
    received_at: dt.datetime

    @property
    def corrected(self) -> bool:
        """Whether a version corrects it; its end, logged after its start, is the second."""
        return self.version > 2 or (self.version == 2 and self.facts.end_ms is None)


@dataclass(frozen=True, kw_only=True)
class VersionRecord:
    """One version of a logged visit; ``why`` is missing where it corrects nothing."""

    version: int
    facts: VisitFacts
    withdrawn: bool
    changed_at: dt.datetime
    changed_by: str
    why: str | None


@dataclass(frozen=True, kw_only=True)
class VisitQuery:
    """Which logged visits of a district are requested; what is left out does not narrow."""

    unit: str | None = None
    zone: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None  # excluded
    sort: str = "start"
    descending: bool = True


def check_facts(city: CityRecord, facts: VisitFacts, now_ms: int) -> None:
    """Refuse what cannot be stated of a visit.

    Raises
    ------
    DataError
        Which names the field and the remedy.
    """
    fault: Fault | None = None
    if not facts.unit.strip() or len(facts.unit) > LONGEST_UNIT:
        fault = ("unit", f"give the unit in at most {LONGEST_UNIT} characters")
    elif facts.activity not in city.activities:
        fault = ("activity", f"choose one of {', '.join(city.activities)}")
    elif len(facts.note) > LONGEST_NOTE:
        fault = ("note", f"shorten it to {LONGEST_NOTE} characters")
    elif facts.start_ms > now_ms + AHEAD_MS:
        fault = ("start", "it lies ahead of now; set the clock of the telephone right")
    elif facts.start_ms < now_ms - OLDEST_MS:
        fault = ("start", "it is more than 31 days ago; have it imported from a file")
    elif facts.end_ms is not None:
        fault = _end_fault(facts.start_ms, facts.end_ms, now_ms)
    if fault is not None:
        field, what = fault
        raise DataError.at(what, field=field, code="field_text")


def _end_fault(start_ms: int, end_ms: int, now_ms: int) -> Fault | None:
    if end_ms < start_ms:
        return "end", "it comes before the start; change one of the two"
    if end_ms > now_ms + AHEAD_MS:
        return "end", "it lies ahead of now; leave it empty while the visit lasts"
    if end_ms - start_ms > LONGEST_MS:
        return "end", "no visit lasts longer than 12 hours; log several"
    return None


def log_visit(
    session: Session,
    city: CityRecord,
    district: str,
    run: str,
    uuid: str,
    facts: VisitFacts,
    *,
    who: str,
    when: dt.datetime,
    now_ms: int,
) -> Taken:
    """Take a visit, once: however often the same one is sent, and by how many at a time.

    Sent again with an end that was missing, it is ended. Anything else that differs from what is
    stored is not taken: it is a correction, which says why.

    Parameters
    ----------
    session
        Open for writing.
    city, district, run
        Where its zone lies.
    uuid
        Made where the visit was logged.
    facts
        What is stated of it.
    who, when, now_ms
        Who logged it; the time now, UTC, and in milliseconds by the city's calendar.

    Raises
    ------
    DataError
        If it cannot be so, or the id is another one's.
    NotStoredError
        If the run has no such zone in the district.
    """
    uuid = read_uuid(uuid)
    check_facts(city, facts, now_ms)
    place = _place(session, city.id, run, district, facts.zone)
    kind = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = session.execute(
        kind.insert(LoggedVisit)
        .values(
            city_id=city.id,
            uuid=uuid,
            district=district,
            run_id=run,
            logged_by=who,
            received_at=when,
        )
        .on_conflict_do_nothing(index_elements=["city_id", "uuid"])
        .returning(LoggedVisit.id)
    ).first()
    if made is not None:
        _add_version(session, made[0], 1, facts, who, when)
        _put(session, city.id, district, uuid, facts, place)
        _tell(session, city, district, "visit.log", uuid, facts, who)
        return "new"
    return _end_visit(session, city, district, uuid, facts, who=who, when=when)


def _end_visit(
    session: Session,
    city: CityRecord,
    district: str,
    uuid: str,
    facts: VisitFacts,
    *,
    who: str,
    when: dt.datetime,
) -> Taken:
    """End a visit that is stored without an end; one that has an end stays as it is."""
    row = _locked(session, city.id, uuid)
    if row.logged_by != who or row.district != district:
        msg = "this visit was logged by somebody else; log it anew"
        raise DataError(msg, code="of_another_person")
    last = _newest(session, row.id)
    if last.withdrawn or last.version > 1 or last.end_ms is not None or facts.end_ms is None:
        return "same"
    if facts.end_ms < last.start_ms:
        what = "it comes before the start; change one of the two"
        raise DataError.at(what, field="end", code="end_before_start")
    ended = VisitFacts(
        zone=last.zone,
        unit=last.unit,
        start_ms=last.start_ms,
        end_ms=facts.end_ms,
        activity=facts.activity,
        note=facts.note,
    )
    _add_version(session, row.id, last.version + 1, ended, who, when)
    _put(
        session,
        city.id,
        district,
        uuid,
        ended,
        _place(session, city.id, row.run_id, district, last.zone),
    )
    _tell(session, city, district, "visit.end", uuid, ended, who)
    return "ended"


def _correction_fault(
    last: VisitVersion, facts: VisitFacts, why: str, version: int, *, withdrawn: bool
) -> str:
    if not why or len(why) > LONGEST_WHY:
        return f"give the reason in at most {LONGEST_WHY} characters"
    if last.version != version:
        return f"{last.changed_by} changed this visit meanwhile; look at it again, then send"
    if withdrawn == last.withdrawn and facts == _facts(last):
        return "nothing differs from what is stored; change something, or leave it"
    return ""


def correct_visit(
    session: Session,
    city: CityRecord,
    uuid: str,
    facts: VisitFacts,
    *,
    why: str,
    version: int,
    who: str,
    when: dt.datetime,
    now_ms: int,
    withdrawn: bool = False,
) -> VisitRecord:
    """Correct a visit, or withdraw it: another version, with the reason; the ones before stay.

    Parameters
    ----------
    session
        Open for writing.
    city, uuid
        Which visit.
    facts
        What is stated of it from now on.
    why
        The reason.
    version
        The version that was looked at.
    who, when
        Who corrects it, and the time now, UTC.
    now_ms
        The same by the city's calendar.
    withdrawn
        Whether it no longer counts.

    Raises
    ------
    DataError
        If there is no reason, it cannot be so, or somebody else corrected it meanwhile.
    NotStoredError
        If no such visit was logged.
    """
    why = " ".join(why.split())
    row = _locked(session, city.id, read_uuid(uuid))
    last = _newest(session, row.id)
    what = _correction_fault(last, facts, why, version, withdrawn=withdrawn)
    if what:
        raise DataError.at(what, field="why", code="correction")
    if not withdrawn:
        check_facts(city, facts, now_ms)
    place = _place(session, city.id, row.run_id, row.district, facts.zone)
    _add_version(session, row.id, version + 1, facts, who, when, why=why, withdrawn=withdrawn)
    if withdrawn:
        session.execute(
            delete(Visit).where(Visit.city_id == city.id, Visit.row_key == f"{KEY}{row.uuid}")
        )
    else:
        _put(session, city.id, row.district, row.uuid, facts, place)
    action = "visit.withdraw" if withdrawn else "visit.correct"
    _tell(session, city, row.district, action, row.uuid, facts, who, why=why)
    return get_visit(session, city.id, row.uuid)


def get_visit(session: Session, city_id: int, uuid: str) -> VisitRecord:
    """Return a logged visit.

    Raises
    ------
    NotStoredError
        If no such visit was logged.
    """
    found = session.execute(
        _newest_versions(city_id).where(LoggedVisit.uuid == uuid.lower())
    ).first()
    if found is None:
        raise NotStoredError(_unknown(uuid), code="no_visit")
    return _record(*found)


def versions_of(session: Session, city_id: int, uuid: str) -> list[VersionRecord]:
    """Return every version of a logged visit, the first first."""
    rows = session.scalars(
        select(VisitVersion)
        .join(LoggedVisit, LoggedVisit.id == VisitVersion.visit_id)
        .where(LoggedVisit.city_id == city_id, LoggedVisit.uuid == uuid)
        .order_by(VisitVersion.version)
    )
    return [
        VersionRecord(
            version=row.version,
            facts=_facts(row),
            withdrawn=row.withdrawn,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
            why=row.why,
        )
        for row in rows
    ]


def list_visits(
    session: Session, city_id: int, district: str, query: VisitQuery, *, start: int, size: int
) -> tuple[int, list[VisitRecord]]:
    """Return how many logged visits of a district are requested, and ``size`` of them."""
    wanted = _newest_versions(city_id).where(LoggedVisit.district == district)
    if query.unit is not None:
        wanted = wanted.where(VisitVersion.unit == query.unit)
    if query.zone is not None:
        wanted = wanted.where(VisitVersion.zone == query.zone)
    if query.from_ms is not None:
        wanted = wanted.where(VisitVersion.start_ms >= query.from_ms)
    if query.to_ms is not None:
        wanted = wanted.where(VisitVersion.start_ms < query.to_ms)
    order: Any = {
        "start": VisitVersion.start_ms,
        "zone": VisitVersion.zone,
        "unit": VisitVersion.unit,
        "minutes": VisitVersion.end_ms - VisitVersion.start_ms,
    }[query.sort]
    count = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    ordered = wanted.order_by(
        order.desc().nulls_last() if query.descending else order.asc().nulls_last(),
        VisitVersion.start_ms.desc(),
        LoggedVisit.id,
    )
    rows = session.execute(ordered.offset(start).limit(size))
    return count, [_record(*row) for row in rows]


def units_of(session: Session, city_id: int, district: str) -> list[str]:
    """Return the units that visits of a district were logged for."""
    return list(
        session.scalars(
            select(VisitVersion.unit)
            .join(LoggedVisit, LoggedVisit.id == VisitVersion.visit_id)
            .where(LoggedVisit.city_id == city_id, LoggedVisit.district == district)
            .distinct()
            .order_by(VisitVersion.unit)
        )
    )


def read_uuid(text: str) -> str:
    """Read the id of a visit.

    Raises
    ------
    DataError
        If it is none.
    """
    try:
        return str(uuids.UUID(text))
    except (ValueError, AttributeError, TypeError) as error:
        what = "it is no UUID; reload the page and log the visit anew"
        raise DataError.at(what, field="id", code="uuid") from error


def _newest_versions(city_id: int) -> Select[LoggedVisit, VisitVersion]:
    newest = (
        select(func.max(VisitVersion.version))
        .where(VisitVersion.visit_id == LoggedVisit.id)
        .correlate(LoggedVisit)
        .scalar_subquery()
    )
    return (
        select(LoggedVisit, VisitVersion)
        .join(VisitVersion, VisitVersion.visit_id == LoggedVisit.id)
        .where(LoggedVisit.city_id == city_id, VisitVersion.version == newest)
    )


def _locked(session: Session, city_id: int, uuid: str) -> LoggedVisit:
    row = session.scalar(
        select(LoggedVisit)
        .where(LoggedVisit.city_id == city_id, LoggedVisit.uuid == uuid)
        .with_for_update()
    )
    if row is None:
        raise NotStoredError(_unknown(uuid), code="no_visit")
    return row


def _unknown(uuid: str) -> str:
    return f"no visit {uuid[:40]!r} was logged; look for it in the list of visits"


def _newest(session: Session, visit_id: int) -> VisitVersion:
    return session.scalars(
        select(VisitVersion)
        .where(VisitVersion.visit_id == visit_id)
        .order_by(VisitVersion.version.desc())
        .limit(1)
    ).one()


def _place(session: Session, city_id: int, run: str, district: str, zone: str) -> Point:
    """Return a point within a zone."""
    ours = session.scalar(select(Run.id).where(Run.id == run, Run.city_id == city_id))
    found = find_zone(session, run, district, zone) if ours else None
    if found is None:
        what = f"run {run[:40]!r} has no zone {zone[:120]!r} in this district; choose another"
        raise NotStoredError.at(what, field="zone", code="no_zone")
    return shapely.point_on_surface(found.geom)


def _add_version(
    session: Session,
    visit_id: int,
    version: int,
    facts: VisitFacts,
    who: str,
    when: dt.datetime,
    *,
    why: str | None = None,
    withdrawn: bool = False,
) -> None:
    session.add(
        VisitVersion(
            visit_id=visit_id,
            version=version,
            zone=facts.zone,
            unit=facts.unit,
            start_ms=facts.start_ms,
            end_ms=facts.end_ms,
            activity=facts.activity,
            note=facts.note,
            withdrawn=withdrawn,
            changed_at=when,
            changed_by=who,
            why=why,
        )
    )
    session.flush()


def _put(
    session: Session, city_id: int, district: str, uuid: str, facts: VisitFacts, place: Point
) -> None:
    """Write what a visit says now where measures read it."""
    key = f"{KEY}{uuid}"
    values = {
        "district": district,
        "start_ms": facts.start_ms,
        "end_ms": facts.end_ms,
        "unit": facts.unit,
        "activity": facts.activity,
        "x": place.x,
        "y": place.y,
    }
    owner = session.scalar(
        select(Visit.source).where(Visit.city_id == city_id, Visit.row_key == key)
    )
    if owner is None:
        session.execute(insert(Visit).values(city_id=city_id, source=SOURCE, row_key=key, **values))
    elif owner == SOURCE:
        session.execute(
            update(Visit).where(Visit.city_id == city_id, Visit.row_key == key).values(**values)
        )
    else:
        msg = f"an imported visit already has the id {key}; log the visit anew"
        raise DataError(msg, code="id_taken")


def _tell(
    session: Session,
    city: CityRecord,
    district: str,
    action: str,
    uuid: str,
    facts: VisitFacts,
    who: str,
    *,
    why: str | None = None,
) -> None:
    document = {
        "city": city.slug,
        "district": district,
        "zone": facts.zone,
        "unit": facts.unit,
        "start_ms": facts.start_ms,
        "end_ms": facts.end_ms,
    }
    audit.record(session, who, action, uuid, {**document, **({"why": why} if why else {})})


def _facts(row: VisitVersion) -> VisitFacts:
    return VisitFacts(**{name: getattr(row, name) for name in VisitFacts.__dataclass_fields__})


def _record(visit: LoggedVisit, version: VisitVersion) -> VisitRecord:
    return VisitRecord(
        uuid=visit.uuid,
        district=visit.district,
        run=visit.run_id,
        facts=_facts(version),
        version=version.version,
        withdrawn=version.withdrawn,
        logged_by=visit.logged_by,
        received_at=visit.received_at,
    )


def visits_between(session: Session, city_id: int, start_ms: int, end_ms: int) -> pd.DataFrame:
    """Return visits of any source that began in a span, its end excluded, the earliest first.

    Returns
    -------
    ``start_ms``, ``end_ms`` (NaN while it lasts or where nobody noted it), ``unit``, ``x``, ``y``.
    """
    columns = [Visit.__table__.c[name] for name in ("start_ms", "end_ms", "unit", "x", "y")]
    wanted = select(*columns).where(
        Visit.city_id == city_id, Visit.start_ms >= start_ms, Visit.start_ms < end_ms
    )
    return read_frame(session, wanted.order_by(Visit.start_ms, Visit.id))
