"""Zones as a person changed them: editions of a run, step by step, and which of them is in use.

An edition is whole: all zones after one step. Nothing of it is ever changed, a step is taken back
by another step. The run's own zones are number 0. A code names one outline for ever, of whichever
edition, so that a plan finds the zones that it was made for.

Zones of a run by district, without the rest of the run.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
from sqlalchemy import func, select

from geodata.db.tables import EditedZone, EditionUse, Run, Zone, ZoneEdition
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit
from geodata.repositories.runs import ZONE_DETAILS, Edited, get_run, told_details
from geodata.repositories.zone_codes import Outlined, codes_of, give_codes
from geodata.repositories.zone_editing import COLUMNS

if TYPE_CHECKING:
    import datetime as dt

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.repositories.runs import RunRecord
    from geodata.repositories.zone_editing import Changed


OWN = 0
LONGEST_REASON = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditionRecord:
    """One step; ``details`` names the zones ``before`` and ``after`` it. ``made_at`` is UTC."""

    number: int
    action: str
    details: dict[str, Any]
    reason: str
    made_by: str
    made_at: dt.datetime


@dataclasses.dataclass(frozen=True, kw_only=True)
class UseRecord:
    """From when on an edition is used; ``used_at`` is UTC."""

    number: int
    reason: str
    used_by: str
    used_at: dt.datetime


def list_editions(session: Session, run_id: str) -> list[EditionRecord]:
    """List the steps that were made of a run's zones, newest first."""
    rows = session.scalars(
        select(ZoneEdition).where(ZoneEdition.run_id == run_id).order_by(ZoneEdition.number.desc())
    )
    return [
        EditionRecord(
            number=row.number,
            action=row.action,
            details=row.details,
            reason=row.reason,
            made_by=row.made_by,
            made_at=row.made_at,
        )
        for row in rows
    ]


def newest_number(session: Session, run_id: str) -> int:
    """Return the number of the newest edition of a run, 0 if its zones were never changed."""
    found = select(func.max(ZoneEdition.number)).where(ZoneEdition.run_id == run_id)
    return session.scalar(found) or OWN


def list_uses(session: Session, run_id: str) -> list[UseRecord]:
    """List which editions of a run were put to use, newest first."""
    rows = session.scalars(
        select(EditionUse).where(EditionUse.run_id == run_id).order_by(EditionUse.id.desc())
    )
    return [
        UseRecord(number=row.number, reason=row.reason, used_by=row.used_by, used_at=row.used_at)
        for row in rows
    ]


def number_in_use(session: Session, run_id: str) -> int:
    """Return the number of the edition that is in use, 0 for the run's own zones."""
    newest = (
        select(EditionUse.number)
        .where(EditionUse.run_id == run_id)
        .order_by(EditionUse.id.desc())
        .limit(1)
    )
    return session.scalar(newest) or OWN


def with_edition(session: Session, run: RunRecord, number: int) -> RunRecord:
    """Return a run with the zones of one of its editions; 0 for its own.

    Raises
    ------
    NotStoredError
        If there is no such edition.
    """
    if number == OWN:
        return run
    edition = _edition(session, run.id, number)
    rows = session.scalars(
        select(EditedZone).where(EditedZone.edition_id == edition.id).order_by(EditedZone.position)
    ).all()
    city_id = session.scalar(select(Run.city_id).where(Run.id == run.id)) or 0
    codes = codes_of(session, city_id, [row.code for row in rows])
    zones = gpd.GeoDataFrame(
        [
            {
                "id": row.code,
                "district": row.district,
                "rank": row.rank,
                "name": row.name,
                **told_details(row.details, run.result),
                "code": codes.get(row.code, ""),
                "geometry": row.geom,
            }
            for row in rows
        ],
        columns=[*COLUMNS[:-1], "code", COLUMNS[-1]],
        geometry="geometry",
        crs=run.zones.crs,
    )
    if list(zones["id"]) == list(run.zones["id"]) and not any(zones["name"]):
        return run  # every step was taken back
    edited = Edited(number=number, steps=number, on=edition.made_at.date())
    return dataclasses.replace(run, zones=zones, edited=edited)


def in_use(session: Session, run: RunRecord) -> RunRecord:
    """Return a run with the zones that are in use: those a person made, else its own."""
    return with_edition(session, run, number_in_use(session, run.id))


def get_run_in_use(session: Session, run_id: str) -> RunRecord:
    """Return a run with the zones that are in use.

    Plans, measures, evaluations, releases and exports are about these; validation, certainty and
    comparison are about the run, and read it by :func:`geodata.repositories.runs.get_run`.

    Raises
    ------
    NotStoredError
        If none of that id is stored.
    """
    return in_use(session, get_run(session, run_id))


def shapes_of(session: Session, run_id: str) -> dict[str, BaseGeometry]:
    """Return the outline of every zone of every edition of a run by its code."""
    rows = session.execute(
        select(EditedZone.code, EditedZone.geom)
        .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
        .where(ZoneEdition.run_id == run_id)
        .order_by(EditedZone.id)
    )
    return {row[0]: row[1] for row in rows}


def zone_districts(session: Session, run_id: str) -> dict[str, str]:
    """Give the district of every zone of a run, its own and those of every edition, by its code."""
    own = session.execute(select(Zone.code, Zone.district).where(Zone.run_id == run_id))
    edited = session.execute(
        select(EditedZone.code, EditedZone.district)
        .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
        .where(ZoneEdition.run_id == run_id)
        .order_by(EditedZone.id)
    )
    return {row[0]: row[1] for row in (*own, *edited)}


def add_edition(
    session: Session,
    run: RunRecord,
    changed: Changed,
    reason: str,
    who: str,
    when: dt.datetime,
    *,
    after: int,
) -> int:
    """Store a step that was worked out on an edition, and give its number.

    Raises
    ------
    DataError
        If no reason is given, or another step was stored meanwhile.
    """
    reason = _reason(reason)
    _lock(session, run.id)
    newest = newest_number(session, run.id)
    if newest != after:
        msg = (
            f"these zones were changed meanwhile (step {newest} is the newest, this one was made "
            f"of step {after}); reload the page and look again"
        )
        raise DataError(msg)
    edition = ZoneEdition(
        run_id=run.id,
        number=newest + 1,
        action=changed.action,
        details=changed.details,
        reason=reason,
        made_by=who,
        made_at=when,
    )
    session.add(edition)
    session.flush()
    for position, row in enumerate(changed.zones.itertuples(index=False)):
        session.add(
            EditedZone(
                edition_id=edition.id,
                position=position,
                code=row.id,
                district=row.district,
                rank=int(row.rank),
                name=row.name,
                details={name: _plain(getattr(row, name)) for name in ZONE_DETAILS},
                geom=row.geometry,
            )
        )
    session.flush()
    _give_codes(session, run, changed, after)
    document = {"city": run.city, "step": edition.number, "reason": reason, **changed.details}
    audit.record(session, who, f"zones.{changed.action}", run.id, document)
    return edition.number


def _give_codes(session: Session, run: RunRecord, changed: Changed, before: int) -> None:
    """Return the zones that a step made their codes, from those that were there before it."""
    city_id = session.scalar(select(Run.city_id).where(Run.id == run.id)) or 0
    give_codes(
        session,
        city_id,
        [
            Outlined(id=row.id, district=row.district, shape=row.geometry)
            for row in changed.zones.itertuples(index=False)
        ],
        [
            Outlined(id=row.id, district=row.district, shape=row.geometry)
            for row in with_edition(session, run, before).zones.itertuples(index=False)
        ],
    )


def use_edition(
    session: Session, run: RunRecord, number: int, reason: str, who: str, when: dt.datetime
) -> None:
    """Put an edition of a run's zones to use; 0 for its own.

    Raises
    ------
    NotStoredError
        If there is no such edition.
    DataError
        If no reason is given, or it is in use already.
    """
    reason = _reason(reason)
    _lock(session, run.id)
    if number != OWN:
        _edition(session, run.id, number)
    before = number_in_use(session, run.id)
    if before == number:
        msg = "these zones are in use already"
        raise DataError(msg)
    row = EditionUse(run_id=run.id, number=number, reason=reason, used_by=who, used_at=when)
    session.add(row)
    session.flush()
    document = {"city": run.city, "step": number, "before": before, "reason": reason}
    audit.record(session, who, "zones.use", run.id, document)


def _edition(session: Session, run_id: str, number: int) -> ZoneEdition:
    edition = session.scalar(
        select(ZoneEdition).where(ZoneEdition.run_id == run_id, ZoneEdition.number == number)
    )
    if edition is None:
        msg = f"run {run_id} has no step {number} of its zones"
        raise NotStoredError(msg)
    return edition


def _lock(session: Session, run_id: str) -> None:
    """Let one at a time change what becomes of a run's zones."""
    session.execute(select(Run.id).where(Run.id == run_id).with_for_update())


def _reason(text: str) -> str:
    message = " ".join(text.split())
    if not 0 < len(message) <= LONGEST_REASON:
        msg = f"say why, in 1 to {LONGEST_REASON} characters; it is kept with the step"
        raise DataError(msg)
    return message


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


@dataclass(frozen=True, kw_only=True, eq=False)
class ZoneRecord:
    """One zone: ``rank`` in its district, by which it is called, and names of its factors."""

    code: str
    rank: int
    factors: tuple[str, ...]
    geom: BaseGeometry


def district_zones(session: Session, run_id: str, district: str) -> list[ZoneRecord]:
    """Return the zones of a run in a district by rank: those in use, else its own."""
    number = number_in_use(session, run_id)
    if number == OWN:
        wanted = select(Zone.code, Zone.rank, Zone.details, Zone.geom).where(
            Zone.run_id == run_id, Zone.district == district
        )
        rows = session.execute(wanted.order_by(Zone.rank))
    else:
        wanted = (
            select(EditedZone.code, EditedZone.rank, EditedZone.details, EditedZone.geom)
            .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
            .where(ZoneEdition.run_id == run_id, ZoneEdition.number == number)
            .where(EditedZone.district == district)
        )
        rows = session.execute(wanted.order_by(EditedZone.rank))
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
    number = number_in_use(session, run_id)
    if number != OWN:
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
