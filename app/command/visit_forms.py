"""What is stated of a visit, as forms and as the messages that telephones send.

What pages of visits show, as typed values.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from flask_wtf import FlaskForm
from pyproj import Transformer
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.command.district import zone_label
from app.i18n.numbers import Units
from geodata.errors import DataError
from geodata.repositories.visits import LONGEST_NOTE, LONGEST_UNIT, LONGEST_WHY, VisitFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from app.command.district import DistrictPage, Present
    from geodata.repositories.visits import VersionRecord, VisitRecord
    from spatial.errors import SaferGroundError


MOST_MESSAGES = 50
FIELDS = ("unit", "zone", "start", "end", "activity", "note", "why")
LATEST_MS = 32_503_680_000_000  # the year 3000
LOCAL = "%Y-%m-%dT%H:%M"


class VisitForm(FlaskForm):
    """A visit that was made earlier."""

    uuid = HiddenField()
    unit = StringField("Unit", [DataRequired("name the unit"), Length(max=LONGEST_UNIT)])
    zone = SelectField("Zone", [DataRequired("choose a zone")], validate_choice=False)
    start = StringField("Start", [DataRequired("give the start")])
    end = StringField("End", [Optional()])
    activity = SelectField("Activity", [DataRequired("choose an activity")], validate_choice=False)
    note = TextAreaField(
        "Note",
        [Optional(), Length(max=LONGEST_NOTE)],
        description="About the place and the visit. No names of people.",
    )


class CorrectionForm(VisitForm):
    """What is right about a visit, and why it is changed."""

    version = HiddenField()
    why = StringField(
        "Why it is changed",
        [DataRequired("give the reason"), Length(max=LONGEST_WHY)],
        description="Kept with what was said before and your name.",
    )


class WithdrawVisitForm(FlaskForm):
    """Why a visit no longer counts, or counts again."""

    version = HiddenField()
    why = StringField("Reason", [DataRequired("give the reason"), Length(max=LONGEST_WHY)])


@dataclass(frozen=True, kw_only=True)
class Message:
    """A visit as a telephone sends it; one that was begun by mistake is ``dropped``."""

    uuid: str
    run: str
    facts: VisitFacts
    dropped: bool = False


def facts_of(form: VisitForm, place: DistrictPage, before: VisitFacts | None = None) -> VisitFacts:
    """Read a form; a time that still shows the minute that was stored keeps its seconds.

    Raises
    ------
    DataError
        If a time cannot be read.
    """
    start = _moment(place, "start", form.start.data or "")
    end = _moment(place, "end", form.end.data) if form.end.data else None
    if before is not None:
        start = _kept(start, before.start_ms)
        end = _kept(end, before.end_ms)
    return VisitFacts(
        zone=form.zone.data,
        unit=" ".join((form.unit.data or "").split()),
        start_ms=start,
        end_ms=end,
        activity=form.activity.data,
        note=plain_text(form.note.data or ""),
    )


def field_of(error: SaferGroundError) -> tuple[str, str]:
    """Return the field of the form that an error names, and its message; else the first field."""
    return (error.field, error.what) if error.field in FIELDS else ("start", str(error))


def read_messages(document: Any) -> list[Any]:
    """Return the visits of a request.

    Raises
    ------
    DataError
        If it is no list of visits.
    """
    found = document.get("visits") if isinstance(document, dict) else None
    if not isinstance(found, list) or len(found) > MOST_MESSAGES:
        msg = f"send {{'visits': [...]}} with at most {MOST_MESSAGES} of them"
        raise DataError(msg, code="visits_body")
    return found


def read_message(stated: Any) -> Message:
    """Read one visit of a request.

    Raises
    ------
    DataError
        Which names the field that is wrong.
    """
    if not isinstance(stated, dict):
        msg = "a visit must be an object"
        raise DataError(msg, code="visits_body")
    for name in ("id", "run", "zone", "unit", "activity"):
        if not isinstance(stated.get(name), str) or not stated[name]:
            msg = f"{name}: it is missing; log the visit anew"
            raise DataError(msg, code="field_missing")
    note = stated.get("note", "")
    if not isinstance(note, str):
        what = "it must be text"
        raise DataError.at(what, field="note", code="field_text")
    return Message(
        uuid=stated["id"],
        run=plain_text(stated["run"]),
        facts=VisitFacts(
            zone=plain_text(stated["zone"]),
            unit=" ".join(plain_text(stated["unit"]).split()),
            start_ms=_ms(stated, "start"),
            end_ms=None if stated.get("end_ms") is None else _ms(stated, "end"),
            activity=stated["activity"],
            note=plain_text(note),
        ),
        dropped=stated.get("dropped") is True,
    )


def plain_text(text: str) -> str:
    """Leave out what databases refuse or nobody sees: signs that control, halves of characters."""
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return "".join(sign for sign in whole if sign == "\n" or sign.isprintable()).strip()


def _ms(options: dict[str, object], name: str) -> int:
    value = options.get(f"{name}_ms")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LATEST_MS:
        msg = f"{name}: it is no time"
        raise DataError(msg, code="time_format")
    return value


def version_of(text: str | None) -> int:
    """Read the version that a form was made of, 0 where it is none."""
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


def _moment(place: DistrictPage, name: str, text: str) -> int:
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None or not 1971 <= moment.year < 3000:
        msg = f"{name}: write it as 2026-01-31T18:05"
        raise DataError(msg, code="time_format")
    return place.ms(moment)


def _kept(typed: int | None, before: int | None) -> Any:
    """Return the moment before where the typed one is its minute."""
    if typed is None or before is None:
        return typed
    return before if 0 <= before - typed < 60_000 else typed


def described_versions(
    place: DistrictPage, there: Present, versions: Sequence[VersionRecord]
) -> list[tuple[VersionRecord, str]]:
    """Return each version with what it stated, or how it differs from the one before."""
    found = []
    for before, one in zip([None, *versions], versions, strict=False):
        if before is None:
            text = "logged: " + "; ".join(
                f"{name} {value}"
                for name, value in _describe(place, there, one.facts).items()
                if value
            )
        else:
            text = _difference(place, there, before, one)
        found.append((one, text))
    return found


def log_data(
    place: DistrictPage,
    there: Present,
    person: str,
    logged: Sequence[VisitRecord],
    **addresses: str,
) -> dict[str, object]:
    """Give what the script of the log page works with; ``logged`` are visits kept here already."""
    plan = there.plan
    units = () if plan is None else plan.document.units
    to_degrees = Transformer.from_crs(place.city.crs, 4326, always_xy=True)
    return {
        "city": place.city.slug,
        "district": place.code,
        "person": person,
        "run": there.run,
        "timezone": place.city.timezone,
        "ahead_ms": place.ahead_ms,
        "longest": {"unit": LONGEST_UNIT, "note": LONGEST_NOTE},
        "zones": [
            {
                "code": zone.code,
                "name": zone_label(zone),
                "factors": list(zone.factors),
                "rings": _rings(zone.geom, to_degrees),
            }
            for zone in there.zones
        ],
        "us_units": Units(place.city.crs).us,
        "activities": list(place.city.activities),
        "logged": [
            {"id": one.uuid, "unit": one.facts.unit, "zone": one.facts.zone}
            for one in logged
            if plan
            and not one.withdrawn
            and plan.shift_start_ms <= one.facts.start_ms < plan.shift_end_ms
        ],
        "plan": {
            unit.unit: [
                {
                    "zone": visit.zone,
                    "start_ms": visit.start_ms,
                    "clock": f"{visit.start:%H:%M}",
                }
                for visit in unit.visits
            ]
            for unit in units
        },
        **addresses,
    }


def _rings(outline: BaseGeometry, to_degrees: Transformer) -> list[list[list[float]]]:
    """Return the rings of an area as longitudes and latitudes, to a decimeter."""
    rings = shapely.get_rings(shapely.get_parts(outline))
    return [
        np.column_stack(to_degrees.transform(*shapely.get_coordinates(ring).T)).round(6).tolist()
        for ring in rings
    ]


def _describe(place: DistrictPage, there: Present, facts: VisitFacts) -> dict[str, str]:
    return {
        "zone": there.zone_name(facts.zone),
        "unit": facts.unit,
        "start": place.clock(facts.start_ms),
        "end": "not yet" if facts.end_ms is None else place.clock(facts.end_ms),
        "activity": facts.activity,
        "note": facts.note,
    }


def _difference(
    place: DistrictPage, there: Present, before: VersionRecord, after: VersionRecord
) -> str:
    old, new = (_describe(place, there, one.facts) for one in (before, after))
    parts = [
        f"{name} {old[name] or 'nothing'} became {new[name] or 'nothing'}"
        for name in new
        if old[name] != new[name]
    ]
    if after.withdrawn != before.withdrawn:
        parts.append("withdrawn: it does not count" if after.withdrawn else "counts again")
    if not parts:
        parts.append("seconds changed")
    return ("ended: " if after.why is None else "") + "; ".join(parts)
