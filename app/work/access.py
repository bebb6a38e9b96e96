"""Who may see a job, and who may cancel it or ask for it again: by pages and by token alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import Forbidden

from app.runs.access import districts_read, hidden_outcomes
from app.work.kinds import KINDS
from geodata.store.runs import outcomes_by_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from app.work.jobs import JobStatus
    from geodata.store.cities import CityRecord
    from geodata.store.jobs import JobRecord
    from geodata.store.people import PersonRecord


def may_ask(person: PersonRecord, kind: str) -> bool:
    """Return whether a person has one of the roles that a kind of job is for."""
    return kind in KINDS and person.may(KINDS[kind].roles)


def may_change(person: PersonRecord, job: JobRecord) -> bool:
    """Return whether a person may cancel a job or ask for it again.

    It takes the role that the kind of job is for; who is limited to districts may change what is
    about one of them alone.
    """
    if not may_ask(person, job.kind):
        return False
    own = districts_read(person, job.city or "")
    return own is None or job.arguments.get("district") in own


def require_change(person: PersonRecord, job: JobRecord) -> None:
    """Refuse to cancel a job, or to ask for it again, to somebody who may not.

    Raises
    ------
    Forbidden
        If :func:`may_change` says no.
    """
    if not may_change(person, job):
        raise Forbidden


def visible(
    session: Session, person: PersonRecord, city: CityRecord, found: Sequence[JobStatus]
) -> list[JobStatus]:
    """Return those jobs of a city that are not about an outcome that is hidden from a person."""
    hidden = hidden_outcomes(person, city)
    if not hidden:
        return list(found)
    named = {str(one.job.arguments["run"]) for one in found if "run" in one.job.arguments}
    by_run = outcomes_by_run(session, named)
    return [
        one
        for one in found
        if one.job.arguments.get("outcome") not in hidden
        and by_run.get(str(one.job.arguments.get("run"))) not in hidden
    ]
