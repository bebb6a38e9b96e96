"""Letting somebody set a password up: a link that works once and for a day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from app.people import passwords
from app.people.locks import forgive_name
from app.people.signing_in import begin
from app.people.tokens import new_token, token_hash
from geodata.store import credentials
from geodata.store.sessions import ENROL

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.people.signing_in import Desk, Origin
    from geodata.store.people import PersonRecord

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
    made = credentials.reset(session, name, token_hash(token), when + HOLDS, who=who, when=when)
    forgive_name(session, made.name)
    return token


def find_setup(desk: Desk, token: str) -> PersonRecord | None:
    """Give whom a token belongs to, while it holds."""
    with desk.database.session() as session:
        return credentials.find_setup(session, token_hash(token), desk.now())


def use_setup(desk: Desk, token: str, password: str, origin: Origin) -> str | None:
    """Set the password, use the token up; give the token of a session that must set codes up."""
    stored = passwords.digest(password)
    with desk.database.session(write=True) as session:
        person = credentials.use_setup(session, token_hash(token), stored, desk.now())
        return None if person is None else begin(desk, session, person, ENROL, origin)
