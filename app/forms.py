"""From the strings of an address to checked values."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LONGEST = 200


class AddressError(SpecError):
    """An address asks for what cannot be; told in the language of whoever asked."""


def choice(args: Mapping[str, str], name: str, allowed: Collection[str]) -> str | None:
    """Give one of some values, or nothing where the field is absent or empty.

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
        raise AddressError(msg)
    return value


def day(args: Mapping[str, str], name: str) -> dt.date | None:
    """Give a date written as 2026-01-31, or nothing where the field is absent or empty.

    Raises
    ------
    AddressError
        If it is no such date.
    """
    value = args.get(name, "").strip()
    if value == "":
        return None
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError as error:
        msg = _(
            "%(name)s %(value)s is not a date; write it as 2026-01-31",
            name=name,
            value=repr(value[:LONGEST]),
        )
        raise AddressError(msg) from error
