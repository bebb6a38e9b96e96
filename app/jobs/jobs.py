"""Long work: ask for it, look how far it is, cancel it, ask again.

What is called here is quick and can be called by a page: the work itself is done by
:mod:`app.jobs.worker`, in another process.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.jobs.kinds import KINDS, read_task
from app.usecases.arguments import digest_arguments
from geodata.documents import to_json
from geodata.errors import DataError
from geodata.remote.fetch import shown_address
from geodata.repositories import job_queue

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.db.engine import Database
    from geodata.db.staff_tables import Job

LEAST_PACE = 0.1  # share of the usual time after which a job's own pace is believed


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """How far a job is and how long it may still take.

    ``share`` lies between 0 and 1. ``remaining_s`` is nothing where it is not known. ``method``
    says in words where both come from.
    """

    share: float
    remaining_s: float | None
    method: str


@dataclass(frozen=True, kw_only=True, eq=False)
class JobStatus:
    """A job and what is known of the time that it takes."""

    job: Job
    estimate: TimeLeft

    @property
    def title(self) -> str:
        """Name of the kind of work, for people."""
        return KINDS[self.job.kind].title if self.job.kind in KINDS else self.job.kind

    @property
    def arguments(self) -> dict[str, object]:
        """What was asked, as it may be shown: without what looks like a secret in an address."""
        values = dict(self.job.arguments)
        address = values.get("address")
        if isinstance(address, str):
            values["address"] = shown_address(address)
        return values

    def as_json(self) -> dict[str, object]:
        """Return the status as scripts read it."""
        job, estimate = self.job, self.estimate
        return {
            "job": job.id,
            "kind": job.kind,
            "city": job.city,
            "state": job.state,
            "asked_by": job.asked_by,
            "asked_at": _moment(job.asked_at),
            "arguments": self.arguments,
            "retry_of": job.retry_of,
            "attempt": job.attempt,
            "worker": job.worker,
            "started_at": _moment(job.started_at),
            "heartbeat_at": _moment(job.heartbeat_at),
            "ended_at": _moment(job.ended_at),
            "stage": job.stage,
            "done": job.done,
            "total": job.total,
            "share": round(estimate.share, 4),
            "remaining_seconds": None
            if estimate.remaining_s is None
            else round(estimate.remaining_s, 1),
            "estimate": estimate.method,
            "cancel_asked_by": job.cancel_asked_by,
            "message": job.message,
            "result": job.result and to_json(job.result),
        }


def ask(
    database: Database,
    kind: str,
    arguments: Mapping[str, object],
    who: str,
    *,
    retry_of: int | None = None,
) -> Job:
    """Ask for work; the same work that waits or runs already is given back instead.

    Raises
    ------
    SpecError, DataError, CityFileError
        If what is requested cannot be right.
    NotStoredError
        If the city or the run is not stored.
    """
    task = read_task(kind, arguments)
    with database.session() as session:
        city = task.city_of(session)
    with database.session(write=True) as session:
        return job_queue.add_job(
            session,
            kind=kind,
            city=city,
            asked_by=who,
            arguments=dict(arguments),
            digest=digest_arguments(arguments),
            retry_of=retry_of,
        )


def cancel(database: Database, number: int, who: str) -> Job:
    """Cancel a job: at once where it waits, at its next step where it runs.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    DataError
        If it has ended.
    """
    with database.session(write=True) as session:
        return job_queue.ask_cancel(session, number, who)


def retry(database: Database, number: int, who: str) -> Job:
    """Ask again for what a job that failed or was cancelled was requested.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    DataError
        If it has not ended, or was done.
    """
    with database.session() as session:
        job = job_queue.get_job(session, number)
    if job.state not in (job_queue.FAILED, job_queue.CANCELLED):
        text = (
            "was done; ask for new work instead" if job.state == job_queue.DONE else "has not ended"
        )
        msg = f"job {number} {text}; only what failed or was cancelled is asked again"
        raise DataError(msg)
    return ask(database, job.kind, job.arguments, who, retry_of=number)


def status(database: Database, number: int) -> JobStatus:
    """Tell how one job stands.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    """
    with database.session() as session:
        return _status(session, job_queue.get_job(session, number))


def statuses(
    database: Database,
    city: str | None = None,
    *,
    open_only: bool = False,
    state: str | None = None,
    kind: str | None = None,
    start: int = 0,
    most: int = job_queue.SHOWN,
) -> list[JobStatus]:
    """Tell how the jobs of a city stand, or of all cities; the newest first."""
    with database.session() as session:
        found = job_queue.list_jobs(
            session, city, open_only=open_only, state=state, kind=kind, start=start, most=most
        )
        return [_status(session, job) for job in found]


def worker_alive(database: Database) -> bool:
    """Return whether a worker is there that takes jobs up."""
    with database.session() as session:
        return job_queue.any_worker_alive(session)


def estimate(job: Job, usual: Sequence[Mapping[str, float]], now: dt.datetime) -> TimeLeft:
    """Estimate how far a job is and how long it may still take.

    Each stage is given the median of the seconds that it took in the last jobs of the same kind
    and city that were done. What has passed of these seconds, over all of them, is the share; what
    is left of them, times the pace, is the time that remains. The pace is the job's own time over
    the usual time for the same part, once that part is a tenth of the whole; 1 before. Where no
    such job was done yet, the share is that of the present stage and the time is not known.
    """
    if job.state != job_queue.RUNNING or job.started_at is None:
        return TimeLeft(
            share=1.0 if job.state == job_queue.DONE else 0.0,
            remaining_s=0.0 if job.ended else None,
            method="it has ended" if job.ended else "it waits for a worker",
        )
    of_stage = min(job.done / job.total, 1.0) if job.total > 0 else 0.0
    expected = _medians(usual)
    whole = sum(expected.values())
    if whole <= 0 or (job.stage is not None and job.stage not in expected):
        return TimeLeft(
            share=of_stage,
            remaining_s=None,
            method="share of the present stage; no such job was done here yet",
        )
    behind = set(job.timings) - {job.stage}
    passed = sum(seconds for stage, seconds in expected.items() if stage in behind)
    passed += expected[job.stage] * of_stage if job.stage is not None else 0.0
    share = min(passed / whole, 1.0)
    elapsed = max((now - job.started_at).total_seconds(), 0.0)
    pace = elapsed / passed if share >= LEAST_PACE else 1.0
    return TimeLeft(
        share=share,
        remaining_s=(whole - passed) * pace,
        method=(
            f"from the stages of the last {len(usual)} such "
            f"{'job' if len(usual) == 1 else 'jobs'} here, at this job's pace"
        ),
    )


def _medians(usual: Sequence[Mapping[str, float]]) -> dict[str, float]:
    stages = dict.fromkeys(stage for timings in usual for stage in timings)
    return {
        stage: statistics.median(timings.get(stage, 0.0) for timings in usual) for stage in stages
    }


def _status(session: Session, job: Job) -> JobStatus:
    usual = (
        job_queue.usual_timings(session, job.kind, job.city)
        if job.state == job_queue.RUNNING
        else []
    )
    return JobStatus(job=job, estimate=estimate(job, usual, job_queue.database_now(session)))


def _moment(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") + "Z" if moment else None
