"""Tables of long work: what was asked for, how far it is, and who works."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from geodata.tables.core import Base

OPEN = "state IN ('waiting', 'running')"
STATES = "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')"


class Job(Base):
    """One piece of long work.

    ``arguments`` say all that it needs; work of the same kind and digest is asked for once while it
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
    arguments: Mapped[dict[str, Any]]
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
    timings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    cancel_asked_by: Mapped[str | None] = mapped_column(String(200))
    message: Mapped[str | None] = mapped_column(String(2000))
    result: Mapped[dict[str, Any] | None]

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
