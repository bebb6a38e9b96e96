"""Values of columns that mean something to a city: outcomes, kinds of place, words of ours.

How a person says a file is to be read -> sections of a city file, or what is wrong where.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from app.workbench.column_kinds import (
    ADDRESS,
    APART,
    ENDS,
    KINDS,
    LAYER_NAME,
    OUTCOME,
    PAIR,
    SIDES,
    STREET,
    UNUSED,
    X,
    Y,
    guess_name,
    guess_word,
)
from geodata.cityfile.sections import BASE_KINDS, RECORD_KINDS
from geodata.ingest.sources import texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.workbench.column_kinds import SourceKind


MOST_WORDS = 60
FEW = 12  # kinds of place that may all be meant


@dataclass(frozen=True, kw_only=True)
class Word:
    """One value of a column: how often it comes, and what it means so far."""

    value: str
    rows: int
    means: str


@dataclass(frozen=True, kw_only=True)
class Words:
    """The values of a column with a role; ``choices`` are what they may mean, if not any name.

    ``more`` is how many values are not requested: the rarest.
    """

    role: str
    column: str
    label: str
    choices: tuple[str, ...]
    words: tuple[Word, ...]
    more: int


def words_of(frame: pd.DataFrame, answers: Answers) -> tuple[Words, ...]:
    """Return the values of each column whose values mean something, the most frequent first."""
    found = []
    for name, code in answers.roles.items():
        role = answers.source_kind.role(code)
        if role is None or role.words is None or name not in frame.columns:
            continue
        texts = pd.Series(texts_of(frame[name]), dtype=object)
        counts = texts[texts != ""].value_counts()
        values = answers.words.get(code, {})
        found.append(
            Words(
                role=code,
                column=name,
                label=role.label,
                choices=role.words,
                words=tuple(
                    Word(
                        value=str(value),
                        rows=int(rows),
                        means=values.get(
                            str(value), _guess(answers.kind, code, str(value), len(counts))
                        ),
                    )
                    for value, rows in counts.head(MOST_WORDS).items()
                ),
                more=max(0, len(counts) - MOST_WORDS),
            )
        )
    return tuple(found)


def _guess(kind: str, role: str, value: str, values: int) -> str:
    """Guess what a value means: a word of ours, or a factor where there are few kinds of place."""
    if kind == "alerts":
        return guess_word(role, value)
    return guess_name(value) if kind == "factors" and values <= FEW else ""


LONGEST_NAME, LONGEST_FORM, LONGEST_CRS = 60, 60, 200
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
OPERATIONS = ("both", "proximity", "density")
STEPS = ("half", "whole")
MOST_BLOCKS = 10
OTHER = "other"  # the choice of a system that is typed in
AS_SAID = ""  # the choice of the system that the file itself states


@dataclass(frozen=True, kw_only=True)
class Answers:
    """How a file is to be read.

    ``roles`` says what each column is, ``words`` what the values of a column with a role mean.
    ``crs`` is a system, :data:`AS_SAID`, or :data:`OTHER` for the one in ``crs_other``.
    """

    kind: str = "incidents"
    roles: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    crs: str = AS_SAID
    crs_other: str = ""
    layer: str = ""
    date_format: str = ""
    outcome: str = ""
    name: str = ""
    operation: str = "both"
    max_blocks: str = "3"
    step: str = "half"
    base_kind: str = "street"
    measure: str = ""

    @property
    def source_kind(self) -> SourceKind:
        """What the file is stated to be."""
        return KINDS[self.kind]

    @property
    def system(self) -> str:
        """The reference system that is meant, nothing for the file's own."""
        return self.crs_other.strip() if self.crs == OTHER else self.crs

    def column(self, role: str) -> str | None:
        """Return the column of a role."""
        return next((name for name, code in self.roles.items() if code == role), None)

    def as_json(self) -> dict[str, object]:
        """Return the answers as they are kept beside the file."""
        return dataclasses.asdict(self)


def read_kept(kept: Mapping[str, Any]) -> Answers | None:
    """Read answers that were kept, nothing where there are none or their form is an older one."""
    try:
        found = Answers(**kept)
    except TypeError:
        return None
    return found if kept and found.kind in KINDS else None


def read_form(
    form: Mapping[str, str], columns: Sequence[str], words: Sequence[Words], before: Answers
) -> Answers:
    """Read what was chosen and typed; columns and their words come by number.

    Parameters
    ----------
    form
        The fields as they were sent.
    columns
        Columns of the file, in its order.
    words
        Values of columns that the form requested the meaning of.
    before
        What was answered before, for the fields that the form did not have.
    """
    kind = form.get("kind", before.kind)
    kind = kind if kind in KINDS else before.kind
    roles = {
        name: form.get(f"column-{number}", UNUSED)
        for number, name in enumerate(columns)
        if form.get(f"column-{number}", UNUSED)
    }
    if not any(f"column-{number}" in form for number in range(len(columns))):
        roles = before.roles
    known = {code for code in roles.values() if KINDS[kind].role(code) is not None}
    texts = {
        name: form.get(name, getattr(before, name)).strip()
        for name in (
            "crs", "crs_other", "layer", "date_format", "outcome", "name", "operation",
            "max_blocks", "step", "base_kind", "measure",
        )
    }  # fmt: skip
    options = {**before.words, **_words(form, columns, words)}
    return Answers(
        kind=kind,
        roles={name: code for name, code in roles.items() if code in known},
        words={role: one for role, one in options.items() if _stays(before, roles, role)},
        **texts,
    )


def _stays(before: Answers, roles: Mapping[str, str], role: str) -> bool:
    """Return whether a role is still that of the column whose values were given a meaning."""
    column = before.column(role)
    return column is not None and roles.get(column) == role


def _words(
    form: Mapping[str, str], columns: Sequence[str], words: Sequence[Words]
) -> dict[str, dict[str, str]]:
    """Read what values mean: ``means-ROLE-N``, where ``of-ROLE`` is still the column requested."""
    found = {}
    for one in words:
        if form.get(f"of-{one.role}") == str(columns.index(one.column)):
            found[one.role] = {
                word.value: form.get(f"means-{one.role}-{number}", "").strip()
                for number, word in enumerate(one.words)
            }
    return found


class FieldFaults(dict[str, list[str]]):
    """What is wrong, by field."""

    def add(self, name: str, message: str) -> None:
        """Tell a fault at a field."""
        self.setdefault(name, []).append(message)


def build(
    answers: Answers, source: str, shape: str | None
) -> tuple[list[dict[str, object]], FieldFaults]:
    """Return the sections of a city file that answers mean, and what is wrong with them.

    Parameters
    ----------
    answers
        How the file is to be read.
    source
        What the city file calls it.
    shape
        What its geometry is, nothing for a table.
    """
    faults = FieldFaults()
    kind = answers.source_kind
    _check_columns(answers, shape, faults)
    _check_system(answers, shape, faults)
    table = _placed(answers, source)
    if kind.section in RECORD_KINDS:
        tables = [_record(answers, table, faults)]
    elif kind.section == "incidents":
        tables = [_incidents(answers, table, faults)]
    elif kind.section == "factors":
        tables = _factors(answers, table, faults)
    elif kind.section == "base":
        tables = [_base(answers, table, faults)]
    elif kind.section == "addresses":
        tables = [_addresses(answers, table, faults)]
    else:
        named = {code: answers.column(code) for code in ("id", LAYER_NAME)}
        tables = [{**table, **{code: name for code, name in named.items() if name}}]
    return tables, faults


def _check_columns(answers: Answers, shape: str | None, faults: FieldFaults) -> None:
    kind = answers.source_kind
    values = list(answers.roles.values())
    for role in kind.roles:
        if values.count(role.code) > role.most:
            many = "two" if role.most == 1 else f"more than {role.most}"
            less = "choose one" if role.most == 1 else "choose fewer"
            faults.add("columns", f"{many} columns are “{role.label}”; {less}")
        if role.required and role.code not in values:
            faults.add("columns", f"no column is “{role.label}”; choose it above its values")
    for clock in [code for code in values if code.endswith(APART)]:
        if clock.removesuffix(APART) not in values:
            faults.add("columns", "a time of day is chosen without its date; choose that too")
    if (X in values) != (Y in values):
        faults.add("columns", "x and y of the place belong together; choose both")
    if X in values and PAIR in values:
        faults.add("columns", "choose x and y, or the column that holds both, not all three")
    located = shape is not None or (X in values and Y in values) or PAIR in values
    located = located or (ADDRESS in values and kind.section != "addresses")
    if kind.placed and not located:
        faults.add("columns", "no columns hold the place; choose x and y above their values")
    if kind.section in ("districts", "boundary", "coverage", "base") and shape is None:
        faults.add("kind", f"{kind.title.lower()} needs shapes, and this is a table of values")


def _check_system(answers: Answers, shape: str | None, faults: FieldFaults) -> None:
    if shape is None and answers.column(ADDRESS) and not answers.column(X):
        return  # nothing is in any system
    if answers.crs == OTHER and not answers.system:
        faults.add("crs", "type the system, such as EPSG:2234")
    if answers.system:
        try:
            CRS.from_user_input(answers.system[:LONGEST_CRS])
        except CRSError:
            faults.add("crs", f"{answers.system[:40]!r} is no known system; write it as EPSG:2234")
    elif shape is None and answers.column(X):
        faults.add("crs", "choose the system that x and y are in")


def _placed(answers: Answers, source: str) -> dict[str, object]:
    """Return what says where the rows are; sections of records name x and y among their fields."""
    table: dict[str, object] = {"source": source}
    if answers.layer:
        table["layer"] = answers.layer
    x, y = answers.column(X), answers.column(Y)
    if x and y and answers.kind not in RECORD_KINDS:
        table |= {"x": x, "y": y}
    elif (pair := answers.column(PAIR)) and answers.kind not in RECORD_KINDS:
        table["latlon"] = pair
    if answers.system and not answers.column(PAIR):
        table["crs"] = answers.system
    return table


def _incidents(
    answers: Answers, table: dict[str, object], faults: FieldFaults
) -> dict[str, object]:
    for code in ("date", "time", "id", ADDRESS):
        if column := answers.column(code):
            table[code] = column
    if answers.date_format:
        table["date_format"] = answers.date_format[:LONGEST_FORM]
    column = answers.column(OUTCOME)
    if column is None:
        _name(answers.outcome, "outcome", "an outcome", faults)
        return {**table, "outcome": answers.outcome}
    outcomes = _named_words(answers, OUTCOME, faults)
    return {**table, "outcome_field": column, "outcomes": outcomes}


def _factors(
    answers: Answers, table: dict[str, object], faults: FieldFaults
) -> list[dict[str, object]]:
    """Return a factor, or one for each kind of place that a column tells apart."""
    if answers.operation not in OPERATIONS:
        faults.add("operation", "choose nearness, number or both")
    if answers.step not in STEPS:
        faults.add("step", "choose half or whole blocks")
    blocks = answers.max_blocks
    if not (blocks.isascii() and blocks.isdigit() and 1 <= int(blocks[:4]) <= MOST_BLOCKS):
        faults.add("max_blocks", f"give a whole number of blocks from 1 to {MOST_BLOCKS}")
        blocks = "1"
    reach = {"operation": answers.operation, "max_blocks": int(blocks), "step": answers.step}
    column = answers.column(LAYER_NAME)
    if column is None:
        _name(answers.name, "name", "the factor", faults)
        return [{**table, "name": answers.name, **reach}]
    words = _named_words(answers, LAYER_NAME, faults)
    by_name: dict[str, list[str]] = {}
    for value, name in words.items():
        by_name.setdefault(name, []).append(value)
    return [
        {**table, "name": name, **reach, "where": {column: values}}
        for name, values in by_name.items()
    ]


def _named_words(answers: Answers, role: str, faults: FieldFaults) -> dict[str, str]:
    """Return what the values of a column mean; those without a name are left out."""
    values = {value: name for value, name in answers.words.get(role, {}).items() if name}
    if not values:
        faults.add("words", "name at least one of the values; the others are left out and counted")
    for name in dict.fromkeys(values.values()):
        _name(name, "words", "a value", faults)
    return values


def _name(name: str, where: str, what: str, faults: FieldFaults) -> None:
    if not name:
        faults.add(where, f"give {what} a name, such as robbery or bus_stops")
    elif not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        faults.add(
            where,
            f"{name[:40]!r} is no name; use small letters, digits, _ and -, {LONGEST_NAME} at most",
        )


def _base(answers: Answers, table: dict[str, object], faults: FieldFaults) -> dict[str, object]:
    if answers.base_kind not in BASE_KINDS:
        faults.add("base_kind", f"choose one of {', '.join(BASE_KINDS)}")
    named = {code: answers.column(code) for code in (LAYER_NAME, "rank")}
    return {
        **table,
        "kind": answers.base_kind,
        **{code: name for code, name in named.items() if name},
    }


def _addresses(
    answers: Answers, table: dict[str, object], faults: FieldFaults
) -> dict[str, object]:
    """Return address points or street segments; the parts of a street's name in their order."""
    for code in ("number", ADDRESS, "postcode"):
        if column := answers.column(code):
            table[code] = column
    streets = [name for name, code in answers.roles.items() if code == STREET]
    if streets:
        table[STREET] = streets if len(streets) > 1 else streets[0]
    for side in SIDES:
        ends = [answers.column(f"{side}_{end}") for end in ENDS]
        if all(ends):
            table[side] = ends
        elif any(ends):
            faults.add("columns", f"first and last number of the {side} side belong together")
    return table


def _record(answers: Answers, table: dict[str, object], faults: FieldFaults) -> dict[str, object]:
    """Return a section of records: its fields apart, its words beside them."""
    kind = RECORD_KINDS[answers.kind]
    fields: dict[str, object] = {}
    for name, code in answers.roles.items():
        if not code.endswith(APART):
            apart = answers.column(code + APART)
            fields[code] = [name, apart] if apart else name
    if answers.date_format:
        table["date_format"] = answers.date_format[:LONGEST_FORM]
    if answers.kind == "occurrences" and "measure" not in fields:
        if not answers.measure:
            faults.add("measure", "choose the measure, or the column that names it")
        table["measure"] = answers.measure
    section = {**table, "fields": fields}
    for role, name in (("class", "classes"), ("disposition", "dispositions")):
        if role in fields and name in kind.words and (words := _our_words(answers, role, faults)):
            section[name] = words
    return section


def _our_words(answers: Answers, role: str, faults: FieldFaults) -> dict[str, str]:
    """Return the words of an export that became one of ours."""
    words = {value: ours for value, ours in answers.words.get(role, {}).items() if ours}
    known = answers.source_kind.role(role)
    allowed = known.words if known and known.words else ()
    for ours in dict.fromkeys(words.values()):
        if ours not in allowed:
            faults.add("words", f"{ours[:40]!r} is not one of {', '.join(allowed)}")
    return words
