"""Cities and runs removed with all that belongs to them, where nothing stands on them.

What belongs to a row follows from the foreign keys of the tables. Work of people and releases are
never removed: what has some is archived instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, or_, select

from geodata.db.staff_tables import Job, Person
from geodata.db.tables import Base, City, Run
from geodata.errors import DataError
from geodata.repositories import archiving, audit, runs_in_use
from geodata.repositories.cities import get_city
from geodata.repositories.job_queue import RUNNING, WAITING
from geodata.repositories.releases import APPROVED, DRAFTED, list_releases
from geodata.repositories.runs import get_summary

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

STANDS = {  # rows that are never removed, and what they are called
    "release": "releases",
    "run_use": "decisions that a run is in use",
    "zone_edition": "changes of zones",
    "edition_use": "decisions about changed zones",
    "plan": "patrol plans",
    "logged_visit": "logged visits",
    "action": "actions on places",
}


def archive_run(session: Session, run: str, who: str, when: dt.datetime) -> None:
    """Leave a run out of lists.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If it is in use.
    """
    city = get_city(session, get_summary(session, run).city)
    if run in runs_in_use.uses_now(session, city.id):
        msg = f"run {run} is in use; put another run to use before this one is archived"
        raise DataError(msg, code="run_in_use")
    archiving.archive(session, archiving.RUN, run, who, when)


def archive_city(session: Session, slug: str, who: str, when: dt.datetime) -> None:
    """Leave a city out of lists; its release stays public, its schedule rests.

    Raises
    ------
    NotStoredError
        If there is no such city.
    """
    archiving.archive(session, archiving.CITY, get_city(session, slug).slug, who, when)


def run_content(session: Session, run: str) -> dict[str, int]:
    """Return how many rows belong to a run, by table, its own left out."""
    return _counts(session, _belonging(Run.__table__, Run.id == run))


def city_content(session: Session, slug: str) -> dict[str, int]:
    """Return how many rows belong to a city, by table, its own left out."""
    return _counts(session, _belonging(City.__table__, City.slug == slug))


def why_run_stays(session: Session, run: str) -> str:
    """Say why a run cannot be removed; nothing where it can."""
    summary = get_summary(session, run)
    shown = [
        release.id
        for release in list_releases(session, summary.city)
        if release.state in (DRAFTED, APPROVED)
        and release.manifest.run is not None
        and release.manifest.run.id == run
    ]
    if shown:
        return f"release {shown[0]} shows its zones"
    return _standing(run_content(session, run))


def why_city_stays(session: Session, slug: str) -> str:
    """Say why a city cannot be removed; nothing where it can."""
    open_jobs = session.scalar(
        select(func.count(Job.id)).where(Job.city == slug, Job.state.in_((WAITING, RUNNING)))
    )
    if open_jobs:
        return f"work on it waits or runs ({open_jobs} jobs)"
    return _standing(city_content(session, slug))


def remove_run(session: Session, run: str, who: str) -> dict[str, int]:
    """Remove an archived run; return how many rows went, by table.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If it is not archived, or something stands on it.
    """
    summary = get_summary(session, run)
    archiving.require_archived(session, archiving.RUN, run)
    if why := why_run_stays(session, run):
        msg = f"run {run} cannot be removed: {why}; it stays archived"
        raise DataError(msg, code="run_stays")
    archiving.restore(session, archiving.RUN, run, who)
    gone = _remove(session, _belonging(Run.__table__, Run.id == run))
    audit.record(session, who, "run.remove", run, {"city": summary.city, "rows": gone})
    return gone


def remove_city(session: Session, slug: str, who: str) -> dict[str, int]:
    """Remove an archived city; return how many rows went, by table.

    Raises
    ------
    NotStoredError
        If there is no such city.
    DataError
        If it is not archived, or something stands on it.
    """
    city = get_city(session, slug)
    archiving.require_archived(session, archiving.CITY, slug)
    if why := why_city_stays(session, slug):
        msg = f"city {slug} cannot be removed: {why}; it stays archived"
        raise DataError(msg, code="city_stays")
    archiving.restore(session, archiving.CITY, slug, who)
    for run in session.scalars(select(Run.id).where(Run.city_id == city.id)):
        archiving.restore(session, archiving.RUN, run, who)
    gone = _remove(session, _belonging(City.__table__, City.slug == slug))
    gone |= _remove(session, {Base.metadata.tables["job"]: Job.city == slug})
    for person in session.scalars(select(Person)):
        rest = [one for one in person.districts if not one.startswith(f"{slug}/")]
        if rest != person.districts:
            person.districts = rest
    audit.record(session, who, "city.remove", slug, {"name": city.name, "rows": gone})
    return gone


def _belonging(root: Any, mine: ColumnElement[bool]) -> dict[Table, ColumnElement[bool]]:
    """Return which rows of which tables belong to rows of a table, that table first."""
    found: dict[Table, ColumnElement[bool]] = {root: mine}
    for table in Base.metadata.sorted_tables:
        parts = [
            column.in_(select(key.column).where(found[key.column.table]))
            for column in table.columns
            for key in column.foreign_keys
            if key.column.table in found and key.column.table is not table
        ]
        if parts and table is not root:
            found[table] = or_(*parts)
    return found


def _counts(session: Session, found: Mapping[Table, ColumnElement[bool]]) -> dict[str, int]:
    counts = {}
    for table, mine in list(found.items())[1:]:
        number = session.scalar(select(func.count()).select_from(table).where(and_(mine)))
        if number:
            counts[table.name] = number
    return counts


def _standing(counts: Mapping[str, int]) -> str:
    parts = [f"{counts[name]:,} {what}" for name, what in STANDS.items() if counts.get(name)]
    return f"it has {', '.join(parts)}" if parts else ""


def _remove(session: Session, found: Mapping[Table, ColumnElement[bool]]) -> dict[str, int]:
    gone = {}
    for table, mine in reversed(list(found.items())):
        done: Any = session.execute(delete(table).where(mine))
        if done.rowcount:
            gone[table.name] = int(done.rowcount)
    session.expire_all()
    return gone
