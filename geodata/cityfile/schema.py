"""The row filter of a city file: ``where = { types = "bar", n = "< 5", kind = ["a", "b"] }``.

The tables of a city file, taken apart; what is wrong with them is gathered on the way.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.cityfile.toml import unknown_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path


TAG_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:-]{0,59}")
COMPARISON = re.compile(r"(<=|>=|==|!=|<|>)(.*)", re.DOTALL)
OR_BLANK = " or blank"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Scalar = str | int | float | dt.date


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a filter: a column, a comparison and what it compares with.

    ``sign`` is "in" or "not in" for values, else one of <, <=, > and >=; ``or_blank``
    keeps rows whose cell is empty too.
    """

    column: str
    sign: str
    operands: tuple[Scalar, ...]
    or_blank: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it names values."""
        return self.sign in ("in", "not in")


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Rows to keep: every condition must hold.

    A list of comparisons, as in ``[">= 3", "< 9"]``, holds where all of them do; any other list
    names values, whatever they look like: some files have a kind "< 5". Numbers are
    compared as numbers and days as days, else as text. An empty cell is not equal to
    anything, so that it meets "!="; it meets "" and conditions that end in "or blank".
    """

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, table: Mapping[str, object]) -> tuple[Self, list[str]]:
        """Read conditions by column; the second answer lists what cannot be read."""
        found: list[Condition] = []
        faults: list[str] = []
        for column, value in table.items():
            several = isinstance(value, list) and len(value) > 1 and all(map(_compares, value))
            values: list[object] = value if isinstance(value, list) and several else [value]
            for one in values:
                condition, fault = _condition(column, one)
                found += [condition] if condition else []
                faults += [f"{column}: {fault}"] if fault else []
        return cls(tuple(found)), faults

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the conditions name."""
        return tuple(one.column for one in self.conditions)


def _compares(value: Any) -> bool:
    """Return whether a value is a comparison; "<" and ">" alone may begin a name."""
    return isinstance(value, str) and COMPARISON.fullmatch(value.strip()) is not None


def _condition(column: str, value: Any) -> tuple[Condition | None, str]:
    """Read one condition, or say what is wrong with it."""
    if isinstance(value, dict) and set(value) == {"not"} and isinstance(value["not"], list):
        return Condition(column, "not in", tuple(value["not"])), ""
    if isinstance(value, list):
        if not value or not all(isinstance(one, Scalar) for one in value):
            return None, f"a list holds texts, numbers or days, got {value!r}"
        return Condition(column, "in", tuple(value)), ""
    if isinstance(value, str) and (match := COMPARISON.fullmatch(value.strip())):
        sign, right = match[1], match[2].strip()
        blank = right.endswith(OR_BLANK)
        right = right.removesuffix(OR_BLANK).strip()
        if sign in ("==", "!="):
            return Condition(column, "in" if sign == "==" else "not in", (right,), blank), ""
        if number_of(right) is None and not DAY.fullmatch(right):
            return None, f"{value!r} compares with something that is no number and no day"
        return Condition(column, sign, (right,), blank), ""
    if isinstance(value, Scalar):
        return Condition(column, "in", (value,)), ""
    return None, 'write a value, a list, { not = ["a"] }, or a comparison such as "< 5"'


def number_of(value: Any) -> float | None:
    """Return a number, nothing for what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


ANY_VALUE = "*"


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Features of an OpenStreetMap extract to keep: those that have any of some tags.

    ``keys`` are further keys that are read with them, so that one reading serves a whole city.
    ``dimensions`` are those of the shapes to keep, all where there are none. ``as_points`` makes
    one point of each, so that an outline counts as one place.
    """

    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    keys: tuple[str, ...] = ()
    dimensions: tuple[int, ...] = ()
    as_points: bool = False

    @classmethod
    def parse(cls, table: Any) -> tuple[Self, list[str]]:
        """Read tags by key; the second answer lists what cannot be read."""
        if not isinstance(table, dict) or not table:
            return cls(), [f'write tags such as {{ amenity = ["bar", "pub"] }}, got {table!r:.60}']
        found: list[tuple[str, tuple[str, ...]]] = []
        faults: list[str] = []
        for key, value in table.items():
            values = value if isinstance(value, list) else [value]
            if not TAG_KEY.fullmatch(key):
                faults.append(f"{key[:40]!r} is no key of OpenStreetMap")
            if not values or not all(isinstance(one, str) and one.strip() for one in values):
                faults.append(f'{key}: name values, or "{ANY_VALUE}" for any, got {value!r:.60}')
                continue
            found.append((key, tuple(one.strip() for one in values)))
        return cls(tags=tuple(found)), faults

    def of_dimensions(self, *dimensions: int) -> Self:
        """Return the same for shapes of some dimensions only."""
        return replace(self, dimensions=dimensions)

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Return every key that must be read, sorted."""
        return tuple(sorted({*self.keys, *(key for key, _ in self.tags)}))

    def in_words(self) -> str:
        """Write the tags in a line."""
        return ", ".join(f"{key}={value}" for key, values in self.tags for value in values)


DEGREES = "EPSG:4326"
PLACE_KEYS = frozenset({"source", "layer", "x", "y", "latlon", "crs", "where"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlace:
    """Where rows come from and how their place is told; ``notes`` are told with its account.

    ``latlon`` is one column that says the place. ``placeless`` rows have none, and none is looked
    for. ``rows`` is what a child process read of the file already, so that this process need not.
    ``tags`` choose features of a file that is an OpenStreetMap extract.
    """

    label: str  # as the city file writes it
    path: str  # resolved path, or an http(s) address
    layer: str | None = None
    x: str | None = None
    y: str | None = None
    latlon: str | None = None
    crs: str | None = None
    placeless: bool = False
    where: RowFilter = field(default_factory=RowFilter)
    notes: tuple[str, ...] = ()
    rows: str | None = None
    tags: TagFilter | None = None


class Tables:
    """The sections of a city file, which gather faults instead of stopping at the first.

    Parameters
    ----------
    content
        The sections, as TOML or JSON have them.
    root
        Folder that relative sources start from.
    keys
        The keys that each section knows.
    """

    def __init__(
        self, content: Mapping[str, Any], root: Path, keys: Mapping[str, Collection[str]]
    ) -> None:
        self.content, self.root, self.keys = content, root, keys
        self.faults: list[str] = []
        self.files = self._files()
        self.unknown("the city file", content, keys)

    def _files(self) -> dict[str, str]:
        """Read where sources are kept that are kept elsewhere than they are called."""
        table = self.content.get("files", {})
        if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
            self.faults.append('[files] must say where sources are kept: "called" = "files/kept"')
            return {}
        return table

    def unknown(self, where: str, values: Iterable[str], known: Collection[str]) -> None:
        """Tell each key that is not known."""
        self.faults += unknown_keys(where, values, known)

    def one(self, section: str, *, required: bool = False) -> dict[str, object]:
        """Return a section that is one table; nothing where it is absent or faulty."""
        value = self.content.get(section)
        if value is None:
            if required:
                self.faults.append(f"section [{section}] is missing")
            return {}
        if not isinstance(value, dict):
            self.faults.append(f"[{section}] must be one table, written [{section}]")
            return {}
        self.unknown(f"[{section}]", value, self.keys[section])
        return value

    def each(self, section: str) -> list[tuple[str, dict[str, object]]]:
        """Return the tables of a section that is a list of them, each with how faults name it."""
        value = self.content.get(section, [])
        if not isinstance(value, list) or any(not isinstance(entry, dict) for entry in value):
            self.faults.append(f"[{section}] must be a list of tables, written [[{section}]]")
            return []
        found = []
        for number, entry in enumerate(value, start=1):
            where = f"[[{section}]] {number}"
            self.unknown(where, entry, self.keys[section])
            found.append((where, entry))
        return found

    def text(
        self, where: str, table: Mapping[str, object], key: str, *, required: bool = False
    ) -> str | None:
        """Return a text of a table; nothing where it is absent or faulty.

        A required one may be absent only from a table that says nothing at all.
        """
        value = table.get(key)
        if value is None:
            if required and table:
                self.faults.append(f"{where}: {key} is missing")
            return None
        if not isinstance(value, str) or not value.strip():
            self.faults.append(f"{where}: {key} must be text, got {value!r}")
            return None
        return value

    def known_crs(self, where: str, value: str | None) -> CRS | None:
        """Return a reference system by its name; nothing where it is absent or not known."""
        if value is None:
            return None
        try:
            return CRS.from_user_input(value)
        except CRSError:
            self.faults.append(f"{where}: crs {value!r} is not known; write it as EPSG:2264")
            return None

    def place(self, where: str, table: Mapping[str, object]) -> SourcePlace | None:
        """Read where the rows of a table come from and how their place is reported."""
        source = self.text(where, table, "source", required=True)
        x, y = self.text(where, table, "x"), self.text(where, table, "y")
        if (x is None) != (y is None):
            self.faults.append(f"{where}: x and y belong together; name both columns or none")
        latlon = self.text(where, table, "latlon")
        if latlon is not None and x is not None:
            self.faults.append(f"{where}: name x and y, or latlon, not both")
        crs = self.text(where, table, "crs")
        self.known_crs(where, crs)
        value = table.get("where", {})
        rows = RowFilter()
        if isinstance(value, dict):
            rows, faults = RowFilter.parse(value)
            self.faults += [f"{where}: where: {fault}" for fault in faults]
        else:
            self.faults.append(f'{where}: where must be a table such as {{ types = "bar" }}')
        if source is None:
            return None
        return SourcePlace(
            label=source,
            path=self._resolve(source),
            layer=self.text(where, table, "layer"),
            x=x,
            y=y,
            latlon=latlon,
            crs=crs or (DEGREES if x else None),
            where=rows,
        )

    def area(self, section: str) -> SourcePlace | None:
        """Read a section that says nothing but where its shapes are."""
        table = self.one(section)
        return self.place(f"[{section}]", table) if table else None

    def one_place(self, section: str) -> SourcePlace | None:
        """Return where the shapes of a section are that was read, and checked, before."""
        table = self.content.get(section)
        source = table.get("source") if isinstance(table, dict) else None
        if not isinstance(source, str) or not source.strip():
            return None
        return SourcePlace(label=source, path=self._resolve(source))

    def _resolve(self, source: str) -> str:
        if source.startswith(("http://", "https://")):
            return source
        return str(self.root / self.files.get(source, source))
