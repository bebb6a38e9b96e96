"""Long work in plain words: what a job is about, how far it is, what it made, what to do.

What pages about long work show, as typed values.

Long work of a city: what waits, what runs, what became of it; cancel, ask again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden

from app import forms as addresses
from app.admin.city import shell, staff_city
from app.admin.forms import ConfirmForm
from app.admin.layout import paging, say
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.i18n.numbers import plain
from app.jobs import jobs
from app.jobs.job_access import may_change, require_change, visible
from app.jobs.kinds import KINDS
from geodata.db.json_columns import JobResult
from geodata.errors import NotStoredError
from geodata.formats import ROWS_STAGE
from geodata.repositories import job_queue
from geodata.repositories import job_queue as store
from geodata.roles import ANALYST
from spatial.analysis import CITY_SCOPE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from app.jobs.jobs import JobStatus
    from geodata.db.staff_tables import Job


STAGES = {
    "risk factors": "Working out how far each factor reaches",
    "elastic net": "Looking through all candidates (elastic net)",
    "stepwise": "Choosing the model, one factor at a time",
    "baselines": "Scoring what it is compared with",
    "rolling origins": "Fitting again at earlier days",
    "bootstrap": "Fitting again on resampled incidents",
    "other settings": "Fitting again with other settings",
    "control areas": "Looking for areas to compare with",
    "fetching": "Fetching the sources",
    "downloading": "Downloading",
    "reading": "Reading the sources",
    ROWS_STAGE: "Reading the rows of a table",
    "storing": "Storing the rows",
    "places": "Hiding exact places",
    "rules": "Holding the draft against the rules",
    "zones": "Writing the zones",
    "measures": "Working out the measures",
    "districts and people": "Writing districts and people",
    "pages": "Writing what the pages show",
    "writing": "Writing the files",
    "arrivals": "Reading files that arrived",
    "mail": "Sending mail",
    "the rest": "Finishing and storing",
}
STATES = {
    job_queue.WAITING: "waits",
    job_queue.RUNNING: "is being worked on",
    job_queue.DONE: "done",
    job_queue.FAILED: "failed",
    job_queue.CANCELLED: "cancelled",
}
NO_WORKER = (
    "No worker is there to take this up. It waits, and begins by itself as soon as whoever looks "
    "after the server starts one: saferground worker."
)


AFTER = {  # what is done once a stage is, where no other is reported
    "stepwise": "Putting risks together and cutting zones",
    "baselines": "Finishing and storing",
    "bootstrap": "Finishing and storing",
}


def stage_words(job: Job) -> str:
    """Say what is being done."""
    stage = job.stage
    if stage is None:
        return "Getting ready"
    if stage in AFTER and job.done >= job.total > 0:
        return AFTER[stage]
    words = STAGES.get(stage, stage[:1].upper() + stage[1:])
    if stage == ROWS_STAGE and job.total:
        return f"{words}: {job.done:,} of about {job.total:,}"
    return words


def state_words(job: Job) -> str:
    """Say how a job stands."""
    if job.state == job_queue.RUNNING and job.cancel_asked_by:
        return "is being cancelled"
    return STATES.get(job.state, job.state)


def duration(seconds: float) -> str:
    """Write a length of time roughly, as people say it.

    >>> duration(20), duration(100), duration(4000), duration(7300)
    ('less than a minute', 'about 2 minutes', 'about 1 hour 5 minutes', 'about 2 hours')
    """
    if seconds < 45:
        return "less than a minute"
    minutes = max(1, round(seconds / 60))
    if minutes >= 20:
        minutes = 5 * round(minutes / 5)
    hours, minutes = divmod(minutes, 60)
    lines = [_many(hours, "hour"), _many(minutes, "minute")]
    return "about " + " ".join(part for part in lines if part)


def share_words(status: JobStatus) -> str:
    """Say how much is done: of all, or of the present step where the whole is not known."""
    result = f"{status.estimate.share:.0%}".replace("%", " %")
    return result if status.estimate.remaining_s is not None else f"{result} of this step"


def remaining_words(status: JobStatus) -> str:
    """Say how long a job may still take."""
    left = status.estimate.remaining_s
    if status.job.ended:
        return "nothing; it has ended"
    return "not known yet" if left is None else duration(left)


def about(kind: str, arguments: Mapping[str, object]) -> str:
    """Say what a job is about, without paths of files."""
    if kind == "fit":
        return f"{plain(str(arguments['outcome']))}, {_scope(arguments)}, {_period(arguments)}"
    if kind == "arrivals":
        return "what lies whole in the folder of the city"
    if kind == "import":
        return "all that the city is made of"
    if kind == "evaluate":
        return f"{plain(str(arguments['outcome']))}, zones of run {arguments['run']}"
    if kind == "mail":
        return f"draft {arguments.get('release')}, to {arguments.get('to')}"
    if "run" in arguments:
        period = f", {_period(arguments)}" if "from" in arguments else ""
        return f"run {arguments['run']}{period}"
    return "all that is to be published"


def remedy(job: Job) -> str:
    """Say what to do about a job that failed."""
    message = job.message or ""
    if "fault of this program" in message:
        return (
            "Asking again may help once; if it does not, tell whoever looks after the server the "
            f"number of this job, {job.id}: the log of the worker has the rest."
        )
    if "gave way" in message or "workers ended" in message:
        return "Ask again; if it fails again, tell whoever looks after the server."
    return "Nothing was stored. Change what the message names, then ask again."


def _scope(arguments: Mapping[str, object]) -> str:
    found = arguments.get("districts") or [CITY_SCOPE]
    districts = found if isinstance(found, list) else [found]
    if list(districts) == [CITY_SCOPE]:
        return "the whole city"
    if len(districts) > 3:
        return f"{len(districts)} districts, each by itself"
    return f"{'district' if len(districts) == 1 else 'districts'} {', '.join(map(str, districts))}"


def _period(arguments: Mapping[str, object]) -> str:
    first, end = arguments.get("from"), arguments.get("to")
    if first and end:
        return f"from {first} to before {end}"
    if first or end:
        return f"from {first}" if first else f"before {end}"
    return "all days"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""


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
    running = job.state == job_queue.RUNNING
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
    running = job.state == job_queue.RUNNING
    failed, cancelled = job.state == job_queue.FAILED, job.state == job_queue.CANCELLED
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


def job_status(status: JobStatus, city: str, *, alive: bool) -> dict[str, object]:
    """Return what a page asks again and again while it is looked at; all of it in words to show."""
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
    result = message[:1].upper() + message[1:]
    return result if result.endswith((".", "!", "?")) else f"{result}."


def _made(job: Job, city: str) -> tuple[tuple[str, str], ...]:
    result = job.result or JobResult()
    made = [(f"Run {run}", url_for("reading.run", city=city, run=run)) for run in result.runs or ()]
    if job.kind == "import" and job.state == job_queue.DONE:
        made.append(("The city as it stands, and what is next", url_for("analyst.city", city=city)))
        made.append(("Its sources", url_for("sources.sources", city=city)))
    if result.run:
        part, what = TOLD_AT.get(job.kind, (None, ""))
        address = url_for("reading.run", city=city, run=result.run, _anchor=part)
        made.append((f"Run {result.run}{what}", address))
    if result.release:
        made.append(
            (
                f"Draft {result.release}",
                url_for("drafts.release", city=city, release=result.release),
            )
        )
    if result.preview:
        made.append(("The preview", url_for("previews.page", city=city)))
    return tuple(made)


def _sources(result: JobResult | None) -> tuple[SourceLine, ...]:
    return tuple(
        SourceLine(
            source=one.source,
            read=one.read,
            stored=one.stored,
            left_out=", ".join(f"{why}: {count:,}" for why, count in one.left_out.items()),
            notes="; ".join(one.notes),
        )
        for one in (result and result.sources) or ()
    )


bp = Blueprint("work", __name__, url_prefix="/analyst/<city>/jobs")
PAGE = 25


@bp.get("")
def listed(city: str) -> ResponseReturnValue:
    """List the long work of a city."""
    record = staff_city(city)
    kind = addresses.choice(request.args, "kind", KINDS)
    state = addresses.choice(request.args, "state", store.STATES)
    database = workroom().database
    with database.session() as session:
        count = store.count_jobs(session, city, state=state, kind=kind)
        waiting = store.count_waiting(session)
    pages = paging(request.args, count, PAGE, {"city": city, "kind": kind, "state": state})
    found = jobs.statuses(database, city, state=state, kind=kind, start=pages.start, most=PAGE)
    with database.session() as session:
        found = visible(session, require_visitor().person, record, found)
    return render_template(
        "analyst/jobs.html",
        shell=shell(record),
        lines=job_lines(found, city),
        pages=pages,
        kinds={name: one.title for name, one in KINDS.items()},
        states=store.STATES,
        kind=kind,
        chosen_state=state,
        deserted=waiting > 0 and not jobs.worker_alive(database),
    )


@bp.get("/<int:job>")
def job(city: str, job: int) -> ResponseReturnValue:
    """Show one job: how far it is, or what became of it."""
    return _visible(city, job, ConfirmForm())


@bp.get("/<int:job>.json")
def status(city: str, job: int) -> ResponseReturnValue:
    """Tell how far a job is, for the page that shows it."""
    found = _job(city, job)
    return jsonify(job_status(found, city, alive=jobs.worker_alive(workroom().database)))


@bp.post("/<int:job>/cancel")
def cancel(city: str, job: int) -> ResponseReturnValue:
    """Cancel a job that waits or runs; it has to be meant."""
    require_change(require_visitor().person, _job(city, job).job)
    form = ConfirmForm()
    if not form.validate_on_submit():
        return _visible(city, job, form, 422)
    cancelled = jobs.cancel(workroom().database, job, require_visitor().person.name)
    say("Cancelled." if cancelled.ended else "It stops at its next step.")
    return redirect(url_for("work.job", city=city, job=job), 303)


@bp.post("/<int:job>/retry")
def retry(city: str, job: int) -> ResponseReturnValue:
    """Ask again for what failed or was cancelled."""
    require_change(require_visitor().person, _job(city, job).job)
    room = workroom()
    wanted = jobs.retry(room.database, job, require_visitor().person.name)
    say("Asked for again.")
    return redirect(url_for("work.job", city=city, job=wanted.id), 303)


def _visible(city: str, job: int, form: ConfirmForm, status: int = 200) -> ResponseReturnValue:
    record, found = staff_city(city), _job(city, job)
    person = require_visitor().person
    page = job_page(
        found,
        city,
        alive=jobs.worker_alive(workroom().database),
        may_fit=person.may((ANALYST,)),
        may_change=may_change(person, found.job),
    )
    result = render_template(
        "analyst/job.html", shell=shell(record, "work.listed"), page=page, sure=form
    )
    return result, status


def _job(city: str, number: int) -> JobStatus:
    """Return a job of the city of the address.

    Raises
    ------
    NotStoredError
        If there is none of that number, or it is another city's.
    Forbidden
        If it is about an outcome that the person may not read of.
    """
    record, database = staff_city(city), workroom().database
    try:
        found = jobs.status(database, number)
    except (NotStoredError, OverflowError):
        found = None
    if found is None or found.job.city != city:
        msg = f"there is no job {number} of {city}; see the list of its work"
        raise NotStoredError(msg, code="no_job")
    with database.session() as session:
        if not visible(session, require_visitor().person, record, [found]):
            raise Forbidden
    return found
