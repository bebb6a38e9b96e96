"""Intervals of counts, shares, quantiles and differences of quantiles.

Counts have Garwood's interval, their ratios Clopper's and Pearson's, shares Wilson's. Quantiles
have the percentile interval of the bootstrap (Efron 1979), which needs no resampling: the r-th
smallest of n draws with replacement from n sorted values is the value at place ``ceil(n U)``, where
U is the r-th smallest of n uniform draws and so follows a beta distribution (Hutson and Ernst
2000). Drawing U gives exactly what resampling would give, at a cost that does not grow with n.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaincinv, gammaincinv
from scipy.stats import norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Positions = NDArray[np.int32]
    Places = tuple[Positions, Positions, float]

LEVEL = 0.95
REPLICATES = 4_000
LEAST_VALUES = 5  # a bootstrap of fewer says nothing
KEPT_DRAWS = 512  # sizes of samples; 32 kB each


def wilson(hits: float, total: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of a share (Wilson 1927), within 0 and 1.

    >>> [round(float(edge), 4) for edge in wilson(15, 50)]
    [0.191, 0.4375]
    """
    z = _normal_quantile(0.5 + level / 2)
    share = hits / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def poisson(count: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of what a count is expected to be (Garwood 1936).

    >>> [round(bound, 2) for bound in poisson(10)]
    [4.8, 18.39]
    """
    tail = (1.0 - level) / 2.0
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1.0, 1.0 - tail))


def ratio_of_counts(
    now: float, before: float, *, dispersion: float = 1.0, level: float = LEVEL
) -> tuple[float, float]:
    """Return the interval of the ratio of two counts of equally long periods.

    It is exact where counts scatter as Poisson counts do: of both together the later is binomial
    (Clopper and Pearson 1934; Przyborowski and Wilenski 1940). Where they scatter more, each counts
    for ``dispersion`` times less (McCullagh and Nelder 1989, section 4.5).

    >>> [round(edge, 2) for edge in ratio_of_counts(60, 40)]
    [0.99, 2.3]
    >>> [round(edge, 2) for edge in ratio_of_counts(60, 40, dispersion=2.0)]
    [0.82, 2.79]
    >>> ratio_of_counts(5, 0)[1]
    inf
    """
    tail = (1.0 - level) / 2.0
    a, b = now / dispersion, before / dispersion
    low = float(betaincinv(a, b + 1.0, tail)) if a else 0.0
    high = float(betaincinv(a + 1.0, b, 1.0 - tail)) if b else 1.0
    return low / (1.0 - low), high / (1.0 - high) if high < 1.0 else np.inf


def dispersion_of_pairs(now: Floats, before: Floats) -> float:
    """Return how many times more pairs of counts scatter about one ratio than Poisson counts do.

    Pearson's chi-square over its degrees of freedom, at least 1; 1 of fewer than two pairs.

    >>> dispersion_of_pairs(np.array([10.0, 30.0]), np.array([10.0, 10.0])) > 1
    True
    """
    both = now + before
    kept = both > 0
    if kept.sum() < 2 or now.sum() == 0 or before.sum() == 0:
        return 1.0
    share = now.sum() / both.sum()
    expected = both[kept] * share
    chi_square = ((now[kept] - expected) ** 2 / (expected * (1 - share))).sum()
    return max(1.0, float(chi_square / (kept.sum() - 1)))


@lru_cache(maxsize=16)
def _normal_quantile(share: float) -> float:
    """Return a quantile of the normal distribution; scipy takes 0.1 ms for each."""
    return float(norm.ppf(share))


def quantile_of_sorted(ordered: Floats, q: float) -> float:
    """Return a quantile of at least one value in ascending order, as ``np.quantile`` does.

    >>> quantile_of_sorted(np.array([1.0, 2.0, 4.0]), 0.75)
    3.0
    """
    place = (len(ordered) - 1) * q
    lower = int(place)
    return _between(ordered[lower], ordered[min(lower + 1, len(ordered) - 1)], place - lower)


def quantile_interval(
    values: Floats, q: float, *, level: float = LEVEL, seed: int = 1
) -> tuple[float, float] | None:
    """Return the bootstrap interval of a quantile; nothing where there are fewer than five values.

    Parameters
    ----------
    values
        Finite values in any order.
    q
        Between 0 and 1; between two values the quantile is interpolated as numpy does.
    level, seed
        Of the interval and of its draws.
    """
    n = len(values)
    if n < LEAST_VALUES:
        return None
    (places,) = _places((n,), q, seed)
    return _percentiles(_drawn(np.sort(values), places), level)


def difference_interval(
    first: Floats, second: Floats, q: float, *, level: float = LEVEL, seed: int = 1
) -> tuple[float, float] | None:
    """Return the bootstrap interval of a quantile of the first minus that of the second.

    The two samples are resampled apart; nothing where either has fewer than five values.
    """
    if min(len(first), len(second)) < LEAST_VALUES:
        return None
    one, two = _places((len(first), len(second)), q, seed)
    draws = _drawn(np.sort(first), one) - _drawn(np.sort(second), two)
    return _percentiles(draws, level)


@lru_cache(maxsize=KEPT_DRAWS)
def _places(sizes: tuple[int, ...], q: float, seed: int) -> tuple[Places, ...]:
    """Draw where in each of some samples the quantiles of its resamples lie, one after the other.

    It depends on how many values there are and not on what they are, so that all samples of one
    size share their draws.

    Returns
    -------
    For each sample the positions of the lower and of the upper of two values in ascending order,
    shapes ``(REPLICATES,)``, and how far from the lower to the upper the quantile lies.
    """
    rng = np.random.default_rng(seed)
    found = []
    for n in sizes:
        place = (n - 1) * q
        rank = int(np.floor(place)) + 1  # the lower of the two order statistics, counted from 1
        between = place - (rank - 1)
        lower = rng.beta(rank, n - rank + 1, REPLICATES)
        upper = lower
        if between != 0.0:
            upper = lower + (1.0 - lower) * (1.0 - rng.random(REPLICATES) ** (1.0 / (n - rank)))
        found.append((_position(lower, n), _position(upper, n), between))
    return tuple(found)


def _drawn(ordered: Floats, places: Places) -> Floats:
    """Return the quantile of each resample, shape ``(REPLICATES,)``."""
    lower, upper, between = places
    below = ordered[lower]
    return below if between == 0.0 else below + between * (ordered[upper] - below)


def _position(share: Floats, n: int) -> Positions:
    return np.clip(np.ceil(share * n).astype(np.int32) - 1, 0, n - 1)


def _percentiles(draws: Floats, level: float) -> tuple[float, float]:
    """Return both ends of the middle part of some draws, which are sorted as far as needed."""
    edges = [(len(draws) - 1) * share for share in ((1 - level) / 2, (1 + level) / 2)]
    draws.partition([place for edge in edges for place in (int(edge), int(edge) + 1)])
    low, high = (_between(draws[int(edge)], draws[int(edge) + 1], edge % 1) for edge in edges)
    return low, high


def _between(low: float, high: float, part: float) -> float:
    """Return the value between two others, rounded as numpy rounds it."""
    if part >= 0.5:
        return float(high - (high - low) * (1 - part))
    return float(low + (high - low) * part)
