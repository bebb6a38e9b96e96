"""Jobs: requested once, leased to one worker at a time, never "running" for ever.

The lease of a job is the worker's name and the number of the attempt, as the job had them when the
worker took it. All that is written of a running job needs both, so that a worker whose lease has
expired, and that comes back, can change nothing any more.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from geodata.clock import utc_now
from geodata.db.staff_tables import Job, Worker
from geodata.errors import DataError, NotStoredError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from geodata.db.json_columns import JobResult

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
STATES = (WAITING, RUNNING, DONE, FAILED, CANCELLED)
MOST_DEATHS = 2  # the second worker that dies of a job is the last
ALIVE_SECONDS = 90
KEPT_WORKERS = dt.timedelta(days=7)
USUAL_OF = 5  # jobs that tell how long the next may take
MESSAGE_LENGTH = 2000
SHOWN = 200


@dataclass(kw_only=True, eq=False)
class Progress:
    """How far a job is: parts of its stage, and seconds that each stage took so far."""

    stage: str | None = None
    done: int = 0
    total: int = 0
    timings: dict[str, float] = field(default_factory=dict)


def database_now(session: Session) -> dt.datetime:
    """Return the database's time (UTC, no zone): one clock for workers of several machines."""
    if session.get_bind().dialect.name == "postgresql":
        return session.scalars(text("SELECT timezone('utc', clock_timestamp())")).one()
    return utc_now()


def add_job(
    session: Session,
    *,
    kind: str,
    city: str | None,
    asked_by: str,
    arguments: Mapping[str, object],
    digest: str,
    retry_of: int | None = None,
) -> Job:
    """Store a job that waits; return the one that waits or runs with the same arguments, if any."""
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
        return there
    session.refresh(job)
    return job


def was_added(session: Session, kind: str, digest: str) -> bool:
    """Return whether a job with these arguments was ever stored, whatever became of it."""
    query = select(Job.id).where(Job.kind == kind, Job.arguments_sha256 == digest).limit(1)
    return session.scalar(query) is not None


def get_job(session: Session, number: int) -> Job:
    """Return one job.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    """
    job = session.get(Job, number)
    if job is None:
        msg = f"there is no job {number}; list them with: saferground jobs --all"
        raise NotStoredError(msg, job=number, code="no_job")
    return job


def list_jobs(
    session: Session,
    city: str | None = None,
    *,
    open_only: bool = False,
    state: str | None = None,
    kind: str | None = None,
    start: int = 0,
    most: int = SHOWN,
) -> list[Job]:
    """List jobs, newest first: of one city, or of all; of one state and kind, or of any."""
    query = select(Job).order_by(Job.id.desc()).offset(start).limit(most)
    query = query.where(*_narrowed(city, state, kind))
    if open_only:
        query = query.where(Job.state.in_((WAITING, RUNNING)))
    return list(session.scalars(query))


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


def lease_job(session: Session, worker: str) -> Job | None:
    """Lease the job that waits longest to a worker, or nothing; needs a session that writes.

    Two workers never get the same: SQLite lets one write at a time, PostgreSQL skips what another
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
    job.state, job.worker, job.attempt = RUNNING, worker, job.attempt + 1
    job.started_at = job.heartbeat_at = database_now(session)
    _note(job, Progress())
    return job


def heartbeat(session: Session, lease: Job, progress: Progress) -> str | None:
    """Note that a job is alive and how far it is.

    Returns
    -------
    Who asked to cancel it, empty if nobody; nothing if the lease has expired.
    """
    job = _leased(session, lease)
    if job is None:
        return None
    job.heartbeat_at = database_now(session)
    _note(job, progress)
    return job.cancel_asked_by or ""


def end_job(
    session: Session,
    lease: Job,
    state: str,
    *,
    message: str | None = None,
    result: JobResult | None = None,
    progress: Progress | None = None,
) -> bool:
    """End a job; return whether the lease still kept."""
    job = _leased(session, lease)
    if job is None:
        return False
    _end(session, job, state, message)
    job.result = result
    if progress is not None:
        _note(job, progress)
    return True


def release_job(session: Session, lease: Job) -> bool:
    """Let a job wait again because its worker stops; return whether the lease still kept."""
    job = _leased(session, lease)
    if job is not None:
        _requeue(session, job)
    return job is not None


def running_jobs(session: Session) -> list[Job]:
    """Return the jobs that are leased."""
    return list(session.scalars(select(Job).where(Job.state == RUNNING).order_by(Job.id)))


def expire_lease(
    session: Session, lease: Job, *, silent_since: dt.datetime | None = None
) -> Job | None:
    """Take a job from a worker or a process that died: it waits again once, then it has failed.

    Parameters
    ----------
    session
        A session that writes.
    lease
        The job as its worker took it.
    silent_since
        The last heartbeat that whoever found the worker silent has seen; if there was one after it,
        nothing is done.

    Returns
    -------
    The job as it stands now; nothing if the lease had ended, or the worker is alive.
    """
    job = _leased(session, lease)
    if job is None or (silent_since is not None and job.heartbeat_at != silent_since):
        return None
    job.deaths += 1
    if job.deaths < MOST_DEATHS or job.cancel_asked_by:
        _requeue(session, job)
    else:
        message = (
            f"{job.deaths} workers ended while they worked on it, without a word; the machine may "
            "lack memory. The log of the worker tells more; ask for less at once, or retry it"
        )
        _end(session, job, FAILED, message)
    return job


def ask_cancel(session: Session, number: int, who: str) -> Job:
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
        return get_job(session, number)
    if job.ended:
        msg = f"job {number} has ended ({job.state}); there is nothing to cancel"
        raise DataError(msg, code="job_ended")
    job.cancel_asked_by = job.cancel_asked_by or who
    if job.state == WAITING:
        _end(session, job, CANCELLED, _cancelled_by(job))
    return job


def usual_timings(session: Session, kind: str, city: str | None) -> list[dict[str, float]]:
    """Return the seconds of each stage of the last jobs of a kind that were done in a city."""
    rows = session.scalars(
        select(Job.timings)
        .where(Job.kind == kind, Job.city == city, Job.state == DONE)
        .order_by(Job.id.desc())
        .limit(USUAL_OF)
    )
    return [dict(row) for row in rows if row]


def register_worker(session: Session, name: str) -> None:
    """Note that a worker is there; forget those that left or fell silent long ago."""
    now = database_now(session)
    session.execute(delete(Worker).where(Worker.heartbeat_at < now - KEPT_WORKERS))
    session.add(Worker(id=name, started_at=now, heartbeat_at=now))


def heartbeat_worker(session: Session, name: str) -> None:
    """Note that a worker is alive."""
    now = database_now(session)
    session.execute(update(Worker).where(Worker.id == name).values(heartbeat_at=now))


def unregister_worker(session: Session, name: str) -> None:
    """Note that a worker has left."""
    now = database_now(session)
    session.execute(update(Worker).where(Worker.id == name).values(heartbeat_at=now, ended_at=now))


def any_worker_alive(session: Session) -> bool:
    """Return whether some worker gave a sign within ``ALIVE_SECONDS`` and has not left."""
    since = database_now(session) - dt.timedelta(seconds=ALIVE_SECONDS)
    found = session.scalar(
        select(func.count(Worker.id)).where(Worker.ended_at.is_(None), Worker.heartbeat_at >= since)
    )
    return bool(found)


def _leased(session: Session, lease: Job) -> Job | None:
    """Return a job if the lease still holds, as it stands and locked."""
    return session.scalar(
        select(Job)
        .where(
            Job.id == lease.id,
            Job.state == RUNNING,
            Job.worker == lease.worker,
            Job.attempt == lease.attempt,
        )
        .with_for_update()
    )


def _note(job: Job, progress: Progress) -> None:
    job.stage, job.done, job.total = progress.stage, progress.done, progress.total
    job.timings = {stage: round(seconds, 3) for stage, seconds in progress.timings.items()}


def _end(session: Session, job: Job, state: str, message: str | None) -> None:
    job.state, job.ended_at = state, database_now(session)
    job.message = message[:MESSAGE_LENGTH] if message else None


def _requeue(session: Session, job: Job) -> None:
    """Let a job wait again, or end it where somebody asked to cancel it."""
    if job.cancel_asked_by:
        _end(session, job, CANCELLED, _cancelled_by(job))
        return
    job.state, job.worker, job.started_at, job.heartbeat_at = WAITING, None, None, None
    _note(job, Progress())


def _cancelled_by(job: Job) -> str:
    return f"cancelled by {job.cancel_asked_by}"
