"""What a city records besides incidents: the sections of the city file and the fields of each.

Alerts, 911 calls, verified gunfire and visits are single rows with clocks and a place; occurrences
are dated points that count towards a measure; counts are figures that exist only as totals. One
table here says what each section may hold; reading, storing and loading follow it.

What a city's data come from: incidents, factors, shapes and records as its file names them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from spatial.errors import SpecError
from spatial.spec import RiskFactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from geodata.cityfile.schema import SourcePlace, Tables


FieldKind = Literal["text", "clock", "day", "count", "amount", "word"]

CLASSES = ("single", "multiple", "probable", "other")
DISPOSITIONS = ("confirmed", "unconfirmed", "unfounded", "no disposition")


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionField:
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
    """One section: its fields, whether a row has a place, and what is stated of words by name."""

    section: str
    fields: tuple[SectionField, ...]
    placed: bool = True
    words: tuple[str, ...] = ()

    @property
    def clocks(self) -> tuple[str, ...]:
        """Clocks in the order in which they should tick."""
        return tuple(f.name for f in self.fields if f.kind == "clock")


def _fields(kind: FieldKind, *names: str, required: bool = False) -> tuple[SectionField, ...]:
    return tuple(SectionField(name=name, kind=kind, required=required) for name in names)


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
    place: SourcePlace
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


BASE_KINDS = ("street", "water", "park", "rail", "neighbourhood")
PLACE_FIELDS = {True: ("x", "y", "latlon"), False: ()}
WORDS = {"classes": CLASSES, "dispositions": DISPOSITIONS}
Source = TypeVar("Source")


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictSource:
    """Polygons of districts; rows with one id are one district."""

    place: SourcePlace
    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSource:
    """Incident points: of one outcome, or of several reported apart by a column."""

    place: SourcePlace
    outcomes: Mapping[str, str] | str
    outcome_field: str | None
    id: str | None
    date: str
    time: str | None
    date_format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSource:
    """One layer of the environment."""

    place: SourcePlace
    factor: RiskFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSource:
    """Shapes drawn under the map."""

    place: SourcePlace
    kind: str
    name: str | None
    rank: str | None


def outcomes_of(sources: Iterable[IncidentSource]) -> tuple[str, ...]:
    """Return the outcomes that sources name, in their order."""
    found: dict[str, None] = {}
    for source in sources:
        named = source.outcomes
        found.update(dict.fromkeys([named] if isinstance(named, str) else named.values()))
    return tuple(found)


def read_districts(tables: Tables) -> DistrictSource | None:
    """Read ``[districts]``."""
    table = tables.one("districts")
    if not table:
        return None
    place = tables.place("[districts]", table)
    code = tables.text("[districts]", table, "id", required=True)
    name = tables.text("[districts]", table, "name")
    if place is None or code is None:
        return None
    return DistrictSource(place=place, id=code, name=name)


def read_incidents(tables: Tables) -> tuple[IncidentSource, ...]:
    """Read ``[[incidents]]``."""
    return _each(tables, "incidents", _incident)


def _incident(tables: Tables, where: str, table: Mapping[str, Any]) -> IncidentSource | None:
    place = tables.place(where, table)
    date = tables.text(where, table, "date", required=True)
    outcomes = _outcomes(tables, where, table)
    if place is None or date is None or outcomes is None:
        return None
    return IncidentSource(
        place=place,
        outcomes=outcomes,
        outcome_field=tables.text(where, table, "outcome_field"),
        id=tables.text(where, table, "id"),
        date=date,
        time=tables.text(where, table, "time"),
        date_format=tables.text(where, table, "date_format"),
    )


def _outcomes(
    tables: Tables, where: str, table: Mapping[str, Any]
) -> Mapping[str, str] | str | None:
    single = tables.text(where, table, "outcome")
    column, several = table.get("outcome_field"), table.get("outcomes")
    if single is not None:
        if column is not None or several is not None:
            tables.faults.append(f"{where}: give outcome, or outcome_field with outcomes, not both")
        return single
    if column is None and several is None:
        tables.faults.append(f"{where}: outcome is missing; name it, or outcome_field and outcomes")
        return None
    ok = (
        isinstance(several, dict)
        and several
        and all(isinstance(value, str) and value for value in several.values())
    )
    if column is None or not ok:
        tables.faults.append(
            f'{where}: outcome_field needs outcomes = {{ "Robbery" = "robbery" }} beside it'
        )
        return None
    return dict(several)  # type: ignore[arg-type]


def read_factors(tables: Tables) -> tuple[FactorSource, ...]:
    """Read ``[[factors]]``, each under a name of its own."""
    found = _each(tables, "factors", _factor)
    names = [source.factor.name for source in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        tables.faults.append(f"[[factors]]: {name!r} is named twice; names must differ")
    return found


def _factor(tables: Tables, where: str, table: Mapping[str, Any]) -> FactorSource | None:
    place = tables.place(where, table)
    name = tables.text(where, table, "name", required=True)
    if place is None or name is None:
        return None
    try:
        factor = RiskFactor(
            name=name,
            operation=table.get("operation", "both"),
            max_blocks=table.get("max_blocks", 3),
            step=table.get("step", "half"),
        )
    except (SpecError, TypeError, ValueError) as error:
        tables.faults.append(f"{where}: {error}")
        return None
    return FactorSource(place=place, factor=factor)


def read_base(tables: Tables) -> tuple[BaseSource, ...]:
    """Read ``[[base]]``."""
    return _each(tables, "base", _base)


def _base(tables: Tables, where: str, table: Mapping[str, Any]) -> BaseSource | None:
    place = tables.place(where, table)
    kind = tables.text(where, table, "kind", required=True)
    if kind is not None and kind not in BASE_KINDS:
        tables.faults.append(f"{where}: kind must be one of {', '.join(BASE_KINDS)}, got {kind!r}")
    if place is None or kind is None:
        return None
    return BaseSource(
        place=place,
        kind=kind,
        name=tables.text(where, table, "name"),
        rank=tables.text(where, table, "rank"),
    )


def read_records(tables: Tables) -> tuple[RecordSource, ...]:
    """Read the sections of records, in the order of their kinds."""
    return tuple(
        source
        for kind in RECORD_KINDS.values()
        for source in _each(tables, kind.section, partial(_record, kind))
    )


def _record(
    kind: RecordKind, tables: Tables, where: str, table: Mapping[str, Any]
) -> RecordSource | None:
    fields = table.get("fields")
    if not isinstance(fields, dict):
        tables.faults.append(f'{where}: needs [{kind.section}.fields], as in id = "id"')
        return None
    known = {"id", *(f.name for f in kind.fields), *PLACE_FIELDS[kind.placed]}
    known |= {"verified_x", "verified_y"} if kind.section == "alerts" else set()
    tables.unknown(f"{where} fields", fields, known)
    columns = {name: _columns(tables, where, name, fields[name]) for name in fields}
    for wanted in kind.fields:
        if wanted.required and wanted.name not in columns:
            tables.faults.append(f"{where}: fields: {wanted.name} is missing")
    axes = {axis: fields[axis] for axis in ("x", "y") if axis in fields}
    place = tables.place(where, {**table, **axes})
    values = columns.get("latlon", ()), columns.get("x", ())
    if kind.placed and all(values):
        tables.faults.append(f"{where}: fields: name x and y, or latlon, not both")
    if place is None:
        return None
    return RecordSource(
        section=kind.section,
        place=place,
        columns={f.name: columns[f.name] for f in kind.fields if f.name in columns}
        | {axis: columns[axis] for axis in ("verified_x", "verified_y") if axis in columns},
        id=(columns.get("id") or (None,))[0],
        latlon=(values[0] or (None,))[0],
        date_format=tables.text(where, table, "date_format"),
        measure=tables.text(where, table, "measure"),
        words={name: _words(tables, where, name, table.get(name, {})) for name in kind.words},
    )


def _columns(tables: Tables, where: str, name: str, value: Any) -> tuple[str, ...]:
    """Read the column of a field: a name, or a date and a time column of a clock."""
    named = [value] if isinstance(value, str) else value
    ok = isinstance(named, list) and 1 <= len(named) <= 2
    if not ok or not all(isinstance(column, str) and column for column in named):
        tables.faults.append(
            f'{where}: fields: {name} must be a column, or ["Date", "Time"], got {value!r}'
        )
        return ()
    return tuple(named)


def _words(tables: Tables, where: str, name: str, value: Any) -> dict[str, str]:
    allowed = WORDS[name]
    if not isinstance(value, dict):
        tables.faults.append(f"{where}: {name} must be a table of the export's words and ours")
        return {}
    for word, ours in value.items():
        if ours not in allowed:
            tables.faults.append(
                f"{where}: {name}: {word!r} must become one of {', '.join(allowed)}"
            )
    return {str(word).strip().casefold(): str(ours) for word, ours in value.items()}


def _each(
    tables: Tables, section: str, read: Callable[[Tables, str, dict[str, Any]], Source | None]
) -> tuple[Source, ...]:
    """Read a section that lists sources, leaving out those with faults."""
    found = [read(tables, *entry) for entry in tables.each(section)]
    return tuple(source for source in found if source is not None)
