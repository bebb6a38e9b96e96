"""Zones as a person changed them: editions of a run, step by step, and which of them is in use.

An edition is whole: all zones after one step. Nothing of it is ever changed, a step is taken back
by another step. The run's own zones are number 0. A code names one outline for ever, of whichever
edition, so that a plan finds the zones that it was made for.

Zones of a run by district, without the rest of the run.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
from sqlalchemy import func, select

from geodata.db.tables import EditedZone, EditionUse, Run, Zone, ZoneEdition
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit
from geodata.repositories.runs import get_run
from geodata.repositories.zone_codes import Outlined, codes_of, give_codes
from geodata.repositories.zone_editing import COLUMNS
from geodata.repositories.zone_names import give_names, names_of
from geodata.run_document import read_details, stored_details, write_details
from geodata.stored_documents import EditionUsed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.repositories.runs import RunRecord
    from geodata.repositories.zone_editing import Changed
    from spatial.zones.names import PlaceName


OWN = 0
LONGEST_REASON = 500


def list_editions(session: Session, run_id: str) -> list[ZoneEdition]:
    """Return the steps that were made of a run's zones, newest first."""
    rows = session.scalars(
        select(ZoneEdition).where(ZoneEdition.run_id == run_id).order_by(ZoneEdition.number.desc())
    )
    return list(rows)


def newest_number(session: Session, run_id: str) -> int:
    """Return the number of the newest edition of a run, 0 if its zones were never changed."""
    found = select(func.max(ZoneEdition.number)).where(ZoneEdition.run_id == run_id)
    return session.scalar(found) or OWN


def list_uses(session: Session, run_id: str) -> list[EditionUse]:
    """Return which editions of a run were put to use, newest first."""
    rows = session.scalars(
        select(EditionUse).where(EditionUse.run_id == run_id).order_by(EditionUse.id.desc())
    )
    return list(rows)


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
    ids = [row.code for row in rows]
    codes, words = codes_of(session, city_id, ids), names_of(session, city_id, ids)
    zones = gpd.GeoDataFrame(
        [
            {
                "id": row.code,
                "district": row.district,
                "rank": row.rank,
                "name": row.name,
                **read_details(row.details, run.result),
                "code": codes.get(row.code, ""),
                "place_name": words.get(row.code),
                "geometry": row.geom,
            }
            for row in rows
        ],
        columns=[*COLUMNS[:-1], "code", "place_name", COLUMNS[-1]],
        geometry="geometry",
        crs=run.zones.crs,
    )
    if list(zones["id"]) == list(run.zones["id"]) and not any(zones["name"]):
        return run  # every step was taken back
    edited = EditionUsed(edition=number, steps=number, on=edition.made_at.date())
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
        raise DataError(msg, code="changed_meanwhile")
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
                details=write_details(row),
                geom=row.geometry,
            )
        )
    session.flush()
    _give_codes(session, run, changed, after)
    did = {key: value for key, value in vars(changed.details).items() if value is not None}
    document = {"city": run.city, "step": edition.number, "reason": reason, **did}
    audit.record(session, who, f"zones.{changed.action}", run.id, document)
    return edition.number


def _give_codes(session: Session, run: RunRecord, changed: Changed, before: int) -> None:
    """Give the zones that a step made their codes, of those that were there before, and names."""
    city_id = session.scalar(select(Run.city_id).where(Run.id == run.id)) or 0
    there = [
        Outlined(id=row.id, district=row.district, shape=row.geometry)
        for row in changed.zones.itertuples(index=False)
    ]
    give_codes(
        session,
        city_id,
        there,
        [
            Outlined(id=row.id, district=row.district, shape=row.geometry)
            for row in with_edition(session, run, before).zones.itertuples(index=False)
        ],
    )
    give_names(session, city_id, there, run.scope)


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
        raise DataError(msg, code="in_use_already")
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
        raise NotStoredError(msg, code="no_step")
    return edition


def _lock(session: Session, run_id: str) -> None:
    """Let one at a time change what becomes of a run's zones."""
    session.execute(select(Run.id).where(Run.id == run_id).with_for_update())


def _reason(text: str) -> str:
    message = " ".join(text.split())
    if not 0 < len(message) <= LONGEST_REASON:
        msg = f"say why, in 1 to {LONGEST_REASON} characters; it is kept with the step"
        raise DataError(msg, code="reason_missing")
    return message


@dataclass(frozen=True, kw_only=True, eq=False)
class ZoneRecord:
    """One zone: ``code`` is its id, ``rank`` that in its district; names of its factors.

    ``name`` is what a person called it, ``place_name`` where it is.
    """

    code: str
    rank: int
    factors: tuple[str, ...]
    geom: BaseGeometry
    name: str = ""
    place_name: PlaceName | None = None


def district_zones(session: Session, run_id: str, district: str) -> list[ZoneRecord]:
    """Return the zones of a run in a district by rank: those in use, else its own."""
    number = number_in_use(session, run_id)
    if number == OWN:
        wanted = select(Zone.code, Zone.rank, Zone.details, Zone.geom).where(
            Zone.run_id == run_id, Zone.district == district
        )
        found = [_zone(*row) for row in session.execute(wanted.order_by(Zone.rank))]
    else:
        changed = (
            select(*_EDITED)
            .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
            .where(ZoneEdition.run_id == run_id, ZoneEdition.number == number)
            .where(EditedZone.district == district)
        )
        found = [_zone(*row) for row in session.execute(changed.order_by(EditedZone.rank))]
    return _with_place_names(session, run_id, found)


def find_zone(session: Session, run_id: str, district: str, code: str) -> ZoneRecord | None:
    """Return a zone of a run in a district by its id: its own or one of any edition, or nothing.

    What was done in a zone, or is to be done, stays with it whatever is in use later.
    """
    own = select(Zone.code, Zone.rank, Zone.details, Zone.geom).where(
        Zone.run_id == run_id, Zone.district == district, Zone.code == code
    )
    edited = (
        select(*_EDITED)
        .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
        .where(ZoneEdition.run_id == run_id)
        .where(EditedZone.district == district, EditedZone.code == code)
        .order_by(EditedZone.id.desc())
        .limit(1)
    )
    row = session.execute(own).first() or session.execute(edited).first()
    return None if row is None else _with_place_names(session, run_id, [_zone(*row)])[0]


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


_EDITED = (
    EditedZone.code,
    EditedZone.rank,
    EditedZone.details,
    EditedZone.geom,
    EditedZone.name,
)


def _with_place_names(session: Session, run_id: str, zones: list[ZoneRecord]) -> list[ZoneRecord]:
    city_id = session.scalar(select(Run.city_id).where(Run.id == run_id)) or 0
    names = names_of(session, city_id, [zone.code for zone in zones])
    return [dataclasses.replace(zone, place_name=names.get(zone.code)) for zone in zones]


def zone_words(session: Session, run_id: str) -> dict[str, ZoneRecord]:
    """Return every zone of a run that has a name, by its id: its own and those of its editions."""
    edited = (
        select(*_EDITED)
        .join(ZoneEdition, ZoneEdition.id == EditedZone.edition_id)
        .where(ZoneEdition.run_id == run_id)
        .order_by(EditedZone.id)
    )
    own = select(Zone.code, Zone.rank, Zone.details, Zone.geom).where(Zone.run_id == run_id)
    rows = [*session.execute(own), *session.execute(edited)]
    zones = {row[0]: _zone(*row) for row in rows}
    found = _with_place_names(session, run_id, list(zones.values()))
    return {zone.code: zone for zone in found if zone.name or zone.place_name}


def _zone(
    code: str, rank: int, details: Mapping[str, object], geom: BaseGeometry, name: str = ""
) -> ZoneRecord:
    found = stored_details(details)
    factors = tuple(dict.fromkeys(factor.name for factor in found.factors))
    return ZoneRecord(code=code, rank=rank, factors=factors, geom=geom, name=name)
