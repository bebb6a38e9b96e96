"""The tables of the staff side: people, their sessions, what was tried, and the audit.

Times are UTC. Nothing that would let somebody in is kept as it is: passwords, tokens and recovery
codes as digests, the secret of one-time codes encrypted with a key that is not in the database.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.core import Base


class Person(Base):
    """Somebody who may sign in.

    ``districts`` are written ``slug/code``. Without ``password_hash`` nobody can sign in with a
    password. ``from_provider`` says that an OpenID provider vouches for the person, ``subject`` is
    whom it calls so, once it has. ``session_version`` counts up whenever all sessions must end.
    ``code_step`` is the last 30-second step whose one-time code was taken.
    """

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    display: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(20))
    roles: Mapped[list[Any]]
    districts: Mapped[list[Any]]
    password_hash: Mapped[str | None] = mapped_column(String(200))
    from_provider: Mapped[bool] = mapped_column(default=False)
    subject: Mapped[str | None] = mapped_column(String(255), unique=True)
    setup_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    setup_until: Mapped[dt.datetime | None]
    code_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_pending: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_step: Mapped[int | None] = mapped_column(BigInteger)
    recovery_hashes: Mapped[list[Any]]
    session_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(120))


class StaffSession(Base):
    """One sign-in in one browser; ``stage`` tells how far it has come."""

    __tablename__ = "staff_session"
    __table_args__ = (Index(None, "person_id", "ended_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    version: Mapped[int]
    stage: Mapped[str] = mapped_column(String(20))
    agent: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ended_why: Mapped[str | None] = mapped_column(String(40))


class AccessToken(Base):
    """What lets a program ask in a person's name, no further than the person may at that moment."""

    __tablename__ = "access_token"
    __table_args__ = (Index(None, "person_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    label: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]]
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(120))
    expires_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(120))


class Failures(Base):
    """How often in a row a sign-in failed under one key: a name or an address."""

    __tablename__ = "failures"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[dt.datetime]


class RateTally(Base):
    """How often something was asked for under one key within one window of time."""

    __tablename__ = "rate_tally"
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    window_s: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    count: Mapped[int]
    until_s: Mapped[int] = mapped_column(BigInteger, index=True)


class AuditEntry(Base):
    """One entry of the audit; ``hash`` covers the entry and the hash of the one before."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "person"), Index(None, "action"))
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    person: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    object: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last entry of the audit. Its one row is locked while an entry is added."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
