"""What pages about long work show, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import url_for

from app.analyst.work_words import (
    NO_WORKER,
    about,
    remaining_words,
    remedy,
    share_words,
    stage_words,
    state_words,
)
from geodata.store import jobs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from app.work.jobs import JobStatus
    from geodata.tables.jobs import Job


TOLD_AT = {  # where the page of a run tells what a job found, and how that is called
    "validate": ("validation", " on later incidents"),
    "backtest": ("validation", " on later incidents"),
    "certainty": ("diagnostics", ": how sure it is"),
    "sensitivity": ("diagnostics", ": how sure it is"),
}


@dataclass(frozen=True, kw_only=True)
class JobLine:
    """One job in a list; ``percent`` only while it is worked on."""

    number: int
    title: str
    about: str
    state: str
    state_words: str
    percent: int | None
    share: str
    stage: str
    remaining: str
    asked_by: str
    asked_at: dt.datetime
    address: str


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """What became of one source of an import."""

    source: str
    read: int
    stored: int
    left_out: str
    notes: str


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """One job; ``made`` are names and addresses of what it made, no address where no page is."""

    line: JobLine
    open: bool
    may_cancel: bool
    may_retry: bool
    worker: str
    method: str
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    message: str
    remedy: str
    made: tuple[tuple[str, str], ...]
    sources: tuple[SourceLine, ...]
    retry_of: tuple[int, str] | None
    change_address: str


def job_lines(found: Sequence[JobStatus], city: str) -> list[JobLine]:
    """Describe jobs for a list."""
    return [job_line(status, city) for status in found]


def job_line(status: JobStatus, city: str) -> JobLine:
    """Describe one job for a list."""
    job = status.job
    running = job.state == jobs.RUNNING
    return JobLine(
        number=job.id,
        title=status.title,
        about=about(job.kind, job.arguments),
        state=job.state,
        state_words=state_words(job),
        percent=round(100 * status.estimate.share) if running else None,
        share=share_words(status) if running else "",
        stage=stage_words(job) if running else "",
        remaining=remaining_words(status) if running else "",
        asked_by=job.asked_by,
        asked_at=job.asked_at,
        address=url_for("work.job", city=city, job=job.id),
    )


def job_page(
    status: JobStatus, city: str, *, alive: bool, may_fit: bool = False, may_change: bool = False
) -> JobPage:
    """Describe one job whole.

    Who ``may_fit`` is led to the form with what was asked; who ``may_change`` it can cancel it and
    ask for it again.
    """
    job = status.job
    running = job.state == jobs.RUNNING
    failed, cancelled = job.state == jobs.FAILED, job.state == jobs.CANCELLED
    return JobPage(
        line=job_line(status, city),
        open=not job.ended,
        may_cancel=may_change and not job.ended and not job.cancel_asked_by,
        may_retry=may_change and (failed or cancelled),
        worker="" if alive or job.ended else NO_WORKER,
        method=status.estimate.method if running else "",
        began_at=job.started_at,
        ended_at=job.ended_at,
        message=_message(job.message),
        remedy=remedy(job) if failed else "",
        made=_made(job, city),
        sources=_sources(job.result),
        retry_of=(job.retry_of, url_for("work.job", city=city, job=job.retry_of))
        if job.retry_of
        else None,
        change_address=url_for("runs.new", city=city, job=job.id)
        if may_fit and job.kind == "fit" and job.ended
        else "",
    )


def job_status(status: JobStatus, city: str, *, alive: bool) -> dict[str, Any]:
    """Give what a page asks again and again while it is looked at; all of it in words to show."""
    page = job_page(status, city, alive=alive)
    return {
        "job": page.line.number,
        "state": page.line.state,
        "words": page.line.state_words,
        "ended": not page.open,
        "stage": page.line.stage,
        "percent": page.line.percent,
        "share": page.line.share,
        "remaining": page.line.remaining,
        "method": page.method,
        "worker": page.worker,
    }


def _message(message: str | None) -> str:
    if not message:
        return ""
    told = message[:1].upper() + message[1:]
    return told if told.endswith((".", "!", "?")) else f"{told}."


def _made(job: Job, city: str) -> tuple[tuple[str, str], ...]:
    result = job.result or {}
    made = [
        (f"Run {run}", url_for("reading.run", city=city, run=run)) for run in result.get("runs", ())
    ]
    if job.kind == "import" and job.state == jobs.DONE:
        made.append(("The city as it stands, and what is next", url_for("analyst.city", city=city)))
        made.append(("Its sources", url_for("sources.sources", city=city)))
    if "run" in result:
        part, what = TOLD_AT.get(job.kind, (None, ""))
        address = url_for("reading.run", city=city, run=result["run"], _anchor=part)
        made.append((f"Run {result['run']}{what}", address))
    if "release" in result:
        made.append(
            (
                f"Draft {result['release']}",
                url_for("drafts.release", city=city, release=result["release"]),
            )
        )
    return tuple(made)


def _sources(result: dict[str, Any] | None) -> tuple[SourceLine, ...]:
    return tuple(
        SourceLine(
            source=str(one["source"]),
            read=one["read"],
            stored=one["stored"],
            left_out=", ".join(f"{why}: {count:,}" for why, count in one["left_out"].items()),
            notes="; ".join(one.get("notes", ())),
        )
        for one in (result or {}).get("sources", ())
    )
