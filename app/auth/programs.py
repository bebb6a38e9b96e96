"""Letting programs in: access tokens, made by their person and checked at each request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.auth.secrets import TokenError, new_token, token_hash
from geodata.repositories import people, sessions
from geodata.repositories.people import ACTIVE
from geodata.repositories.sessions import DEFAULT_DAYS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.auth.sign_in import Desk
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.sessions import TokenRecord

START = "sg_"  # so that a token is known as one where it was lost
TOKEN = re.compile(r"sg_[A-Za-z0-9_-]{43}")
HEAD = re.compile(r"[Bb]earer +([^ ]+) *")
SEEN_EVERY_S = 60
WRONG = "this token is not known, was revoked, or is over; make one on your account page"


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Who asks by a token."""

    person: PersonRecord
    token: TokenRecord


def make_token(
    session: Session,
    name: str,
    *,
    label: str,
    scopes: Sequence[str],
    who: str,
    when: dt.datetime,
    days: int = DEFAULT_DAYS,
) -> tuple[str, TokenRecord]:
    """Make a token of a person; it is given once, here, and kept as a digest.

    Raises
    ------
    NotStoredError, PersonError
        As :func:`geodata.repositories.sessions.add_token`.
    """
    token = START + new_token()
    record = sessions.add_token(
        session, name, token_hash(token), label=label, scopes=scopes, days=days, who=who, when=when
    )
    return token, record


def find_bearer(desk: Desk, header: str | None) -> Bearer:
    """Return who asks, from the header ``Authorization``.

    Raises
    ------
    TokenError
        If there is no token, or it lets nobody in.
    """
    if not header:
        msg = "this address wants an access token: Authorization: Bearer sg_..."
        raise TokenError(msg, code="missing")
    found = HEAD.fullmatch(header)
    if found is None or not TOKEN.fullmatch(found[1]):
        raise TokenError(WRONG, code="wrong")
    with desk.database.session() as session:
        token = sessions.find_token(session, token_hash(found[1]))
        if token is None or not token.holds(desk.now()):
            raise TokenError(WRONG, code="wrong")
        person = people.person_by_id(session, token.person_id)
    if person.state != ACTIVE:
        raise TokenError(WRONG, code="wrong")
    seen = token.seen_at
    if seen is None or (desk.now() - seen).total_seconds() >= SEEN_EVERY_S:
        with desk.database.session(write=True) as session:
            sessions.see_token(session, token.id, desk.now())
    return Bearer(person=person, token=token)
