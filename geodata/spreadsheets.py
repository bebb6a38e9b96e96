"""Texts in tables that spreadsheets open: none of them is taken for a formula."""

from __future__ import annotations

import re
from typing import Any

BEGINS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
BLANK = " \t\r\n\v\f\xa0\ufeff"  # what programs may pass over before they look
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def inert(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would work out, as OWASP advises.

    Names come from data and from people, and a table is opened with a double press: a place called
    ``=HYPERLINK(...)`` would send away what stands beside it. Numbers, written as numbers or as
    texts, stay as they are, and so does all that is no text. Done twice is done once.

    >>> inert("=1+1"), inert("-72.68"), inert(" @SUM(A1)"), inert("Main St"), inert(-3)
    ("'=1+1", '-72.68', "' @SUM(A1)", 'Main St', -3)
    """
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    return f"'{value}" if value.lstrip(BLANK).startswith(BEGINS_A_FORMULA) else value
