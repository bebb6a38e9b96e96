"""What stands around every page of the staff, as typed values.

What lists of the staff's pages show, as typed values.
"""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import flash, g, get_flashed_messages, url_for

from app.auth.guard import desk, visitor
from app.forms import AddressError
from app.i18n.language import N_, translated
from app.i18n.numbers import plain
from geodata.roles import ADMINISTRATOR, COMMANDER, OFFICER, READERS, ROLES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flask import Flask

    from geodata.repositories.audit import AuditRecord


CITY_CLOCK = "city_clock"  # of the request: the time zone of the city that its page is about
MENU: tuple[tuple[str, str, Collection[str]], ...] = (  # endpoint, label, roles that see it
    ("command.home", N_("My districts"), (OFFICER, COMMANDER)),
    ("analyst.home", N_("Workbench"), READERS),
    ("admin.people", N_("People"), (ADMINISTRATOR,)),
    ("archive.listed", N_("Cities"), (ADMINISTRATOR,)),
    ("admin.audit", N_("Audit"), (ADMINISTRATOR,)),
    ("account.account", N_("My account"), tuple(ROLES)),
)


@dataclass(frozen=True, kw_only=True)
class StaffFrame:
    """Who is signed in, the menu they see, and what was done by the page before."""

    name: str
    display: str
    menu: tuple[tuple[str, str, str], ...]  # endpoint, label, address
    said: tuple[str, ...]


def staff_frame() -> StaffFrame:
    """Tell a template what stands around it."""
    found = visitor()
    texts = tuple(str(message) for message in get_flashed_messages())
    if found is None or not found.signed_in:
        return StaffFrame(name="", display="", menu=(), said=texts)
    menu = tuple(
        (endpoint, translated(label), url_for(endpoint))
        for endpoint, label, roles in MENU
        if found.person.may(roles)
    )
    return StaffFrame(name=found.person.name, display=found.person.display, menu=menu, said=texts)


def say(message: str) -> None:
    """Tell something on the next page."""
    flash(message)


def moment(when: dt.datetime | None) -> str:
    """Write a time for staff as clocks of the page's city show it, and say which clock that is.

    ``when`` is UTC, and so is what is written on pages that are about no city.
    """
    if when is None:
        return ""
    zone = zoneinfo.ZoneInfo(g.get(CITY_CLOCK, "UTC"))
    local = when.replace(tzinfo=dt.UTC).astimezone(zone)
    name, offset = f"{local:%Z}", f"{local:%z}"  # not every zone has letters of its own
    return f"{local:%Y-%m-%d %H:%M} {name if name.isalpha() else f'UTC{offset[:3]}:{offset[3:]}'}"


def ago(when: dt.datetime) -> str:
    """Tell how long ago something was, roughly."""
    minutes = max(0, int((desk().now() - when).total_seconds() // 60))
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def register_frame(app: Flask) -> None:
    """Let templates of the staff's pages ask for what stands around them."""
    app.jinja_env.globals["staff_frame"] = staff_frame
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["plain"] = plain
    app.jinja_env.filters["ago"] = ago


LONGEST_DETAILS = 600
MOST_PAGES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Paging:
    """Which page of a list is shown; pages count from 1, ``start`` is its first row."""

    page: int
    pages: int
    rows: int
    start: int
    query: dict[str, str]  # what else the address asks for


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """One entry of the audit in a table."""

    seq: int
    at: str
    person: str
    action: str
    object: str
    details: str
    hash: str


def paging(args: Mapping[str, str], rows: int, size: int, kept: Mapping[str, object]) -> Paging:
    """Read which page is requested; one beyond the end is the last.

    Raises
    ------
    AddressError
        If it is no page.
    """
    text = args.get("page", "1")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:8]) <= MOST_PAGES):
        msg = f"page {text[:20]!r} is no page; pages count from 1"
        raise AddressError(msg)
    pages = max(1, -(-rows // size))
    page = min(int(text[:8]), pages)
    query = {name: str(value) for name, value in kept.items() if value}
    return Paging(page=page, pages=pages, rows=rows, start=(page - 1) * size, query=query)


def audit_rows(entries: Sequence[AuditRecord]) -> list[AuditRow]:
    """Write entries for a table."""
    return [
        AuditRow(
            seq=entry.seq,
            at=f"{entry.at:%Y-%m-%d %H:%M:%S}",
            person=entry.person,
            action=entry.action,
            object=entry.object,
            details=_describe(entry.details),
            hash=entry.hash,
        )
        for entry in entries
    ]


def _describe(details: Mapping[str, object]) -> str:
    parts = [
        f"{name}: {_value(value)}" for name, value in details.items() if value not in (None, "")
    ]
    text = "; ".join(parts)
    return text if len(text) <= LONGEST_DETAILS else f"{text[:LONGEST_DETAILS]}…"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return " ".join(str(one) for one in value) or "none"
    return json.dumps(value)
