"""The row filter of a city file: ``where = { types = "bar", n = "< 5", kind = ["a", "b"] }``.

The tables of a city file, taken apart; what is wrong with them is gathered on the way.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata.cityfile.toml import unknown_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray


COMPARISON = re.compile(r"(<=|>=|==|!=|<|>)(.*)", re.DOTALL)
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Rows to keep: every condition must hold. Numbers are compared as numbers, else as text."""

    conditions: tuple[tuple[str, str, tuple[Any, ...]], ...] = ()

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """Read conditions by column; the second answer lists what cannot be read."""
        found: list[tuple[str, str, tuple[Any, ...]]] = []
        faults: list[str] = []
        for column, value in table.items():
            if isinstance(value, list):
                if not value or not all(isinstance(v, str | int | float) for v in value):
                    faults.append(f"{column}: a list holds texts or numbers, got {value!r}")
                found.append((column, "in", tuple(value)))
            elif isinstance(value, str) and (match := COMPARISON.fullmatch(value.strip())):
                sign, right = match[1], match[2].strip()
                if sign not in ("==", "!=") and _number(right) is None:
                    faults.append(f"{column}: {value!r} compares with something that is no number")
                found.append((column, sign, (right,)))
            elif isinstance(value, str | int | float):
                found.append((column, "in", (value,)))
            else:
                faults.append(f'{column}: write a value, a list, or a comparison such as "< 5"')
        return cls(tuple(found)), faults

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the conditions name."""
        return tuple(column for column, _, _ in self.conditions)

    def keep(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which rows to keep, shape ``(rows,)``; a missing value meets no condition."""
        kept = np.ones(len(frame), dtype=bool)
        for column, sign, values in self.conditions:
            series = frame[column]
            if sign == "in":
                kept &= _is_any_of(series, values)
            elif sign in ("==", "!="):
                same = _is_any_of(series, values)
                kept &= same if sign == "==" else ~same & series.notna().to_numpy()
            else:
                numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float)
                with np.errstate(invalid="ignore"):
                    kept &= OPERATORS[sign](numbers, _number(values[0]))
        return kept


def _is_any_of(series: pd.Series[Any], values: tuple[Any, ...]) -> NDArray[np.bool_]:
    texts = series.astype("string").str.strip().fillna("")
    found = np.array(texts.isin([str(value).strip() for value in values]), dtype=bool)
    wanted = [number for value in values if (number := _number(value)) is not None]
    if wanted:
        found |= np.isin(pd.to_numeric(series, errors="coerce").to_numpy(dtype=float), wanted)
    return found & series.notna().to_numpy()


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


DEGREES = "EPSG:4326"
PLACE_KEYS = frozenset({"source", "layer", "x", "y", "crs", "where"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlace:
    """Where rows come from and how their place is told; ``notes`` are told with its account.

    ``rows`` is what a child process read of the file already, so that this process need not.
    """

    label: str  # as the city file writes it
    path: str  # resolved path, or an http(s) address
    layer: str | None = None
    x: str | None = None
    y: str | None = None
    crs: str | None = None
    where: RowFilter = field(default_factory=RowFilter)
    notes: tuple[str, ...] = ()
    rows: str | None = None


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

    def one(self, section: str, *, required: bool = False) -> dict[str, Any]:
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

    def each(self, section: str) -> list[tuple[str, dict[str, Any]]]:
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
        self, where: str, table: Mapping[str, Any], key: str, *, required: bool = False
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

    def place(self, where: str, table: Mapping[str, Any]) -> SourcePlace | None:
        """Read where the rows of a table come from and how their place is reported."""
        source = self.text(where, table, "source", required=True)
        x, y = self.text(where, table, "x"), self.text(where, table, "y")
        if (x is None) != (y is None):
            self.faults.append(f"{where}: x and y belong together; name both columns or none")
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
            crs=crs or (DEGREES if x else None),
            where=rows,
        )

    def area(self, section: str) -> SourcePlace | None:
        """Read a section that says nothing but where its shapes are."""
        table = self.one(section)
        return self.place(f"[{section}]", table) if table else None

    def _resolve(self, source: str) -> str:
        if source.startswith(("http://", "https://")):
            return source
        return str(self.root / self.files.get(source, source))
