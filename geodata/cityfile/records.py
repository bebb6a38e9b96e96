"""What a city records besides incidents: the sections of the city file and the fields of each.

Alerts, 911 calls, verified gunfire and visits are single rows with clocks and a place; occurrences
are dated points that count towards a measure; counts are figures that exist only as totals. One
table here says what each section may hold; reading, storing and loading follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.cityfile.tables import Place

FieldKind = Literal["text", "clock", "day", "count", "amount", "word"]

CLASSES = ("single", "multiple", "probable", "other")
DISPOSITIONS = ("confirmed", "unconfirmed", "unfounded", "no disposition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a section.

    ``clock`` is a moment, stored in milliseconds since 1970 UTC; ``day`` a date; ``count`` a whole
    number from 0; ``amount`` any number from 0; ``word`` one of a few words of ours, whatever the
    export calls them. A row without a required field is left out.
    """

    name: str
    kind: FieldKind
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """One section: its fields, whether a row has a place, and what is said of words by name."""

    section: str
    fields: tuple[Field, ...]
    placed: bool = True
    words: tuple[str, ...] = ()

    @property
    def clocks(self) -> tuple[str, ...]:
        """Clocks in the order in which they should tick."""
        return tuple(f.name for f in self.fields if f.kind == "clock")


def _fields(kind: FieldKind, *names: str, required: bool = False) -> tuple[Field, ...]:
    return tuple(Field(name=name, kind=kind, required=required) for name in names)


RECORD_KINDS = {
    kind.section: kind
    for kind in (
        RecordKind(
            section="alerts",
            fields=(
                *_fields("clock", "triggered", required=True),
                *_fields(
                    "clock", "review_started", "published", "received", "dispatched", "arrived"
                ),
                *_fields("word", "class", "disposition"),
                *_fields("count", "rounds", "casings", "guns", "arrests", "victims"),
                *_fields("text", "call"),
            ),
            words=("classes", "dispositions"),
        ),
        RecordKind(
            section="calls",
            fields=(
                *_fields("clock", "received", required=True),
                *_fields("clock", "dispatched", "arrived"),
                *_fields("text", "event"),
            ),
        ),
        RecordKind(
            section="verified",
            fields=(*_fields("clock", "occurred", required=True), *_fields("text", "alert")),
        ),
        RecordKind(
            section="visits",
            fields=(
                *_fields("clock", "start", required=True),
                *_fields("clock", "end"),
                *_fields("text", "unit", "activity"),
            ),
        ),
        RecordKind(
            section="occurrences",
            fields=(
                *_fields("day", "date", required=True),
                *_fields("text", "measure", "kind"),
                *_fields("amount", "value"),
            ),
        ),
        RecordKind(
            section="counts",
            fields=(
                *_fields("text", "measure", required=True),
                *_fields("day", "from", "to", required=True),
                *_fields("text", "district", "kind"),
                *_fields("amount", "value", required=True),
            ),
            placed=False,
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSource:
    """One source of records.

    ``columns`` names the column of each field, two for a date and a time apart; ``words`` turns the
    export's words into ours. ``latlon`` is a column that holds "(latitude, longitude)" in one text.
    ``measure`` is the measure that every row counts towards, where the rows do not say it.
    """

    section: str
    place: Place
    columns: Mapping[str, tuple[str, ...]]
    id: str | None
    latlon: str | None = None
    date_format: str | None = None
    measure: str | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def kind(self) -> RecordKind:
        """What the section may hold."""
        return RECORD_KINDS[self.section]
