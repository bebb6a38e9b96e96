"""The pilot of the demonstration city: dosage patrols with a known effect on robbery.

From the pilot's first day, each robbery near a patrolled place fails to happen with a known chance;
elsewhere and before, none does. Which ones did not happen is kept, so that the true effect in any
areas whatever is known without a model: it is how many robberies were prevented in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geodata.demo.writing import EAST, NORTH, to_degrees
from spatial.grid import area_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.grid import Grid

OUTCOME = "robbery"
FIRST_DAY, LAST_DAY = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-12-31")
PREVENTED = 0.2  # the share of robberies within reach that do not happen
REACH_M = 200.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Pilot:
    """What the pilot truly did.

    Parameters
    ----------
    treated
        Cells that the patrols reach, shape ``(cells,)``.
    drawn
        Robberies of treated cells and of the pilot's time as they were drawn, without it: moment
        and, in metres around the city hall, ``x`` and ``y``.
    prevented
        Which of them did not happen, shape ``(drawn,)``.
    """

    treated: NDArray[np.bool_]
    drawn: pd.DataFrame
    prevented: NDArray[np.bool_]

    def prevented_in(self, areas: Sequence[BaseGeometry]) -> int:
        """Count the robberies prevented in areas, which are in the city's reference system."""
        gone = self.drawn[self.prevented]
        at = area_of(gone["x"].to_numpy() + EAST, gone["y"].to_numpy() + NORTH, areas)
        return int((at >= 0).sum())

    def document(self) -> dict[str, Any]:
        """Describe the pilot for the truth that is written beside the files.

        The prevented robberies are told with their days and places, so that whoever chooses areas
        can count the true effect in them.
        """
        gone = self.drawn[self.prevented]
        degrees = shapely.get_coordinates(to_degrees(shapely.points(gone[["x", "y"]].to_numpy())))
        years = self.drawn["moment"].dt.year.to_numpy()
        return {
            "outcome": OUTCOME,
            "from": f"{FIRST_DAY:%Y-%m-%d}",
            "to": f"{LAST_DAY + pd.Timedelta(days=1):%Y-%m-%d}",
            "effect": -PREVENTED,
            "reach_m": REACH_M,
            "treated_cells": int(self.treated.sum()),
            "treated_share_of_cells": round(float(self.treated.mean()), 4),
            "years": {
                str(year): {
                    "without_the_pilot": int((years == year).sum()),
                    "prevented": int(((years == year) & self.prevented).sum()),
                }
                for year in np.unique(years)
            },
            "prevented": [
                {"day": f"{day:%Y-%m-%d}", "longitude": float(x), "latitude": float(y)}
                for day, (x, y) in zip(gone["moment"], degrees, strict=True)
            ],
        }


def run_pilot(
    grid: Grid, spots: pd.DataFrame, incidents: pd.DataFrame, rng: Generator
) -> tuple[Pilot, pd.DataFrame]:
    """Prevent robberies around patrolled places; give what was done, and the incidents left.

    Parameters
    ----------
    grid
        The city's cells, around the city hall.
    spots
        Patrolled places; ``cell`` of each.
    incidents
        All incidents as drawn: ``outcome``, ``moment``, ``x``, ``y``.
    rng
        A stream of its own, so that no other number depends on the pilot.
    """
    centres = np.column_stack([grid.x, grid.y])
    away, _ = cKDTree(centres[spots["cell"].to_numpy()]).query(centres)
    treated = away <= REACH_M
    cell = grid.locate(incidents["x"].to_numpy(), incidents["y"].to_numpy())
    within = (cell >= 0) & treated[cell] & (incidents["outcome"] == OUTCOME).to_numpy()
    within &= (incidents["moment"] >= FIRST_DAY).to_numpy()
    prevented = rng.random(int(within.sum())) < PREVENTED
    gone = np.zeros(len(incidents), dtype=bool)
    gone[within] = prevented
    pilot = Pilot(
        treated=treated,
        drawn=incidents.loc[within, ["moment", "x", "y"]].reset_index(drop=True),
        prevented=prevented,
    )
    return pilot, incidents[~gone].reset_index(drop=True)
