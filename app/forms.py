"""From the strings of an address to checked values."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from werkzeug.datastructures import MultiDict

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


def several(
    args: MultiDict[str, str], name: str, allowed: Collection[str]
) -> tuple[str, ...] | None:
    """Give some of a few values, repeated or with commas between; nothing where it is absent.

    ``none`` stands for none of them.

    Raises
    ------
    SpecError
        If a value is another one.
    """
    values = [part for value in args.getlist(name) for part in value.split(",") if part]
    if not values:
        return None
    for value in values:
        if value != "none" and value not in allowed:
            msg = f"{name} {value[:LONGEST]!r} is not known; choose of {', '.join(allowed)}"
            raise SpecError(msg)
    return tuple(value for value in allowed if value in values)


def position(text: str, name: str) -> tuple[float, float]:
    """Read a latitude and a longitude in degrees, written as 36.01,-78.9.

    Raises
    ------
    SpecError
        If it is no such pair.
    """
    latitude, longitude = numbers(text, name, 2)
    if abs(latitude) > 90 or abs(longitude) > 180:
        msg = f"{name} {text[:LONGEST]!r} is no latitude and longitude in degrees"
        raise SpecError(msg)
    return latitude, longitude


def numbers(text: str, name: str, count: int) -> tuple[float, ...]:
    """Read some numbers with commas between them.

    Raises
    ------
    SpecError
        If they are another count, or one of them is no number.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count or not all(math.isfinite(value) for value in found):
        msg = f"{name} {text[:LONGEST]!r} cannot be read; write {count} numbers with commas between"
        raise SpecError(msg)
    return found
