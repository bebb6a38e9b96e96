"""Answers in the form that was asked for, a page at a time, with what caches need to know."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict
from urllib.parse import urlencode, urlsplit

from flask import Response, request

from app import forms
from app.api.document import (
    CSV,
    GEOJSON,
    JSON,
    Parameter,
    Reference,
)
from app.links import whole, whole_url
from geodata.spreadsheets import inert

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT_LIMIT, MOST = 1000, 10_000
WHOLE = re.compile(r"[0-9]{1,12}")
FORMATS = {"json": JSON, "geojson": GEOJSON, "csv": CSV}


class Link(TypedDict):
    """A way to another address (RFC 8288)."""

    href: Reference
    rel: str
    type: NotRequired[str]
    title: NotRequired[str]


LIMIT = Parameter(
    name="limit",
    meaning=f"Most rows of one answer. More than {MOST} are taken as {MOST}.",
    schema={"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
)
OFFSET = Parameter(
    name="offset",
    meaning="Rows that are left out before the first. The links next and prev carry it.",
    schema={"type": "integer", "minimum": 0, "default": 0},
)


def format_parameter(*names: str) -> Parameter:
    """Describe the field that chooses the form of an answer; the header Accept does too."""
    return Parameter(
        name="f",
        meaning="Form of the answer; the header Accept chooses it too.",
        schema={"type": "string", "enum": list(names), "default": names[0]},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which rows of a list are asked for."""

    limit: int
    offset: int

    def of(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Give these rows of a list."""
        return rows[self.offset : self.offset + self.limit]

    def links(self, total: int, form: str, others: Sequence[str] = ()) -> list[Link]:
        """Give the ways to this page, the ones beside it, and the same in other forms."""
        links: list[Link] = [{"rel": "self", "type": form, "href": _here()}]
        links += [
            {"rel": "alternate", "type": FORMATS[one], "href": _here(f=one)}
            for one in others
            if FORMATS[one] != form
        ]
        after, before = self.offset + self.limit, max(0, self.offset - self.limit)
        if after < total:
            links.append({"rel": "next", "type": form, "href": _here(offset=after)})
        if self.offset > 0:
            links.append({"rel": "prev", "type": form, "href": _here(offset=before)})
        return links


def page() -> Page:
    """Read which page is asked for.

    Raises
    ------
    AddressError
        If a field is no whole number, or too small.
    """
    limit, offset = _whole("limit", 1, DEFAULT_LIMIT), _whole("offset", 0, 0)
    return Page(limit=min(limit, MOST), offset=offset)


def require_known(*names: str) -> None:
    """Refuse fields that an address does not have, and empty ones: a slip would go unseen.

    Raises
    ------
    AddressError
        If there is one.
    """
    known = (*names, "lang")  # which every address of this site may carry
    for one, value in request.args.items(multi=True):
        if one not in known:
            text = f"the fields are {', '.join(names)}" if names else "there are none"
            msg = f"there is no field {one[:40]!r} here; {text}"
            raise forms.AddressError(msg)
        if not value:
            msg = f"{one} is empty; leave it out"
            raise forms.AddressError(msg)


def wanted(*names: str) -> str:
    """Give the name of the form that is asked for: by the field ``f``, else by Accept.

    Raises
    ------
    AddressError
        If the field names another one.
    """
    chosen = forms.choice(request.args, "f", names)
    if chosen is not None:
        return chosen
    offered = [FORMATS[name] for name in names]
    found = request.accept_mimetypes.best_match(offered, default=offered[0])
    return names[offered.index(found or offered[0])]


def send_json(
    document: Any,
    *,
    form: str = JSON,
    modified: dt.datetime | None = None,
    links: Iterable[Link] = (),
) -> Response:
    """Answer with a document that anybody may have."""
    content = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return send(f"{content}\n".encode(), form, modified=modified, links=links)


def send_table(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, object]],
    *,
    modified: dt.datetime | None = None,
    links: Iterable[Link] = (),
) -> Response:
    """Answer with a table that anybody may have."""
    return send(table(columns, rows), CSV, modified=modified, links=links)


def send(
    content: bytes, form: str, *, modified: dt.datetime | None = None, links: Iterable[Link] = ()
) -> Response:
    """Answer with what anybody may have: kept by caches, but asked after each time.

    A release may be withdrawn at any moment, so no copy is good without asking; whoever has the
    same bytes is told so (304).
    """
    response = Response(content, mimetype=form)
    add_links(response, links)
    return seal(response, modified=modified)


def seal(response: Response, *, modified: dt.datetime | None = None) -> Response:
    """Tell caches what an answer is by, and answer 304 to whoever has the same bytes."""
    response.add_etag()
    if modified is not None:
        response.last_modified = modified
    response.cache_control.no_cache = True
    response.vary.add("Accept")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
    return response.make_conditional(request)  # type: ignore[return-value]


def add_links(response: Response, links: Iterable[Link]) -> None:
    """Tell links in the head too: tables have no other place for them."""
    lines = [f'<{one["href"]}>; rel="{one["rel"]}"' for one in links]
    if lines:
        response.headers["Link"] = ", ".join(lines)


def table(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Write rows as CSV; lists and objects in a cell are JSON, missing values empty.

    No text is a formula: see :func:`geodata.spreadsheets.inert`.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(row.get(name)) for name in columns} for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def address(endpoint: str, **values: Any) -> str:
    """Give a whole address of this site; it keeps the city that was asked for."""
    return whole_url(endpoint, **values, city=request.args.get("city"))


def _here(**changed: Any) -> str:
    """Give this address with some fields changed."""
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in changed]
    return whole(urlsplit(request.base_url).path) + _query([*pairs, *changed.items()])


def _query(pairs: Iterable[tuple[str, Any]]) -> str:
    query = urlencode(list(pairs), errors="replace")
    return f"?{query}" if query else ""


def _whole(name: str, least: int, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not WHOLE.fullmatch(text) or int(text) < least:
        msg = f"{name} {text[:40]!r} is no whole number from {least}"
        raise forms.AddressError(msg)
    return int(text)


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return inert(value)
