"""What pages of actions show, as typed values, and the calendar of reminders."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app import words
from app.command.visit_pages import zone_name
from app.dosage.files import escaped, folded
from app.staff.frame import moment
from geodata.store.actions import STILL_OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.command.patrol import Present
    from app.command.place import Place
    from geodata.store.actions import ActionRecord, EventRecord

ONE_DAY = dt.timedelta(days=1)
MOST_REMINDERS = 500


@dataclass(frozen=True, kw_only=True)
class ActionRow:
    """One action in a list."""

    id: int
    zone: str
    factor: str
    kind: str
    what: str
    owner: str
    due: str
    overdue: bool
    state: str
    cost: str
    days: str


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """One thing that happened to an action; ``text`` is what somebody wrote."""

    when: str
    by: str
    told: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One action that is due, as a calendar tells it: nothing of the place but the zone's name."""

    key: str
    due: dt.date
    title: str
    address: str


def action_rows(place: Place, there: Present, found: Sequence[ActionRecord]) -> list[ActionRow]:
    """Write actions for a list."""
    today = place.now.date()
    return [_row(there, one, today) for one in found]


def _row(there: Present, one: ActionRecord, today: dt.date) -> ActionRow:
    facts = one.facts
    began = one.created_at.date()
    taken = "" if one.closed_on is None else str(max(0, (one.closed_on - began).days))
    return ActionRow(
        id=one.id,
        zone=zone_name(there, facts.zone),
        factor=facts.factor.replace("_", " "),
        kind=facts.kind,
        what=facts.what,
        owner=facts.owner,
        due=facts.due.isoformat() if facts.due else "",
        overdue=one.is_overdue(today),
        state=facts.state,
        cost="" if facts.cost is None else words.number(facts.cost),
        days=taken if facts.state not in STILL_OPEN else "",
    )


def event_rows(there: Present, events: Sequence[EventRecord]) -> list[EventRow]:
    """Tell what happened to an action, the newest first."""
    return [
        EventRow(
            when=moment(event.at),
            by=event.person,
            told=_told(there, event),
            text=event.text,
        )
        for event in reversed(events)
    ]


def calendar(reminders: Sequence[Reminder], stamp: dt.datetime) -> bytes:
    """Write reminders as whole days of a calendar (RFC 5545)."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Safer Ground//Reminders//EN",
        "CALSCALE:GREGORIAN",
        "X-WR-CALNAME:Safer Ground: actions due",
    ]
    for one in reminders:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{escaped(one.key)}@saferground",
            f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one.due:%Y%m%d}",
            f"DTEND;VALUE=DATE:{one.due + ONE_DAY:%Y%m%d}",
            f"SUMMARY:{escaped(one.title)}",
            f"URL:{one.address}",
            "CLASS:CONFIDENTIAL",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines).encode()


def reminders_of(
    slug: str,
    found: Sequence[ActionRecord],
    names: Mapping[str, str],
    address: Callable[[ActionRecord], str],
) -> list[Reminder]:
    """Make reminders of open actions that have a day; ``names`` of zones by their ids."""
    return [
        Reminder(
            key=f"{slug}-action-{one.id}",
            due=one.facts.due,
            title=f"Due: {one.facts.kind}, {_lower(names[one.facts.zone])} of district "
            f"{one.district} ({one.facts.owner})",
            address=address(one),
        )
        for one in found[:MOST_REMINDERS]
        if one.facts.due is not None
    ]


def _lower(name: str) -> str:
    return name.replace("Zone", "zone", 1)


def _told(there: Present, event: EventRecord) -> str:
    if event.kind == "changed":
        parts = [
            f"{name} {_value(there, name, before)} became {_value(there, name, after)}"
            for name, (before, after) in event.details.items()
        ]
        return "; ".join(parts)
    if event.kind == "photo":
        return f"added a photo, {event.details.get('stage', '')}"
    return {
        "made": "made the action",
        "comment": "wrote",
        "photo removed": "removed a photo",
    }.get(event.kind, event.kind)


def _value(there: Present, name: str, value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    if name == "zone":
        return zone_name(there, str(value))
    return str(value).replace("_", " ") if name == "factor" else str(value)
