"""Codes of zones: what a place is called by, whatever run cut its zone.

A zone takes over the code of the zone of an earlier run that it overlaps (the rule is
in :mod:`spatial.zones.describe`), within its district; any other zone gets a code that no
zone of the city ever had.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from geodata.db.tables import City, EditedZone, EditionUse, Run, RunUse, Zone, ZoneCode, ZoneEdition
from spatial.zones.describe import match_zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlined:
    """A zone as codes need to know it; ``code`` is empty where it has none yet."""

    id: str
    district: str
    shape: BaseGeometry
    code: str = ""


def choose_codes(
    zones: Sequence[Outlined], before: Sequence[Outlined], taken: Iterable[str]
) -> dict[str, str]:
    """Return a code for each zone that has none, by its id.

    Parameters
    ----------
    zones
        Zones of one run, in the order in which new codes are given.
    before
        Zones whose codes can be taken over.
    taken
        Every code that the city ever had.
    """
    highest: defaultdict[str, int] = defaultdict(int)
    for code in taken:
        prefix, _, number = code.rpartition("-")
        if number.isdigit():
            highest[prefix] = max(highest[prefix], int(number))
    used = {zone.code for zone in zones if zone.code}
    found: dict[str, str] = {}
    for district in dict.fromkeys(zone.district for zone in zones):
        new = [zone for zone in zones if zone.district == district and not zone.code]
        old = [z for z in before if z.district == district and z.code and z.code not in used]
        matched = match_zones([z.shape for z in old], [z.shape for z in new])
        prefix = "".join(sign if sign.isalnum() else "-" for sign in district)
        for position, zone in enumerate(new):
            if position in matched:
                found[zone.id] = old[matched[position]].code
            else:
                highest[prefix] += 1
                found[zone.id] = f"{prefix}-{highest[prefix]}"
    return found


def codes_of(session: Session, city_id: int, zones: Iterable[str]) -> dict[str, str]:
    """Return the codes of zones by their ids; an id without a code is left out."""
    wanted = list(zones)
    rows = session.execute(
        select(ZoneCode.zone, ZoneCode.code).where(
            ZoneCode.city_id == city_id, ZoneCode.zone.in_(wanted)
        )
    )
    return {row[0]: row[1] for row in rows}


def give_codes(
    session: Session, city_id: int, zones: Sequence[Outlined], before: Sequence[Outlined]
) -> None:
    """Store codes of zones that have none; ``before`` has the zones whose codes they may take.

    What code a zone has is read from the database, whatever is reported of it.
    """
    session.execute(select(City.id).where(City.id == city_id).with_for_update())
    known = codes_of(session, city_id, [zone.id for zone in (*zones, *before)])
    coded, there = (
        [
            Outlined(id=z.id, district=z.district, shape=z.shape, code=known.get(z.id, ""))
            for z in some
        ]
        for some in (zones, before)
    )
    every = session.scalars(select(ZoneCode.code).where(ZoneCode.city_id == city_id))
    for zone, code in choose_codes(coded, there, every).items():
        session.add(ZoneCode(city_id=city_id, zone=zone, code=code))
    session.flush()


def earlier_zones(session: Session, city_id: int, outcome: str, scope: str) -> list[Outlined]:
    """Return the zones that a new run may take codes from.

    They are those of the run in use for its outcome, else those of the newest run of the same
    outcome and scope.
    """
    run = session.scalar(
        select(RunUse.run_id)
        .where(RunUse.city_id == city_id, RunUse.outcome == outcome)
        .order_by(RunUse.id.desc())
        .limit(1)
    )
    if run is None:
        run = session.scalar(
            select(Run.id)
            .where(Run.city_id == city_id, Run.outcome == outcome, Run.scope == scope)
            .order_by(Run.created_at.desc(), Run.id)
            .limit(1)
        )
    return [] if run is None else _zones_of(session, run)


def _zones_of(session: Session, run: str) -> list[Outlined]:
    """Return the zones of a run that are in use: those a person made, else its own."""
    number = session.scalar(
        select(EditionUse.number)
        .where(EditionUse.run_id == run)
        .order_by(EditionUse.id.desc())
        .limit(1)
    )
    if number:
        wanted = (
            select(EditedZone.code, EditedZone.district, EditedZone.geom)
            .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
            .where(ZoneEdition.run_id == run, ZoneEdition.number == number)
            .order_by(EditedZone.position)
        )
    else:
        wanted = (
            select(Zone.code, Zone.district, Zone.geom).where(Zone.run_id == run).order_by(Zone.id)
        )
    return [Outlined(id=row[0], district=row[1], shape=row[2]) for row in session.execute(wanted)]
