"""People: who they are, their roles and districts. Every change is in the audit.

What lets people in: digests of passwords, set-up tokens, secrets of one-time codes.

Only digests and encrypted secrets come here; what they are made from stays in :mod:`app.auth`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from geodata.db.staff_tables import Person
from geodata.db.tables import City, District
from geodata.errors import NotStoredError, PersonError
from geodata.repositories import audit
from geodata.repositories.sessions import end_sessions, revoke_all
from geodata.roles import ADMINISTRATOR, MAIL_ADDRESS, ROLES, WITH_DISTRICTS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


ACTIVE, DISABLED = "active", "disabled"
NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,78}[a-z0-9])?")  # so that no two look alike
LONGEST_DISPLAY = 120


@dataclass(frozen=True, kw_only=True)
class PersonRecord:
    """One person; times are UTC, districts written ``slug/code``.

    ``codes`` says whether one-time codes are set up, ``recovery`` how many recovery codes are
    left, ``setup_until`` until when a set-up link holds that was not used yet.
    """

    id: int
    name: str
    display: str
    email: str
    state: str
    roles: tuple[str, ...]
    districts: tuple[str, ...]
    from_provider: bool
    subject: str | None
    password_hash: str | None = field(repr=False)
    codes: bool
    recovery: int
    setup_until: dt.datetime | None
    session_version: int
    created_at: dt.datetime
    created_by: str

    def may(self, roles: Collection[str]) -> bool:
        """Return whether the person has one of some roles."""
        return self.state == ACTIVE and bool(set(self.roles) & set(roles))

    def districts_of(self, city: str) -> tuple[str, ...]:
        """Return the codes of the person's districts in a city."""
        start = f"{city}/"
        return tuple(one.removeprefix(start) for one in self.districts if one.startswith(start))

    def as_json(self) -> dict[str, object]:
        """Return the record as scripts read it."""
        return {
            "name": self.name,
            "display": self.display,
            "email": self.email or None,
            "state": self.state,
            "roles": list(self.roles),
            "districts": list(self.districts),
            "provider": self.from_provider,
            "password": self.password_hash is not None,
            "codes": self.codes,
            "recovery_codes": self.recovery,
            "created_at": self.created_at.isoformat(timespec="seconds") + "Z",
            "created_by": self.created_by,
        }


def folded(name: str) -> str:
    """Return a name as it is stored and looked up.

    >>> folded(" Ana.Ruiz ")
    'ana.ruiz'
    """
    return name.strip().casefold()


def add_person(
    session: Session,
    name: str,
    *,
    roles: Sequence[str],
    who: str,
    when: dt.datetime,
    districts: Sequence[str] = (),
    display: str = "",
    email: str = "",
    from_provider: bool = False,
) -> PersonRecord:
    """Store a person who cannot sign in yet; see :mod:`geodata.repositories.people`.

    Raises
    ------
    PersonError
        If the name is taken or no name, or a role or district is not known.
    """
    name = folded(name)
    if not NAME.fullmatch(name):
        msg = (
            f"{name[:80]!r} cannot be a name; use 1 to 80 of a-z, 0-9, dot, dash, underscore and "
            "@, with a letter or digit at either end"
        )
        raise PersonError(msg, code="name_form")
    if session.scalar(select(Person.id).where(Person.name == name)) is not None:
        msg = f"somebody is called {name} already; choose another name"
        raise PersonError(msg, code="name_taken")
    row = Person(
        name=name,
        display=" ".join(display.split())[:LONGEST_DISPLAY] or name,
        email=_mail_address(email),
        state=ACTIVE,
        roles=_roles(roles),
        districts=_districts(session, districts),
        from_provider=from_provider,
        recovery_hashes=[],
        created_at=when,
        created_by=who,
    )
    session.add(row)
    session.flush()
    document = {"roles": row.roles, "districts": row.districts, "provider": from_provider}
    audit.record(session, who, "person.add", name, document)
    return as_record(row)


def find_person(session: Session, name: str) -> PersonRecord | None:
    """Return the person of a name, or nothing."""
    name = folded(name)
    if not NAME.fullmatch(name):  # some text is refused by databases even in questions
        return None
    row = session.scalar(select(Person).where(Person.name == name))
    return as_record(row) if row else None


def get_person(session: Session, name: str) -> PersonRecord:
    """Return the person of a name.

    Raises
    ------
    NotStoredError
        If nobody is called so.
    """
    return as_record(row_of(session, name))


def person_by_id(session: Session, identity: int) -> PersonRecord:
    """Return the person of a number that another row names."""
    return as_record(session.get_one(Person, identity))


def find_subject(session: Session, subject: str) -> PersonRecord | None:
    """Return the person whom the provider calls so, or nothing."""
    row = session.scalar(select(Person).where(Person.subject == subject))
    return as_record(row) if row else None


def list_people(session: Session) -> list[PersonRecord]:
    """Return everybody, by name."""
    return [as_record(row) for row in session.scalars(select(Person).order_by(Person.name))]


def count_active(session: Session) -> int:
    """Return how many people are not disabled."""
    return len(session.scalars(select(Person.id).where(Person.state == ACTIVE)).all())


def change_roles(
    session: Session,
    name: str,
    *,
    roles: Sequence[str],
    districts: Sequence[str],
    who: str,
    when: dt.datetime,
) -> PersonRecord:
    """Return a person other roles and districts; whoever is signed in must sign in again.

    Raises
    ------
    NotStoredError
        If nobody is called so.
    PersonError
        If a role or district is not known, or no administrator would be left.
    """
    _lock_with_administrators(session, name)
    row = row_of(session, name)
    wanted, there = _roles(roles), _districts(session, districts)
    if (wanted, there) == (row.roles, row.districts):
        return as_record(row)
    if ADMINISTRATOR not in wanted:
        _require_another_administrator(session, row)
    before = {"roles": row.roles, "districts": row.districts}
    row.roles, row.districts = wanted, there
    end_sessions(session, row.id, "other roles", when)
    document = {"before": before, "after": {"roles": wanted, "districts": there}}
    audit.record(session, who, "person.roles", row.name, document)
    return as_record(row)


def change_email(session: Session, name: str, email: str, who: str) -> PersonRecord:
    """Set where a person receives mail; an empty address is none.

    Raises
    ------
    NotStoredError
        If nobody is called so.
    PersonError
        If it is no mail address.
    """
    row, wanted = row_of(session, name), _mail_address(email)
    if wanted != row.email:
        row.email = wanted
        audit.record(session, who, "person.email", row.name, {"email": wanted})
    return as_record(row)


def change_state(
    session: Session, name: str, state: str, who: str, when: dt.datetime
) -> PersonRecord:
    """Let a person sign in, or not any more; sessions end.

    Raises
    ------
    NotStoredError
        If nobody is called so.
    PersonError
        If no administrator would be left.
    """
    _lock_with_administrators(session, name)
    row = row_of(session, name)
    if row.state == state:
        return as_record(row)
    if state == DISABLED:
        _require_another_administrator(session, row)
        row.setup_hash = row.setup_until = None
        revoke_all(session, row.id, who, when)
    row.state = state
    end_sessions(session, row.id, state, when)
    audit.record(session, who, f"person.{'disable' if state == DISABLED else 'enable'}", row.name)
    return as_record(row)


def all_districts(session: Session) -> list[tuple[str, str]]:
    """Return every district of every city as it is written for people, and a label for it."""
    rows = session.execute(
        select(City.slug, City.name, District.code, District.name)
        .join(District, District.city_id == City.id)
        .order_by(City.name, District.position)
    )
    return [(f"{slug}/{code}", f"{city}: {name}") for slug, city, code, name in rows]


def row_of(session: Session, name: str) -> Person:
    """Return the row of a person, locked until the transaction ends.

    Raises
    ------
    NotStoredError
        If nobody is called so.
    """
    row = None
    if NAME.fullmatch(folded(name)):
        query = select(Person).where(Person.name == folded(name))
        row = session.scalar(query.with_for_update())
    if row is None:
        msg = f"nobody is called {name[:80]!r}; see: saferground user list"
        raise NotStoredError(msg, code="no_person")
    return row


def as_record(row: Person) -> PersonRecord:
    """Return what a row says, without what is secret in it but the digest of the password."""
    return PersonRecord(
        id=row.id,
        name=row.name,
        display=row.display,
        email=row.email,
        state=row.state,
        roles=tuple(row.roles),
        districts=tuple(row.districts),
        from_provider=row.from_provider,
        subject=row.subject,
        password_hash=row.password_hash,
        codes=row.code_secret is not None,
        recovery=len(row.recovery_hashes),
        setup_until=row.setup_until,
        session_version=row.session_version,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _mail_address(email: str) -> str:
    address = email.strip()
    if address and not MAIL_ADDRESS.fullmatch(address):
        msg = f"{address[:80]!r} is no mail address; write it as name@example.org"
        raise PersonError(msg)
    return address


def _roles(wanted: Sequence[str]) -> list[str]:
    unknown = [role for role in wanted if role not in ROLES]
    if unknown:
        msg = f"no role is called {unknown[0][:40]!r}; choose of {', '.join(ROLES)}"
        raise PersonError(msg, code="unknown_role")
    if not wanted:
        msg = f"a person needs a role; choose of {', '.join(ROLES)}, or disable the person"
        raise PersonError(msg, code="no_role")
    return [role for role in ROLES if role in wanted]


def _districts(session: Session, wanted: Sequence[str]) -> list[str]:
    known = [value for value, _ in all_districts(session)]
    unknown = [one for one in wanted if one not in known]
    if unknown:
        msg = (
            f"no district is called {unknown[0][:160]!r}; districts are written city/code "
            f"(stored: {', '.join(known[:12]) or 'none'})"
        )
        raise PersonError(msg, code="unknown_district")
    return [one for one in known if one in wanted]


def needs_districts(record: PersonRecord) -> bool:
    """Return whether a role of the person is about districts and none is given."""
    return bool(WITH_DISTRICTS & set(record.roles)) and not record.districts


def _lock_with_administrators(session: Session, name: str) -> None:
    """Lock everybody before an administrator is changed, all in one order.

    So of two who take each other's role at the same moment, one waits for the other and then
    sees what was done; neither waits for ever.
    """
    found = find_person(session, name)
    if found is not None and ADMINISTRATOR in found.roles:
        session.expire_all()  # what is read next is what stands once the locks are had
        session.execute(select(Person.id).order_by(Person.id).with_for_update()).all()


def _require_another_administrator(session: Session, row: Person) -> None:
    if ADMINISTRATOR not in row.roles or row.state != ACTIVE:
        return
    active = session.scalars(select(Person).where(Person.state == ACTIVE))
    if not any(ADMINISTRATOR in one.roles and one.id != row.id for one in active):
        msg = f"{row.name} is the only administrator left; make another one first"
        raise PersonError(msg, code="last_administrator")


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
        raise PersonError(msg, code="provider_signs_in")
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
        raise PersonError(msg, code="provider_signs_in")
    if row.state != ACTIVE:
        msg = f"{row.name} is disabled; enable the person first: saferground user enable {row.name}"
        raise PersonError(msg, code="disabled")
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
    """Return whom a set-up token belongs to, while it holds."""
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
    """Return the encrypted secret of a person's codes, and the one that is being set up."""
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
        raise PersonError(msg, code="no_setup")
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
        raise PersonError(msg, code="not_of_provider")
    row.subject = subject
    session.flush()
    audit.record(session, row.name, "person.provider_bound", row.name)
    return as_record(row)
