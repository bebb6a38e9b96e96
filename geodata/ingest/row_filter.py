"""Which rows of a source meet the ``where`` of its city file."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.cityfile.schema import Condition, RowFilter, Scalar, number_of
from geodata.readers.cell_numbers import read_numbers
from geodata.readers.dates import read_moments

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def rows_to_keep(where: RowFilter, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which rows meet every condition, shape ``(rows,)``."""
    kept = np.ones(len(frame), dtype=bool)
    for one in where.conditions:
        kept &= _meets(frame[one.column], one)
    return kept


def _meets(series: pd.Series[Any], one: Condition) -> NDArray[np.bool_]:
    texts = series.astype("string").str.strip().fillna("")
    blank = (texts == "").to_numpy(dtype=bool)
    if one.is_list:
        same = _is_any_of(series, texts, one.operands)
        found = same if one.sign == "in" else ~same
    elif number_of(one.operands[0]) is None:
        stamps = read_moments(series, None, date_format=None, timezone="UTC")
        day = np.datetime64(str(one.operands[0]))
        found = ~np.isnat(stamps.day) & OPERATORS[one.sign](stamps.day, day)
    else:
        numbers = read_numbers(series)
        with np.errstate(invalid="ignore"):
            found = OPERATORS[one.sign](numbers, number_of(one.operands[0]))
    return np.asarray(found | blank if one.or_blank else found, dtype=bool)


def _is_any_of(
    series: pd.Series[Any], texts: pd.Series[Any], values: tuple[Scalar, ...]
) -> NDArray[np.bool_]:
    found = np.array(texts.isin([str(value).strip() for value in values]), dtype=bool)
    wanted = [number for value in values if (number := number_of(value)) is not None]
    if wanted:
        found |= np.isin(read_numbers(series), wanted)
    return found
