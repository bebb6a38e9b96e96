"""Sign-ins in browsers: kept here, so that they can be ended from here.

Access tokens: made for a person, kept as digests, revoked or over some day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from geodata.db.staff_tables import AccessToken, Person, StaffSession
from geodata.errors import NotStoredError, PersonError
from geodata.repositories import audit
from geodata.roles import SCOPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


CODE, ENROL, FULL = "code", "enrol", "full"  # waits for a code; must set codes up; signed in
LONGEST_AGENT = 120
KEPT = dt.timedelta(days=90)  # ended sessions, before they are forgotten
SESSIONS_AT_A_TIME = 500


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
    free = old.limit(SESSIONS_AT_A_TIME).with_for_update(skip_locked=True)
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
    """Return the sign-in of a token, ended or not."""
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
    """Return the full sign-ins of a person that were used since a moment, the last used first."""
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


DEFAULT_DAYS, MOST_DAYS = 90, 365
LONGEST_LABEL = 80
MOST = 20  # tokens in force of one person
LARGEST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class TokenRecord:
    """One token, without itself; times are UTC."""

    id: int
    person_id: int
    person: str
    label: str
    scopes: tuple[str, ...]
    created_at: dt.datetime
    created_by: str
    expires_at: dt.datetime
    seen_at: dt.datetime | None
    revoked_at: dt.datetime | None
    revoked_by: str | None

    def holds(self, when: dt.datetime) -> bool:
        """Return whether it is neither revoked nor over."""
        return self.revoked_at is None and when < self.expires_at

    def state(self, when: dt.datetime) -> str:
        """Say ``in force``, ``over`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "in force" if self.holds(when) else "over"

    def as_json(self, when: dt.datetime) -> dict[str, object]:
        """Return the record as scripts read it."""
        return {
            "token": self.id,
            "person": self.person,
            "label": self.label,
            "scopes": list(self.scopes),
            "state": self.state(when),
            "created_at": _moment(self.created_at),
            "created_by": self.created_by,
            "expires_at": _moment(self.expires_at),
            "last_used_at": _moment(self.seen_at),
            "revoked_at": _moment(self.revoked_at),
            "revoked_by": self.revoked_by,
        }


def add_token(
    session: Session,
    name: str,
    token_hash: str,
    *,
    label: str,
    scopes: Sequence[str],
    days: int,
    who: str,
    when: dt.datetime,
) -> TokenRecord:
    """Store a token of a person.

    Raises
    ------
    NotStoredError
        If nobody is called so.
    PersonError
        If the person is disabled or has too many tokens, or the label, a scope or the days cannot
        be right.
    """
    person = session.scalar(select(Person).where(Person.name == name).with_for_update())
    if person is None:
        msg = f"nobody is called {name[:80]!r}; see: saferground user list"
        raise NotStoredError(msg, code="no_person")
    text = " ".join(label.split())
    _require(person, text, scopes, days)
    theirs = [one for one in list_tokens(session, name) if one.holds(when)]
    if len(theirs) >= MOST:
        msg = f"{person.name} has {MOST} tokens in force already; revoke one first"
        raise PersonError(msg, code="too_many_tokens")
    row = AccessToken(
        person_id=person.id,
        label=text,
        token_hash=token_hash,
        scopes=[scope for scope in SCOPES if scope in scopes],
        created_at=when,
        created_by=who,
        expires_at=when + dt.timedelta(days=days),
    )
    session.add(row)
    session.flush()
    details = {"token": row.id, "label": text, "scopes": row.scopes, "days": days}
    audit.record(session, who, "token.add", person.name, details)
    return _token_record(row, person.name)


def list_tokens(session: Session, name: str | None = None) -> list[TokenRecord]:
    """Return the tokens of a person, or of everybody, the newest first."""
    query = select(AccessToken, Person.name).join(Person, Person.id == AccessToken.person_id)
    if name is not None:
        query = query.where(Person.name == name)
    rows = session.execute(query.order_by(AccessToken.id.desc()))
    return [_token_record(row, person) for row, person in rows]


def find_token(session: Session, token_hash: str) -> TokenRecord | None:
    """Return the token of a digest, in force or not."""
    row = session.scalar(select(AccessToken).where(AccessToken.token_hash == token_hash))
    return _token_record(row, session.get_one(Person, row.person_id).name) if row else None


def see_token(session: Session, identity: int, when: dt.datetime) -> None:
    """Note that a token was used."""
    session.execute(update(AccessToken).where(AccessToken.id == identity).values(seen_at=when))


def revoke_token(
    session: Session, identity: int, who: str, when: dt.datetime, *, of: str | None = None
) -> TokenRecord:
    """Let a token in no more; ``of`` names whose it must be.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    PersonError
        If it was revoked already.
    """
    row = session.get(AccessToken, identity) if identity <= LARGEST else None
    person = session.get_one(Person, row.person_id) if row else None
    if row is None or person is None or of not in (None, person.name):
        msg = f"there is no token {identity}; see: saferground token list"
        raise NotStoredError(msg, code="no_token")
    if row.revoked_at is not None:
        msg = f"token {identity} was revoked already, on {row.revoked_at:%Y-%m-%d}"
        raise PersonError(msg, code="token_revoked")
    row.revoked_at, row.revoked_by = when, who
    session.flush()
    audit.record(session, who, "token.revoke", person.name, {"token": row.id, "label": row.label})
    return _token_record(row, person.name)


def revoke_all(session: Session, person_id: int, who: str, when: dt.datetime) -> int:
    """Revoke every token of a person, in whose change this is reported; tell how many."""
    done = session.execute(
        update(AccessToken)
        .where(AccessToken.person_id == person_id, AccessToken.revoked_at.is_(None))
        .values(revoked_at=when, revoked_by=who)
        .returning(AccessToken.id)
    ).all()
    return len(done)


def _require(person: Person, label: str, scopes: Sequence[str], days: int) -> None:
    """Refuse what a token cannot be.

    Raises
    ------
    PersonError
        With the first fault.
    """
    faults = {
        f"{person.name} is disabled and gets no token": person.state != "active",
        f"name the token in 1 to {LONGEST_LABEL} characters, after what it is for": not (
            label and len(label) <= LONGEST_LABEL and label.isprintable()
        ),
        f"choose what the token may do, of {', '.join(SCOPES)}": not scopes
        or any(scope not in SCOPES for scope in scopes),
        f"a token holds 1 to {MOST_DAYS} days": not 1 <= days <= MOST_DAYS,
    }
    for msg, there in faults.items():
        if there:
            raise PersonError(msg, code="token_request")


def _token_record(row: AccessToken, person: str) -> TokenRecord:
    names = TokenRecord.__dataclass_fields__.keys() - {"person", "scopes"}
    document = {name: getattr(row, name) for name in names}
    return TokenRecord(**document, person=person, scopes=tuple(row.scopes))


def _moment(when: dt.datetime | None) -> str | None:
    return when.isoformat(timespec="seconds") + "Z" if when else None
