"""How a city stands, and what is to be done next: the beginning of the workbench."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import url_for

from app import words
from app.permissions import DECIDING
from app.runs.access import readable_runs
from app.runs.validation import VALIDATION
from app.staff.frame import moment
from geodata.roles import ANALYST, PUBLISHER
from geodata.store import findings, imports, incidents, layers, releases, runs, uses
from geodata.store.releases import DRAFTED, WITHDRAWN, same_person
from spatial.analysis import CITY_SCOPE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.store.cities import CityRecord, CitySummary
    from geodata.store.incidents import OutcomeDays
    from geodata.store.people import PersonRecord
    from geodata.store.releases import ReleaseRecord
    from geodata.store.runs import RunSummary
    from geodata.store.uses import RunUseRecord


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of a city: its data, its newest runs, its releases.

    ``used`` are the runs in use by their ids, ``shown`` is the one whose zones are shown.
    ``validated`` says whether the newest run of the whole city was held against later incidents;
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
class Step:
    """Something to do next; no address where there is no page for it, or it is not one's to do."""

    told: str
    label: str
    address: str


@dataclass(frozen=True, kw_only=True)
class WaitingDraft:
    """A draft that waits for a publisher; ``own`` is one that the person drafted."""

    id: str
    city: str
    told: str
    own: bool
    address: str


def waiting_drafts(
    session: Session, found: Sequence[CitySummary], person: PersonRecord
) -> tuple[WaitingDraft, ...]:
    """Give the newest draft of each city, for publishers; nothing for others."""
    if not person.may((PUBLISHER,)):
        return ()
    waiting = []
    for city in found:
        listed = releases.list_releases(session, city.slug)
        for one in [release for release in listed[:1] if release.state == DRAFTED]:
            waiting.append(
                WaitingDraft(
                    id=one.id,
                    city=city.name,
                    told=f"drafted {moment(one.drafted_at)} by {one.drafted_by}",
                    own=same_person(person.name, one.drafted_by),
                    address=url_for("drafts.release", city=city.slug, release=one.id),
                )
            )
    return tuple(waiting)


def read_standing(session: Session, city: CityRecord, most: int, person: PersonRecord) -> Standing:
    """Read how a city stands, of the outcomes and runs that a person may read."""
    readable = readable_runs(person, city, runs.EVERY_RUN)
    whole = runs.list_runs(session, city.slug, replace(readable, scope=CITY_SCOPE), most=1)
    current = whole[0] if whole else None
    return Standing(
        city=city,
        outcomes=tuple(
            days
            for days in incidents.outcome_days(session, city.id)
            if days.outcome not in readable.without
        ),
        factors=tuple(layers.factor_names(session, city.id)),
        newest=tuple(runs.list_runs(session, city.slug, readable, most=most)),
        current=current,
        used=uses.uses_now(session, city.id),
        shown=uses.id_in_use(session, city),
        validated=current is not None
        and bool(findings.list_findings(session, current.id, VALIDATION)),
        undone=current is not None and bool(imports.undone_imports_of(session, current.id)),
        releases=tuple(releases.list_releases(session, city.slug)),
    )


def next_steps(found: Standing, person: PersonRecord) -> tuple[Step, ...]:
    """Say what is to be done next, the first first; only what the person may see done."""
    city = found.city.slug
    fits, publishes = person.may((ANALYST,)), person.may((PUBLISHER,))
    if not found.outcomes or not found.factors:
        missing = "incidents" if not found.outcomes else "factors"
        told = f"There are no {missing} yet. Everything begins with the sources of the city."
        return (_step(told, "Add sources", url_for("sources.sources", city=city), may=fits),)
    new = url_for("runs.new", city=city)
    if found.current is None:
        told = "The data are there; no run of the whole city is. A run finds the risky places."
        return (_step(told, "New run", new, may=fits),)
    steps = []
    if found.shown is None and not uses.why_not_usable(found.city, found.current):
        told = (
            "No run is in use, so desk, log and measures show no zones. Put the newest run to use, "
            "or another one."
        )
        address = url_for("reading.use_run", city=city, run=found.current.id)
        steps.append(_step(told, "Put it to use", address, may=person.may(DECIDING.roles)))
    return (*steps, *_of_run(found, found.current, fits=fits, publishes=publishes))


def _of_run(found: Standing, run: RunSummary, *, fits: bool, publishes: bool) -> list[Step]:
    city = found.city
    steps = []
    new = url_for("runs.new", city=city.slug)
    here = url_for("reading.run", city=city.slug, run=run.id)
    days = f"{words.plain(run.outcome)}, {run.period_from} to before {run.period_to}"
    if found.undone:
        told = f"Data that the newest run ({days}) used were undone since. Fit it again."
        steps.append(_step(told, "New run", new, may=fits))
    elif city.imported_at > run.created_at:
        told = f"Data were imported after the newest run ({days}) was made. Look if it still holds."
        steps.append(_step(told, "New run", new, may=fits))
    if not found.validated:
        later = _last(found.outcomes, run.outcome)
        if later is not None and later >= run.period_to:
            told = (
                f"The newest run ({days}) was not held against later incidents yet; there are "
                f"some up to {later}."
            )
            steps.append(_step(told, "Validate it", here, may=fits))
        else:
            told = (
                f"The newest run ({days}) took all days there are. Leave the last months out of a "
                "run, and it can be held against them."
            )
            steps.append(_step(told, "New run", new, may=fits))
    elif not found.undone and not _is_released(found, run):
        told = "No release shows the run in use yet. Draft one, for a publisher to read."
        if found.shown is None:
            told = f"No release shows the newest run ({days}) yet. Draft one."
        address = url_for("drafts.listed", city=city.slug)
        steps.append(_step(told, "Go to the releases", address, may=fits))
    drafts = [one for one in found.releases if one.state == DRAFTED]
    for draft in drafts[:1]:
        told = f"Draft {draft.id} waits for a publisher who did not draft it."
        address = url_for("drafts.release", city=city.slug, release=draft.id)
        steps.append(_step(told, "Look at it", address, may=publishes))
    return steps


def _is_released(found: Standing, newest: RunSummary) -> bool:
    """Tell whether a release that was not withdrawn shows the run in use, or else the newest."""
    wanted = found.shown or newest.id
    return any(
        one.state != WITHDRAWN and (one.manifest["run"] or {}).get("id") == wanted
        for one in found.releases
    )


def _last(outcomes: Sequence[OutcomeDays], outcome: str) -> dt.date | None:
    return next((days.last for days in outcomes if days.outcome == outcome), None)


def _step(told: str, label: str, address: str, *, may: bool) -> Step:
    return Step(told=told, label=label, address=address if may else "")
