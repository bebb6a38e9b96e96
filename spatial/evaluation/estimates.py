"""A change in counts set against the change elsewhere, on both scales, and its power.

The weighted displacement difference (Wheeler and Ratcliffe 2018) is a difference in differences
of counts. Its standard error takes the counts to be independent Poisson variables and the areas
to have had parallel trends, neither of which holds exactly: the intervals are too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, poisson

from spatial.errors import OutcomeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Pair = Sequence[float]

CHUNK = 2_000_000  # pairs of counts that the e-test weighs at once
FAR = 9.0  # standard deviations beyond which the e-test takes no count to be possible


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A change with its standard error and interval; ``z`` is missing where there is no error."""

    value: float
    se: float
    z: float | None
    low: float
    high: float

    def widened(self, factor: float, alpha: float) -> Estimate:
        """Return the same estimate with a standard error ``factor`` times as large."""
        return estimate(self.value, (self.se * factor) ** 2, alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A weighted displacement difference in its parts; negative means fewer incidents."""

    local: Estimate
    displacement: Estimate | None
    total: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as many incidents as expected from the control; below 1 means fewer."""

    value: float
    low: float
    high: float


def estimate(value: float, variance: float, alpha: float) -> Estimate:
    """Put the normal interval of level ``1 - alpha`` around a value."""
    se = float(np.sqrt(variance))
    reach = normal_quantile(alpha) * se
    return Estimate(
        value=value,
        se=se,
        z=value / se if se > 0 else None,
        low=value - reach,
        high=value + reach,
    )


def weighted_difference(
    control: Pair,
    treated: Pair,
    displacement_control: Pair | None = None,
    displacement: Pair | None = None,
    *,
    time_weights: Pair = (1.0, 1.0),
    area_weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    alpha: float = 0.05,
) -> Difference:
    """Estimate the weighted displacement difference (WDD; Wheeler and Ratcliffe 2018).

    ``(T1 - T0) - (C1 - C0)``, with displacement areas likewise, and the sum of the counts as its
    variance. Weights divide counts: ``time_weights`` (2, 1) for two years before and one after
    makes it incidents a year.

    Parameters
    ----------
    control, treated, displacement_control, displacement
        Counts before and after; both displacement areas or neither.
    time_weights
        Lengths of the two periods.
    area_weights
        Sizes of the areas in the order of the arguments.
    alpha
        One minus the level of the interval.

    Raises
    ------
    OutcomeError
        If a count is negative, a weight is not above 0, ``alpha`` is not between 0 and 1, or only
        one displacement area is given.

    Examples
    --------
    >>> found = weighted_difference((20, 20), (20, 10), alpha=0.1)
    >>> found.total.value, round(found.total.se, 3)
    (-10.0, 8.367)
    """
    if (displacement_control is None) != (displacement is None):
        msg = "give the counts of the displacement area and of its control, or neither"
        raise OutcomeError(msg, code="displacement_incomplete")
    times, areas = _weights(time_weights, 2), _weights(area_weights, 4)
    level = _alpha(alpha)
    local = _gap(treated, control, times * areas[1], times * areas[0], level)
    if displacement_control is None or displacement is None:
        return Difference(local=local, displacement=None, total=local)
    moved = _gap(displacement, displacement_control, times * areas[3], times * areas[2], level)
    total = estimate(local.value + moved.value, local.se**2 + moved.se**2, level)
    return Difference(local=local, displacement=moved, total=total)


def rate_ratio(control: Pair, treated: Pair, *, alpha: float = 0.05) -> Ratio | None:
    """Estimate the difference in differences on the scale of ratios.

    ``(T1 / T0) / (C1 / C0)``, log-normal interval with the variance ``1/T1 + 1/T0 + 1/C1 + 1/C0``
    (the relative incident rate ratio; Wilson 2022). Lengths of periods and sizes of areas cancel.

    Returns
    -------
    Nothing where a count is 0: there is no ratio then.
    """
    counts = np.concatenate([_counts(treated), _counts(control)])
    if (counts == 0).any():
        return None
    log = float(np.log(counts[1] / counts[0]) - np.log(counts[3] / counts[2]))
    found = estimate(log, float((1 / counts).sum()), _alpha(alpha))
    low, value, high = np.exp([found.low, found.value, found.high])
    return Ratio(value=float(value), low=float(low), high=float(high))


def running_difference(
    control: ArrayLike,
    treated: ArrayLike,
    before: Pair,
    elapsed: ArrayLike,
    *,
    time_weights: Pair = (1.0, 1.0),
    alpha: float = 0.05,
) -> list[Estimate]:
    """Return the WDD so far after each step of the period after (Wheeler, WDDControl, "running").

    The gap between the areas since the start, minus the share ``elapsed`` of the gap before, in
    incidents per period after. The last value is the WDD of the whole.

    Parameters
    ----------
    control, treated
        Counts in each step after, shape ``(steps,)``.
    before
        Counts before, of the control and of the treated area.
    elapsed
        Share of the period after that has passed by the end of each step, shape ``(steps,)``.
    time_weights
        Lengths of the periods before and after.
    """
    times, level = _weights(time_weights, 2), _alpha(alpha)
    ours, theirs = (np.cumsum(np.asarray(part, dtype=float)) for part in (treated, control))
    share = np.asarray(elapsed, dtype=float)
    c0, t0 = _counts(before)
    values = (ours - theirs) / times[1] - share * (t0 - c0) / times[0]
    variances = (ours + theirs) / times[1] ** 2 + share**2 * (t0 + c0) / times[0] ** 2
    return [estimate(float(v), float(u), level) for v, u in zip(values, variances, strict=True)]


def detectable_drop(
    mean: float, *, displacement: float | None = None, before: float = 1.0, alpha: float = 0.05
) -> float:
    """Return the smallest drop that a one-sided test at ``alpha`` can tell from chance.

    ``z sqrt(4 m)`` where treated and control area both have ``m`` incidents in either period;
    ``z sqrt(8 m)`` with displacement areas of the same mean (Wheeler and Ratcliffe 2018). A drop
    of just that size is found half of the time by such a test against one control area. The rule
    of an evaluation asks for more: :mod:`spatial.evaluation.design`.

    Parameters
    ----------
    mean
        Incidents expected in the treated area in the period after, without an intervention.
    displacement
        The same of the displacement area, where there is one.
    before
        Length of the period before over that of the period after.

    Examples
    --------
    >>> round(detectable_drop(50), 1), round(detectable_drop(50, displacement=50), 1)
    (23.3, 32.9)
    """
    counts = 2 * (mean + (displacement or 0.0)) * (1 + 1 / before)
    return float(norm.isf(_alpha(alpha)) * np.sqrt(counts))


def e_test(first: float, second: float, *, exposure: Pair = (1.0, 1.0)) -> float:
    """Test that two Poisson counts have the same rate (Krishnamoorthy and Thomson 2004).

    The probability, with both rates at their common estimate, of counts whose rates differ at
    least as much as those found, in standard errors of the common rate. Where the exposures are
    equal this is the published test; where they differ, the published one takes each rate's own
    variance instead of the common one.

    Parameters
    ----------
    first, second
        Counts.
    exposure
        Length of time, or area, in which each was counted.

    Returns
    -------
    Two-sided probability, 1 where both counts are 0.

    Examples
    --------
    >>> round(e_test(20, 10), 4), round(e_test(100, 25, exposure=(10, 5)), 6)
    (0.0688, 0.001538)
    """
    counts, n = _counts((first, second)), _weights(exposure, 2)
    if counts.sum() == 0:
        return 1.0
    means = n * counts.sum() / n.sum()
    ranges = [
        np.arange(max(0.0, np.floor(m - FAR * np.sqrt(m))), m + FAR * np.sqrt(m) + 40)
        for m in means
    ]
    chances = [poisson.pmf(x, m) for x, m in zip(ranges, means, strict=True)]
    found = _distance(counts[0], counts[1], n) * (1 - 1e-12)  # equal distances are as far
    total, step = 0.0, max(1, CHUNK // len(ranges[1]))
    for at in range(0, len(ranges[0]), step):
        far = _distance(ranges[0][at : at + step, None], ranges[1][None, :], n) >= found
        total += float(chances[0][at : at + step] @ (far @ chances[1]))
    return min(1.0, total)


def dispersion(*series: ArrayLike, window: int = 7) -> float:
    """Estimate how much more series of counts vary than Poisson ones, at least 1.

    Pearson's dispersion around a centred moving average (Wheeler, WDDControl), where each count's
    own part in its average is allowed for; of several series, one estimate for all.
    """
    squares, freedom = 0.0, 0.0
    for one in series:
        counts = np.asarray(one, dtype=float)
        ones = np.ones(window)
        width = np.convolve(np.ones(len(counts)), ones, mode="full")[window // 2 :][: len(counts)]
        mean = np.convolve(counts, ones, mode="full")[window // 2 :][: len(counts)] / width
        seen = mean > 0
        freedom += float((1 - 1 / width[seen]).sum())
        squares += float(((counts - mean)[seen] ** 2 / mean[seen]).sum())
    return max(1.0, squares / freedom) if freedom > 0 else 1.0


def normal_quantile(alpha: float) -> float:
    """Return the standard normal value that a two-sided interval of level ``1 - alpha`` reaches."""
    return float(norm.isf(_alpha(alpha) / 2))


def _gap(treated: Pair, control: Pair, ours: Floats, theirs: Floats, alpha: float) -> Estimate:
    """Change of the treated area less that of its control, each count over its weight."""
    t, c = _counts(treated), _counts(control)
    value = (t[1] / ours[1] - t[0] / ours[0]) - (c[1] / theirs[1] - c[0] / theirs[0])
    return estimate(float(value), float((t / ours**2).sum() + (c / theirs**2).sum()), alpha)


def _distance(first: Floats, second: Floats, n: Floats) -> Floats:
    """How far two rates are apart, in standard errors of their common rate; 0 for no counts."""
    common = np.maximum(first + second, np.finfo(float).tiny) / n.sum()
    return np.abs(first / n[0] - second / n[1]) / np.sqrt(common)


def _counts(pair: Pair) -> Floats:
    counts = np.asarray(pair, dtype=float)
    if counts.shape != (2,) or not (np.isfinite(counts) & (counts >= 0)).all():
        msg = f"an area needs its counts before and after, each 0 or more; got {pair!r}"
        raise OutcomeError(msg, code="counts_incomplete")
    return counts


def _weights(weights: Sequence[float], size: int) -> Floats:
    values = np.asarray(weights, dtype=float)
    if values.shape != (size,) or not (np.isfinite(values) & (values > 0)).all():
        msg = f"give {size} weights, each above 0; got {weights!r}"
        raise OutcomeError(msg, code="weights")
    return values


def _alpha(alpha: float) -> float:
    if not 0 < alpha < 1:
        msg = f"alpha is one minus the level of an interval, between 0 and 1; got {alpha!r}"
        raise OutcomeError(msg, code="alpha_range")
    return alpha
