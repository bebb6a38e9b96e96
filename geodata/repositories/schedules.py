"""When a city's round is due: ``[schedule] round = "Mon 05:00"`` of its city file.

Every worker asks; of all workers one answers for each due time. A due time that passed while no
worker ran is answered once, by the latest. The first due time that is seen of a schedule is past
and asks for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from geodata.cityfile.round_schedule import Schedule, read_schedule
from geodata.db.staff_tables import ScheduleRun
from geodata.db.tables import City, ImportVersion
from geodata.repositories.archiving import CITY, archived_keys

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session

    from geodata.db.json_columns import CityFileKept


def schedules(session: Session, kind: str) -> dict[int, tuple[str, str, Schedule]]:
    """Return slug, zone and schedule of each city whose newest city file has one, by its number."""
    found = {}
    for city in session.scalars(select(City).where(City.slug.not_in(archived_keys(CITY)))):
        kept = session.scalar(
            select(ImportVersion.city_file)
            .where(ImportVersion.city_id == city.id, ImportVersion.undone_at.is_(None))
            .order_by(ImportVersion.id.desc())
            .limit(1)
        )
        schedule = read_schedule(_text(kept, kind))
        if schedule is not None:
            found[city.id] = (city.slug, city.timezone, schedule)
    return found


def list_slugs(session: Session) -> list[str]:
    """Return the slugs of the cities that are not archived, in order."""
    listed = City.slug.not_in(archived_keys(CITY))
    return list(session.scalars(select(City.slug).where(listed).order_by(City.slug)))


def is_answered(session: Session, city_id: int, kind: str, due: dt.datetime) -> bool:
    """Return whether a due time, or a later one, was taken up already."""
    newest = _newest(session, city_id, kind)
    return newest is not None and newest >= due


def claim(session: Session, city_id: int, kind: str, due: dt.datetime) -> ScheduleRun | None:
    """Take a due time up; nothing where another worker has, or where none was seen before."""
    newest = _newest(session, city_id, kind)
    if newest is not None and newest >= due:
        return None
    run = ScheduleRun(city_id=city_id, kind=kind, due_at=due)
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:
        return None
    return run if newest is not None else None


def _newest(session: Session, city_id: int, kind: str) -> dt.datetime | None:
    mine = (ScheduleRun.city_id == city_id, ScheduleRun.kind == kind)
    return session.scalar(select(func.max(ScheduleRun.due_at)).where(*mine))


def _text(kept: CityFileKept | None, kind: str) -> str:
    table = kept.content.get("schedule") if kept else None
    value = table.get(kind) if isinstance(table, dict) else None
    return value if isinstance(value, str) else ""
