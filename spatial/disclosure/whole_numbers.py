"""The cheapest whole numbers that fulfil sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Counts = NDArray[np.int64]
    Floats = NDArray[np.float64]

# Of the solver's feasibility tolerance: HiGHS calls an integer whole within 1e-6.
ROUNDING = 1e-5


def solve_whole(
    cost: Floats,
    low: Floats | Counts,
    high: Floats | Counts,
    matrix: csr_array,
    *,
    known: float = np.inf,
    gap: float = 0.0,
) -> Counts | None:
    """Find the cheapest whole numbers within bounds for which every row of the matrix gives 0.

    With a ``gap``, numbers that cost at most this share more will do.

    Returns
    -------
    None where there are none, or none cheaper than a cost already ``known``.
    """
    for whole in (0, 1):  # broken numbers first: they mostly come out whole, and take no search
        found = milp(
            cost,
            integrality=np.full(len(cost), whole),
            bounds=Bounds(low, high),
            constraints=LinearConstraint(matrix, 0, 0),
            options={"mip_rel_gap": gap},
        )
        if found.x is None:
            break
        numbers = np.rint(found.x).astype(np.int64)
        if np.abs(found.x - numbers).max() < ROUNDING:
            return numbers
        if np.ceil(found.fun - ROUNDING) >= known:
            break
    return None
