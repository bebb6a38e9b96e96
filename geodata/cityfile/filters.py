"""The row filter of a city file: ``where = { types = "bar", n = "< 5", kind = ["a", "b"] }``."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
class Filter:
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
