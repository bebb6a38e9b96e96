"""Who may see a job, and who may cancel it or ask for it again: by pages and by token alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import Forbidden

from app.jobs.kinds import KINDS
from app.usecases.risk.run_access import districts_read, readable_runs
from geodata.repositories.runs import EVERY_RUN, subjects_of_runs
from spatial.analysis import CITY_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from app.jobs.jobs import JobStatus
    from geodata.db.staff_tables import Job
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.runs import RunFilter


def may_ask(person: PersonRecord, kind: str) -> bool:
    """Return whether a person has one of the roles that a kind of job is for."""
    return kind in KINDS and person.may(KINDS[kind].roles)


def may_change(person: PersonRecord, job: Job) -> bool:
    """Return whether a person may cancel a job or ask for it again.

    It takes the role that the kind of job is for; who is limited to districts may change what is
    about one of them alone.
    """
    if not may_ask(person, job.kind):
        return False
    own = districts_read(person, job.city or "")
    return own is None or job.arguments.get("district") in own


def require_change(person: PersonRecord, job: Job) -> None:
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
    """Return those jobs of a city that are about nothing that a person may not read of."""
    which = readable_runs(person, city, EVERY_RUN)
    if not which.without and which.scopes is None:
        return list(found)
    named = {str(one.job.arguments["run"]) for one in found if "run" in one.job.arguments}
    subjects = subjects_of_runs(session, named)
    return [one for one in found if _may_see(which, one.job.arguments, subjects)]


def _may_see(
    which: RunFilter, arguments: Mapping[str, object], subjects: Mapping[str, tuple[str, str]]
) -> bool:
    """Return whether what a job was requested is of outcomes and districts that may be read of."""
    outcome, scope = subjects.get(str(arguments.get("run")), (None, CITY_SCOPE))
    outcomes = {outcome, arguments.get("outcome")}
    named = arguments.get("districts")
    several = map(str, named) if isinstance(named, list) else ()
    scopes = {scope, str(arguments.get("district") or CITY_SCOPE), *several}
    seen = which.scopes is None or scopes <= {*which.scopes}
    return seen and not outcomes & {*which.without}
