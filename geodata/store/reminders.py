"""The secret address of a person's reminders: one each, kept as a digest, taken back at will."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from geodata.store import audit
from geodata.store.people import PersonRecord, as_record
from geodata.tables.people import Person
from geodata.tables.work import ReminderFeed

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session

TOKEN_BYTES = 32


def make_feed(session: Session, person: PersonRecord, when: dt.datetime) -> str:
    """Give a person a new secret address; the one before no longer holds."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.execute(delete(ReminderFeed).where(ReminderFeed.person_id == person.id))
    session.add(ReminderFeed(person_id=person.id, token_hash=_digest(token), created_at=when))
    audit.record(session, person.name, "reminders.make", person.name)
    return token


def end_feed(session: Session, person: PersonRecord) -> bool:
    """Take the secret address of a person back; tell whether there was one."""
    gone = session.execute(
        delete(ReminderFeed).where(ReminderFeed.person_id == person.id).returning(ReminderFeed.id)
    ).first()
    if gone is not None:
        audit.record(session, person.name, "reminders.end", person.name)
    return gone is not None


def feed_since(session: Session, person: PersonRecord) -> dt.datetime | None:
    """Tell since when a person has a secret address, UTC."""
    return session.scalar(
        select(ReminderFeed.created_at).where(ReminderFeed.person_id == person.id)
    )


def person_of_feed(session: Session, token: str) -> PersonRecord | None:
    """Give whose secret address it is, or nothing."""
    row = session.scalar(
        select(Person)
        .join(ReminderFeed, ReminderFeed.person_id == Person.id)
        .where(ReminderFeed.token_hash == _digest(token))
    )
    return as_record(row) if row else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
