"""Actions on places and with those who own them: what is to be done, by whom, until when.

An action answers a factor of its zone. Whatever happens to it is kept beside it: each change with
what was before, comments, photos.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - read at run time by the dataclasses' fields
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from geodata.db.staff_tables import Action, ActionEvent, ActionPhoto
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit, zone_versions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CityRecord

OPEN, UNDER_WAY, DONE, DROPPED = "open", "under way", "done", "dropped"
STATES = (OPEN, UNDER_WAY, DONE, DROPPED)
STILL_OPEN = (OPEN, UNDER_WAY)
KINDS = (
    "lighting",
    "landscaping",
    "boarding-up",
    "clean-up",
    "repair",
    "business check",
    "owner contact",
    "traffic and parking",
    "other",
)
ANY_FACTOR = "the place itself"
BEFORE, AFTER = "before", "after"
STAGES = (BEFORE, AFTER)
SORTS = ("due", "owner", "state", "kind", "zone", "changed")
LONGEST_WHAT, LONGEST_OWNER, LONGEST_COMMENT, LONGEST_TOLD = 300, 80, 1000, 200
MOST_COST = 1_000_000_000
MOST_PHOTOS = 12
FIELDS = ("zone", "factor", "kind", "what", "owner", "due", "state", "cost")
REACHABLE = re.compile(r"@|(?:\d[\s().-]*){7}")  # an e-mail address, a telephone number
Fault = tuple[str, str]  # a field, and what is wrong with it


@dataclass(frozen=True, kw_only=True)
class ActionFacts:
    """What is stated of an action; ``cost`` is in whole units of the city's currency."""

    zone: str
    factor: str
    kind: str
    what: str
    owner: str
    due: dt.date | None
    state: str = OPEN
    cost: int | None = None


@dataclass(frozen=True, kw_only=True)
class ActionRecord:
    """One action as it stands; ``version`` counts its changes, times are UTC."""

    id: int
    district: str
    run: str
    facts: ActionFacts
    version: int
    created_at: dt.datetime
    created_by: str
    changed_at: dt.datetime
    closed_on: dt.date | None

    def is_overdue(self, today: dt.date) -> bool:
        """Return whether it should be done by now."""
        due = self.facts.due
        return self.facts.state in STILL_OPEN and due is not None and due < today

    @property
    def days_taken(self) -> int | None:
        """Days from when it was made to when it was closed, nothing while it is open."""
        if self.closed_on is None or self.facts.state in STILL_OPEN:
            return None
        return max(0, (self.closed_on - self.created_at.date()).days)


@dataclass(frozen=True, kw_only=True)
class ActionQuery:
    """Which actions of a district are requested; what is left out does not narrow."""

    states: Collection[str] | None = None
    owner: str | None = None
    kind: str | None = None
    zone: str | None = None
    sort: str = "due"
    descending: bool = False


@dataclass(frozen=True, kw_only=True)
class OwnerSum:
    """How many actions of one owner are open, late and done."""

    owner: str
    open: int
    overdue: int
    done: int


def done_actions(
    session: Session, city_id: int, until: dt.date
) -> list[tuple[str, dt.datetime, dt.date]]:
    """Return district, moment made (UTC) and day closed of what was done before a day."""
    query = select(Action.district, Action.created_at, Action.closed_on).where(
        Action.city_id == city_id, Action.state == DONE, Action.closed_on < until
    )
    rows = session.execute(query.order_by(Action.id))
    return [(district, made, closed) for district, made, closed in rows if closed is not None]


def check_facts(session: Session, run: str, district: str, facts: ActionFacts) -> None:
    """Refuse what cannot be stated of an action.

    Raises
    ------
    DataError
        Which names the field and the remedy.
    """
    fault = _fault(facts)
    if fault is None:
        zone = zone_versions.find_zone(session, run, district, facts.zone)
        if zone is None:
            fault = ("zone", "choose a zone of this district")
        elif facts.factor not in (ANY_FACTOR, *zone.factors):
            fault = ("factor", "it is none of this zone's; choose one of them, or the place itself")
    if fault is not None:
        field, what = fault
        raise DataError.at(what, field=field, code="field_text")


def _fault(facts: ActionFacts) -> Fault | None:
    if facts.kind not in KINDS:
        return "kind", f"choose one of {', '.join(KINDS)}"
    if facts.state not in STATES:
        return "state", f"choose one of {', '.join(STATES)}"
    if not facts.what or len(facts.what) > LONGEST_WHAT:
        return "what", f"say in at most {LONGEST_WHAT} characters what is to be done"
    if not facts.owner or len(facts.owner) > LONGEST_OWNER:
        return "owner", f"name a department or a role in at most {LONGEST_OWNER} characters"
    if REACHABLE.search(facts.owner):
        return "owner", "name a department or a role, no address or number of a person"
    if facts.cost is not None and not 0 <= facts.cost <= MOST_COST:
        return "cost", "give a whole number from 0"
    return None


def add_action(
    session: Session,
    city: CityRecord,
    district: str,
    run: str,
    facts: ActionFacts,
    *,
    who: str,
    when: dt.datetime,
    today: dt.date,
) -> int:
    """Store a new action; give its number. ``today`` is the city's day.

    Raises
    ------
    DataError
        If it cannot be so.
    """
    check_facts(session, run, district, facts)
    row = Action(
        city_id=city.id,
        district=district,
        run_id=run,
        created_at=when,
        created_by=who,
        changed_at=when,
        version=1,
        closed_on=None if facts.state in STILL_OPEN else today,
        **{name: getattr(facts, name) for name in FIELDS},
    )
    session.add(row)
    session.flush()
    _note(session, row.id, "made", who, when)
    _tell(session, city, row, "action.add", who)
    return row.id


def change_action(
    session: Session,
    city: CityRecord,
    number: int,
    facts: ActionFacts,
    *,
    version: int,
    who: str,
    when: dt.datetime,
    today: dt.date,
) -> None:
    """Change an action; what each field was is kept.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    DataError
        If it cannot be so, or somebody changed it since ``version``.
    """
    row = _locked(session, city.id, number)
    if row.version != version:
        what = "somebody changed this action meanwhile; look at it again, then send"
        raise DataError.at(what, field="what", code="changed_meanwhile")
    check_facts(session, row.run_id, row.district, facts)
    changed = {
        name: [_plain(getattr(row, name)), _plain(getattr(facts, name))]
        for name in FIELDS
        if getattr(row, name) != getattr(facts, name)
    }
    if not changed:
        return
    if (row.state in STILL_OPEN) != (facts.state in STILL_OPEN):
        row.closed_on = today if row.state in STILL_OPEN else None
    for name in FIELDS:
        setattr(row, name, getattr(facts, name))
    row.version += 1
    row.changed_at = when
    _note(session, number, "changed", who, when, details=changed)
    _tell(session, city, row, "action.change", who, changed=changed)


def add_comment(
    session: Session, city: CityRecord, number: int, text: str, *, who: str, when: dt.datetime
) -> None:
    """Add a comment to an action.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    DataError
        If it says nothing, or too much.
    """
    if not text or len(text) > LONGEST_COMMENT:
        what = f"write at most {LONGEST_COMMENT} characters"
        raise DataError.at(what, field="comment", code="comment_too_long")
    row = _locked(session, city.id, number)
    row.changed_at = when
    _note(session, number, "comment", who, when, text=text)
    _tell(session, city, row, "action.comment", who)


def add_photo(
    session: Session,
    city: CityRecord,
    number: int,
    *,
    stage: str,
    file: str,
    text: str,
    width: int,
    height: int,
    size: int,
    who: str,
    when: dt.datetime,
) -> int:
    """Note a photo of an action; its file is in the folder of photos already.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    DataError
        If it is of no stage, nothing is reported of it, or there are many already.
    """
    if stage not in STAGES:
        what = "choose before or after"
        raise DataError.at(what, field="stage", code="unknown_choice")
    if not text or len(text) > LONGEST_TOLD:
        what = f"say in at most {LONGEST_TOLD} characters what the photo shows"
        raise DataError.at(what, field="told", code="caption")
    row = _locked(session, city.id, number)
    if len(photos_of(session, number)) >= MOST_PHOTOS:
        what = f"there are {MOST_PHOTOS} already; remove one first"
        raise DataError.at(what, field="photo", code="too_many_photos")
    photo = ActionPhoto(
        action_id=number,
        stage=stage,
        file=file,
        told=text,
        width=width,
        height=height,
        size=size,
        added_at=when,
        added_by=who,
    )
    session.add(photo)
    row.changed_at = when
    session.flush()
    _note(session, number, "photo", who, when, text=text, details={"stage": stage})
    _tell(session, city, row, "action.photo_add", who, photo=photo.id)
    return photo.id


def remove_photo(
    session: Session,
    city: CityRecord,
    number: int,
    photo: int,
    *,
    who: str,
    when: dt.datetime,
) -> str:
    """Remove a photo; give the name of its file, which is to be deleted.

    Raises
    ------
    NotStoredError
        If the action has none of that number.
    """
    row = _locked(session, city.id, number)
    found = session.scalar(
        select(ActionPhoto).where(
            ActionPhoto.id == photo,
            ActionPhoto.action_id == number,
            ActionPhoto.removed_at.is_(None),
        )
    )
    if found is None:
        raise NotStoredError(_no_photo(photo), code="no_photo")
    found.removed_at, found.removed_by = when, who
    _note(session, number, "photo removed", who, when, text=found.told)
    _tell(session, city, row, "action.photo_remove", who, photo=photo)
    return found.file


def photos_of(session: Session, number: int) -> list[ActionPhoto]:
    """Return the photos of an action, those before first."""
    rows = session.scalars(
        select(ActionPhoto)
        .where(ActionPhoto.action_id == number, ActionPhoto.removed_at.is_(None))
        .order_by(ActionPhoto.stage.desc(), ActionPhoto.id)
    )
    return list(rows)


def see_photo(session: Session, city: CityRecord, number: int, photo: int, who: str) -> ActionPhoto:
    """Return a photo, and note in the audit who saw it.

    Raises
    ------
    NotStoredError
        If the action has none of that number.
    """
    found = next((one for one in photos_of(session, number) if one.id == photo), None)
    if found is None:
        raise NotStoredError(_no_photo(photo), code="no_photo")
    document = {"city": city.slug, "action": number}
    audit.record(session, who, "action.photo_seen", str(photo), document)
    return found


def get_action(session: Session, city_id: int, number: int) -> ActionRecord:
    """Return an action.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    """
    row = session.scalar(select(Action).where(Action.city_id == city_id, Action.id == number))
    if row is None:
        raise NotStoredError(_no_action(number), code="no_action")
    return _record(row)


def history_of(session: Session, number: int) -> list[ActionEvent]:
    """Return what happened to an action, the first first."""
    rows = session.scalars(
        select(ActionEvent).where(ActionEvent.action_id == number).order_by(ActionEvent.id)
    )
    return list(rows)


def list_actions(
    session: Session,
    city_id: int,
    districts: Collection[str],
    query: ActionQuery,
    *,
    start: int,
    size: int,
) -> tuple[int, list[ActionRecord]]:
    """Return how many actions of some districts are requested, and ``size`` of them."""
    wanted = select(Action).where(Action.city_id == city_id, Action.district.in_(districts))
    wanted = _narrowed(wanted, query)
    count = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    order: Any = {
        "due": Action.due,
        "owner": func.lower(Action.owner),
        "state": case({state: i for i, state in enumerate(STATES)}, value=Action.state),
        "kind": Action.kind,
        "zone": Action.zone,
        "changed": Action.changed_at,
    }[query.sort]
    turned = order.desc() if query.descending else order.asc()
    rows = session.scalars(
        wanted.order_by(turned.nulls_last(), Action.due.asc().nulls_last(), Action.id)
        .offset(start)
        .limit(size)
    )
    return count, [_record(row) for row in rows]


def owner_sums(session: Session, city_id: int, district: str, today: dt.date) -> list[OwnerSum]:
    """Count the actions of a district by owner, who has most open ones first."""

    def number(condition: ColumnElement[bool]) -> Any:
        return func.sum(case((condition, 1), else_=0))

    still = Action.state.in_(STILL_OPEN)
    rows = session.execute(
        select(
            Action.owner,
            number(still),
            number(still & (Action.due < today)),
            number(Action.state == DONE),
        )
        .where(Action.city_id == city_id, Action.district == district)
        .group_by(Action.owner)
    )
    found = [
        OwnerSum(owner=owner, open=int(opened), overdue=int(overdue or 0), done=int(done))
        for owner, opened, overdue, done in rows
    ]
    return sorted(found, key=lambda one: (-one.open, one.owner.lower()))


def _narrowed(wanted: Select[Action], query: ActionQuery) -> Select[Action]:
    if query.states is not None:
        wanted = wanted.where(Action.state.in_(query.states))
    for column, value in (
        (Action.owner, query.owner),
        (Action.kind, query.kind),
        (Action.zone, query.zone),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    return wanted


def _locked(session: Session, city_id: int, number: int) -> Action:
    row = session.scalar(
        select(Action).where(Action.city_id == city_id, Action.id == number).with_for_update()
    )
    if row is None:
        raise NotStoredError(_no_action(number), code="no_action")
    return row


def _no_action(number: int) -> str:
    return f"there is no action {number}; look for it in the list of actions"


def _no_photo(number: int) -> str:
    return f"there is no photo {number} of this action; it may have been removed"


def _note(
    session: Session,
    number: int,
    kind: str,
    who: str,
    when: dt.datetime,
    *,
    text: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    session.add(
        ActionEvent(
            action_id=number, kind=kind, at=when, person=who, text=text, details=dict(details or {})
        )
    )
    session.flush()


def _tell(
    session: Session, city: CityRecord, row: Action, action: str, who: str, **more: Any
) -> None:
    document = {"city": city.slug, "district": row.district, "zone": row.zone, **more}
    audit.record(session, who, action, str(row.id), document)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else value.isoformat()


def _record(row: Action) -> ActionRecord:
    return ActionRecord(
        id=row.id,
        district=row.district,
        run=row.run_id,
        facts=ActionFacts(**{name: getattr(row, name) for name in FIELDS}),
        version=row.version,
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=row.changed_at,
        closed_on=row.closed_on,
    )
