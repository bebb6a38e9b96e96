"""One planned shift beside the visits that were logged in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata.readers.dates import local_days
from spatial.grid import area_of
from spatial.patrol.compliance import ZoneShift, judge_plan

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from geodata.repositories.patrol_plans import PlanRecord

    Extent = tuple[dt.date, dt.date]


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedShift:
    """A planned shift and what was done in it.

    ``zones`` are the planned zones by their position in the plan's document. ``visits`` are the
    rows of visits that began in the shift and lie in one of the plan's zones, with ``place``, that
    position. What was done is not ``known`` of a shift that does not lie wholly in the days that
    visits were logged of.
    """

    plan: PlanRecord
    zones: tuple[ZoneShift, ...]
    visits: pd.DataFrame
    known: bool

    @property
    def planned(self) -> int:
        """Visits that were planned."""
        return sum(zone.planned for zone in self.zones)

    @property
    def done(self) -> int:
        """Visits that were made to planned zones, also beyond their number."""
        return sum(zone.done for zone in self.zones)

    @property
    def met(self) -> int:
        """Zones that got at least the planned number of visits."""
        return sum(zone.met for zone in self.zones)


def judge_shift(
    plan: PlanRecord,
    shapes: Mapping[str, BaseGeometry],
    visits: pd.DataFrame,
    extent: Extent | None,
    timezone: str,
) -> JudgedShift:
    """Set the visits of a shift beside its plan.

    Parameters
    ----------
    plan
        The plan that stands.
    shapes
        Outline of each zone of its run by identifier.
    visits
        All visits with ``start_ms``, ``end_ms``, ``x`` and ``y``, by ``start_ms``.
    extent
        First and last local day that visits were logged of, if any was.
    timezone
        Of the city.
    """
    zones = plan.document.zones
    start, end = plan.shift_start_ms, plan.shift_end_ms
    mine = visits[slice(*np.searchsorted(visits["start_ms"].to_numpy(), [start, end]))]
    within = area_of(
        mine["x"].to_numpy(), mine["y"].to_numpy(), [shapes[zone.zone] for zone in zones]
    ).astype(np.int64)
    judged = judge_plan(
        [zone.visits for zone in zones],
        within,
        (mine["start_ms"].to_numpy() - start) / 60_000,
        (mine["end_ms"].to_numpy() - start) / 60_000,
        (end - start) / 60_000,
    )
    days = local_days(np.array([start, end - 1], dtype=float), timezone)
    first, last = days[0].date(), days[1].date()
    return JudgedShift(
        plan=plan,
        zones=tuple(judged),
        visits=mine.assign(place=within)[within >= 0],
        known=extent is not None and extent[0] <= first and last <= extent[1],
    )
