"""What is patrolled in a district: the run whose zones are in use, these zones, and a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.store import editions, runs, zones

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session

    from app.command.place import Place
    from geodata.store.cities import CityRecord
    from geodata.store.plans import PlanRecord
    from geodata.store.runs import RunRecord, RunSummary
    from geodata.store.zones import ZoneRecord


@dataclass(frozen=True, kw_only=True, eq=False)
class Present:
    """The plan that stands for a shift, if any, and the zones that visits can be made to."""

    plan: PlanRecord | None
    run: str | None
    zones: tuple[ZoneRecord, ...]

    def rank(self, code: str) -> int:
        """Give the rank of a zone, 0 for one of another run."""
        return next((zone.rank for zone in self.zones if zone.code == code), 0)


def runs_for_patrols(session: Session, city: CityRecord) -> list[RunSummary]:
    """List the runs whose zones may be patrolled and judged here, newest first.

    They are of the whole city; runs of sensitive outcomes stay with those who may see them.
    """
    return [
        run
        for run in runs.list_runs(session, city.slug)
        if run.readable
        and run.scope == "city"
        and run.zones
        and run.outcome not in city.sensitive_outcomes
    ]


def patrol_run(session: Session, place: Place) -> RunRecord | None:
    """Give the run whose zones are this week's: the newest of the whole city."""
    found = runs_for_patrols(session, place.city)
    return editions.get_run_in_use(session, found[0].id) if found else None


def district_zones(run: RunRecord | None, code: str) -> gpd.GeoDataFrame | None:
    """Give the zones of a run in a district, by rank."""
    if run is None:
        return None
    return run.zones[run.zones["district"] == code].sort_values("rank").reset_index(drop=True)


def present(session: Session, place: Place, plan: PlanRecord | None) -> Present:
    """Give the zones of a plan's run, else of the newest run that has some."""
    run = plan.run if plan else zones.newest_run_id(session, place.city, place.code)
    found = zones.district_zones(session, run, place.code) if run else []
    return Present(plan=plan, run=run, zones=tuple(found))
