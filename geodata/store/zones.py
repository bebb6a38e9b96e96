"""Zones of a run by district, without the rest of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from geodata.store import editions
from geodata.tables.core import Zone
from geodata.tables.editions import EditedZone, ZoneEdition

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True, eq=False)
class ZoneRecord:
    """One zone: ``rank`` in its district, by which it is called, and names of its factors."""

    code: str
    rank: int
    factors: tuple[str, ...]
    geom: BaseGeometry


def district_zones(session: Session, run_id: str, district: str) -> list[ZoneRecord]:
    """Give the zones of a run in a district by rank: those in use, else its own."""
    number = editions.number_in_use(session, run_id)
    if number == editions.OWN:
        asked = select(Zone.code, Zone.rank, Zone.details, Zone.geom).where(
            Zone.run_id == run_id, Zone.district == district
        )
        rows = session.execute(asked.order_by(Zone.rank))
    else:
        asked = (
            select(EditedZone.code, EditedZone.rank, EditedZone.details, EditedZone.geom)
            .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
            .where(ZoneEdition.run_id == run_id, ZoneEdition.number == number)
            .where(EditedZone.district == district)
        )
        rows = session.execute(asked.order_by(EditedZone.rank))
    return [_zone(*row) for row in rows]


def find_zone(session: Session, run_id: str, district: str, code: str) -> ZoneRecord | None:
    """Return a zone of a run in a district by its id: its own or one of any edition, or nothing.

    What was done in a zone, or is to be done, stays with it whatever is in use later.
    """
    own = select(Zone.code, Zone.rank, Zone.details, Zone.geom).where(
        Zone.run_id == run_id, Zone.district == district, Zone.code == code
    )
    edited = (
        select(EditedZone.code, EditedZone.rank, EditedZone.details, EditedZone.geom)
        .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
        .where(ZoneEdition.run_id == run_id)
        .where(EditedZone.district == district, EditedZone.code == code)
        .order_by(EditedZone.id.desc())
        .limit(1)
    )
    row = session.execute(own).first() or session.execute(edited).first()
    return None if row is None else _zone(*row)


def zone_ranks(session: Session, run_id: str) -> dict[str, int]:
    """Return the rank of every zone of a run by its id: the one in use, else the last it had."""
    edited = session.execute(
        select(EditedZone.code, EditedZone.rank)
        .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
        .where(ZoneEdition.run_id == run_id)
        .order_by(EditedZone.id)
    )
    own = session.execute(select(Zone.code, Zone.rank).where(Zone.run_id == run_id))
    found = {row[0]: row[1] for row in edited} | {row[0]: row[1] for row in own}
    number = editions.number_in_use(session, run_id)
    if number != editions.OWN:
        used = session.execute(
            select(EditedZone.code, EditedZone.rank)
            .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
            .where(ZoneEdition.run_id == run_id, ZoneEdition.number == number)
        )
        found |= {row[0]: row[1] for row in used}
    return found


def _zone(code: str, rank: int, details: dict[str, Any], geom: BaseGeometry) -> ZoneRecord:
    factors = tuple(dict.fromkeys(factor["name"] for factor in details["factors"]))
    return ZoneRecord(code=code, rank=rank, factors=factors, geom=geom)
