"""Types of answers -> JSON Schema, so that what a view says it gives stands once, beside the view.

Objects are ``TypedDict`` classes; ``Annotated[str, "meaning"]`` tells what a member means and
``Annotated[str, Keywords(format="date")]`` adds keywords. JSON Schema 2020-12, as
OpenAPI 3.1 has it.
"""

from __future__ import annotations

import types
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Schema = dict[str, Any]
PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}
COMPONENTS = "#/components/schemas/"


class Keywords:
    """Keywords of JSON Schema that are added to a type."""

    def __init__(self, **words: Any) -> None:
        self.words = words


Day = Annotated[str, Keywords(format="date")]
Moment = Annotated[str, Keywords(format="date-time")]
Reference = Annotated[str, Keywords(format="uri-reference")]


def schema_of(kind: Any, components: dict[str, Schema], *, closed: bool = False) -> Schema:
    """Give the schema of a type; objects are put among the components and referred to.

    An object that is ``closed`` has no other members than those that are named.

    Raises
    ------
    TypeError
        If the type is none that an answer can be described with.

    >>> schema_of(list[int] | None, {})
    {'anyOf': [{'type': 'array', 'items': {'type': 'integer'}}, {'type': 'null'}]}
    """
    if isinstance(kind, dict):
        return kind
    if kind in PLAIN:
        return dict(PLAIN[kind])
    if is_typeddict(kind):
        return _object(kind, components, closed=closed)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is NotRequired:
        return schema_of(inner[0], components, closed=closed)
    if origin is Annotated:
        return _annotated(inner[0], inner[1:], components, closed=closed)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(one, components, closed=closed) for one in inner]}
    if origin is list:
        return {"type": "array", "items": schema_of(inner[0], components, closed=closed)}
    if origin is dict:
        return {
            "type": "object",
            "additionalProperties": schema_of(inner[1], components, closed=closed),
        }
    msg = f"{kind!r} cannot be described as an answer"
    raise TypeError(msg)


def _annotated(
    kind: Any, notes: tuple[Any, ...], components: dict[str, Schema], *, closed: bool
) -> Schema:
    schema = schema_of(kind, components, closed=closed)
    for note in notes:
        schema |= note.words if isinstance(note, Keywords) else {"description": str(note)}
    return schema


def _object(kind: Any, components: dict[str, Schema], *, closed: bool) -> Schema:
    name = kind.__name__
    if name not in components:
        components[name] = {}  # so that an object may hold others of its own kind
        hints = get_type_hints(kind, include_extras=True)
        optional = {one for one, hint in hints.items() if get_origin(hint) is NotRequired}
        components[name] = {
            "type": "object",
            "description": " ".join((kind.__doc__ or "").split()),
            "properties": {
                one: schema_of(hint, components, closed=closed) for one, hint in hints.items()
            },
            "required": sorted(kind.__required_keys__ - optional),
            **({"additionalProperties": False} if closed else {}),
        }
    return {"$ref": f"{COMPONENTS}{name}"}
