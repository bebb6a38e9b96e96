"""Tables of the work that is done: visits that officers log, actions on places, their photos.

Times are UTC. What was said of a visit is never changed, only followed by another version; of an
action every change is kept beside it.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.core import Base


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
    """What is said of a logged visit from a moment on; ``why`` where it corrects the one before.

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
