"""Jobs: asked for once, taken up by one worker at a time, never "running" for ever.

Whoever takes a job up gets a ticket: the worker's name and the number of the attempt. All that is
written of a running job must show the ticket, so that a worker that was given up as dead, and
comes back, can change nothing any more.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from geodata.clock import utc_now
from geodata.db.staff_tables import Job, Worker
from geodata.errors import DataError, NotStoredError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
STATES = (WAITING, RUNNING, DONE, FAILED, CANCELLED)
MOST_DEATHS = 2  # the second worker that dies of a job is the last
ALIVE_SECONDS = 90
KEPT_WORKERS = dt.timedelta(days=7)
USUAL_OF = 5  # jobs that tell how long the next may take
MESSAGE_LENGTH = 2000
SHOWN = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class JobRecord:
    """One job as it stands; times are UTC."""

    id: int
    kind: str
    city: str | None
    asked_by: str
    asked_at: dt.datetime
    arguments: dict[str, Any]
    arguments_sha256: str
    retry_of: int | None
    state: str
    attempt: int
    deaths: int
    worker: str | None
    started_at: dt.datetime | None
    heartbeat_at: dt.datetime | None
    ended_at: dt.datetime | None
    stage: str | None
    done: int
    total: int
    timings: dict[str, float]
    cancel_asked_by: str | None
    message: str | None
    result: dict[str, Any] | None

    @property
    def ended(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.state in (DONE, FAILED, CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What shows that a worker has a job: its number, the worker's name, which attempt it is."""

    job: int
    worker: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HowFar:
    """How far a job is: parts of its stage, and seconds that the stages took."""

    stage: str | None = None
    done: int = 0
    total: int = 0
    timings: Mapping[str, float]


def database_now(session: Session) -> dt.datetime:
    """Give the database's time, UTC, without a zone: one clock for workers of several machines."""
    if session.get_bind().dialect.name == "postgresql":
        return session.scalars(text("SELECT timezone('utc', clock_timestamp())")).one()
    return utc_now()


def add_job(
    session: Session,
    *,
    kind: str,
    city: str | None,
    asked_by: str,
    arguments: dict[str, Any],
    digest: str,
    retry_of: int | None = None,
) -> tuple[JobRecord, bool]:
    """Store a job that waits, or give the one that waits or runs with the same arguments.

    Returns
    -------
    The job, and whether it is a new one.
    """
    job = Job(
        kind=kind,
        city=city,
        asked_by=asked_by,
        asked_at=database_now(session),
        arguments=arguments,
        arguments_sha256=digest,
        retry_of=retry_of,
        state=WAITING,
        timings={},
    )
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:
        there = session.scalar(
            select(Job).where(
                Job.kind == kind,
                Job.arguments_sha256 == digest,
                Job.state.in_((WAITING, RUNNING)),
            )
        )
        if there is None:
            raise
        return _record(there), False
    return _record(job), True


def get_job(session: Session, number: int) -> JobRecord:
    """Give one job.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    """
    return _record(_get(session, number))


def list_jobs(
    session: Session,
    city: str | None = None,
    *,
    open_only: bool = False,
    state: str | None = None,
    kind: str | None = None,
    start: int = 0,
    most: int = SHOWN,
) -> list[JobRecord]:
    """List jobs, newest first: of one city, or of all; of one state and kind, or of any."""
    query = select(Job).order_by(Job.id.desc()).offset(start).limit(most)
    query = query.where(*_narrowed(city, state, kind))
    if open_only:
        query = query.where(Job.state.in_((WAITING, RUNNING)))
    return [_record(job) for job in session.scalars(query)]


def count_jobs(
    session: Session, city: str, *, state: str | None = None, kind: str | None = None
) -> int:
    """Count the jobs of a city, of one state and kind or of any."""
    return session.scalar(select(func.count(Job.id)).where(*_narrowed(city, state, kind))) or 0


def _narrowed(city: str | None, state: str | None, kind: str | None) -> list[ColumnElement[bool]]:
    wanted = ((Job.city, city), (Job.state, state), (Job.kind, kind))
    return [column == value for column, value in wanted if value is not None]


def count_waiting(session: Session) -> int:
    """Count the jobs that wait to be taken up."""
    return session.scalar(select(func.count(Job.id)).where(Job.state == WAITING)) or 0


def take_job(session: Session, worker: str) -> tuple[JobRecord, Ticket] | None:
    """Take up the job that waits longest, or nothing; needs a session that writes.

    Two workers never take the same: SQLite lets one write at a time, PostgreSQL skips what another
    has locked.
    """
    job = session.scalar(
        select(Job)
        .where(Job.state == WAITING)
        .order_by(Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if job is None:
        return None
    now = database_now(session)
    job.state, job.worker, job.attempt = RUNNING, worker, job.attempt + 1
    job.started_at = job.heartbeat_at = now
    job.stage, job.done, job.total, job.timings = None, 0, 0, {}
    session.flush()
    return _record(job), Ticket(job=job.id, worker=worker, attempt=job.attempt)


def beat_job(session: Session, ticket: Ticket, far: HowFar) -> str | None:
    """Tell that a job is alive and how far it is.

    Returns
    -------
    Who asked to cancel it, empty if nobody; nothing if the job is no longer this worker's.
    """
    job = _held(session, ticket)
    if job is None:
        return None
    job.heartbeat_at = database_now(session)
    job.stage, job.done, job.total = far.stage, far.done, far.total
    job.timings = dict(far.timings)
    return job.cancel_asked_by or ""


def end_job(
    session: Session,
    ticket: Ticket,
    state: str,
    *,
    message: str | None = None,
    result: dict[str, Any] | None = None,
    far: HowFar | None = None,
) -> bool:
    """End a job; tell whether it was still this worker's to end."""
    job = _held(session, ticket)
    if job is None:
        return False
    _end(job, database_now(session), state, message)
    job.result = result
    if far is not None:
        job.stage, job.done, job.total = far.stage, far.done, far.total
        job.timings = dict(far.timings)
    return True


def give_back(session: Session, ticket: Ticket) -> bool:
    """Let a job wait again because its worker stops; tell whether it was this worker's."""
    job = _held(session, ticket)
    if job is None:
        return False
    if job.cancel_asked_by:
        _end(job, database_now(session), CANCELLED, _cancelled_by(job))
    else:
        _wait_again(job)
    return True


def running_jobs(session: Session) -> list[JobRecord]:
    """Give the jobs that are said to run."""
    return [
        _record(job)
        for job in session.scalars(select(Job).where(Job.state == RUNNING).order_by(Job.id))
    ]


def bury_job(session: Session, seen: JobRecord) -> JobRecord | None:
    """Take a job away from a worker that died: it waits again once, then it has failed.

    Parameters
    ----------
    session
        A session that writes.
    seen
        The job as it was when its worker was found dead; if it has given a sign since, nothing is
        done.
    """
    job = session.scalar(
        select(Job)
        .where(
            Job.id == seen.id,
            Job.state == RUNNING,
            Job.attempt == seen.attempt,
            Job.heartbeat_at == seen.heartbeat_at,
        )
        .with_for_update(skip_locked=True)
    )
    return None if job is None else _lost(session, job)


def lose_job(session: Session, ticket: Ticket) -> JobRecord | None:
    """Note that the process that worked on a job died; it waits again once, then it has failed."""
    job = _held(session, ticket)
    return None if job is None else _lost(session, job)


def _lost(session: Session, job: Job) -> JobRecord:
    job.deaths += 1
    if job.cancel_asked_by:
        _end(job, database_now(session), CANCELLED, _cancelled_by(job))
    elif job.deaths >= MOST_DEATHS:
        message = (
            f"{job.deaths} workers ended while they worked on it, without a word; the machine may "
            "lack memory. The log of the worker tells more; ask for less at once, or retry it"
        )
        _end(job, database_now(session), FAILED, message)
    else:
        _wait_again(job)
    session.flush()
    return _record(job)


def ask_cancel(session: Session, number: int, who: str) -> JobRecord:
    """Cancel a job that waits, or ask the worker of one that runs to stop.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    DataError
        If it has ended.
    """
    job = session.scalar(select(Job).where(Job.id == number).with_for_update())
    if job is None:
        return _record(_get(session, number))
    if job.state not in (WAITING, RUNNING):
        msg = f"job {number} has ended ({job.state}); there is nothing to cancel"
        raise DataError(msg)
    job.cancel_asked_by = job.cancel_asked_by or who
    if job.state == WAITING:
        _end(job, database_now(session), CANCELLED, _cancelled_by(job))
    session.flush()
    return _record(job)


def usual_timings(session: Session, kind: str, city: str | None) -> list[dict[str, float]]:
    """Give the seconds of each stage of the last jobs of a kind that were done in a city."""
    rows = session.scalars(
        select(Job.timings)
        .where(Job.kind == kind, Job.city == city, Job.state == DONE)
        .order_by(Job.id.desc())
        .limit(USUAL_OF)
    )
    return [dict(row) for row in rows if row]


def greet_worker(session: Session, name: str) -> None:
    """Note that a worker is there; forget those that left or fell silent long ago."""
    now = database_now(session)
    session.execute(delete(Worker).where(Worker.heartbeat_at < now - KEPT_WORKERS))
    session.add(Worker(id=name, started_at=now, heartbeat_at=now))


def beat_worker(session: Session, name: str) -> None:
    """Note that a worker is alive."""
    now = database_now(session)
    session.execute(update(Worker).where(Worker.id == name).values(heartbeat_at=now))


def dismiss_worker(session: Session, name: str) -> None:
    """Note that a worker has left."""
    now = database_now(session)
    session.execute(update(Worker).where(Worker.id == name).values(heartbeat_at=now, ended_at=now))


def any_worker_alive(session: Session) -> bool:
    """Tell whether some worker gave a sign within ``ALIVE_SECONDS`` and has not left."""
    since = database_now(session) - dt.timedelta(seconds=ALIVE_SECONDS)
    found = session.scalar(
        select(func.count(Worker.id)).where(Worker.ended_at.is_(None), Worker.heartbeat_at >= since)
    )
    return bool(found)


def _get(session: Session, number: int) -> Job:
    job = session.get(Job, number)
    if job is None:
        msg = f"there is no job {number}; list them with: saferground jobs --all"
        raise NotStoredError(msg)
    return job


def _held(session: Session, ticket: Ticket) -> Job | None:
    return session.scalar(
        select(Job)
        .where(
            Job.id == ticket.job,
            Job.state == RUNNING,
            Job.worker == ticket.worker,
            Job.attempt == ticket.attempt,
        )
        .with_for_update()
    )


def _end(job: Job, now: dt.datetime, state: str, message: str | None) -> None:
    job.state, job.ended_at = state, now
    job.message = message[:MESSAGE_LENGTH] if message else None


def _wait_again(job: Job) -> None:
    job.state, job.worker, job.started_at, job.heartbeat_at = WAITING, None, None, None
    job.stage, job.done, job.total, job.timings = None, 0, 0, {}


def _cancelled_by(job: Job) -> str:
    return f"cancelled by {job.cancel_asked_by}"


def _record(job: Job) -> JobRecord:
    return JobRecord(**{name: getattr(job, name) for name in JobRecord.__dataclass_fields__})
