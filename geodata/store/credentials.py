"""What lets people in: digests of passwords, set-up tokens, secrets of one-time codes.

Only digests and encrypted secrets come here; what they are made from stays in :mod:`app.people`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from geodata.errors import PersonError
from geodata.store import audit
from geodata.store.access_tokens import revoke_all
from geodata.store.people import ACTIVE, as_record, row_of
from geodata.store.sessions import end_sessions
from geodata.tables.people import Person

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from geodata.store.people import PersonRecord


def set_password(
    session: Session,
    name: str,
    password_hash: str,
    *,
    who: str,
    when: dt.datetime,
    keep: int | None = None,
) -> PersonRecord:
    """Store the digest of a new password; sign-ins end but the one to keep.

    Raises
    ------
    PersonError
        If a provider vouches for the person.
    """
    row = row_of(session, name)
    if row.from_provider:
        msg = f"{row.name} signs in through the provider and has no password here"
        raise PersonError(msg)
    row.password_hash, row.setup_hash, row.setup_until = password_hash, None, None
    session.flush()
    end_sessions(session, row.id, "other password", when, keep)
    audit.record(session, who, "person.password", row.name)
    return as_record(row)


def rehash_password(session: Session, name: str, before: str, after: str) -> None:
    """Store the same password's digest with present parameters, if it is still the same."""
    session.execute(
        update(Person)
        .where(Person.name == name, Person.password_hash == before)
        .values(password_hash=after)
    )


def reset(
    session: Session, name: str, token_hash: str, until: dt.datetime, *, who: str, when: dt.datetime
) -> PersonRecord:
    """Take password and codes from a person; who has the token can set both up anew.

    Raises
    ------
    PersonError
        If the person is disabled or comes from the provider.
    """
    row = row_of(session, name)
    if row.from_provider:
        msg = f"{row.name} signs in through the provider; there is nothing to set up here"
        raise PersonError(msg)
    if row.state != ACTIVE:
        msg = f"{row.name} is disabled; enable the person first: saferground user enable {row.name}"
        raise PersonError(msg)
    first = row.password_hash is None and row.setup_hash is None
    row.setup_hash, row.setup_until = token_hash, until
    row.password_hash = row.code_secret = row.code_pending = row.code_step = None
    row.recovery_hashes = []
    session.flush()
    end_sessions(session, row.id, "reset", when)
    revoke_all(session, row.id, who, when)
    audit.record(session, who, "person.invite" if first else "person.reset", row.name)
    return as_record(row)


def find_setup(session: Session, token_hash: str, when: dt.datetime) -> PersonRecord | None:
    """Give whom a set-up token belongs to, while it holds."""
    row = session.scalar(
        select(Person).where(
            Person.setup_hash == token_hash, Person.setup_until > when, Person.state == ACTIVE
        )
    )
    return as_record(row) if row else None


def use_setup(
    session: Session, token_hash: str, password_hash: str, when: dt.datetime
) -> PersonRecord | None:
    """Set a password with a set-up token, once; nothing where the token holds no more."""
    found = find_setup(session, token_hash, when)
    if found is None:
        return None
    row = row_of(session, found.name)
    if row.setup_hash != token_hash:  # somebody else used it meanwhile
        return None
    return set_password(session, row.name, password_hash, who=row.name, when=when)


def code_secrets(session: Session, name: str) -> tuple[bytes | None, bytes | None]:
    """Give the encrypted secret of a person's codes, and the one that is being set up."""
    row = row_of(session, name)
    return row.code_secret, row.code_pending


def offer_codes(session: Session, name: str, secret: bytes) -> None:
    """Keep an encrypted secret until its first code proves that the person has it."""
    row_of(session, name).code_pending = secret
    session.flush()


def confirm_codes(
    session: Session,
    name: str,
    *,
    step: int,
    recovery: Sequence[str],
    when: dt.datetime,
    keep: int | None = None,
) -> PersonRecord:
    """Put the offered secret in force, with new recovery codes; other sign-ins end.

    Raises
    ------
    PersonError
        If no secret was offered.
    """
    row = row_of(session, name)
    if row.code_pending is None:
        msg = "no one-time codes are being set up; start again"
        raise PersonError(msg)
    first = row.code_secret is None
    row.code_secret, row.code_pending, row.code_step = row.code_pending, None, step
    row.recovery_hashes = list(recovery)
    session.flush()
    end_sessions(session, row.id, "other codes", when, keep)
    action = "person.codes_set_up" if first else "person.codes_changed"
    audit.record(session, row.name, action, row.name)
    return as_record(row)


def take_step(session: Session, name: str, step: int) -> bool:
    """Note that the code of a step was used; tell whether it, and no later one, was used before."""
    done = session.execute(
        update(Person)
        .where(Person.name == name, or_(Person.code_step.is_(None), Person.code_step < step))
        .values(code_step=step)
        .returning(Person.id)
    )
    return done.first() is not None


def take_recovery(session: Session, name: str, code_hash: str) -> bool:
    """Use up a recovery code; tell whether the person had it."""
    row = row_of(session, name)
    if code_hash not in row.recovery_hashes:
        return False
    row.recovery_hashes = [one for one in row.recovery_hashes if one != code_hash]
    session.flush()
    return True


def bind_subject(session: Session, name: str, subject: str) -> PersonRecord:
    """Note whom the provider means, at the person's first sign-in.

    Raises
    ------
    PersonError
        If the provider does not vouch for the person, or calls the person otherwise already.
    """
    row = row_of(session, name)
    if not row.from_provider or row.subject not in (None, subject):
        msg = f"{row.name} cannot be the one whom the provider means"
        raise PersonError(msg)
    row.subject = subject
    session.flush()
    audit.record(session, row.name, "person.provider_bound", row.name)
    return as_record(row)
