"""Measures that a city declares: ``[[measures]]`` of its file, each a count or a sum of rows."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.cityfile.schema import Tables

KEPT_GROUPS = ("alerts", "events", "response", "dosage", "zones", "site", "incidents", "actions")
COUNTED = ("alerts", "calls", "verified", "visits")  # sections of which a measure may count rows
USUAL = Path(__file__).with_name("usual_measures.toml")
IDENTITY = re.compile(r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_.]*$")
MOST = 60
STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True)

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=120)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureGroup:
    """What the measures of one group are called together, and what they are about."""

    __pydantic_config__ = STRICT

    title: Name
    about: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMeasure:
    """A measure that counts rows or adds up what they count.

    ``counts`` is what rows of ``[[occurrences]]`` and ``[[counts]]`` call it beside its own id, or
    a section of records of which each row counts. ``sensitive`` counts are published where they are
    not small. ``parts`` splits the figure by the kind of its rows,
    ``key`` is its place among the key figures of a city, ``enforcement`` what it is called beside
    other enforcement. One measure of a group may say what the ``group`` is called.
    """

    __pydantic_config__ = STRICT

    id: Annotated[str, Field(max_length=80, pattern=IDENTITY)]
    title: Name
    unit: Name
    better: Literal["up", "down", "neither"]
    sensitive: bool
    counts: Name = ""
    definition: Text = ""
    caveat: Text = ""
    target: float | None = None
    target_source: Text = ""
    parts: bool = False
    key: Annotated[int, Field(ge=0, le=100)] = 0
    enforcement: Name = ""
    owner: Name = "Police department"
    group: MeasureGroup | None = None


_ONE = TypeAdapter(DeclaredMeasure)
_LIST = TypeAdapter(tuple[DeclaredMeasure, ...])


@cache
def usual_measures() -> tuple[DeclaredMeasure, ...]:
    """Return what a city has whose file declares no measures."""
    return measures_of_json(tomllib.loads(USUAL.read_text(encoding="utf-8"))["measures"])


def measures_of_json(stored: list[Any]) -> tuple[DeclaredMeasure, ...]:
    """Return measures as :func:`measures_as_json` wrote them."""
    return _LIST.validate_python(stored)


def measures_as_json(measures: tuple[DeclaredMeasure, ...]) -> list[dict[str, Any]]:
    """Return measures as a document keeps them, without what is left to its default."""
    return list(_LIST.dump_python(measures, mode="json", exclude_defaults=True))


def read_measures(tables: Tables) -> tuple[DeclaredMeasure, ...]:
    """Read the measures that a city file declares, the usual ones where it says nothing of any."""
    if "measures" not in tables.content:
        return usual_measures()
    found: dict[str, DeclaredMeasure] = {}
    for where, table in tables.each("measures"):
        try:
            measure = _ONE.validate_python(table)
        except ValidationError as error:
            tables.faults += [
                f"{where}: {fault}" for one in error.errors() if (fault := _fault(one))
            ]
            continue
        tables.faults += [f"{where}: {fault}" for fault in _wrong(measure, found)]
        found[measure.id] = measure
    if len(found) > MOST:
        tables.faults.append(f"[[measures]]: {len(found)} are too many; declare at most {MOST}")
    return tuple(found.values())


def _fault(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a key; nothing of unknown ones, which are named already."""
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        remedy = "; true withholds small counts from the public" if key == "sensitive" else ""
        return f"{key} is missing{remedy}"
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key {key!r}" if "." in key else ""
    if key == "id":
        return f"id {error['input']!r:.90}: use small letters with a dot, as in speeding.citations"
    return f"{key}: {error['msg'][:1].lower()}{error['msg'][1:]}, got {error['input']!r:.60}"


def _wrong(measure: DeclaredMeasure, before: Mapping[str, DeclaredMeasure]) -> list[str]:
    """Return what is wrong with a measure beside the others."""
    found = []
    group = measure.id.partition(".")[0]
    if measure.id in before:
        found.append(f"id {measure.id!r} is declared twice; remove one")
    if group in KEPT_GROUPS:
        found.append(f"id {measure.id!r}: {group} is a group of the product; choose another word")
    if (measure.target is None) != (not measure.target_source):
        found.append("target and target_source belong together; state both or none")
    if measure.sensitive and measure.counts in COUNTED:
        found.append(f"sensitive: rows of {measure.counts} are counted in public; say false")
    same = [one.id for one in before.values() if measure.counts in (one.id, one.counts)]
    if same and measure.counts and measure.counts not in COUNTED:
        found.append(f"counts {measure.counts!r} is counted by {same[0]} already; count it once")
    return found


def counted_in_rows(measures: tuple[DeclaredMeasure, ...]) -> dict[str, str]:
    """Return what rows of dated points and totals may call each measure, and its id."""
    own = [one for one in measures if one.counts not in COUNTED]
    return {name: one.id for one in own for name in (one.id, one.counts) if name}
