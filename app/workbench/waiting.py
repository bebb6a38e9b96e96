"""Who waits for whom: drafts for a second person, returned drafts for their drafter, files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for

from app.admin.layout import ago
from app.usecases.draft_mail import approvers
from geodata.repositories import releases
from geodata.repositories.releases import DRAFTED, RETURNED, same_person
from geodata.roles import ANALYST, PUBLISHER
from geodata.uploads import intake

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CitySummary
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.releases import ReleaseRecord


@dataclass(frozen=True, kw_only=True)
class WaitingDraft:
    """A draft that waits: for one of ``people`` to approve it, or for who drafted it.

    ``own`` is one that the reader drafted. ``reason`` is why it was returned, empty where it was
    not; ``when`` (UTC) it was drafted or returned, and ``since`` in words; ``by`` acted last.
    """

    id: str
    city: str
    when: dt.datetime
    since: str
    by: str
    people: tuple[str, ...]
    reason: str
    own: bool
    address: str


@dataclass(frozen=True, kw_only=True)
class WaitingFiles:
    """Files of one city that the reader handed in and did not add; the oldest waits ``since``."""

    city: str
    count: int
    since: str
    address: str


def waiting_of_city(
    session: Session, listed: Sequence[ReleaseRecord], name: str, person: PersonRecord
) -> tuple[WaitingDraft, ...]:
    """Return what waits of the releases of a city, the newest first; ``name`` is the city's.

    That is the newest draft, where nothing newer was approved or withdrawn, and a newer one that
    was returned, until another is drafted.
    """
    returned = listed[:1] if listed and listed[0].state == RETURNED else []
    rest = [one for one in listed if one.state != RETURNED][:1]
    drafts = [one for one in rest if one.state == DRAFTED]
    return tuple(_waiting(session, one, name, person) for one in (*drafts, *returned))


def waiting_drafts(
    session: Session, found: Sequence[CitySummary], person: PersonRecord
) -> tuple[WaitingDraft, ...]:
    """Return what waits for a person in all cities, or for others since the person drafted it."""
    waiting: list[WaitingDraft] = []
    for city in found:
        listed = releases.list_releases(session, city.slug)
        mine = [
            one
            for one in waiting_of_city(session, listed, city.name, person)
            if one.own or (not one.reason and person.may((PUBLISHER,)))
        ]
        waiting += mine
    return tuple(waiting)


def waiting_files(
    uploads: Path, found: Sequence[CitySummary], person: PersonRecord
) -> tuple[WaitingFiles, ...]:
    """Return the files that an analyst handed in and did not come back to, by city."""
    if not person.may((ANALYST,)):
        return ()
    lines = []
    for city in found:
        mine = [
            one
            for one in intake.waiting(uploads, city.slug)
            if same_person(one.who, person.name) and not one.job
        ]
        if mine:
            oldest = min(one.when for one in mine).replace(tzinfo=None)
            address = url_for("sources.waiting", city=city.slug)
            lines.append(
                WaitingFiles(city=city.name, count=len(mine), since=ago(oldest), address=address)
            )
    return tuple(lines)


def _waiting(session: Session, one: ReleaseRecord, name: str, person: PersonRecord) -> WaitingDraft:
    when = one.returned_at or one.drafted_at
    return WaitingDraft(
        id=one.id,
        city=name,
        when=when,
        since=ago(when),
        by=one.returned_by or one.drafted_by,
        people=(one.drafted_by,)
        if one.returned_at
        else tuple(who.display for who in approvers(session, one)),
        reason=one.returned_why or "",
        own=same_person(person.name, one.drafted_by),
        address=url_for("drafts.release", city=one.city, release=one.id),
    )
