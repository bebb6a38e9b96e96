"""What is patrolled in a district: the run whose zones are in use, these zones, and a plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from geodata.store import runs, uses, zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from app.command.place import Place
    from geodata.store.cities import CityRecord
    from geodata.store.plans import PlanRecord
    from geodata.store.runs import RunRecord, RunSummary
    from geodata.store.zones import ZoneRecord


@dataclass(frozen=True, kw_only=True, eq=False)
class Present:
    """The plan that stands for a shift, if any, and the zones that visits can be made to.

    ``names`` says what zones of runs that are not in use are called, by their ids; ``note`` says
    whose zones these are where their run is not in use.
    """

    plan: PlanRecord | None
    run: str | None
    zones: tuple[ZoneRecord, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def rank(self, code: str) -> int:
        """Give the rank of a zone, 0 for one of another run."""
        return next((zone.rank for zone in self.zones if zone.code == code), 0)


def runs_for_patrols(session: Session, city: CityRecord) -> list[RunSummary]:
    """List the runs in use whose zones may be patrolled, the one put to use last first.

    Runs of sensitive outcomes stay with those who may see them.
    """
    return [runs.get_summary(session, run) for run in uses.runs_to_show(session, city)]


def runs_to_judge(session: Session, city: CityRecord, *, trials: bool) -> list[RunSummary]:
    """List the runs whose zones may be evaluated: those in use, then those that were.

    With ``trials`` runs that never were in use come after them, the newest first.
    """
    used = [one.run for one in uses.list_uses(session, city.id)]
    known = {
        run.id: run
        for run in runs.list_runs(session, city.slug)
        if run.zones and not uses.why_not_usable(city, run) and (trials or run.id in used)
    }
    order = dict.fromkeys([*uses.runs_to_show(session, city), *used, *known])
    return [known[run] for run in order if run in known]


def patrol_run(session: Session, place: Place) -> RunRecord | None:
    """Return the run in use, whose zones are this week's, or nothing."""
    return uses.run_in_use(session, place.city)


def district_zones(run: RunRecord | None, code: str) -> gpd.GeoDataFrame | None:
    """Give the zones of a run in a district, by rank."""
    if run is None:
        return None
    return run.zones[run.zones["district"] == code].sort_values("rank").reset_index(drop=True)


def present(session: Session, place: Place, plan: PlanRecord | None) -> Present:
    """Give the zones of a plan's run, else of the run in use."""
    run = plan.run if plan else uses.id_in_use(session, place.city)
    return _present(session, place, plan, run)


def present_of(session: Session, place: Place, run: str) -> Present:
    """Return the zones of a run in a district, for what was made on it."""
    return _present(session, place, None, run)


def _present(session: Session, place: Place, plan: PlanRecord | None, run: str | None) -> Present:
    found = zones.district_zones(session, run, place.code) if run else []
    there = Present(plan=plan, run=run, zones=tuple(found))
    if run is None or run in uses.uses_now(session, place.city.id):
        return there
    there = with_names(session, place.city, there, [(run, zone.code) for zone in found])
    note = f"These are zones of {run_words(session, place.city, run)}."
    return replace(there, note=note)


def with_names(
    session: Session, city: CityRecord, there: Present, wanted: Iterable[tuple[str, str]]
) -> Present:
    """Add what zones of runs that are not in use are called; ``wanted`` are runs and zones."""
    return replace(there, names={**there.names, **zone_names(session, city, wanted)})


def zone_names(
    session: Session, city: CityRecord, wanted: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Say what zones are called by their ids: their rank, and their run where it is not in use.

    Parameters
    ----------
    wanted
        Pairs of the id of a run and the id of a zone.
    """
    now = uses.uses_now(session, city.id)
    found: dict[str, str] = {}
    for run, pairs in groupby(sorted(set(wanted)), key=lambda pair: pair[0]):
        ranks = zones.zone_ranks(session, run)
        of = "" if run in now else f" of {run_words(session, city, run)}"
        for _, code in pairs:
            found[code] = f"Zone {ranks[code]}{of}" if code in ranks else code
    return found


def run_words(session: Session, city: CityRecord, run: str) -> str:
    """Name a run that is not in use, with the day until which it was."""
    name = runs.get_summary(session, run).name
    until = next((one.until for one in uses.list_uses(session, city.id) if one.run == run), None)
    called = f"run {run}, {name}" if name else f"run {run}"
    return f"{called} (in use until {until:%Y-%m-%d})" if until else f"{called} (not in use)"
