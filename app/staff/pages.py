"""What lists of the staff's pages show, as typed values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.forms import AddressError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geodata.store.audit import Entry

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


def paging(args: Mapping[str, str], rows: int, size: int, kept: Mapping[str, Any]) -> Paging:
    """Read which page is asked for; one beyond the end is the last.

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


def audit_rows(entries: Sequence[Entry]) -> list[AuditRow]:
    """Write entries for a table."""
    return [
        AuditRow(
            seq=entry.seq,
            at=f"{entry.at:%Y-%m-%d %H:%M:%S}",
            person=entry.person,
            action=entry.action,
            object=entry.object,
            details=_told(entry.details),
            hash=entry.hash,
        )
        for entry in entries
    ]


def _told(details: Mapping[str, Any]) -> str:
    parts = [
        f"{name}: {_value(value)}" for name, value in details.items() if value not in (None, "")
    ]
    told = "; ".join(parts)
    return told if len(told) <= LONGEST_DETAILS else f"{told[:LONGEST_DETAILS]}…"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return " ".join(str(one) for one in value) or "none"
    return json.dumps(value)
