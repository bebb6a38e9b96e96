"""From the strings of an address to checked values."""

from __future__ import annotations

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
