"""Did zones with more visits have fewer incidents the week after? Exploratory only.

A regression of a zone's incidents in a week on its visits the week before, with an effect of every
zone and of every week. Visits are not given out at random: patrols go where incidents are expected,
so the coefficient is no effect of a visit. It can show that an effect claimed elsewhere is at odds
with the city's own log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from spatial.errors import OutcomeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

# Levels of zones and weeks are taken out first: fewer leave hardly a degree of freedom.
FEWEST_ZONES, FEWEST_WEEKS = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseResponse:
    """More (or, below 0, fewer) incidents the week after for each further visit; exploratory.

    ``se`` allows for weeks of a zone that hang together (clusters); the interval has
    ``zones - 1`` degrees of freedom. With fewer than about 30 zones it is too narrow.
    """

    incidents_per_visit: float
    se: float
    low: float
    high: float
    zones: int
    weeks: int
    exploratory: bool = True


def dose_response(visits: ArrayLike, incidents: ArrayLike, *, alpha: float = 0.05) -> DoseResponse:
    """Regress incidents on the visits of the week before, with zone and week effects.

    ``incidents[z, w + 1] = b visits[z, w] + zone[z] + week[w] + error`` by least squares, which in
    a table without gaps is the regression of what is left after the means of zones and weeks are
    taken out. Standard error clustered by zone (Cameron and Miller 2015), with their correction
    ``G / (G - 1) * (N - 1) / (N - K)``.

    Parameters
    ----------
    visits, incidents
        Numbers in each zone and week, shape ``(zones, weeks)``, weeks in order.
    alpha
        One minus the level of the interval.

    Raises
    ------
    OutcomeError
        If the tables differ in shape, are too small, have gaps, or visits do not differ between
        zones within a week.
    """
    x, y = np.asarray(visits, dtype=float), np.asarray(incidents, dtype=float)
    if x.ndim != 2 or x.shape != y.shape or not (np.isfinite(x) & np.isfinite(y)).all():
        msg = (
            "visits and incidents need one number for each zone and week, without gaps; got "
            f"tables of {x.shape} and {y.shape}"
        )
        raise OutcomeError(msg, code="dose_table")
    zones, weeks = x.shape
    if zones < FEWEST_ZONES or weeks < FEWEST_WEEKS:
        msg = (
            f"{zones} zones over {weeks} weeks are too few; log visits in at least {FEWEST_ZONES} "
            f"zones for {FEWEST_WEEKS} weeks"
        )
        raise OutcomeError(msg, code="dose_too_few")
    dose, after = _within(x[:, :-1]), _within(y[:, 1:])
    spread = float((dose**2).sum())
    if spread <= 1e-12 * max(1.0, float((x**2).sum())):
        msg = (
            "every zone had the same visits but for its own level and the week's, so nothing can "
            "be told from them; log visits that differ"
        )
        raise OutcomeError(msg, code="dose_alike")
    slope = float((dose * after).sum() / spread)
    by_zone = (dose * (after - slope * dose)).sum(axis=1)
    n, terms = dose.size, zones + dose.shape[1]  # slope, intercept and the effects
    correction = zones / (zones - 1) * (n - 1) / (n - terms)
    se = float(np.sqrt(correction * (by_zone**2).sum()) / spread)
    reach = float(student.isf(alpha / 2, zones - 1)) * se
    return DoseResponse(
        incidents_per_visit=slope,
        se=se,
        low=slope - reach,
        high=slope + reach,
        zones=zones,
        weeks=weeks,
    )


def _within(table: Floats) -> Floats:
    """Take out the means of rows and columns."""
    return (
        table - table.mean(axis=1, keepdims=True) - table.mean(axis=0, keepdims=True) + table.mean()
    )
