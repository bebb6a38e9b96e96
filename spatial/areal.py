"""Counts of polygons -> estimates for other areas, by the share of each polygon inside.

Areal weighting takes what is counted to be spread evenly over its polygon (Goodchild and Lam 1980,
"Areal interpolation: a variant of the traditional spatial problem", Geo-Processing 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


def weigh_areas(
    counts: NDArray[np.float64],
    polygons: NDArray[np.object_],
    areas: Sequence[BaseGeometry],
) -> NDArray[np.float64]:
    """Estimate counts within areas.

    Parameters
    ----------
    counts
        Of the polygons, shape ``(polygons, counts)``.
    polygons
        Where they were counted, in a projected reference system.
    areas
        In the same reference system; they may overlap each other.

    Returns
    -------
    Shape ``(areas, counts)``. A polygon without area gives nothing.
    """
    found = np.zeros((len(areas), counts.shape[1]))
    whole = shapely.area(polygons)
    tree = shapely.STRtree(polygons)
    for position, area in enumerate(areas):
        touching = np.sort(tree.query(area, predicate="intersects"))
        touching = touching[whole[touching] > 0]
        inside = shapely.area(shapely.intersection(polygons[touching], area)) / whole[touching]
        found[position] = inside @ counts[touching]
    return found
