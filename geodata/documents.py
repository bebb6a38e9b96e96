"""Documents: frozen classes that are written as JSON and read back, each by its own fields.

A class is the description of its JSON: keys are its fields in their order, or their aliases. What
another version wrote is read by what the class says of it (fields with a default) or refused.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError

from geodata.errors import DataError
from spatial.errors import SaferGroundError

_T = TypeVar("_T")


def _is_none(value: object) -> bool:
    return value is None


OrAbsent = Annotated[_T | None, Field(exclude_if=_is_none)]  # no key of the JSON while it is None


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what reads and writes documents of a type, made once."""
    return TypeAdapter(kind)


def to_json(document: Any, kind: Any = None) -> Any:
    """Return a document as JSON has it: of its own class, or of a type such as a tuple of one."""
    return adapter(kind or cast("Any", type(document))).dump_python(
        document, mode="json", by_alias=True
    )


def from_json(
    kind: type[_T],
    document: object,
    what: str,
    remedy: str,
    error: type[SaferGroundError] = DataError,
) -> _T:
    """Return a document from its JSON, as text or as what was read from it.

    Parameters
    ----------
    kind
        Its type.
    document
        Bytes of JSON, or what ``json.loads`` made of them.
    what, remedy
        What it is called and what can be done, for people.
    error
        The error to raise.

    Raises
    ------
    SaferGroundError
        If it has not the fields of the class: another version wrote it. The message names the
        first field that differs.
    """
    reader: TypeAdapter[Any] = adapter(cast("Any", kind))
    try:
        found: _T = (
            reader.validate_json(document)
            if isinstance(document, bytes)
            else reader.validate_python(document)
        )
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        msg = f"{what} cannot be read ({place}: {first['msg'].lower()}); {remedy}"
        raise error(msg) from invalid
    return found
