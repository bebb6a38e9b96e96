"""What was tried and requested, counted in the database so that every process sees it.

The secret address of a person's reminders: one each, kept as a digest, taken back at will.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, inspect, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from geodata.db.staff_tables import Failures, Person, RateTally, ReminderFeed
from geodata.repositories import audit
from geodata.repositories.people import PersonRecord, as_record

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session


FORGOTTEN = dt.timedelta(hours=24)  # failures without another one after
AT_A_TIME = 500
NO_SYNCHRONISING = {"synchronize_session": False}  # these rows are never read as objects


def count_failure(session: Session, key: str, when: dt.datetime) -> tuple[int, dt.datetime | None]:
    """Count a sign-in as failed before it is tried; :func:`forgive` takes it back.

    So a thousand tries at once are a thousand counted failures, whichever process they reach.

    Returns
    -------
    How many there were before in a row, and when the last was.
    """
    _clear(session, Failures, Failures.last_at < when - FORGOTTEN)
    before, last_at = _locked(session, Failures, {"key": key, "count": 0, "last_at": when})
    session.execute(
        update(Failures)
        .where(Failures.key == key)
        .values(count=Failures.count + 1, last_at=when)
        .execution_options(**NO_SYNCHRONISING)
    )
    return before, last_at if before else None


def failures(session: Session, key: str, when: dt.datetime) -> tuple[int, dt.datetime | None]:
    """Tell how many failures in a row there were, and when the last was."""
    found = session.execute(
        select(Failures.count, Failures.last_at).where(
            Failures.key == key, Failures.last_at >= when - FORGOTTEN
        )
    ).one_or_none()
    if found is None:
        return 0, None
    count, last_at = found
    return count, last_at if count else None


def forgive(session: Session, key: str, count: int | None = None) -> None:
    """Take back some failures, or all of them."""
    if count is None:
        session.execute(delete(Failures).where(Failures.key == key))
        return
    session.execute(
        update(Failures)
        .where(Failures.key == key, Failures.count >= count)
        .values(count=Failures.count - count)
        .execution_options(**NO_SYNCHRONISING)
    )


def forgive_all(session: Session, start: str) -> int:
    """Take back all failures under the keys that begin with a text; tell how many there were."""
    gone = session.execute(
        delete(Failures).where(Failures.key.startswith(start, autoescape=True)),
        execution_options=NO_SYNCHRONISING,
    )
    return int(gone.rowcount)  # type: ignore[attr-defined] # of a statement that deletes


def count_request(session: Session, key: str, window_s: int, now_s: int) -> int:
    """Count a request in the window that ``now_s`` lies in; tell how many there were with it.

    Parameters
    ----------
    session
        Open for writing.
    key
        What is counted: an address of ours and who asks.
    window_s
        Length of a window, seconds.
    now_s
        Seconds since 1970.
    """
    start = now_s - now_s % window_s
    _clear(session, RateTally, RateTally.until_s < now_s)
    values = {"key": key, "window_s": start, "count": 0, "until_s": start + window_s}
    before, _ = _locked(session, RateTally, values)
    session.execute(
        update(RateTally)
        .where(RateTally.key == key, RateTally.window_s == start)
        .values(count=RateTally.count + 1)
        .execution_options(**NO_SYNCHRONISING)
    )
    return before + 1


def _clear(session: Session, table: type[Any], old: ColumnElement[bool]) -> None:
    """Forget some rows that are old, but none that another process is at."""
    keys = list(inspect(table).primary_key)
    some = select(*keys).where(old).limit(AT_A_TIME).with_for_update(skip_locked=True)
    session.execute(
        delete(table).where(tuple_(*keys).in_(some)), execution_options=NO_SYNCHRONISING
    )


def _locked(session: Session, table: type[Any], values: dict[str, object]) -> tuple[int, Any]:
    """Lock the row of a key, made where there is none; give its count and its last column.

    One statement, so that a row that is taken away at the same moment leaves no gap.
    """
    kind = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    keys = [column.name for column in inspect(table).primary_key]
    last = list(values)[-1]
    statement = kind.insert(table).values(**values)
    found = session.execute(
        statement.on_conflict_do_update(index_elements=keys, set_={"count": table.count}).returning(
            table.count, getattr(table, last)
        )
    ).one()
    return found[0], found[1]


TOKEN_BYTES = 32


def make_feed(session: Session, person: PersonRecord, when: dt.datetime) -> str:
    """Return a person a new secret address; the one before no longer holds."""
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
    """Return whose secret address it is, or nothing."""
    row = session.scalar(
        select(Person)
        .join(ReminderFeed, ReminderFeed.person_id == Person.id)
        .where(ReminderFeed.token_hash == _digest(token))
    )
    return as_record(row) if row else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
