"""Are the places of a factor clustered? The nearest-neighbour test of Clark and Evans.

Clark, P. J. and Evans, F. C. (1954), "Distance to nearest neighbor as a measure of spatial
relationships in populations", Ecology 35. For n points thrown at random on an area A the mean
distance to the nearest neighbour is ``1 / (2 sqrt(n / A))`` with standard error
``sqrt((4 - pi) / (4 pi)) / sqrt(n^2 / A)``, which is 0.26136 / sqrt(n^2 / A).

There is no correction for edges: along them neighbours outside the area are missed, so that points
look a little more dispersed than they are. The corrections in use need a smooth outline, which no
city has. RTMDx uses the test as a hint only, and so do we (RTMDx User Manual, 2015, appendix).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.spatial import cKDTree

from spatial.errors import SpecError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Pattern = Literal["clustered", "dispersed", "random"]

SIGNIFICANT = 1.959964  # of the standard normal: 5 %, two-sided


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestNeighbours:
    """What the test says of ``n`` points.

    ``mean_units`` is their mean distance to the nearest other, ``expected_units`` what it would be
    at random, ``ratio`` the one over the other and ``z`` their difference in standard errors.
    """

    n: int
    mean_units: float
    expected_units: float
    ratio: float
    z: float

    @property
    def pattern(self) -> Pattern:
        """What the points are at the 5 % level."""
        if abs(self.z) < SIGNIFICANT:
            return "random"
        return "clustered" if self.z < 0 else "dispersed"

    def suggests(self, farthest_units: float) -> Literal["proximity", "density"]:
        """Say which operation is worth trying (RTMDx User Manual, 2015).

        Density if the points are clustered; proximity if they are not, or if they lie farther from
        each other than the farthest influence, so that no kernel would hold two of them.
        """
        dense = self.pattern == "clustered" and self.mean_units <= farthest_units
        return "density" if dense else "proximity"


def nearest_neighbours(x: ArrayLike, y: ArrayLike, area: float) -> NearestNeighbours:
    """Test whether points are nearer to each other than at random.

    Parameters
    ----------
    x, y
        Coordinates in a projected reference system, shape ``(n,)``.
    area
        Area that they could lie in, in square units.

    Raises
    ------
    SpecError
        If there are fewer than two points, or the area is not above 0.
    """
    points = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    n = len(points)
    if n < 2 or not (area > 0 and math.isfinite(area)):
        msg = f"a nearest-neighbour test needs two points and an area, got {n} and {area!r}"
        raise SpecError(msg, code="too_few_points")
    distance, _ = cKDTree(points).query(points, k=2)
    mean = float(distance[:, 1].mean())
    expected = 0.5 / math.sqrt(n / area)
    error = math.sqrt((4 - math.pi) / (4 * math.pi)) / math.sqrt(n**2 / area)
    return NearestNeighbours(
        n=n,
        mean_units=mean,
        expected_units=expected,
        ratio=mean / expected,
        z=(mean - expected) / error,
    )
