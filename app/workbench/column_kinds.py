"""What a file can be in a city, and what its columns can be then; first guesses for both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.cityfile.sections import CLASSES, DISPOSITIONS, RECORD_KINDS
from geodata.ingest.vocabulary import class_of, disposition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from geodata.cityfile.sections import RecordKind, SectionField
    from geodata.uploads.profile import ColumnGuess, Preview

UNUSED = ""
X, Y, PAIR = "x", "y", "latlon"
APART = "+time"  # the role of a column that holds the time of day of a clock
OUTCOME, LAYER_NAME = "outcome", "name"
ADDRESS, STREET = "address", "street"
SIDES, ENDS = ("left", "right"), ("from", "to")  # of a street segment, and of its numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a column can be.

    ``words`` are what its values may become: nothing where they stay as they are, no choice at all
    where a person names them. As many columns as ``most`` may have it together.
    """

    code: str
    label: str
    required: bool = False
    words: tuple[str, ...] | None = None
    most: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """What a file can be: ``section`` of the city file, ``single`` where a city has one at most."""

    section: str
    title: str
    told: str
    roles: tuple[Role, ...]
    single: bool = False
    placed: bool = True

    def role(self, code: str) -> Role | None:
        """Return a role by its code."""
        return next((role for role in self.roles if role.code == code), None)


X_Y = (
    Role(code=X, label="x (longitude)"),
    Role(code=Y, label="y (latitude)"),
)
IN_ONE = Role(code=PAIR, label="place in one column")  # "(lat, lon)", POINT (x y), WKB
PLACE = (*X_Y, IN_ONE)
ID = Role(code="id", label="id of the row")
BY_ADDRESS = Role(code=ADDRESS, label="address, for rows without coordinates")
ADDRESS_ROLES = (
    Role(code="number", label="house number"),
    Role(code=STREET, label="name of the street, in one column or several", most=6),
    Role(code=ADDRESS, label="whole address"),
    *(
        Role(code=f"{side}_{end}", label=f"{side} side of a segment: {word} number")
        for side in SIDES
        for end, word in zip(ENDS, ("first", "last"), strict=True)
    ),
    Role(code="postcode", label="postcode"),
)

TITLES = {
    "alerts": ("Gunshot alerts", "Alerts of gunshot detection, with every clock that they have."),
    "calls": ("911 calls for gunfire", "Calls that report gunfire."),
    "verified": ("Verified gunfire", "Gunfire proven by evidence, whether or not it was detected."),
    "visits": ("Patrol visits", "Dosage done: when and where somebody was."),
    "occurrences": ("Occurrences", "Dated points that count towards a measure."),
    "counts": ("Counts", "Figures that exist as totals only."),
}
FIELD_LABELS = {
    "triggered": "triggered at",
    "review_started": "review started at",
    "published": "published at",
    "received": "received by dispatch at",
    "dispatched": "dispatched at",
    "arrived": "first arrival at",
    "occurred": "occurred at",
    "class": "class of the alert",
    "call": "number of its 911 call",
    "event": "number of the event",
    "alert": "number of its alert",
    "start": "begun at",
    "end": "ended at",
    "from": "from (day)",
    "to": "until before (day)",
    "value": "number",
}


def _record_roles(kind: RecordKind) -> tuple[Role, ...]:
    roles = []
    for field in kind.fields:
        roles.append(_field_role(field))
        if field.kind == "clock":
            label = f"{_label(field)}: time of day, apart"
            roles.append(Role(code=field.name + APART, label=label))
    placed = (*PLACE, BY_ADDRESS)
    verified = (
        Role(code="verified_x", label="verified x (longitude)"),
        Role(code="verified_y", label="verified y (latitude)"),
    )
    return (
        *roles,
        *(placed if kind.placed else ()),
        ID,
        *(verified if kind.section == "alerts" else ()),
    )


def _field_role(field: SectionField) -> Role:
    words = {"class": CLASSES, "disposition": DISPOSITIONS} if field.kind == "word" else {}
    return Role(
        code=field.name,
        label=_label(field),
        required=field.required,
        words=words.get(field.name),
    )


def _label(field: SectionField) -> str:
    return FIELD_LABELS.get(field.name, field.name.replace("_", " "))


KINDS: Mapping[str, SourceKind] = {
    kind.section: kind
    for kind in (
        SourceKind(
            section="incidents",
            title="Incidents",
            told="Crimes that a risk terrain is fitted to, each with its day and its place.",
            roles=(
                Role(code="date", label="date", required=True),
                Role(code="time", label="time of day"),
                *PLACE,
                BY_ADDRESS,
                ID,
                Role(code=OUTCOME, label="what happened (outcome)", words=()),
            ),
        ),
        SourceKind(
            section="factors",
            title="Factor of the environment",
            told="Places, lines or areas whose nearness or number may raise the risk.",
            roles=(*PLACE, Role(code=LAYER_NAME, label="kind of place (a factor each)", words=())),
        ),
        *(
            SourceKind(
                section=section,
                title=TITLES[section][0],
                told=TITLES[section][1],
                roles=_record_roles(kind),
                placed=kind.placed,
            )
            for section, kind in RECORD_KINDS.items()
        ),
        SourceKind(
            section="base",
            title="Ground of the map",
            told="Streets, water, parks, rail or neighbourhoods, drawn under every map.",
            roles=(
                Role(code=LAYER_NAME, label="name"),
                Role(code="rank", label="rank (1 is major, 3 minor)"),
                IN_ONE,
            ),
        ),
        SourceKind(
            section="districts",
            title="Police districts",
            told="Areas that take the place of the city's districts.",
            roles=(
                Role(code="id", label="code of the district", required=True),
                Role(code=LAYER_NAME, label="name of the district"),
                IN_ONE,
            ),
            single=True,
        ),
        SourceKind(
            section="boundary",
            title="Outline of the city",
            told="The study area, where it is not all districts together.",
            roles=(IN_ONE,),
            single=True,
        ),
        SourceKind(
            section="coverage",
            title="Coverage of gunshot detection",
            told="The area in which gunshots are listened for.",
            roles=(IN_ONE,),
            single=True,
        ),
        SourceKind(
            section="osm",
            title="OpenStreetMap extract",
            told="Streets, water, parks and rail for the map; factors take features of it by tag.",
            roles=(),
            single=True,
        ),
        SourceKind(
            section="addresses",
            title="Addresses",
            told="Where people live or work, for hiding places among them in what is published; "
            "with number and street, for finding rows without coordinates. Street segments find "
            "them by the first and last number of each side.",
            roles=(*PLACE, *ADDRESS_ROLES),
            single=True,
        ),
    )
}

OFFENCE = re.compile(r"offen[cs]e|crime|title|category|nature|ucr|incident[ _-]?type|outcome", re.I)
CRIME = re.compile(r"outcome|offen[cs]e|crime|incident[ _-]?type", re.I)  # the kind, not its group
HAS_WORD = re.compile(r"[^\W\d_]{2}")
ADDRESS_NAME = re.compile(r"address|location|^block", re.I)
PLACE_KIND = re.compile(r"type|kind|category|class|use", re.I)
CLOCK_NAMES: Mapping[str, tuple[str, ...]] = {
    "triggered": ("trigger", "datetime", "date", "time"),
    "received": ("received", "call", "datetime", "date"),
    "occurred": ("occurred", "datetime", "date"),
    "start": ("start", "begin", "arrived", "date"),
    "date": ("date", "day"),
}


def guess_kind(preview: Preview) -> str:
    """Guess what a file is: points with dates are incidents, other shapes factors."""
    roles = {column.role for column in preview.columns}
    names = {_folded(column.name) for column in preview.columns}
    if {"measure", "value"} <= names:
        return "counts"
    if "rounds" in names or "triggered" in names:
        return "alerts"
    return "incidents" if "date" in roles else "factors"


def guess_roles(kind: SourceKind, preview: Preview) -> dict[str, str]:
    """Guess the role of each column that seems to have one in a file of a kind."""
    found: dict[str, str] = {}
    coordinates = preview.coordinates.columns if preview.coordinates else ()
    if len(coordinates) == 2:
        found.update(zip(coordinates, (X, Y), strict=True))
    elif coordinates and coordinates != ("geometry",):
        found[coordinates[0]] = PAIR
    if kind.section in RECORD_KINDS:
        _guess_fields(RECORD_KINDS[kind.section], preview.columns, found)
    else:
        for code in ("date", "time", "id"):
            _take(found, code, _first(preview.columns, code))
        if not coordinates:
            named = (c.name for c in preview.columns if ADDRESS_NAME.search(c.name))
            _take(found, ADDRESS, next(named, None))
        pattern = OFFENCE if kind.section == "incidents" else PLACE_KIND
        code = OUTCOME if kind.section == "incidents" else LAYER_NAME
        worded = [c for c in preview.columns if c.role == "category" and c.different > 1]
        _take(found, code, next((c.name for c in worded if pattern.search(c.name)), None))
    return {name: code for name, code in found.items() if kind.role(code) is not None}


def guess_name(value: str) -> str:
    """Guess the name of a factor from the words of an export.

    >>> guess_name("Gas Station")
    'gas_station'
    """
    return re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")[:60].strip("_")


def only_kind(frame: pd.DataFrame) -> str:
    """Return the kind that a column of a file states for all of its rows; nothing if none does.

    A column named for the offense goes before one named for its group or its code.
    """
    named = [column for column in frame.columns if OFFENCE.search(str(column))]
    for column in sorted(named, key=lambda name: not CRIME.search(str(name))):
        texts = frame[column].astype("string").str.strip().dropna()
        values = texts[texts != ""].unique()
        if len(values) == 1 and len(texts) == len(frame) and HAS_WORD.search(values[0]):
            return str(values[0])
    return ""


def guess_word(role: str, value: str) -> str:
    """Guess which word of ours a word of an alert's export means; nothing where it is not known."""
    turn: Callable[[str, Mapping[str, str]], str | None] = (
        class_of if role == "class" else disposition_of
    )
    return turn(value, {}) or ""


def _guess_fields(kind: RecordKind, columns: Sequence[ColumnGuess], found: dict[str, str]) -> None:
    """Guess fields of records by their names; the first clock also by being the first date."""
    _take(found, "id", _first(columns, "id"))
    for field in kind.fields:
        dated = field.kind in ("clock", "day")
        wanted = CLOCK_NAMES.get(field.name, (field.name,)) if field.required else (field.name,)
        usable = [c for c in columns if c.name not in found and (not dated or c.role == "date")]
        by_name = (
            c.name for word in wanted for c in usable if word.replace("_", "") in _folded(c.name)
        )
        _take(found, field.name, next(by_name, None))
    first = kind.clocks[0] if kind.clocks else None
    if first and first not in found.values():
        _take(found, first, _first(columns, "date"))
    if first:
        _take(found, first + APART, _first(columns, "time"))


def _first(columns: Sequence[ColumnGuess], role: str) -> str | None:
    """Return the column that is most surely of a role."""
    order = ("sure", "likely") if role == "id" else ("sure", "likely", "perhaps")
    mine = [c for sure in order for c in columns if (c.role, c.sure) == (role, sure)]
    return mine[0].name if mine else None


def _take(found: dict[str, str], code: str, name: str | None) -> None:
    if name is not None and name not in found and code not in found.values():
        found[name] = code


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
