"""One round of a city: sources read again, runs fitted anew, old zones scored, a draft made.

A round approves nothing and puts nothing to use. Where a step fails, the round ends there and says
so; what earlier steps stored stays, and the release that residents see is not touched.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from app.usecases.city_files import fetching_for
from app.usecases.draft_mail import ask_mail
from app.usecases.risk.fit import FactorChoice, FitRequest, fit
from app.usecases.risk.validation import validate
from geodata.cityfile.description import read_content
from geodata.clock import utc_now
from geodata.errors import CancelledError
from geodata.import_report import UNCHANGED
from geodata.ingest.store import import_city
from geodata.releases.build import draft_release
from geodata.releases.inputs import last_public_day
from geodata.repositories import audit, import_log, runs, runs_in_use
from geodata.repositories.cities import get_city
from geodata.repositories.incidents import outcome_period
from spatial.analysis import CITY_SCOPE
from spatial.errors import SaferGroundError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.config import Settings
    from geodata.db.engine import Database
    from geodata.import_report import SourceReport
    from geodata.releases.build import Pages
    from geodata.repositories.runs import RunRecord

    Progress = Callable[[str, int, int], None]

DAY = dt.timedelta(days=1)
MOST_ROUNDS = 200  # that are looked through for the one that drafted a release
DONE, FAILED, NOTHING = "done", "failed", "nothing to do"
PARTLY = "done without some sources"


@dataclasses.dataclass(kw_only=True)
class RoundStep:
    """One step: its name, what became of it, and about what.

    ``code`` is that of the error that ended the round.
    """

    step: str
    state: str
    about: str = ""
    code: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BrokenSource:
    """A source that could not be read, and why."""

    kind: str
    source: str
    fault: str


@dataclasses.dataclass(kw_only=True)
class Round:
    """What a round did. Times are UTC; ``release`` is the draft that waits for a person.

    ``sources`` are their accounts; those that are ``broken`` stay as they are stored.
    """

    city: str
    began_at: dt.datetime
    ended_at: dt.datetime | None = None
    steps: list[RoundStep] = dataclasses.field(default_factory=list)
    runs: list[str] = dataclasses.field(default_factory=list)
    release: str | None = None
    sources: tuple[SourceReport, ...] = ()

    @property
    def broken(self) -> list[BrokenSource]:
        """Sources that could not be read."""
        return [
            BrokenSource(kind=one.kind, source=one.source, fault=one.fault)
            for one in self.sources
            if one.fault is not None
        ]

    @property
    def failed(self) -> bool:
        """Whether a step failed."""
        return any(step.state == FAILED for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """Return the round as scripts read it."""
        return {
            "city": self.city,
            "began_at": f"{self.began_at:%Y-%m-%dT%H:%M:%SZ}",
            "ended_at": f"{self.ended_at:%Y-%m-%dT%H:%M:%SZ}" if self.ended_at else None,
            "state": FAILED if self.failed else PARTLY if self.broken else DONE,
            "steps": [dataclasses.asdict(step) for step in self.steps],
            "runs": self.runs,
            "release": self.release,
            "broken": [dataclasses.asdict(one) for one in self.broken],
        }


def make_round(
    database: Database,
    settings: Settings,
    slug: str,
    who: str,
    *,
    pages: Pages,
    progress: Progress | None = None,
    everything: bool = False,
) -> Round:
    """Make one round and write it into the audit.

    Parameters
    ----------
    database, settings, slug, who
        Of which city, and who asks for it.
    pages
        Makes the pages' documents of a draft (:func:`app.site_documents.site_files`).
    progress
        Hears stages.
    everything
        Whether sources are read whose file has not changed.

    Raises
    ------
    NotStoredError
        If there is no such city, or its city file was not kept.
    CancelledError
        If its work is cancelled; what earlier steps stored stays.
    """
    found = Round(city=slug, began_at=utc_now())
    with database.session() as session:
        kept = import_log.city_file_of(session, slug)
    steps: tuple[tuple[str, Callable[[], str]], ...] = (
        (
            "sources",
            lambda: _read_sources(
                database, settings, kept, found, who, progress, everything=everything
            ),
        ),
        ("fit", lambda: _fit_anew(database, slug, who, found, progress)),
        ("validate", lambda: _score_old(database, slug, progress)),
        ("draft", lambda: _draft(database, settings, slug, who, found, pages, progress)),
    )
    for name, work in steps:
        try:
            about = work()
        except CancelledError:
            raise  # nothing failed: whoever cancelled it knows, and the job says so
        except SaferGroundError as error:
            found.steps.append(
                RoundStep(step=name, state=FAILED, about=one_line(error), code=error.code)
            )
            break
        found.steps.append(RoundStep(step=name, state=DONE if about else NOTHING, about=about))
    found.ended_at = utc_now()
    with database.session(write=True) as session:
        audit.record(session, who, "city.round", slug, found.as_json())
    return found


def _read_sources(
    database: Database,
    settings: Settings,
    kept: import_log.Described,
    found: Round,
    who: str,
    progress: Progress | None,
    *,
    everything: bool,
) -> str:
    """Read every source that has changed again; addresses are fetched anew."""
    slug = str(kept.content["city"]["slug"])
    described = read_content(kept.content, Path(slug), Path(kept.root))
    result = import_city(
        database,
        described,
        who=who,
        fetching=fetching_for(settings, progress),
        progress=progress,
        after=kept.number,
        skip_unchanged=not everything,
        tolerant=True,
    )
    found.sources = result.sources
    same = sum(UNCHANGED in one.left_out for one in result.sources)
    stored = sum(report.stored for report in result.sources)
    read = len(result.sources) - same - len(found.broken)
    about = f"{read} sources read, {same} unchanged, {stored:,} rows new or changed"
    if found.broken:
        names = "; ".join(f"{one.source}: {one.fault}" for one in found.broken)
        about += f"; {len(found.broken)} not read, what is stored of them stays ({names})"
    return about


def broken_sources(database: Database, slug: str, release: str) -> list[BrokenSource]:
    """Return the sources that the round which drafted a release could not read."""
    with database.session() as session:
        found = audit.newest_about(session, "city.round", slug, MOST_ROUNDS)
    mine = next((one for one in found if one.get("release") == release), {})
    return [
        BrokenSource(**{name: str(one[name]) for name in ("kind", "source", "fault")})
        for one in mine.get("broken", [])
    ]


def _in_use(database: Database, slug: str) -> list[RunRecord]:
    with database.session() as session:
        city = get_city(session, slug)
        return [runs.get_run(session, run) for run in runs_in_use.uses_now(session, city.id)]


def _fit_anew(
    database: Database, slug: str, who: str, found: Round, progress: Progress | None
) -> str:
    """Fit each run in use with its own settings, as far as its outcome may be published."""
    for run in _in_use(database, slug):
        with database.session() as session:
            city = get_city(session, slug)
            days = outcome_period(session, city.id, run.outcome)
            last = last_public_day(session, city, city.this_day())
        end = min(days[1], last) + DAY if days else run.period_to
        request = FitRequest(
            city=slug,
            outcome=run.outcome,
            start=run.period_from,
            end=max(end, run.period_to),
            districts=() if run.scope == CITY_SCOPE else (run.scope,),
            factors=tuple(
                FactorChoice(**dataclasses.asdict(factor)) for factor in run.spec.factors
            ),
            cell_units=run.spec.grid.cell_units,
            block_units=run.spec.grid.block_units,
            model=run.spec.model,
            history=run.spec.history,
            zones=run.spec.zones,
            name=run.name,
        )
        found.runs += [made.id for made in fit(database, request, who=who, progress=progress)]
    return ", ".join(found.runs)


def _score_old(database: Database, slug: str, progress: Progress | None) -> str:
    """Score each run in use on what came after its period."""
    scored = []
    for run in _in_use(database, slug):
        with database.session() as session:
            days = outcome_period(session, get_city(session, slug).id, run.outcome)
        if days is not None and days[1] >= run.period_to and run.scope == CITY_SCOPE:
            end = days[1] + DAY
            validate(database, run.id, run.period_to, end, progress=progress)
            scored.append(f"{run.id} on {run.period_to} to {end}")
    return ", ".join(scored)


def _draft(
    database: Database,
    settings: Settings,
    slug: str,
    who: str,
    found: Round,
    pages: Pages,
    progress: Progress | None,
) -> str:
    with database.session() as session:
        used = runs_in_use.id_in_use(session, get_city(session, slug))
        outcome = runs.get_summary(session, used).outcome if used else None
        fresh = [
            run
            for run in found.runs
            if (one := runs.get_summary(session, run)).outcome == outcome
            and one.scope == CITY_SCOPE
        ]
    made = draft_release(
        database,
        settings.releases,
        slug,
        who,
        run=fresh[0] if fresh else None,
        pages=pages,
        progress=progress,
    )
    found.release = made.id
    ask_mail(database, settings, made.id)
    return f"{made.id} is {made.state}"
