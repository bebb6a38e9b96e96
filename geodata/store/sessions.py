"""Sign-ins in browsers: kept here, so that they can be ended from here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from geodata.tables.people import Person, StaffSession

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CODE, ENROL, FULL = "code", "enrol", "full"  # waits for a code; must set codes up; signed in
LONGEST_AGENT = 120
KEPT = dt.timedelta(days=90)  # ended sessions, before they are forgotten
AT_A_TIME = 500


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """One sign-in; times are UTC."""

    id: int
    person_id: int
    version: int
    stage: str
    agent: str
    created_at: dt.datetime
    seen_at: dt.datetime
    ended_at: dt.datetime | None
    ended_why: str | None


def start_session(
    session: Session,
    token_hash: str,
    person_id: int,
    *,
    version: int,
    stage: str,
    agent: str,
    when: dt.datetime,
) -> SessionRecord:
    """Store a sign-in that began at a version of the person; long-ended ones are forgotten."""
    old = select(StaffSession.id).where(StaffSession.ended_at < when - KEPT)
    free = old.limit(AT_A_TIME).with_for_update(skip_locked=True)
    session.execute(delete(StaffSession).where(StaffSession.id.in_(free)))
    row = StaffSession(
        token_hash=token_hash,
        person_id=person_id,
        version=version,
        stage=stage,
        agent=agent.replace("\0", "")[:LONGEST_AGENT],
        created_at=when,
        seen_at=when,
    )
    session.add(row)
    session.flush()
    return _record(row)


def find_session(session: Session, token_hash: str) -> SessionRecord | None:
    """Give the sign-in of a token, ended or not."""
    row = session.scalar(select(StaffSession).where(StaffSession.token_hash == token_hash))
    return _record(row) if row else None


def see_session(session: Session, identity: int, when: dt.datetime) -> None:
    """Note that a sign-in was used; an ended one stays ended."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.id == identity, StaffSession.ended_at.is_(None))
        .values(seen_at=when)
    )


def end_session(session: Session, identity: int, why: str, when: dt.datetime) -> bool:
    """End one sign-in; tell whether it was not ended before."""
    done = session.execute(
        update(StaffSession)
        .where(StaffSession.id == identity, StaffSession.ended_at.is_(None))
        .values(ended_at=when, ended_why=why)
        .returning(StaffSession.id)
    )
    return done.first() is not None


def end_sessions(
    session: Session, person_id: int, why: str, when: dt.datetime, keep: int | None = None
) -> int:
    """End every sign-in of a person but one, and those that begin meanwhile; tell how many."""
    session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(session_version=Person.session_version + 1)
    )
    version = session.scalar(select(Person.session_version).where(Person.id == person_id))
    theirs = (StaffSession.person_id == person_id, StaffSession.ended_at.is_(None))
    if keep is not None:
        kept = update(StaffSession).where(*theirs, StaffSession.id == keep)
        session.execute(kept.values(version=version))
    ended = session.execute(
        update(StaffSession)
        .where(*theirs, StaffSession.id != (keep or 0))
        .values(ended_at=when, ended_why=why)
        .returning(StaffSession.id)
    ).all()
    return len(ended)


def open_sessions(session: Session, person_id: int, since: dt.datetime) -> list[SessionRecord]:
    """Give the full sign-ins of a person that were used since a moment, the last used first."""
    rows = session.scalars(
        select(StaffSession)
        .where(
            StaffSession.person_id == person_id,
            StaffSession.ended_at.is_(None),
            StaffSession.stage == FULL,
            StaffSession.seen_at >= since,
        )
        .order_by(StaffSession.seen_at.desc(), StaffSession.id)
    )
    return [_record(row) for row in rows]


def _record(row: StaffSession) -> SessionRecord:
    names = SessionRecord.__dataclass_fields__
    return SessionRecord(**{name: getattr(row, name) for name in names})
