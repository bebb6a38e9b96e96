"""Which run is in use: what desk, log, measures and the next release take their zones from.

A person puts a run to use, with a reason; nothing else does. Each outcome of a city has one run in
use at most. Where several outcomes have one, pages that show the zones of one run show those of the
run that was put to use last.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from geodata.db.tables import City, Run, RunUse
from geodata.errors import DataError, NotStoredError
from geodata.repositories import archiving, audit, cities, runs, zone_versions

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord, RunSummary

DAY = dt.timedelta(days=1)
LONGEST_REASON = 500
WHOLE = "city"  # the scope of runs of the whole city


@dataclass(frozen=True, kw_only=True)
class RunUseRecord:
    """That a run was put to use; ``until`` is when another one of its outcome was. Times are UTC.

    ``name`` is what the run is called, if it has a name.
    """

    run: str
    outcome: str
    reason: str
    used_by: str
    used_at: dt.datetime
    until: dt.datetime | None


def list_uses(session: Session, city_id: int) -> list[RunUseRecord]:
    """List which runs of a city were put to use, the newest first."""
    rows = session.scalars(
        select(RunUse).where(RunUse.city_id == city_id).order_by(RunUse.id.desc())
    )
    ended: dict[str, dt.datetime] = {}
    found = []
    for row in rows:
        found.append(
            RunUseRecord(
                run=row.run_id,
                outcome=row.outcome,
                reason=row.reason,
                used_by=row.used_by,
                used_at=row.used_at,
                until=ended.get(row.outcome),
            )
        )
        ended[row.outcome] = row.used_at
    return found


def uses_now(session: Session, city_id: int) -> dict[str, RunUseRecord]:
    """Return the use that each run in use has of a city by its id, the one put to use last first.

    Since when it is in use is the moment at which it became so, however often that was repeated.
    """
    found: dict[str, RunUseRecord] = {}
    ended: set[str] = set()  # outcomes whose run in use was another one before
    runs_of: dict[str, str] = {}
    for one in list_uses(session, city_id):
        if one.outcome in ended:
            continue
        if runs_of.setdefault(one.outcome, one.run) != one.run:
            ended.add(one.outcome)
        elif one.run not in found:
            found[one.run] = one
        else:
            found[one.run] = RunUseRecord(
                run=one.run,
                outcome=one.outcome,
                reason=found[one.run].reason,
                used_by=found[one.run].used_by,
                used_at=one.used_at,
                until=None,
            )
    return found


def runs_to_show(session: Session, city: CityRecord) -> list[str]:
    """Return the ids of the runs in use whose outcome is not sensitive, last put to use first."""
    return [
        one.run
        for one in uses_now(session, city.id).values()
        if one.outcome not in city.sensitive_outcomes
    ]


def id_in_use(session: Session, city: CityRecord) -> str | None:
    """Return the id of the run whose zones a city is patrolled, measured and published by."""
    return next(iter(runs_to_show(session, city)), None)


def run_in_use(session: Session, city: CityRecord) -> RunRecord | None:
    """Return that run with its zones in use, or nothing if no run is in use."""
    found = id_in_use(session, city)
    return None if found is None else zone_versions.get_run_in_use(session, found)


def nothing_in_use(slug: str) -> str:
    """Say that no run of a city is in use, and what to do."""
    return (
        f"no run of {slug} is in use; choose one (saferground runs {slug}) and put it to use: "
        "saferground use RUN --as NAME --why TEXT"
    )


def use_run(
    session: Session, run_id: str, reason: str, who: str, when: dt.datetime
) -> tuple[RunUseRecord, str | None]:
    """Put a run to use for its outcome.

    Returns
    -------
    What is stored of it, and the id of the run that was in use for the outcome before, if any.

    Raises
    ------
    NotStoredError
        If no run of that id is stored.
    DataError
        If no reason or no person is named, the run cannot be used, or it is in use already.
    """
    text = " ".join(reason.split())
    if not 0 < len(text) <= LONGEST_REASON:
        msg = f"say why the run is put to use, in 1 to {LONGEST_REASON} characters; it is kept"
        raise DataError(msg, code="reason_missing")
    if not who.strip():
        msg = "say who puts the run to use: --as NAME"
        raise DataError(msg, code="author_missing")
    session.execute(select(Run.id).where(Run.id == run_id).with_for_update())
    summary = runs.get_summary(session, run_id)
    city = cities.get_city(session, summary.city)
    session.execute(select(City.id).where(City.id == city.id).with_for_update())
    _require_usable(city, summary)
    if archiving.is_archived(session, archiving.RUN, run_id):
        msg = f"run {run_id} is archived; restore it before it is put to use"
        raise DataError(msg, code="run_archived")
    now = uses_now(session, city.id)
    if next(iter(now), None) == run_id:
        msg = f"run {run_id} is in use already"
        raise DataError(msg, code="in_use_already")
    before = next((one.run for one in now.values() if one.outcome == summary.outcome), None)
    row = RunUse(
        city_id=city.id,
        outcome=summary.outcome,
        run_id=run_id,
        reason=text,
        used_by=" ".join(who.split()),
        used_at=when,
    )
    session.add(row)
    session.flush()
    details = {"city": city.slug, "outcome": summary.outcome, "before": before, "reason": text}
    audit.record(session, who, "run.use", run_id, details)
    return uses_now(session, city.id)[run_id], before


def why_not_usable(city: CityRecord, run: RunSummary) -> str:
    """Say why the zones of a run cannot be patrolled or published; nothing if they can."""
    if not run.readable:
        return f"run {run.id} was made by an earlier version; fit it again"
    if run.scope != WHOLE:
        return f"run {run.id} is of district {run.scope} alone; a run of the whole city is needed"
    if run.outcome in city.sensitive_outcomes:
        return (
            f"{run.outcome} is sensitive in {city.slug}; its zones are not patrolled or published"
        )
    return ""


def _require_usable(city: CityRecord, run: RunSummary) -> None:
    why = why_not_usable(city, run)
    if not why and not run.zones:
        why = f"run {run.id} has no zones; its warnings say why: saferground show {run.id}"
    if why:
        raise DataError(why, code="run_unusable")


def run_to_draft(
    session: Session, city: CityRecord, wanted: str | None, last_day: dt.date
) -> tuple[str | None, bool]:
    """Choose the run that a release shows: the one that is wanted, else the one in use.

    Where none is in use it is the newest whose zones can be published: a draft is a person's
    decision, and another one approves it. ``last_day`` is the newest day that a release may tell
    of: zones that were drawn from a later one would tell of it too.

    Returns
    -------
    Its id, nothing if the city has no such run; and whether no run of the city is in use.

    Raises
    ------
    NotStoredError
        If the run that is wanted is not one of the city.
    DataError
        If its zones cannot be published, or cannot be yet.
    """
    used = id_in_use(session, city)
    if wanted is not None or used is not None:
        summary = runs.get_summary(session, wanted or used or "")
        if summary.city != city.slug:
            msg = f"{city.slug} has no run {wanted!r:.80}; list them: saferground runs {city.slug}"
            raise NotStoredError(msg, code="no_run")
        if wanted is not None and (why := why_not_usable(city, summary)):
            raise DataError(why, code="run_unusable")
        _require_old_enough(summary, last_day)
        return summary.id, used is None
    found = [run for run in runs.list_runs(session, city.slug) if not why_not_usable(city, run)]
    ready = [run for run in found if run.period_to <= last_day + DAY]
    if found and not ready:
        _require_old_enough(found[0], last_day)
    return (ready[0].id if ready else None), True


def _require_old_enough(run: RunSummary, last_day: dt.date) -> None:
    """Refuse to publish zones that were drawn from days which may not be reported yet."""
    end = last_day + DAY
    if run.period_to > end:
        msg = (
            f"run {run.id} was drawn from incidents before {run.period_to}, and a release may tell "
            f"of days through {last_day} only; fit it on older days, put that run to use and draft "
            f"again: saferground fit {run.city} --outcome {run.outcome} --to {end}"
        )
        raise DataError(msg, code="run_too_new")
