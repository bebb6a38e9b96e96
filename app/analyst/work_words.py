"""Long work in plain words: what a job is about, how far it is, what it made, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.words import plain
from geodata.store import jobs
from spatial.analysis import CITY_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.work.jobs import JobStatus
    from geodata.tables.jobs import Job

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
    "storing": "Storing the rows",
    "places": "Hiding exact places",
    "rules": "Holding the draft against the rules",
    "zones": "Writing the zones",
    "measures": "Working out the measures",
    "districts and people": "Writing districts and people",
    "pages": "Writing what the pages show",
    "writing": "Writing the files",
    "the rest": "Finishing and storing",
}
STATES = {
    jobs.WAITING: "waits",
    jobs.RUNNING: "is being worked on",
    jobs.DONE: "done",
    jobs.FAILED: "failed",
    jobs.CANCELLED: "cancelled",
}
NO_WORKER = (
    "No worker is there to take this up. It waits, and begins by itself as soon as whoever looks "
    "after the server starts one: saferground worker."
)


AFTER = {  # what is done once a stage is, where no other is told
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
    return STAGES.get(stage, stage[:1].upper() + stage[1:])


def state_words(job: Job) -> str:
    """Say how a job stands."""
    if job.state == jobs.RUNNING and job.cancel_asked_by:
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
    told = [_many(hours, "hour"), _many(minutes, "minute")]
    return "about " + " ".join(part for part in told if part)


def share_words(status: JobStatus) -> str:
    """Say how much is done: of all, or of the present step where the whole is not known."""
    told = f"{status.estimate.share:.0%}".replace("%", " %")
    return told if status.estimate.remaining_s is not None else f"{told} of this step"


def remaining_words(status: JobStatus) -> str:
    """Say how long a job may still take."""
    left = status.estimate.remaining_s
    if status.job.ended:
        return "nothing; it has ended"
    return "not known yet" if left is None else duration(left)


def about(kind: str, arguments: Mapping[str, Any]) -> str:
    """Say what a job is about, without paths of files."""
    if kind == "fit":
        return f"{plain(str(arguments['outcome']))}, {_scope(arguments)}, {_period(arguments)}"
    if kind == "import":
        return "all that the city is made of"
    if kind == "evaluate":
        return f"{plain(str(arguments['outcome']))}, zones of run {arguments['run']}"
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


def _scope(arguments: Mapping[str, Any]) -> str:
    districts = arguments.get("districts") or [CITY_SCOPE]
    if list(districts) == [CITY_SCOPE]:
        return "the whole city"
    if len(districts) > 3:
        return f"{len(districts)} districts, each by itself"
    return f"{'district' if len(districts) == 1 else 'districts'} {', '.join(map(str, districts))}"


def _period(arguments: Mapping[str, Any]) -> str:
    first, end = arguments.get("from"), arguments.get("to")
    if first and end:
        return f"from {first} to before {end}"
    if first or end:
        return f"from {first}" if first else f"before {end}"
    return "all days"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""
