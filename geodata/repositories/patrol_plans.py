"""Patrol plans: every version written once; of a shift, the one stored last stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from geodata.db.tables import City, Plan, Run, Zone
from geodata.documents import to_json
from geodata.errors import NotStoredError, StoreError
from geodata.plan_document import read_plan
from geodata.repositories import zone_versions

if TYPE_CHECKING:
    import datetime as dt

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.plan_document import PlanDocument


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanRecord:
    """One version of a plan.

    The shift is in milliseconds since 1970 UTC, its end
    excluded; ``version`` counts from 1 and ``parent`` is the version that this one changes.
    ``created_at`` is UTC.
    """

    id: str
    city: str
    run: str
    district: str
    shift_start_ms: int
    shift_end_ms: int
    seed: int
    version: int
    parent: str | None
    document: PlanDocument
    created_at: dt.datetime
    created_by: str | None


def save_plan(session: Session, record: PlanRecord) -> None:
    """Store a version of a plan.

    Raises
    ------
    StoreError
        If one of that id is stored already; a plan is never written twice.
    NotStoredError
        If its city, its run or its parent is not stored.
    """
    if session.get(Plan, record.id) is not None:
        msg = f"plan {record.id} is stored already and is never overwritten; read it by its id"
        raise StoreError(msg, code="stored_already")
    city = session.scalar(select(City).where(City.slug == record.city))
    if city is None or session.get(Run, record.run) is None:
        msg = f"plan {record.id} needs its city {record.city!r} and run {record.run!r} to be stored"
        raise NotStoredError(msg, code="plan_without_run")
    if record.parent is not None:
        get_plan(session, record.parent)
    session.add(
        Plan(
            id=record.id,
            city_id=city.id,
            run_id=record.run,
            district=record.district,
            shift_start_ms=record.shift_start_ms,
            shift_end_ms=record.shift_end_ms,
            seed=record.seed,
            version=record.version,
            parent=record.parent,
            document=to_json(record.document),
            created_at=record.created_at,
            created_by=record.created_by,
        )
    )
    session.flush()


def find_plan(session: Session, plan_id: str) -> PlanRecord | None:
    """Return a version of a plan, or nothing if none of that id is stored."""
    plan = session.get(Plan, plan_id)
    return None if plan is None else _record(plan, session.get_one(City, plan.city_id).slug)


def get_plan(session: Session, plan_id: str) -> PlanRecord:
    """Return a version of a plan.

    Raises
    ------
    NotStoredError
        If none of that id is stored.
    """
    record = find_plan(session, plan_id)
    if record is None:
        msg = f"no plan {plan_id!r} is stored; saferground plan tells the id of each that it stores"
        raise NotStoredError(msg, plan=plan_id, code="no_plan")
    return record


def list_plans(
    session: Session, city_slug: str, *, district: str | None = None
) -> list[PlanRecord]:
    """List every version of the plans of a city, or of one district: latest shift first."""
    query = (
        select(Plan)
        .join(City, City.id == Plan.city_id)
        .where(City.slug == city_slug)
        .order_by(Plan.shift_start_ms.desc(), Plan.created_at.desc(), Plan.version.desc(), Plan.id)
    )
    if district is not None:
        query = query.where(Plan.district == district)
    return [_record(plan, city_slug) for plan in session.scalars(query)]


def standing_plans(
    session: Session, city_slug: str, *, district: str | None = None
) -> list[PlanRecord]:
    """List the plan of each district and shift that was stored last, earliest shift first."""
    found: dict[tuple[str, int, int], PlanRecord] = {}
    for plan in list_plans(session, city_slug, district=district):
        found.setdefault((plan.district, plan.shift_start_ms, plan.shift_end_ms), plan)
    return list(found.values())[::-1]


def zone_shapes(session: Session, run_id: str) -> dict[str, BaseGeometry]:
    """Give the outline of every zone of a run by its id, and of all that a person made of them."""
    rows = session.execute(
        select(Zone.code, Zone.geom).where(Zone.run_id == run_id).order_by(Zone.id)
    )
    return {row[0]: row[1] for row in rows} | zone_versions.shapes_of(session, run_id)


def _record(plan: Plan, city: str) -> PlanRecord:
    return PlanRecord(
        id=plan.id,
        city=city,
        run=plan.run_id,
        district=plan.district,
        shift_start_ms=plan.shift_start_ms,
        shift_end_ms=plan.shift_end_ms,
        seed=plan.seed,
        version=plan.version,
        parent=plan.parent,
        document=read_plan(plan.document),
        created_at=plan.created_at,
        created_by=plan.created_by,
    )
