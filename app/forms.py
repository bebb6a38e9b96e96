"""From the strings of an address to checked values."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from werkzeug.datastructures import MultiDict

LONGEST = 200
# No city has rows of other days, and a day, month or zone more or less stays a date that exists.
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)


class AddressError(SpecError):
    """An address asks for what cannot be; reported in the language of whoever requested."""


def choice(args: Mapping[str, str], name: str, allowed: Collection[str]) -> str | None:
    """Return one of some values, or nothing where the field is absent or empty.

    Raises
    ------
    AddressError
        If the value is another one.
    """
    value = args.get(name, "")
    if value == "":
        return None
    if value not in allowed:
        msg = _(
            "%(name)s %(value)s is not known; choose one of %(known)s",
            name=name,
            value=repr(value[:LONGEST]),
            known=", ".join(allowed),
        )
        raise AddressError(msg, name=name, value=value[:LONGEST], code="unknown_choice")
    return value


def day(args: Mapping[str, str], name: str) -> dt.date | None:
    """Return a date written as 2026-01-31, or nothing where the field is absent or empty.

    Raises
    ------
    AddressError
        If it is no such date, or lies before 1900 or after 2199.
    """
    value = args.get(name, "").strip()
    if value == "":
        return None
    try:
        found = dt.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError as error:
        msg = _(
            "%(name)s %(value)s is not a date; write it as 2026-01-31",
            name=name,
            value=repr(value[:LONGEST]),
        )
        raise AddressError(msg, name=name, value=value[:LONGEST], code="date_format") from error
    if not EARLIEST <= found <= LATEST:
        msg = _(
            "%(name)s %(value)s is no day from %(first)s to %(last)s",
            name=name,
            value=value[:LONGEST],
            first=EARLIEST,
            last=LATEST,
        )
        raise AddressError(msg, name=name, value=value[:LONGEST], code="date_range")
    return found


def several(
    args: MultiDict[str, str], name: str, allowed: Collection[str]
) -> tuple[str, ...] | None:
    """Return some of a few values, repeated or with commas between; nothing where it is absent.

    ``none`` stands for none of them.

    Raises
    ------
    AddressError
        If a value is another one.
    """
    values = [part for value in args.getlist(name) for part in value.split(",") if part]
    if not values:
        return None
    for value in values:
        if value not in (*allowed, "none"):
            choice({name: value}, name, allowed)
    return tuple(value for value in allowed if value in values)


def position(text: str, name: str) -> tuple[float, float]:
    """Read a latitude and a longitude in degrees, written as 36.01,-78.9.

    Raises
    ------
    AddressError
        If it is no such pair.
    """
    latitude, longitude = numbers(text, name, 2)
    if abs(latitude) > 90 or abs(longitude) > 180:
        msg = _(
            "%(name)s %(value)s is no latitude and longitude in degrees",
            name=name,
            value=repr(text[:LONGEST]),
        )
        raise AddressError(msg, name=name, value=text[:LONGEST], code="position")
    return latitude, longitude


def numbers(text: str, name: str, count: int) -> tuple[float, ...]:
    """Read some numbers with commas between them.

    Raises
    ------
    AddressError
        If they are another count, or one of them is no number.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count or not all(math.isfinite(value) for value in found):
        msg = _(
            "%(name)s %(value)s cannot be read; how many numbers there must be: %(count)d, with "
            "commas between",
            name=name,
            value=repr(text[:LONGEST]),
            count=count,
        )
        raise AddressError(msg, name=name, value=text[:LONGEST], code="number_list")
    return found
