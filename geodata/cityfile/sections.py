"""What a city records besides incidents: the sections of the city file and the fields of each.

Alerts, 911 calls, verified gunfire and visits are single rows with clocks and a place; occurrences
are dated points that count towards a measure; counts are figures that exist only as totals. One
table here says what each section may hold; reading, storing and loading follow it.

What a city's data come from: incidents, factors, shapes and records as its file names them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from geodata.cityfile.risk_factors import (
    BASE,
    NAME,
    OWN_BASE,
    RANK,
    STREET_CLASS,
    base_filter,
    library,
    usual_keys,
)
from geodata.cityfile.schema import PLACE_KEYS, TagFilter
from geodata.cityfile.toml import hint
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

    ``columns`` names the column of each field, several where it has its parts in columns of their
    own (:func:`geodata.readers.dates.in_columns`); ``words`` turns the export's words into ours.
    By ``address``, rows without coordinates are placed.
    ``measure`` is the measure that every row counts towards, where the rows do not say it.
    ``updated`` is the column of a correction, whose latest row of an id counts.
    """

    section: str
    place: SourcePlace
    columns: Mapping[str, tuple[str, ...]]
    id: str | None
    address: str | None = None
    date_format: str | None = None
    measure: str | None = None
    updated: str | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def kind(self) -> RecordKind:
        """What the section may hold."""
        return RECORD_KINDS[self.section]


BASE_KINDS = (*BASE, *OWN_BASE)
LONGEST_KIND = 40
PLACE_FIELDS = {True: ("x", "y", "latlon", "address"), False: ()}
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
    """Incident points: of one outcome, or of several reported apart by a column.

    ``when`` has the columns of date and time (:func:`geodata.readers.dates.in_columns`);
    ``updated`` is the one of a correction, whose latest row of an id counts. By ``address``, rows
    without coordinates are placed.
    """

    place: SourcePlace
    outcomes: Mapping[str, str] | str
    outcome_field: str | None
    id: str | None
    when: tuple[str, ...]
    date_format: str | None
    updated: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSource:
    """One layer of the environment; ``title`` is what pages call it, if the city file says so."""

    place: SourcePlace
    factor: RiskFactor
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSource:
    """Shapes drawn under the map; columns of their names, ranks and classes of streets."""

    place: SourcePlace
    kind: str
    name: str | None
    rank: str | None
    street_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAreas:
    """Areas that people think in, such as neighborhoods; ``name`` is the column of their names."""

    place: SourcePlace
    kind: str
    name: str


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


def _incident(tables: Tables, where: str, table: Mapping[str, object]) -> IncidentSource | None:
    place = tables.place(where, table)
    when = _when(tables, where, table)
    outcomes = _outcomes(tables, where, table)
    if place is None or not when or outcomes is None:
        return None
    return IncidentSource(
        place=place,
        outcomes=outcomes,
        outcome_field=tables.text(where, table, "outcome_field"),
        id=tables.text(where, table, "id"),
        when=when,
        date_format=tables.text(where, table, "date_format"),
        updated=tables.text(where, table, "updated"),
        address=tables.text(where, table, "address"),
    )


def _when(tables: Tables, where: str, table: Mapping[str, object]) -> tuple[str, ...]:
    """Read the columns of date and time: ``date`` with or without ``time``, or its parts."""
    time = tables.text(where, table, "time")
    if not isinstance(table.get("date"), list):
        date = tables.text(where, table, "date", required=True)
        return tuple(filter(None, (date, time))) if date else ()
    columns = _columns(tables, where, "date", table["date"])
    if time is not None and len(columns) > 1:
        tables.faults.append(f"{where}: date names the columns of the time already; leave time out")
    return (*columns, time) if time is not None else columns


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
    known = library().get(table["osm"]) if isinstance(table.get("osm"), str) else None
    operation = table.get("operation", known.operation if known else "both")
    if "osm" in table:
        place = _extract(tables, where, table, operation)
    else:
        place = tables.place(where, table)
    name = tables.text(where, table, "name", required=True)
    title = tables.text(where, table, "title") or (known.title if known else "")
    if place is None or name is None:
        return None
    try:
        factor = RiskFactor(
            name=name,
            operation=operation,
            max_blocks=table.get("max_blocks", known.max_blocks if known else 3),
            step=table.get("step", "half"),
        )
    except (SpecError, TypeError, ValueError) as error:
        tables.faults.append(f"{where}: {error}")
        return None
    return FactorSource(place=place, factor=factor, title=title)


def _extract(
    tables: Tables, where: str, table: Mapping[str, object], operation: object
) -> SourcePlace | None:
    """Read which features of the city's OpenStreetMap extract a factor takes."""
    for key in sorted(PLACE_KEYS & set(table)):
        tables.faults.append(f"{where}: give osm, or {key}, not both")
    chosen = table["osm"]
    if isinstance(chosen, str) and chosen not in library():
        tables.faults.append(
            f"{where}: osm {chosen!r} is no risk factor of the library"
            f"{hint(chosen, library())}; see docs/risk-factors.md, or write its tags"
        )
        return None
    tags, faults = TagFilter.parse(library()[chosen].osm if isinstance(chosen, str) else chosen)
    tables.faults += [f"{where}: osm: {fault}" for fault in faults]
    extract = tables.one_place("osm")
    if extract is None:
        if "osm" not in tables.content:
            tables.faults.append(f'{where}: osm needs the extract: [osm] source = "city.osm.pbf"')
        return None
    label = chosen if isinstance(chosen, str) else tags.in_words()
    tags = replace(tags, keys=_keys(tables), as_points=operation != "proximity")
    return replace(extract, label=f"{extract.label}: {label}", tags=tags)


def _keys(tables: Tables) -> tuple[str, ...]:
    """Return the keys of every tag that the city file names, with the usual ones."""
    content = tables.content.get("factors", [])
    named = [one.get("osm") for one in content if isinstance(one, dict)]
    own = {str(key) for tags in named if isinstance(tags, dict) for key in tags}
    return tuple(sorted({*usual_keys(), *own}))


def read_base(tables: Tables) -> tuple[BaseSource, ...]:
    """Read ``[[base]]``, and of ``[osm]`` the kinds that it lacks."""
    found = _each(tables, "base", _base)
    extract = tables.one_place("osm")
    if extract is None:
        return found
    kinds = [kind for kind in BASE if kind not in {source.kind for source in found}]
    keys = _keys(tables)
    return (
        *found,
        *(
            BaseSource(
                place=replace(
                    extract,
                    label=f"{extract.label}: {kind}",
                    tags=replace(base_filter(kind), keys=keys),
                ),
                kind=kind,
                name=NAME,
                rank=RANK,
                street_class=STREET_CLASS if kind == "street" else None,
            )
            for kind in kinds
        ),
    )


def _base(tables: Tables, where: str, table: Mapping[str, object]) -> BaseSource | None:
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
        street_class=tables.text(where, table, "class"),
    )


def read_named_areas(tables: Tables) -> tuple[NamedAreas, ...]:
    """Read ``[[areas]]``."""
    found = _each(tables, "areas", _named_areas)
    kinds = [source.kind for source in found]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        tables.faults.append(f"[[areas]]: kind {kind!r} has more than one source; join the files")
    return found


def _named_areas(tables: Tables, where: str, table: Mapping[str, Any]) -> NamedAreas | None:
    place = tables.place(where, table)
    kind = tables.text(where, table, "kind", required=True)
    name = tables.text(where, table, "name", required=True)
    if kind is not None and len(kind) > LONGEST_KIND:
        tables.faults.append(f"{where}: kind is longer than {LONGEST_KIND} characters")
    if place is None or kind is None or name is None:
        return None
    return NamedAreas(place=place, kind=kind, name=name)


def read_records(tables: Tables) -> tuple[RecordSource, ...]:
    """Read the sections of records, in the order of their kinds."""
    return tuple(
        source
        for kind in RECORD_KINDS.values()
        for source in _each(tables, kind.section, partial(_record, kind))
    )


def _record(
    kind: RecordKind, tables: Tables, where: str, table: Mapping[str, object]
) -> RecordSource | None:
    fields = table.get("fields")
    if not isinstance(fields, dict):
        tables.faults.append(f'{where}: needs [{kind.section}.fields], as in id = "id"')
        return None
    known = {"id", *(f.name for f in kind.fields), *PLACE_FIELDS[kind.placed]}
    known |= {"verified_x", "verified_y"} if kind.section == "alerts" else set()
    tables.unknown(f"{where} fields", fields, known)
    columns = {name: _columns(tables, f"{where}: fields", name, fields[name]) for name in fields}
    for wanted in kind.fields:
        if wanted.required and wanted.name not in columns:
            tables.faults.append(f"{where}: fields: {wanted.name} is missing")
    axes = {axis: fields[axis] for axis in ("x", "y", "latlon") if axis in fields}
    place = tables.place(where, {**table, **axes})
    if place is None:
        return None
    return RecordSource(
        section=kind.section,
        place=place if kind.placed else replace(place, placeless=True),
        columns={f.name: columns[f.name] for f in kind.fields if f.name in columns}
        | {axis: columns[axis] for axis in ("verified_x", "verified_y") if axis in columns},
        id=(columns.get("id") or (None,))[0],
        address=(columns.get("address") or (None,))[0],
        date_format=tables.text(where, table, "date_format"),
        measure=tables.text(where, table, "measure"),
        updated=tables.text(where, table, "updated"),
        words={name: _words(tables, where, name, table.get(name, {})) for name in kind.words},
    )


MOST_PARTS = 6  # year, month, day, hour, minute, second


def _columns(tables: Tables, where: str, name: str, value: Any) -> tuple[str, ...]:
    """Read the column of a field: a name, a date and a time column, or the parts of a moment."""
    named = [value] if isinstance(value, str) else value
    ok = isinstance(named, list) and 1 <= len(named) <= MOST_PARTS
    if not ok or not all(isinstance(column, str) and column for column in named):
        tables.faults.append(
            f'{where}: {name} must be a column, ["Date", "Time"], or ["Year", "Month", "Day"] '
            f"with hour, minute and second after it, got {value!r}"
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
    tables: Tables, section: str, read: Callable[[Tables, str, dict[str, object]], Source | None]
) -> tuple[Source, ...]:
    """Read a section that lists sources, leaving out those with faults."""
    found = [read(tables, *entry) for entry in tables.each(section)]
    return tuple(source for source in found if source is not None)
