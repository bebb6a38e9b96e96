"""Which zones of two runs are the same place: one to one, by how much of them overlaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

LEAST_SHARED = 0.5  # of the smaller zone: with half of it in common, most of it is the same place


def match_zones(before: Sequence[BaseGeometry], after: Sequence[BaseGeometry]) -> dict[int, int]:
    """Match zones with those of another run.

    Two zones can be the same place if they share at least half of the area of the smaller one. Of
    these pairs each zone is in one at most, chosen so that the sum of intersection over union is
    the greatest there can be (the assignment problem, solved by SciPy's Jonker-Volgenant method).

    Parameters
    ----------
    before, after
        Outlines in one projected reference system.

    Returns
    -------
    The position in ``before`` by the position in ``after``, of those that have a match.

    >>> match_zones([shapely.box(0, 0, 2, 1)], [shapely.box(5, 5, 6, 6), shapely.box(1, 0, 3, 1)])
    {1: 0}
    """
    if len(before) == 0 or len(after) == 0:
        return {}
    old, new = np.asarray(before, dtype=object), np.asarray(after, dtype=object)
    shared = shapely.area(shapely.intersection(old[:, None], new[None, :]))
    area_old, area_new = shapely.area(old)[:, None], shapely.area(new)[None, :]
    smaller = np.minimum(area_old, area_new)
    can_be = (shared > 0) & (shared >= LEAST_SHARED * smaller * (1 - 1e-9))
    worth = np.where(can_be, shared / (area_old + area_new - shared), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return {
        int(column): int(row)
        for row, column in sorted(zip(rows, columns, strict=True), key=lambda pair: pair[1])
        if can_be[row, column]
    }
