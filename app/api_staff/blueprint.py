"""What the endpoints for staff share: their blueprint, their answers, what is one's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from app.api.answers import FORMATS, Link, add_links, table
from app.api.document import CSV, JSON, Parameter
from app.auth.guard import require_bearer
from app.extensions import workroom
from geodata.errors import NotStoredError
from geodata.repositories import audit
from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

bp = Blueprint("staff_api", __name__, url_prefix="/api/v1")
TABLE: dict[str, object] = {"type": "string"}
LARGEST_NUMBER = 2**31 - 1
CITY = Parameter(
    name="city",
    meaning="Slug of a city.",
    where="path",
    schema={"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$"},
)
RUN = Parameter(
    name="run", meaning="Id of a run.", where="path", schema={"type": "string", "minLength": 1}
)
NUMBER = Parameter(
    name="number",
    meaning="Number of a job.",
    where="path",
    schema={"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER},
)


def send(
    document: Any, *, form: str = JSON, links: Iterable[Link] = (), status: int = 200
) -> Response:
    """Answer with a document."""
    content = json.dumps(document, ensure_ascii=False, allow_nan=False)
    response = Response(f"{content}\n".encode(), status=status, mimetype=form)
    add_links(response, links)
    return response


def send_table(
    columns: Sequence[str], rows: Iterable[Mapping[str, object]], links: Iterable[Link]
) -> Response:
    """Answer with a table."""
    response = Response(table(columns, rows), mimetype=CSV)
    add_links(response, links)
    return response


def mime(name: str) -> str:
    """Give the type of a form by its name."""
    return FORMATS[name]


def require_word(text: str, what: str) -> str:
    """Give a name from an address as the database may be asked for it.

    Raises
    ------
    NotStoredError
        If nothing can be called so.
    """
    if not (text.isascii() and text.isprintable()):
        msg = f"there is no {what} {text[:40]!r}"
        raise NotStoredError(msg, code="no_entry")
    return text


def require_plain(value: Any) -> None:
    """Refuse text that no database takes: the zero byte and halves of characters.

    Raises
    ------
    SpecError
        If there is some.
    """
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            msg = f"{value!r:.60} is no text that can be kept"
            raise SpecError(msg, code="unprintable_text")
    elif isinstance(value, dict):
        for key, one in value.items():
            require_plain(key)
            require_plain(one)
    elif isinstance(value, list):
        for one in value:
            require_plain(one)


def note(action: str, object: str, **result: Any) -> None:
    """Write down that somebody read or changed something by a token."""
    found = require_bearer()
    with workroom().database.session(write=True) as session:
        details = {**result, "token": found.token.id}
        audit.record(session, found.person.name, action, object, details)
