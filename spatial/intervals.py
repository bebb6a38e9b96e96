"""Intervals of shares, quantiles and differences of quantiles.

Shares have Wilson's interval. Quantiles have the percentile interval of the bootstrap (Efron 1979),
which needs no resampling: the r-th smallest of n draws with replacement from n sorted values is the
value at place ``ceil(n U)``, where U is the r-th smallest of n uniform draws and so follows a beta
distribution (Hutson and Ernst 2000). Drawing U gives exactly what resampling would give, at a cost
that does not grow with n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.95
REPLICATES = 4_000
LEAST_VALUES = 5  # a bootstrap of fewer says nothing


def wilson(hits: float, total: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Give the interval of a share (Wilson 1927), within 0 and 1.

    >>> [round(float(edge), 4) for edge in wilson(15, 50)]
    [0.191, 0.4375]
    """
    z = norm.ppf(0.5 + level / 2)
    share = hits / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def quantile_interval(
    values: Floats, q: float, *, level: float = LEVEL, seed: int = 1
) -> tuple[float, float] | None:
    """Give the bootstrap interval of a quantile; nothing where there are fewer than five values.

    Parameters
    ----------
    values
        Finite values in any order.
    q
        Between 0 and 1; between two values the quantile is interpolated as numpy does.
    level, seed
        Of the interval and of its draws.
    """
    if len(values) < LEAST_VALUES:
        return None
    return _percentiles(_quantile_draws(np.sort(values), q, np.random.default_rng(seed)), level)


def difference_interval(
    first: Floats, second: Floats, q: float, *, level: float = LEVEL, seed: int = 1
) -> tuple[float, float] | None:
    """Give the bootstrap interval of a quantile of the first minus that of the second.

    The two samples are resampled apart; nothing where either has fewer than five values.
    """
    if min(len(first), len(second)) < LEAST_VALUES:
        return None
    rng = np.random.default_rng(seed)
    draws = _quantile_draws(np.sort(first), q, rng) - _quantile_draws(np.sort(second), q, rng)
    return _percentiles(draws, level)


def _quantile_draws(ordered: Floats, q: float, rng: np.random.Generator) -> Floats:
    """Draw the quantile of resamples of sorted values, shape ``(REPLICATES,)``."""
    n = len(ordered)
    place = (n - 1) * q
    rank = int(np.floor(place)) + 1  # the lower of the two order statistics, counted from 1
    between = place - (rank - 1)
    lower = rng.beta(rank, n - rank + 1, REPLICATES)
    below = ordered[_position(lower, n)]
    if between == 0.0:
        return below
    upper = lower + (1.0 - lower) * (1.0 - rng.random(REPLICATES) ** (1.0 / (n - rank)))
    return below + between * (ordered[_position(upper, n)] - below)


def _position(share: Floats, n: int) -> NDArray[np.int64]:
    return np.clip(np.ceil(share * n).astype(np.int64) - 1, 0, n - 1)


def _percentiles(draws: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
