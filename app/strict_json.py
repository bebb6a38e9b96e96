"""JSON of requests, read so that whatever is sent is either usable or a bad request."""

from __future__ import annotations

import math
from typing import Any, NoReturn

from flask.json.provider import DefaultJSONProvider

DEEPEST = 32  # levels; no request of this site needs more than five
MOST_DIGITS = 40  # far more than any number that is kept; Python itself refuses 4,300


class StrictJSONProvider(DefaultJSONProvider):
    """Reads what RFC 8259 calls JSON, with finite numbers and few levels."""

    def loads(self, s: str | bytes, **options: Any) -> Any:
        """Read a document.

        Raises
        ------
        ValueError
            If it is none, is nested too deeply, or holds a number that cannot be.
        """
        try:
            found = super().loads(
                s, parse_constant=_refuse, parse_float=_finite, parse_int=_whole, **options
            )
        except RecursionError as error:
            msg = f"the JSON is nested more than {DEEPEST} levels deep"
            raise ValueError(msg) from error
        _require_shallow(found)
        return found


def _refuse(text: str) -> NoReturn:
    msg = f"{text} is no number in JSON"
    raise ValueError(msg)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text[:MOST_DIGITS])


def _whole(text: str) -> int:
    return int(text) if len(text) <= MOST_DIGITS else _refuse(f"{text[:MOST_DIGITS]}...")


def _require_shallow(document: Any) -> None:
    """Refuse a document with too many levels, without going down by recursion."""
    level = [document]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    msg = f"the JSON is nested more than {DEEPEST} levels deep"
    raise ValueError(msg)
