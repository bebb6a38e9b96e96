"""Forms of actions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.command.visit_forms import plain_text
from geodata.errors import DataError
from geodata.store.actions import (
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
    from collections.abc import Sequence

    from geodata.store.zones import ZoneRecord

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
    """Something that is said of an action."""

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
    form.zone.choices = [SelectChoice(zone.code, f"Zone {zone.rank}") for zone in zones]
    factors = [*dict.fromkeys(name for zone in zones for name in zone.factors), ANY_FACTOR]
    if before is not None:
        if before.zone not in {zone.code for zone in zones}:
            form.zone.choices.append(SelectChoice(before.zone, before.zone))
        if before.factor not in factors:
            factors.append(before.factor)
    form.factor.choices = [SelectChoice(name, name.replace("_", " ")) for name in factors]


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
    """Give the fields of a form that show what is stored."""
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


def put_at_field(form: FlaskForm, error: Exception, otherwise: str) -> None:
    """Put what an error of the store says at the field that it names."""
    name, colon, told = str(error).partition(": ")
    known = bool(colon) and name in form
    field = form[name if known else otherwise]
    field.errors = [*field.errors, told if known else str(error)]


def _day(text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError as error:
        msg = "due: write the day as 2026-01-31"
        raise DataError(msg) from error
    if not 2000 <= day.year < 2200:
        msg = "due: choose a day of this century"
        raise DataError(msg)
    return day


def _cost(text: str) -> int | None:
    plain = text.strip().replace(",", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) <= LARGEST_COST):
        msg = "cost: give a whole number from 0"
        raise DataError(msg)
    return int(plain)
