"""Ids of rows as keys: one value is one key, whatever else stands in its file.

Table programs write the number 123 as 123, 123.0 or 1.23E+02, so that a weekly file would store the
same rows again. Each value is brought to one form by itself; ids with letters, leading zeros or
digits after the point stay as they are.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

WHOLE = re.compile(r"([+-]?\d+)\.0+")
SCIENTIFIC = re.compile(r"[+-]?\d\.(\d+)[Ee]\+(\d{2,3})")  # as spreadsheets and Python write it
LARGEST_EXACT = 2**53  # whole numbers beyond it are rounded as floats
LONGEST_EXPONENT = 100
KEYS_AT_ONCE = 500  # in one statement; SQLite allows a bounded number of parameters


def normal_key(text: str) -> str:
    """Return the one form of an id.

    A number in scientific form becomes whole if all of its digits are there; if some are missing it
    was rounded, and stays as it is written.

    >>> [normal_key(text) for text in ("123", "123.0", " 123 ", "0123", "12.50", "1E5", "2f.0")]
    ['123', '123', '123', '0123', '12.50', '1E5', '2f.0']
    >>> normal_key("2.0123456789E+10"), normal_key("2.0240E+10")
    ('20123456789', '2.0240E+10')
    """
    plain = text.strip().replace("\x00", "")
    if found := WHOLE.fullmatch(plain):
        return found[1]
    found = SCIENTIFIC.fullmatch(plain)
    if found and int(found[2]) <= min(len(found[1]), LONGEST_EXPONENT):
        number = Decimal(plain)
        if number == number.to_integral_value():
            return str(int(number))
    return plain


def stored_forms(keys: Iterable[str]) -> Iterator[list[str]]:
    """Yield keys in groups that fit into one statement, with the forms of earlier versions.

    >>> list(stored_forms(["12", "a"]))
    [['12', '12.0', 'a']]
    """
    every = [form for key in keys for form in ((key, f"{key}.0") if key.isdigit() else (key,))]
    for start in range(0, len(every), KEYS_AT_ONCE):
        yield every[start : start + KEYS_AT_ONCE]


def is_rounded(key: str) -> bool:
    """Return whether an id is a number that lost its last digits.

    >>> is_rounded("2.0240E+10"), is_rounded("20240000000"), is_rounded("1E5")
    (True, False, False)
    """
    return SCIENTIFIC.fullmatch(key) is not None


def keys_of(column: pd.Series) -> list[str]:
    """Return the keys of a column of ids; nothing where there is no value."""
    if pd.api.types.is_float_dtype(column):
        values: Sequence[float] = column.to_numpy(dtype=np.float64, na_value=np.nan).tolist()
        return [_of_number(value) for value in values]
    texts = column.astype("string").fillna("")
    return [normal_key(text) for text in texts.tolist()]


def _of_number(value: float) -> str:
    if np.isnan(value):
        return ""
    whole = value.is_integer() and abs(value) < LARGEST_EXACT
    return str(int(value)) if whole else normal_key(repr(value))
