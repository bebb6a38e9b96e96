"""What every page about one run begins with: its address, the run, and who may read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, url_for
from werkzeug.exceptions import Forbidden

from app.guard import require_visitor
from app.staff.city import staff_city
from app.workroom import workroom
from geodata.errors import NotStoredError
from geodata.roles import ANALYST, PUBLISHER, READERS, WITH_DISTRICTS
from geodata.store import editions, incidents, runs

if TYPE_CHECKING:
    import datetime as dt

    from geodata.store.cities import CityRecord
    from geodata.store.runs import RunRecord

bp = Blueprint("reading", __name__, url_prefix="/analyst")
RUNS_TAB = "runs.listed"
OPEN_TO_ALL = READERS - WITH_DISTRICTS  # who is not kept to districts of their own
SENSITIVE = frozenset({ANALYST, PUBLISHER})  # who reads runs of sensitive kinds of incidents


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened:
    """A run that is being read: ``run`` with the zones that are in use, ``own`` as it was stored.

    ``newest`` is the number of its newest edition, ``used`` of the one in use; 0 for its own.
    ``last_known`` is the day of the newest incident of its outcome.
    """

    city: CityRecord
    run: RunRecord
    own: RunRecord
    newest: int
    used: int
    last_known: dt.date | None


def open_run(slug: str, run_id: str) -> Opened:
    """Give a run of a city to somebody who may read it.

    Raises
    ------
    NotStoredError
        If the city or the run is not stored, or the run is another city's.
    Forbidden
        If it is about a sensitive kind of incidents and the person is neither an analyst nor a
        publisher.
    """
    city = staff_city(slug)
    with workroom().database.session() as session:
        own = runs.get_run(session, run_id)
        if own.city != city.slug:
            msg = f"{city.slug} has no run {run_id!r:.80}"
            raise NotStoredError(msg)
        require_open(city, own.outcome)
        days = incidents.outcome_period(session, city.id, own.outcome)
        return Opened(
            city=city,
            run=editions.in_use(session, own),
            own=own,
            newest=editions.newest_number(session, own.id),
            used=editions.number_in_use(session, own.id),
            last_known=days[1] if days else None,
        )


def require_open(city: CityRecord, outcome: str) -> None:
    """Refuse a sensitive kind of incidents to those who may not read it.

    Raises
    ------
    Forbidden
        If the person may not.
    """
    if outcome in city.sensitive_outcomes and not require_visitor().person.may(SENSITIVE):
        raise Forbidden


def is_analyst() -> bool:
    """Tell whether the person may change and ask for things."""
    return require_visitor().person.may((ANALYST,))


def job_page(slug: str, number: int) -> str:
    """Give the address of the page of a job."""
    return url_for("work.job", city=slug, job=number)
