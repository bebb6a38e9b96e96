"""Maximum likelihood of count models on patterns: Poisson, NB1, NB2.

Rows with the same columns are one pattern, and a pattern's counts are a small histogram, so a fit
works on a few hundred patterns instead of every cell: same likelihood, to the last digit.

- ``poisson``: variance mu.
- ``nb2``: variance mu + mu^2 / theta, the usual negative binomial; ``dispersion`` is theta. Standard
  errors come from the expected information, as in MASS ``glm.nb`` (Venables and Ripley 2002).
- ``nb1``: variance mu (1 + delta), linear in the mean, the family of RTMDx (gamlss ``NBII``);
  ``dispersion`` is delta. Standard errors come from the observed information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from scipy.special import gammaln

from spatial.errors import FitError
from spatial.terrain.candidates import distinct_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.spec import Family

    Floats = NDArray[np.float64]

POISSON, NB1, NB2 = 0, 1, 2
CODES: dict[str, int] = {"poisson": POISSON, "nb1": NB1, "nb2": NB2}
LOG_DISPERSION_LIMIT = 12.0
MAX_STEPS = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class CountTable:
    """Counts by pattern.

    Parameters
    ----------
    columns
        Distinct patterns, shape ``(patterns, columns)``, without the intercept.
    n
        Cells of each pattern, shape ``(patterns,)``.
    total
        Incidents of each pattern.
    owner, value, times
        The histogram without its zeros: pattern, count, and how many cells have it.
    """

    columns: Floats
    n: Floats
    total: Floats
    owner: NDArray[np.int64]
    value: NDArray[np.int64]
    times: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class CountFit:
    """One fitted model; ``beta[0]`` is the intercept; ``covariance`` is that of ``beta``."""

    family: Family
    beta: Floats
    covariance: Floats
    dispersion: float | None
    loglik: float
    n_cells: int
    converged: bool

    @property
    def bic(self) -> float:
        """-2 log L + k ln n, k counting intercept and dispersion (RTMDx; S1 in docs/method.md)."""
        k = len(self.beta) + (self.dispersion is not None)
        return -2 * self.loglik + k * float(np.log(self.n_cells))


def tabulate(
    columns: NDArray[np.uint8],
    counts: NDArray[np.int64],
    times: NDArray[np.int64] | None = None,
) -> CountTable:
    """Collapse rows to patterns.

    Parameters
    ----------
    columns
        Shape ``(rows, columns)``, 0 or 1, without the intercept.
    counts
        Incidents in each row.
    times
        How many cells each row stands for; one if left out.
    """
    patterns, code = distinct_rows(np.ascontiguousarray(columns, dtype=np.uint8))
    times = np.ones(len(counts), dtype=np.int64) if times is None else times
    n = np.bincount(code, times, minlength=len(patterns))
    total = np.bincount(code, times * counts, minlength=len(patterns))
    some = np.flatnonzero(counts)
    width = int(counts.max(initial=0)) + 1
    keys, place = np.unique(code[some] * width + counts[some], return_inverse=True)
    return CountTable(
        columns=patterns.astype(float),
        n=n,
        total=total,
        owner=keys // width,
        value=keys % width,
        times=np.bincount(place, times[some], minlength=len(keys)),
    )


def fit_counts(table: CountTable, family: Family, *, start: Floats | None = None) -> CountFit:
    """Fit one model by Newton's method with step halving.

    Parameters
    ----------
    table
        The data.
    family
        Which likelihood.
    start
        Intercept and coefficients to start from, and behind them the log dispersion if known.

    Raises
    ------
    FitError
        If there is no incident at all.
    """
    if table.total.sum() == 0:
        msg = "no incident lies in the study area in this period; nothing can be fitted"
        raise FitError(msg)
    design = np.column_stack([np.ones(len(table.n)), table.columns])
    kind = CODES[family]
    theta = np.zeros(design.shape[1] + (kind != POISSON))
    theta[0] = np.log(table.total.sum() / table.n.sum())
    if start is not None:
        theta[: len(start)] = start[: len(theta)]
    theta, loglik, converged = _newton(
        design, table.n, table.total, table.owner, table.value, table.times, theta, kind
    )
    q = design.shape[1]
    dispersion = None if kind == POISSON else float(np.exp(theta[-1]))
    constant = float((table.times * gammaln(table.value + 1.0)).sum())
    return CountFit(
        family=family,
        beta=theta[:q],
        covariance=_covariance(design, table, theta, kind),
        dispersion=dispersion,
        loglik=float(loglik) - constant,
        n_cells=int(table.n.sum()),
        converged=bool(converged),
    )


def _covariance(design: Floats, table: CountTable, theta: Floats, kind: int) -> Floats:
    q = design.shape[1]
    if kind == NB1:
        *_, hessian = _derivatives(
            design, table.n, table.total, table.owner, table.value, table.times, theta, kind
        )
        information = -hessian
    else:
        mu = np.exp(design @ theta[:q])
        size = np.exp(theta[-1]) if kind == NB2 else np.inf
        working = table.n * (mu if kind == POISSON else mu * size / (mu + size))
        information = design.T @ (working[:, None] * design)
    return np.linalg.pinv(information, hermitian=True)[:q, :q]


@numba.njit(cache=True, nogil=True)
def _derivatives(
    design: Any, n: Any, total: Any, owner: Any, value: Any, times: Any, theta: Any, kind: int
) -> Any:
    """Log likelihood without its constant, gradient and Hessian at one point."""
    rows, q = design.shape
    m = len(theta)
    eta_slope = np.zeros(rows)  # d loglik / d eta of each pattern
    eta_bend = np.zeros(rows)
    cross = np.zeros(rows)
    loglik = 0.0
    last_slope = 0.0
    last_bend = 0.0
    mu = np.exp(np.minimum(design @ theta[:q], 30.0))
    if kind == POISSON:
        for g in range(rows):
            loglik += total[g] * np.log(mu[g]) - n[g] * mu[g]
            eta_slope[g] = total[g] - n[g] * mu[g]
            eta_bend[g] = -n[g] * mu[g]
    elif kind == NB2:
        size = np.exp(theta[m - 1])
        first = 0.0
        second = 0.0
        cells = 0.0
        for g in range(rows):
            both = mu[g] + size
            weight = total[g] + n[g] * size
            gap = total[g] - n[g] * mu[g]
            loglik += total[g] * np.log(mu[g]) - weight * np.log(both)
            eta_slope[g] = size * gap / both
            eta_bend[g] = -size * mu[g] * weight / (both * both)
            cross[g] = size * gap * mu[g] / (both * both)
            first += -n[g] * np.log(both) - weight / both
            second += -2.0 * n[g] / both + weight / (both * both)
            cells += n[g]
        loglik += cells * size * np.log(size)
        first += cells * (np.log(size) + 1.0)
        second += cells / size
        for e in range(len(value)):
            for k in range(value[e]):
                loglik += times[e] * np.log(size + k)
                first += times[e] / (size + k)
                second -= times[e] / ((size + k) * (size + k))
        last_slope = size * first
        last_bend = size * size * second + size * first
    else:
        delta = np.exp(theta[m - 1])
        share = delta / (1.0 + delta)
        grow = np.log1p(delta)
        slope_m = -n * grow
        bend_m = np.zeros(rows)
        size_g = mu / delta
        for e in range(len(value)):
            g = owner[e]
            for k in range(value[e]):
                at = size_g[g] + k
                loglik += times[e] * np.log(at)
                slope_m[g] += times[e] / at
                bend_m[g] -= times[e] / (at * at)
        for g in range(rows):
            s = size_g[g]
            loglik += total[g] * np.log(share) - n[g] * s * grow
            eta_slope[g] = s * slope_m[g]
            eta_bend[g] = s * slope_m[g] + s * s * bend_m[g]
            lost = n[g] * s * share
            cross[g] = -eta_bend[g] - lost
            last_slope += -eta_slope[g] + total[g] * (1.0 - share) - lost
            last_bend += (
                eta_bend[g] + 2.0 * lost - lost * (1.0 - share) - total[g] * share * (1.0 - share)
            )
    gradient = np.zeros(m)
    hessian = np.zeros((m, m))
    for g in range(rows):
        for a in range(q):
            if design[g, a] == 0.0:
                continue
            gradient[a] += design[g, a] * eta_slope[g]
            if m > q:
                hessian[a, q] += design[g, a] * cross[g]
            for b in range(a + 1):
                hessian[a, b] += design[g, a] * design[g, b] * eta_bend[g]
    for a in range(q):
        for b in range(a):
            hessian[b, a] = hessian[a, b]
        if m > q:
            hessian[q, a] = hessian[a, q]
    if m > q:
        gradient[q] = last_slope
        hessian[q, q] = last_bend
    return loglik, gradient, hessian


@numba.njit(cache=True, nogil=True)
def _newton(
    design: Any, n: Any, total: Any, owner: Any, value: Any, times: Any, theta: Any, kind: int
) -> Any:
    """Climb to the maximum: damped Newton steps, halved until they gain."""
    m = len(theta)
    q = design.shape[1]
    here = theta.copy()
    loglik, gradient, hessian = _derivatives(design, n, total, owner, value, times, here, kind)
    damping = 0.0
    for _ in range(MAX_STEPS):
        steep = 0.0
        for a in range(m):
            steep = max(steep, -hessian[a, a])
        if m > q and hessian[q, q] > -1e-8 * steep:
            damping = max(damping, 1e-3)
        lifted = -hessian
        for a in range(m):
            lifted[a, a] += damping * max(abs(hessian[a, a]), 1e-8) + 1e-12 * steep + 1e-300
        step = np.linalg.solve(lifted, gradient)
        gain = 0.0
        for a in range(m):
            gain += step[a] * gradient[a]
        if 0.0 <= gain < 1e-12:
            return here, loglik, True
        if gain < 0.0:  # not a climb: the surface bends the wrong way here
            damping = max(10.0 * damping, 1e-2)
            if damping > 1e8:
                return here, loglik, False
            continue
        longest = 0.0
        for a in range(m):
            longest = max(longest, abs(step[a]))
        if longest > 4.0:
            step *= 4.0 / longest
        moved = False
        for _half in range(30):
            there = here + step
            if m > q:
                there[q] = min(max(there[q], -LOG_DISPERSION_LIMIT), LOG_DISPERSION_LIMIT)
            new, new_gradient, new_hessian = _derivatives(
                design, n, total, owner, value, times, there, kind
            )
            if new >= loglik - 1e-13 * abs(loglik):
                moved = True
                break
            step *= 0.5
        if not moved:
            return here, loglik, gain < 1e-6
        flat = abs(new - loglik) <= 1e-13 * (1.0 + abs(loglik))
        here, loglik, gradient, hessian = there, new, new_gradient, new_hessian
        damping *= 0.1
        if flat and gain < 1e-8:
            return here, loglik, True
    return here, loglik, False
