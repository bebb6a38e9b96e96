"""Numbers as people and their programs write them: decimal commas, thousands apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

BETWEEN = r"(?<=\d)[\u00a0\u202f\u2009' ](?=\d{3}(?:\D|$))"  # spaces and marks between thousands
SPACED = r"\d[\u00a0\u202f\u2009' ]\d{3}"
THOUSANDS_COMMA = r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$"
DECIMAL_COMMA = r"^[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+$"
# What may be either, as 1,234, is a number of thousands unless another value of the column is not.
ONLY_DECIMAL = r",(?:\d{1,2}|\d{4,})$|\.\d{3},|^[+-]?(?:0|\d{4,}),"

DEGREES_WITH_LETTER = (
    r"^(\d{1,3}(?:\.\d{1,20})?)[°º]? ?(?:(\d{1,2}(?:\.\d{1,20})?)['′’]? ?)?"
    r"(?:(\d{1,2}(?:\.\d{1,20})?)[\"″”']{0,2} ?)?([NSEW])$"
)


def has_commas(column: pd.Series[Any]) -> bool:
    """Tell whether a column of texts has numbers with commas."""
    return bool(_texts(column).str.contains(r"^[+-]?[\d.]*\d,\d", regex=True).any())


def uses_decimal_commas(column: pd.Series[Any]) -> bool:
    """Tell whether the commas of a column can only be those of decimals."""
    texts = _texts(column)
    commas = texts.str.match(DECIMAL_COMMA)
    return bool((commas & texts.str.contains(ONLY_DECIMAL, regex=True)).any())


def read_numbers(
    column: pd.Series[Any], *, decimal_comma: bool | None = None
) -> NDArray[np.float64]:
    """Return numbers, NaN where a value is none.

    >>> read_numbers(pd.Series(["1,234", "1 234.5", "n/a", "12"])).tolist()
    [1234.0, 1234.5, nan, 12.0]
    >>> read_numbers(pd.Series(["1.234,5", "1,234"])).tolist()
    [1234.5, 1.234]
    """
    if not pd.api.types.is_string_dtype(column):
        return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    plainly = pd.to_numeric(column, errors="coerce")
    if bool((plainly.notna() | column.isna()).all()):  # as most columns are: nothing to take apart
        return plainly.to_numpy(dtype=np.float64, na_value=np.nan)
    if decimal_comma is None:
        decimal_comma = uses_decimal_commas(column)
    texts = _texts(column).str.replace("\u2212", "-", regex=False)
    if texts.str.contains(SPACED).any():
        texts = texts.str.replace(BETWEEN, "", regex=True)
    if decimal_comma:
        commas = texts.str.match(DECIMAL_COMMA)
        plain = texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:
        commas = texts.str.match(THOUSANDS_COMMA)
        plain = texts.str.replace(",", "", regex=False)
    numbers = pd.to_numeric(texts.where(~commas, plain), errors="coerce")
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def read_degrees(
    column: pd.Series[Any], *, decimal_comma: bool | None = None
) -> NDArray[np.float64]:
    r"""Return degrees, also of minutes and seconds and of those whose sign is a letter.

    >>> read_degrees(pd.Series(["-78.912", "78.912 W", "78°54'43.2\"W", "35 59 24 N"])).tolist()
    [-78.912, -78.912, -78.912, 35.99]
    """
    numbers = read_numbers(column, decimal_comma=decimal_comma)
    if not np.isnan(numbers).any() or not pd.api.types.is_string_dtype(column):
        return numbers
    parts = _texts(column).str.upper().str.extract(DEGREES_WITH_LETTER)
    values = parts[[0, 1, 2]].astype(float)
    size = values[0] + values[1].fillna(0) / 60 + values[2].fillna(0) / 3600
    sign = np.where(parts[3].isin(["S", "W"]), -1.0, 1.0)
    return np.where(np.isnan(numbers), sign * size.round(7).to_numpy(dtype=float), numbers)


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype("string").fillna("").str.strip()
