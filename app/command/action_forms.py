"""Forms of actions.

What pages of actions show, as typed values, and the calendar of reminders.

The open actions of a district, as its overview names them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.charts.calendars import escaped
from app.command.district import zone_label, zone_names
from app.command.visit_forms import plain_text
from app.i18n import numbers
from geodata.errors import DataError
from geodata.repositories import actions
from geodata.repositories.actions import (
    ANY_FACTOR,
    KINDS,
    LONGEST_COMMENT,
    LONGEST_OWNER,
    LONGEST_TOLD,
    LONGEST_WHAT,
    OPEN,
    STAGES,
    STATES,
    ActionFacts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.command.district import DistrictPage, Present
    from geodata.db.staff_tables import ActionEvent
    from geodata.repositories.actions import ActionRecord
    from geodata.repositories.zone_versions import ZoneRecord
    from spatial.errors import SaferGroundError


OWNERS = (  # offered, not imposed
    "Public works",
    "Street lighting",
    "Parks",
    "Code enforcement",
    "Transit",
    "Housing",
    "Business licensing",
    "Property owner",
    "Property manager",
    "Business manager",
)
LARGEST_COST = 10  # digits


class ActionForm(FlaskForm):
    """An action: where, what, who, until when."""

    version = HiddenField()
    zone = SelectField("Zone", [DataRequired("choose a zone")], validate_choice=False)
    factor = SelectField(
        "Factor that it answers",
        [DataRequired("choose a factor")],
        validate_choice=False,
        default=ANY_FACTOR,
        description="What makes the zone a zone. Each zone has factors of its own.",
    )
    kind = SelectField(
        "Kind",
        [DataRequired("choose a kind")],
        choices=[SelectChoice(k, k) for k in KINDS],
        validate_choice=False,
    )
    what = TextAreaField(
        "What is to be done", [DataRequired("say what is to be done"), Length(max=LONGEST_WHAT)]
    )
    owner = StringField(
        "Owner",
        [DataRequired("name a department or a role"), Length(max=LONGEST_OWNER)],
        description="A department, or the role of a property's contact, such as property manager. "
        "Never a private person's name, number or address.",
    )
    due = StringField("Due", [Optional()])
    state = SelectField(
        "State", choices=[SelectChoice(s, s) for s in STATES], validate_choice=False, default=OPEN
    )
    cost = StringField(
        "Cost", [Optional()], description="In whole units of the city's currency, if it is known."
    )


class CommentForm(FlaskForm):
    """Something that is stated of an action."""

    comment = TextAreaField(
        "Comment",
        [DataRequired("write something"), Length(max=LONGEST_COMMENT)],
        description="Stays as it is written. No names of private people.",
    )


class PhotoForm(FlaskForm):
    """A photo of the place, before or after."""

    stage = SelectField(
        "Taken", choices=[SelectChoice(s, s) for s in STAGES], validate_choice=False
    )
    told = StringField(
        "What it shows",
        [DataRequired("say what it shows"), Length(max=LONGEST_TOLD)],
        description="Read to people who cannot see it.",
    )
    photo = FileField(
        "Photo",
        [FileRequired("choose a file")],
        description="JPEG, PNG or WebP, at most 12 MB. Place and time that the camera wrote are "
        "removed. No faces and no number plates.",
    )


def fill_choices(form: ActionForm, zones: Sequence[ZoneRecord], before: ActionFacts | None) -> None:
    """Offer the zones of the district and their factors, and what is stored already."""
    form.zone.choices = [SelectChoice(zone.code, zone_label(zone)) for zone in zones]
    factors = [*dict.fromkeys(name for zone in zones for name in zone.factors), ANY_FACTOR]
    if before is not None:
        if before.zone not in {zone.code for zone in zones}:
            form.zone.choices.append(SelectChoice(before.zone, before.zone))
        if before.factor not in factors:
            factors.append(before.factor)
    form.factor.choices = [SelectChoice(name, numbers.plain(name)) for name in factors]


def facts_of(form: ActionForm) -> ActionFacts:
    """Read a form.

    Raises
    ------
    DataError
        Which names the field that cannot be read.
    """
    return ActionFacts(
        zone=plain_text(form.zone.data or ""),
        factor=plain_text(form.factor.data or ""),
        kind=form.kind.data or "",
        what=" ".join(plain_text(form.what.data or "").split()),
        owner=" ".join(plain_text(form.owner.data or "").split()),
        due=_day(form.due.data or ""),
        state=form.state.data or "",
        cost=_cost(form.cost.data or ""),
    )


def typed(facts: ActionFacts) -> dict[str, object]:
    """Return the fields of a form that show what is stored."""
    return {
        "zone": facts.zone,
        "factor": facts.factor,
        "kind": facts.kind,
        "what": facts.what,
        "owner": facts.owner,
        "due": facts.due.isoformat() if facts.due else "",
        "state": facts.state,
        "cost": "" if facts.cost is None else str(facts.cost),
    }


def put_at_field(form: FlaskForm, error: SaferGroundError, otherwise: str) -> None:
    """Put the message of an error at the field that it names."""
    known = error.field in form
    field = form[error.field if known else otherwise]
    field.errors = [*field.errors, error.what if known else str(error)]


def _day(text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError as error:
        what = "write the day as 2026-01-31"
        raise DataError.at(what, field="due", code="date_format") from error
    if not 2000 <= day.year < 2200:
        what = "choose a day of this century"
        raise DataError.at(what, field="due", code="date_range")
    return day


def _cost(text: str) -> int | None:
    plain = text.strip().replace(",", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) <= LARGEST_COST):
        what = "give a whole number from 0"
        raise DataError.at(what, field="cost", code="whole_number")
    return int(plain)


ONE_DAY = dt.timedelta(days=1)
MOST_REMINDERS = 500


def described_events(
    there: Present, events: Sequence[ActionEvent]
) -> list[tuple[ActionEvent, str]]:
    """Return what happened to an action in words, the newest first."""
    return [(event, _describe(there, event)) for event in reversed(events)]


def reminders_of(
    slug: str,
    found: Sequence[ActionRecord],
    names: Mapping[str, str],
    address: Callable[[ActionRecord], str],
    stamp: dt.datetime,
) -> list[list[str]]:
    """Return open actions that have a day as events of a calendar (RFC 5545), whole days.

    They say nothing of the place but the zone's name; ``names`` of zones by their ids.
    """
    return [
        [
            f"UID:{escaped(f'{slug}-action-{one.id}')}@saferground",
            f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one.facts.due:%Y%m%d}",
            f"DTEND;VALUE=DATE:{one.facts.due + ONE_DAY:%Y%m%d}",
            f"SUMMARY:{escaped(_reminder(one, names))}",
            f"URL:{address(one)}",
            "CLASS:CONFIDENTIAL",
            "TRANSP:TRANSPARENT",
        ]
        for one in found[:MOST_REMINDERS]
        if one.facts.due is not None
    ]


def _reminder(one: ActionRecord, names: Mapping[str, str]) -> str:
    zone = _lower(names[one.facts.zone])
    return f"Due: {one.facts.kind}, {zone} of district {one.district} ({one.facts.owner})"


def _lower(name: str) -> str:
    return name.replace("Zone", "zone", 1)


def _describe(there: Present, event: ActionEvent) -> str:
    if event.kind == "changed":
        parts = [
            f"{name} {_value(there, name, before)} became {_value(there, name, after)}"
            for name, (before, after) in event.details.items()
        ]
        return "; ".join(parts)
    if event.kind == "photo":
        return f"added a photo, {event.details.get('stage', '')}"
    return {
        "made": "made the action",
        "comment": "wrote",
        "photo removed": "removed a photo",
    }.get(event.kind, event.kind)


def _value(there: Present, name: str, value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    if name == "zone":
        return there.zone_name(str(value))
    return numbers.plain(str(value)) if name == "factor" else str(value)


MOST = 6  # on one sheet
ASKED = actions.ActionQuery(states=actions.STILL_OPEN)


@dataclass(frozen=True, kw_only=True)
class OpenActions:
    """How many actions are open, and the most urgent of them, each with its zone's name."""

    count: int
    lines: tuple[tuple[ActionRecord, str], ...]


def open_actions(session: Session, place: DistrictPage) -> OpenActions:
    """Return the open actions of a district, the most urgent first."""
    count, found = actions.list_actions(
        session, place.city.id, [place.code], ASKED, start=0, size=MOST
    )
    names = zone_names(session, place.city, [(one.run, one.facts.zone) for one in found])
    lines = tuple((one, _lower(names[one.facts.zone])) for one in found)
    return OpenActions(count=count, lines=lines)
