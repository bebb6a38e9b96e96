"""Signing in and staying signed in: password, then code, then a session that ends.

A sign-in has stages. The password opens a session that can do nothing but take the code (or set
codes up, the first time); the code ends it and opens another one, under another token.

Letting somebody set a password up: a link that works once and for a day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.auth import secrets
from app.auth.locks import (
    code_locks,
    failures_in_a_row,
    forgive_name,
    open_lock,
    password_locks,
    try_lock,
)
from app.auth.secrets import LockedError, SignInError, new_token, token_hash
from geodata.clock import utc_now
from geodata.repositories import audit, people, sessions
from geodata.repositories.people import ACTIVE
from geodata.repositories.sessions import CODE, ENROL, FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from app.auth.locks import Lock
    from app.auth.secrets import Keys
    from geodata.db.engine import Database
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.sessions import SessionRecord


HALF = dt.timedelta(minutes=10)  # between password and code
ABSOLUTE = dt.timedelta(hours=12)
SEEN_EVERY = dt.timedelta(minutes=1)
WRONG = "this name and password do not belong together"
WRONG_CODE = "this code is not right, or was used before; wait for the next one"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What signing in needs: the database, the keys, how long idle sessions live, a clock."""

    database: Database
    keys: Keys
    idle: dt.timedelta
    clock: Callable[[], dt.datetime] = utc_now

    def now(self) -> dt.datetime:
        """Return the time, UTC, without a zone."""
        return self.clock()

    def now_s(self) -> int:
        """Return the seconds since 1970."""
        return int(self.clock().replace(tzinfo=dt.UTC).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from."""

    address: str
    agent: str = ""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who has begun to sign in, or is signed in."""

    person: PersonRecord
    session: SessionRecord

    @property
    def signed_in(self) -> bool:
        """Return whether the sign-in is whole."""
        return self.session.stage == FULL


def with_password(desk: Desk, name: str, password: str, origin: Origin) -> str:
    """Take name and password; give the token of a session that waits for the code.

    Whether somebody is called so, has a password or is disabled makes no difference that could be
    seen or measured from outside.

    Raises
    ------
    LockedError
        If too many tries failed.
    SignInError
        If name and password do not belong together.
    """
    name = people.folded(name)
    locks = password_locks(name, origin.address)
    _lock(desk, locks)
    with desk.database.session() as session:
        person = people.find_person(session, name)
    usable = person if person and person.state == ACTIVE else None
    if not secrets.fits(password, usable.password_hash if usable else None) or usable is None:
        raise _failed(desk, locks, person, origin, "password")
    stored = usable.password_hash or ""
    anew = secrets.digest(password) if secrets.is_outdated(stored) else None
    with desk.database.session(write=True) as session:
        if anew is not None:
            people.rehash_password(session, name, stored, anew)
        token = begin(desk, session, usable, CODE if usable.codes else ENROL, origin)
        open_lock(
            session, locks, desk.now()
        )  # after the person, as everywhere: nobody waits in a ring
    return token


def check_password(desk: Desk, person: PersonRecord, password: str, origin: Origin) -> None:
    """Hold a password against the person's own, under the same locks as a sign-in.

    Raises
    ------
    LockedError, SignInError
        As :func:`with_password`.
    """
    locks = password_locks(person.name, origin.address)
    _lock(desk, locks)
    if not secrets.fits(password, person.password_hash):
        _failed(desk, locks, person, origin, "password")
        msg = "this is not your present password"
        raise SignInError(msg, code="wrong_password")
    with desk.database.session(write=True) as session:
        open_lock(session, locks, desk.now())


def with_code(desk: Desk, visitor: Visitor, code: str, origin: Origin) -> str:
    """Take a one-time or a recovery code; give the token of the session that is signed in.

    Raises
    ------
    LockedError
        If too many tries failed.
    SignInError
        If the code is not right, or was used before.
    PersonError
        If the codes were set up under another secret key.
    """
    person = visitor.person
    locks = code_locks(person.name, origin.address)
    _lock(desk, locks)
    with desk.database.session(write=True) as session:
        how = _use_code(desk, session, person, code)
        if how:
            open_lock(session, locks, desk.now())
            return finish(desk, session, person, how, origin, visitor.session)
    raise _failed(desk, locks, person, origin, "code")


def offer_codes(desk: Desk, visitor: Visitor, *, anew: bool = False) -> str:
    """Return the secret of the codes that are being set up, a new one where there is none."""
    name = visitor.person.name
    with desk.database.session(write=True) as session:
        _, pending = people.code_secrets(session, name)
        if pending is not None and not anew:
            return secrets.unseal(desk.keys, name, pending)
        secret = secrets.new_secret()
        people.offer_codes(session, name, secrets.seal(desk.keys, name, secret))
    return secret


def confirm_codes(
    desk: Desk, visitor: Visitor, code: str, origin: Origin
) -> tuple[list[str], str | None]:
    """Put the offered codes in force once the first one is right; other sessions end.

    Returns
    -------
    The recovery codes, shown once; and where this ended a sign-in, the token of its session.

    Raises
    ------
    LockedError, SignInError
        As :func:`with_code`.
    PersonError
        If no codes were offered.
    """
    person = visitor.person
    secret = offer_codes(desk, visitor)
    locks = code_locks(person.name, origin.address)
    _lock(desk, locks)
    step = secrets.step_of(secret, code, desk.now_s())
    if step is None:
        raise _failed(desk, locks, person, origin, "code")
    recovery = secrets.new_recovery_codes()
    with desk.database.session(write=True) as session:
        open_lock(session, locks, desk.now())
        confirmed = people.confirm_codes(
            session,
            person.name,
            step=step,
            recovery=secrets.recovery_hashes(desk.keys, recovery),
            when=desk.now(),
            keep=visitor.session.id,
        )
        if visitor.signed_in:
            return recovery, None
        return recovery, finish(desk, session, confirmed, "code", origin, visitor.session)


def finish(
    desk: Desk,
    session: Session,
    person: PersonRecord,
    how: str,
    origin: Origin,
    half: SessionRecord | None = None,
) -> str:
    """End the half session, open the whole one; give its token."""
    if half is not None and not sessions.end_session(session, half.id, "went on", desk.now()):
        msg = "this sign-in has ended; start again"
        raise SignInError(msg, code="ended")
    token = begin(desk, session, person, FULL, origin)
    document = {"address": origin.address, "with": how}
    audit.record(session, person.name, "sign_in.done", person.name, document)
    return token


def find_visitor(desk: Desk, token: str, *, present: bool = True) -> Visitor | None:
    """Return who a token belongs to, while the session lives; an over-aged one is ended.

    Where the person is not known to be ``present``, because a page asks by itself, being looked
    up does not keep the session from falling idle.
    """
    with desk.database.session() as session:
        found = sessions.find_session(session, token_hash(token))
        if found is None or found.ended_at is not None:
            return None
        person = people.person_by_id(session, found.person_id)
    now = desk.now()
    why = _over(desk, found, person, now)
    if why:
        with desk.database.session(write=True) as session:
            sessions.end_session(session, found.id, why, now)
        return None
    if present and now - found.seen_at >= SEEN_EVERY:
        with desk.database.session(write=True) as session:
            sessions.see_session(session, found.id, now)
    return Visitor(person=person, session=found)


def sign_out(desk: Desk, visitor: Visitor, *, everywhere: bool = False) -> None:
    """End this session, or all of the person's."""
    name = visitor.person.name
    with desk.database.session(write=True) as session:
        if everywhere:
            sessions.end_sessions(session, visitor.person.id, "signed out", desk.now())
        else:
            sessions.end_session(session, visitor.session.id, "signed out", desk.now())
        audit.record(session, name, "sign_out.everywhere" if everywhere else "sign_out.one", name)


def _over(desk: Desk, found: SessionRecord, person: PersonRecord, now: dt.datetime) -> str | None:
    """Tell why a session cannot go on, or nothing."""
    if person.state != ACTIVE or person.session_version != found.version:
        return "changed"
    if now - found.created_at >= (ABSOLUTE if found.stage == FULL else HALF):
        return "time"
    if found.stage == FULL and now - found.seen_at >= desk.idle:
        return "idle"
    return None


def begin(desk: Desk, session: Session, person: PersonRecord, stage: str, origin: Origin) -> str:
    """Open a session at a stage; give its token."""
    token = new_token()
    sessions.start_session(
        session,
        token_hash(token),
        person.id,
        version=person.session_version,  # what was changed meanwhile ends this session too
        stage=stage,
        agent=short_agent(origin.agent),
        when=desk.now(),
    )
    return token


def _use_code(desk: Desk, session: Session, person: PersonRecord, code: str) -> str | None:
    secret, _ = people.code_secrets(session, person.name)
    if secret is None:
        return None
    step = secrets.step_of(secrets.unseal(desk.keys, person.name, secret), code, desk.now_s())
    if step is not None:
        return "code" if people.take_step(session, person.name, step) else None
    used = people.take_recovery(session, person.name, secrets.recovery_hash(desk.keys, code))
    return "recovery code" if used else None


def _lock(desk: Desk, locks: tuple[Lock, ...]) -> None:
    with desk.database.session(write=True) as session:
        wait = try_lock(session, locks, desk.now())
    if wait:
        raise LockedError(wait)


def _failed(
    desk: Desk, locks: tuple[Lock, ...], person: PersonRecord | None, origin: Origin, what: str
) -> SignInError:
    """Record a failure. What was typed as a name is kept only if it is one: it may be a secret."""
    document = {"address": origin.address, "what": what}
    known = person.name if person else ""
    with desk.database.session(write=True) as session:
        counts = [(lock, failures_in_a_row(session, lock, desk.now())) for lock in locks]
        audit.record(session, known, "sign_in.failed", known, document)
        passed = [(lock, count) for lock, count in counts if count >= lock.free]
        if passed:
            lock, count = passed[0]
            more = {"in_a_row": count, "by": lock.by}
            audit.record(session, known, "sign_in.locked", known, {**document, **more})
    return SignInError(WRONG if what == "password" else WRONG_CODE)


BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def short_agent(agent: str) -> str:
    """Tell a browser in a few words, so that people know their own.

    >>> short_agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    """
    browser = next((result for sign, result in BROWSERS if sign in agent), "")
    if not browser:
        browser = "Safari" if "Safari/" in agent else "another browser"
    system = next((result for sign, result in SYSTEMS if sign in agent), "another system")
    return f"{browser} on {system}"


HOLDS = dt.timedelta(days=1)


def offer_setup(session: Session, name: str, who: str, when: dt.datetime) -> str:
    """Take password and codes from a person; give the token to set both up anew.

    The person's failures are forgiven; those of an address are not.

    Raises
    ------
    NotStoredError, PersonError
        If nobody is called so, or the person is disabled or comes from the provider.
    """
    token = new_token()
    made = people.reset(session, name, token_hash(token), when + HOLDS, who=who, when=when)
    forgive_name(session, made.name)
    return token


def find_setup(desk: Desk, token: str) -> PersonRecord | None:
    """Return whom a token belongs to, while it holds."""
    with desk.database.session() as session:
        return people.find_setup(session, token_hash(token), desk.now())


def use_setup(desk: Desk, token: str, password: str, origin: Origin) -> str | None:
    """Set the password, use the token up; give the token of a session that must set codes up."""
    stored = secrets.digest(password)
    with desk.database.session(write=True) as session:
        person = people.use_setup(session, token_hash(token), stored, desk.now())
        return None if person is None else begin(desk, session, person, ENROL, origin)
