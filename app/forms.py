"""From the strings of an address to checked values."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LONGEST = 200


def choice(args: Mapping[str, str], name: str, allowed: Collection[str]) -> str | None:
    """Give one of some values, or nothing where the field is absent or empty.

    Raises
    ------
    SpecError
        If the value is another one.
    """
    value = args.get(name, "")
    if value == "":
        return None
    if value not in allowed:
        msg = f"{name} {value[:LONGEST]!r} is not known; choose one of {', '.join(allowed)}"
        raise SpecError(msg)
    return value


def day(args: Mapping[str, str], name: str) -> dt.date | None:
    """Give a date written as 2026-01-31, or nothing where the field is absent or empty.

    Raises
    ------
    SpecError
        If it is no such date.
    """
    value = args.get(name, "").strip()
    if value == "":
        return None
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError as error:
        msg = f"{name} {value[:LONGEST]!r} is not a date; write it as 2026-01-31"
        raise SpecError(msg) from error
