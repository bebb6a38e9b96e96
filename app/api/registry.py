"""What an endpoint of the interface takes and gives, said beside its view.

``@describe(...)`` hangs an :class:`Operation` on a view; :mod:`app.api.openapi` gathers them along
the routes of the application. A route below ``/api/v1`` without one is refused by a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    View = TypeVar("View", bound=Callable[..., Any])

JSON, GEOJSON, CSV = "application/json", "application/geo+json", "text/csv"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
Scope = Literal["read", "jobs"]
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
    schema: Mapping[str, Any]
    where: Literal["query", "path"] = "query"

    def as_openapi(self) -> dict[str, Any]:
        """Write the parameter as OpenAPI has it."""
        told: dict[str, Any] = {
            "name": self.name,
            "in": self.where,
            "description": self.meaning,
            "schema": dict(self.schema),
        }
        if self.where == "path":
            told["required"] = True
        elif self.schema.get("type") == "array":
            told |= {"style": "form", "explode": False}
        return told


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What comes back: its meaning, and the type of each form it may have.

    A type is one that :func:`app.api.schemas.schema_of` reads, or a schema.
    """

    meaning: str
    forms: Mapping[str, Any] = field(default_factory=dict)


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
