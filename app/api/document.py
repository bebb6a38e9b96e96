"""What an endpoint of the interface takes and gives, said beside its view.

``@describe(...)`` hangs an :class:`Operation` on a view; they are gathered along the routes of the
application. A route below ``/api/v1`` without one is refused by a test.

Types of answers -> JSON Schema, so that what a view says it gives stands once, beside the view.

Objects are ``TypedDict`` classes; ``Annotated[str, "meaning"]`` tells what a member means and
``Annotated[str, Keywords(format="date")]`` adds keywords. JSON Schema 2020-12, as
OpenAPI 3.1 has it.

The interface as an OpenAPI 3.1 document, made from the routes and what their views say.
"""

from __future__ import annotations

import re
import types
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from app.problems import PROBLEM, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flask import Flask
    from werkzeug.routing import Rule


if TYPE_CHECKING:
    View = TypeVar("View", bound=Callable[..., Any])

JSON, GEOJSON, CSV = "application/json", "application/geo+json", "text/csv"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
Scope = Literal["read", "jobs", "rows"]
TAGS = {
    "release": "The published release: whole features and figures, as anybody may see them.",
    "features": "The same layers by OGC API - Features, for programs that open maps.",
    "about": "What this interface is.",
    "staff": "For staff, with an access token; what may be read follows the roles of the person.",
}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One field of an address or of its path; ``schema`` is JSON Schema."""

    name: str
    meaning: str
    schema: Mapping[str, object]
    where: Literal["query", "path"] = "query"

    def as_openapi(self) -> dict[str, object]:
        """Write the parameter as OpenAPI has it."""
        body: dict[str, object] = {
            "name": self.name,
            "in": self.where,
            "description": self.meaning,
            "schema": dict(self.schema),
        }
        if self.where == "path":
            body["required"] = True
        elif self.schema.get("type") == "array":
            body |= {"style": "form", "explode": False}
        return body


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What comes back: its meaning, and the type of each form it may have.

    A type is one that :func:`app.api.document.schema_of` reads, or a schema.
    """

    meaning: str
    forms: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What one view does.

    ``answers`` are those that are no problem, by status; ``problems`` the statuses of those that
    are. ``body`` is the type of what is sent. With a ``scope`` the endpoint wants a token.
    """

    summary: str
    meaning: str
    tag: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    body: Any = None
    scope: Scope | None = None


def describe(operation: Operation) -> Callable[[View], View]:
    """Say beside a view what it takes and gives."""

    def mark(view: View) -> View:
        view.operation = operation  # type: ignore[attr-defined]
        return view

    return mark


def operation_of(view: Any) -> Operation | None:
    """Give what a view says that it does, if it says so."""
    found: Operation | None = getattr(view, "operation", None)
    return found


def phrase(status: int) -> str:
    """Give the usual words for a status.

    >>> phrase(404)
    'Not Found'
    """
    return HTTPStatus(status).phrase


CITY = Parameter(
    name="city",
    meaning="Slug of a city; without it the city of this site, or the one published last.",
    schema={"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$"},
)


Schema = dict[str, object]
PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
    object: {},
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


ROOT = "/api/v1"
METHODS = ("GET", "POST", "DELETE")
BEARER = "bearer"
ABOUT = (
    "Zones, districts, alerts and measures as a city published them, and for its staff runs and "
    "jobs. Nothing here needs an account but what is marked for staff. Faults are told as "
    "application/problem+json (RFC 9457)."
)
ANY_FAULT = (400,)  # what any address may answer; 404 and others are said where they happen
STAFF_FAULTS = (401, 403, 429)


def document(app: Flask) -> dict[str, object]:
    """Describe every endpoint below ``/api/v1`` that the application has."""
    components: dict[str, Schema] = {}
    paths: dict[str, dict[str, object]] = {}
    for rule, method, operation in operations(app):
        body = _operation(rule.endpoint, operation, components)
        paths.setdefault(path_of(rule), {})[method.lower()] = body
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Safer Ground",
            "version": version("saferground"),
            "summary": "Risk terrain zones of a city, its alerts and its measures",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT}],
        "tags": [{"name": name, "description": body} for name, body in TAGS.items()],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token, made on the account page; it begins with sg_.",
                }
            },
        },
    }


def operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    """Give each route of the interface that says what it does, with its method."""
    for rule in app.url_map.iter_rules():
        operation = operation_of(app.view_functions[rule.endpoint])
        if operation is None or not rule.rule.startswith(ROOT):
            continue
        for method in METHODS:
            if method in (rule.methods or ()):
                yield rule, method, operation


def path_of(rule: Rule) -> str:
    """Write the path of a route as OpenAPI does, below the address of the server."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule.removeprefix(ROOT))


def _operation(
    endpoint: str, operation: Operation, components: dict[str, Schema]
) -> dict[str, object]:
    faults = (*ANY_FAULT, *(STAFF_FAULTS if operation.scope else ()), *operation.problems)
    body: dict[str, object] = {
        "operationId": endpoint,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": meaning_of(operation),
        "parameters": [one.as_openapi() for one in operation.parameters],
        "responses": {
            **{str(status): _answer(one, components) for status, one in operation.answers.items()},
            **{str(status): _fault(status, components) for status in sorted(set(faults))},
        },
        "security": [{BEARER: []}] if operation.scope else [],
    }
    if operation.body is not None:
        schema = schema_of(operation.body, components, closed=True)
        body["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return body


def meaning_of(operation: Operation) -> str:
    """Return what an operation does, and the scope of the token that it needs."""
    if operation.scope is None:
        return operation.meaning
    return f"{operation.meaning} Needs a token with the scope {operation.scope}."


def _answer(answer: Answer, components: dict[str, Schema]) -> dict[str, object]:
    body: dict[str, object] = {"description": answer.meaning}
    if answer.forms:
        body["content"] = {
            form: {"schema": schema_of(kind, components)} for form, kind in answer.forms.items()
        }
    return body


def _fault(status: int, components: dict[str, Schema]) -> dict[str, object]:
    schema = schema_of(Problem, components)
    return {"description": phrase(status), "content": {PROBLEM: {"schema": schema}}}
