"""Zones of a run by district, without the rest of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    return [
        ZoneRecord(
            code=code,
            rank=rank,
            factors=tuple(dict.fromkeys(factor["name"] for factor in details["factors"])),
            geom=geom,
        )
        for code, rank, details, geom in rows
    ]
