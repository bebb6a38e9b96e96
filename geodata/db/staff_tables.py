"""The tables of the staff side: people, their sessions, what was tried, and the audit.

Times are UTC. Nothing that would let somebody in is kept as it is: passwords, tokens and recovery
codes as digests, the secret of one-time codes encrypted with a key that is not in the database.

Tables of long work: what was requested, how far it is, and who works.

Tables of the work that is done: visits that officers log, actions on places, their photos.

Times are UTC. What was stated of a visit is never changed, only followed by another version; of an
action every change is kept beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from geodata.db.json_columns import JobResult
from geodata.db.tables import Base


class Person(Base):
    """Somebody who may sign in.

    ``districts`` are written ``slug/code``. Without ``password_hash`` nobody can sign in with a
    password. ``from_provider`` says that an OpenID provider vouches for the person, ``subject`` is
    whom it calls so, once it has. ``session_version`` counts up whenever all sessions must end.
    ``email`` is where mail about waiting work goes, empty for none.
    ``code_step`` is the last 30-second step whose one-time code was taken.
    """

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    display: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), default="", server_default="")
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
    """How often something was requested under one key within one window of time."""

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


OPEN = "state IN ('waiting', 'running')"
STATES = "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')"


class ScheduleRun(Base):
    """That a schedule of a city came due and was answered, by one worker of all. Times are UTC.

    ``job_id`` is the job that was asked for; the first due time that is seen asks for none.
    """

    __tablename__ = "schedule_run"
    __table_args__ = (UniqueConstraint("city_id", "kind", "due_at", name="uq_schedule_run"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    kind: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[dt.datetime]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))


class Job(Base):
    """One piece of long work.

    ``arguments`` say all that it needs; work of the same kind and digest is requested once while it
    waits or runs. ``stage``, ``done`` and ``total`` tell how far it is, ``timings`` how many
    seconds each stage took. ``attempt`` counts how often it was taken up and ``deaths`` how often
    its worker ended without a word. ``message`` is fit to be read by whoever asked. Times are UTC.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(STATES, name="ck_job_state"),
        Index("ix_job_state", "state"),
        Index("ix_job_city_asked_at", "city", "asked_at"),
        Index(
            "uq_job_open",
            "kind",
            "arguments_sha256",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(80))
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[dt.datetime]
    arguments: Mapped[Mapping[str, object]]
    arguments_sha256: Mapped[str] = mapped_column(String(64))
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    state: Mapped[str] = mapped_column(String(20))
    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    started_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    stage: Mapped[str | None] = mapped_column(String(80))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    timings: Mapped[Mapping[str, float]] = mapped_column(JSON, default=dict)
    cancel_asked_by: Mapped[str | None] = mapped_column(String(200))
    message: Mapped[str | None] = mapped_column(String(2000))
    result: Mapped[JobResult | None]

    @property
    def ended(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.state not in ("waiting", "running")


class Worker(Base):
    """One process that takes up jobs; ``ended_at`` is empty where it works or died."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    started_at: Mapped[dt.datetime]
    heartbeat_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class LoggedVisit(Base):
    """One visit that somebody logged; ``uuid`` is made where it was logged, and taken once.

    What it says is in its versions; the newest one is also a row of ``visit``, which measures read.
    """

    __tablename__ = "logged_visit"
    __table_args__ = (UniqueConstraint("city_id", "uuid"), Index(None, "city_id", "district"))
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    uuid: Mapped[str] = mapped_column(String(36))
    district: Mapped[str] = mapped_column(String(80))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    logged_by: Mapped[str] = mapped_column(String(120))
    received_at: Mapped[dt.datetime]


class VisitVersion(Base):
    """What is stated of a logged visit from a moment on; ``why`` where it corrects the one before.

    Clocks are milliseconds since 1970 UTC; a visit without an end is under way, or was left so.
    """

    __tablename__ = "visit_version"
    __table_args__ = (UniqueConstraint("visit_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("logged_visit.id"))
    version: Mapped[int]
    zone: Mapped[str] = mapped_column(String(120))
    unit: Mapped[str] = mapped_column(String(120))
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int | None] = mapped_column(BigInteger)
    activity: Mapped[str] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(String(2000))
    withdrawn: Mapped[bool]
    changed_at: Mapped[dt.datetime]
    changed_by: Mapped[str] = mapped_column(String(120))
    why: Mapped[str | None] = mapped_column(String(1000))


class Action(Base):
    """One piece of work on a place, or with who owns it.

    ``owner`` is a department or the role of a property's contact, never a person's name. ``cost``
    is in whole units of the city's currency. ``zone`` and ``factor`` are those of the run.
    """

    __tablename__ = "action"
    __table_args__ = (Index(None, "city_id", "district", "state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    district: Mapped[str] = mapped_column(String(80))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    zone: Mapped[str] = mapped_column(String(120))
    factor: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(500))
    owner: Mapped[str] = mapped_column(String(120))
    due: Mapped[dt.date | None]
    state: Mapped[str] = mapped_column(String(20))
    cost: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(120))
    changed_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)
    closed_on: Mapped[dt.date | None]


class ActionEvent(Base):
    """Something that happened to an action: a change of fields, a comment, a photo; only added.

    ``details`` has, of a change, each field with what it was and what it became.
    """

    __tablename__ = "action_event"
    __table_args__ = (Index(None, "action_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"))
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime]
    person: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(String(2000))
    details: Mapped[dict[str, Any]]


class ActionPhoto(Base):
    """One photo of an action: ``stage`` is before or after, ``file`` a random name of ours."""

    __tablename__ = "action_photo"
    __table_args__ = (Index(None, "action_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"))
    stage: Mapped[str] = mapped_column(String(10))
    file: Mapped[str] = mapped_column(String(80), unique=True)
    told: Mapped[str] = mapped_column(String(300))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    added_at: Mapped[dt.datetime]
    added_by: Mapped[str] = mapped_column(String(120))
    removed_at: Mapped[dt.datetime | None]
    removed_by: Mapped[str | None] = mapped_column(String(120))


class ReminderFeed(Base):
    """The secret address of somebody's reminders, kept as a digest; one a person."""

    __tablename__ = "reminder_feed"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime]
