"""Is somebody there who works? What monitors are reported of the worker.

How a city stands, and what is to be done next: the beginning of the workbench.

Where the workbench begins: the cities, and how one of them stands.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, url_for

from app.admin.city import shell, staff_city
from app.auth.guard import require_visitor
from app.auth.permissions import ASKING, DECIDING
from app.extensions import workroom
from app.i18n import numbers
from app.jobs import jobs
from app.jobs.job_access import visible
from app.usecases.risk.run_access import readable_runs
from app.workbench.job_pages import job_lines
from app.workbench.run_pages import run_lines
from app.workbench.waiting import waiting_drafts, waiting_files
from geodata.analysis_documents import ValidationDocument
from geodata.db.engine import DatabaseFailure
from geodata.repositories import (
    cities,
    import_log,
    incidents,
    layers,
    releases,
    run_analyses,
    runs,
    runs_in_use,
)
from geodata.repositories.layers import has_streets
from geodata.repositories.releases import DRAFTED, RETURNED, WITHDRAWN
from geodata.roles import ANALYST, PUBLISHER
from spatial.analysis import CITY_SCOPE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.incidents import OutcomeDays
    from geodata.repositories.people import PersonRecord
    from geodata.repositories.releases import ReleaseRecord
    from geodata.repositories.runs import RunSummary
    from geodata.repositories.runs_in_use import RunUseRecord


PATIENCE_S = 180.0  # a worker takes a while to start, and to start again


class WorkerWatch:
    """Tells whether a worker is there; only one that is missing for long is a fault."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._seen = clock()

    def __call__(self) -> tuple[str, str]:
        """Give ``ok`` or ``none``, and why that is not ready, empty if it is."""
        try:
            alive = jobs.worker_alive(self._database)
        except DatabaseFailure:
            return "unknown", "the database of jobs cannot be read"
        if alive:
            self._seen = self._clock()
            return "ok", ""
        if self._clock() - self._seen < PATIENCE_S:
            return "none", ""
        return "none", "no worker takes work up; start one with: saferground worker"


@dataclass(frozen=True, kw_only=True)
class CityStatus:
    """What is known of a city: its data, its newest runs, its releases.

    ``used`` are the runs in use by their ids, ``shown`` is the one whose zones are shown.
    ``validated`` says whether the newest run of the whole city was checked against later incidents;
    ``undone`` whether data that it used were undone since.
    """

    city: CityRecord
    outcomes: tuple[OutcomeDays, ...]
    factors: tuple[str, ...]
    newest: tuple[RunSummary, ...]
    current: RunSummary | None
    used: Mapping[str, RunUseRecord]
    shown: str | None
    validated: bool
    undone: bool
    releases: tuple[ReleaseRecord, ...]


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """Something to do next; no address where there is no page for it, or it is not one's to do."""

    told: str
    label: str
    address: str


def read_standing(
    session: Session, city: CityRecord, most: int, person: PersonRecord
) -> CityStatus:
    """Read how a city stands, of the outcomes and runs that a person may read."""
    readable = readable_runs(person, city, runs.EVERY_RUN)
    whole = runs.list_runs(session, city.slug, replace(readable, scope=CITY_SCOPE), most=1)
    current = whole[0] if whole else None
    return CityStatus(
        city=city,
        outcomes=tuple(
            days
            for days in incidents.outcome_days(session, city.id)
            if days.outcome not in readable.without
        ),
        factors=tuple(layers.factor_names(session, city.id)),
        newest=tuple(runs.list_runs(session, city.slug, readable, most=most)),
        current=current,
        used=runs_in_use.uses_now(session, city.id),
        shown=runs_in_use.id_in_use(session, city),
        validated=current is not None
        and bool(run_analyses.list_findings(session, current.id, ValidationDocument.kind)),
        undone=current is not None and bool(import_log.undone_imports_of(session, current.id)),
        releases=tuple(releases.list_releases(session, city.slug)),
    )


def next_steps(found: CityStatus, person: PersonRecord) -> tuple[NextStep, ...]:
    """Say what is to be done next, the first first; only what the person may see done."""
    city = found.city.slug
    fits, publishes = person.may((ANALYST,)), person.may((PUBLISHER,))
    if not found.outcomes or not found.factors:
        missing = "incidents" if not found.outcomes else "factors"
        text = f"There are no {missing} yet. Everything begins with the sources of the city."
        return (_step(text, "Add sources", url_for("sources.sources", city=city), may=fits),)
    new = url_for("runs.new", city=city)
    if found.current is None:
        text = "The data are there; no run of the whole city is. A run finds the risky places."
        return (_step(text, "New run", new, may=fits),)
    steps = []
    if found.shown is None and not runs_in_use.why_not_usable(found.city, found.current):
        text = (
            "No run is in use, so desk, log and measures show no zones. Put the newest run to use, "
            "or another one."
        )
        address = url_for("reading.use_run", city=city, run=found.current.id)
        steps.append(_step(text, "Put it to use", address, may=person.may(DECIDING.roles)))
    return (*steps, *_of_run(found, found.current, fits=fits, publishes=publishes))


def _of_run(found: CityStatus, run: RunSummary, *, fits: bool, publishes: bool) -> list[NextStep]:
    city = found.city
    steps = []
    new = url_for("runs.new", city=city.slug)
    here = url_for("reading.run", city=city.slug, run=run.id)
    days = f"{numbers.plain(run.outcome)}, {run.period_from} to before {run.period_to}"
    if found.undone:
        text = f"Data that the newest run ({days}) used were undone since. Fit it again."
        steps.append(_step(text, "New run", new, may=fits))
    elif city.imported_at > run.created_at:
        text = f"Data were imported after the newest run ({days}) was made. Look if it still holds."
        steps.append(_step(text, "New run", new, may=fits))
    if not found.validated:
        later = _last(found.outcomes, run.outcome)
        if later is not None and later >= run.period_to:
            text = (
                f"The newest run ({days}) was not held against later incidents yet; there are "
                f"some up to {later}."
            )
            steps.append(_step(text, "Validate it", here, may=fits))
        else:
            text = (
                f"The newest run ({days}) took all days there are. Leave the last months out of a "
                "run, and it can be held against them."
            )
            steps.append(_step(text, "New run", new, may=fits))
    elif not found.undone and not _is_released(found, run):
        text = "No release shows the run in use yet. Draft one, for a publisher to read."
        if found.shown is None:
            text = f"No release shows the newest run ({days}) yet. Draft one."
        address = url_for("drafts.listed", city=city.slug)
        steps.append(_step(text, "Go to the releases", address, may=fits))
    drafts = [one for one in found.releases if one.state == DRAFTED]
    for draft in drafts[:1]:
        text = f"Draft {draft.id} waits for a publisher who did not draft it."
        address = url_for("drafts.release", city=city.slug, release=draft.id)
        steps.append(_step(text, "Look at it", address, may=publishes))
    return steps


def _is_released(found: CityStatus, newest: RunSummary) -> bool:
    """Return whether a release that was not withdrawn shows the run in use, or else the newest."""
    wanted = found.shown or newest.id
    return any(
        one.state not in (WITHDRAWN, RETURNED)
        and one.manifest.run is not None
        and one.manifest.run.id == wanted
        for one in found.releases
    )


def _last(outcomes: Sequence[OutcomeDays], outcome: str) -> dt.date | None:
    return next((days.last for days in outcomes if days.outcome == outcome), None)


def _step(text: str, label: str, address: str, *, may: bool) -> NextStep:
    return NextStep(told=text, label=label, address=address if may else "")


bp = Blueprint("analyst", __name__, url_prefix="/analyst")
NEWEST = 5


@bp.get("/")
def home() -> ResponseReturnValue:
    """List the cities, and what waits for the reader or through them."""
    person = require_visitor().person
    with workroom().database.session() as session:
        found = cities.list_cities(session)
        drafts = waiting_drafts(session, found, person)
    return render_template(
        "analyst/home.html",
        cities=found,
        drafts=[one for one in drafts if not one.reason],
        returned=[one for one in drafts if one.reason],
        files=waiting_files(workroom().settings.uploads, found, person),
        may_add=person.may({ANALYST}),
    )


@bp.get("/<city>/")
def city(city: str) -> ResponseReturnValue:
    """Tell how a city stands: its data, its newest runs, what is being worked on, what is next."""
    record = staff_city(city)
    database, person = workroom().database, require_visitor().person
    with database.session() as session:
        standing = read_standing(session, record, NEWEST, person)
        open_jobs = jobs.statuses(database, city, open_only=True) if person.may(ASKING) else []
        open_jobs = visible(session, person, record, open_jobs)
        streets = has_streets(session, record.id)
    return render_template(
        "analyst/city.html",
        shell=shell(record),
        standing=standing,
        steps=next_steps(standing, person),
        streets=streets,
        runs=run_lines(standing.newest, record, standing.used),
        work=job_lines(open_jobs, city),
        deserted=bool(open_jobs) and not jobs.worker_alive(database),
        sources=url_for("sources.sources", city=city) if person.may((ANALYST,)) else "",
    )
