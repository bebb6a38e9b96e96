"""The compiled likelihoods of the count models, and the climb to their maximum.

Each family gives, for every pattern of columns, the first and second derivative of the log
likelihood by the linear predictor, and those by the log of its dispersion; the rest is shared.
Sums of ``lgamma(y + s) - lgamma(s)`` are written as ``log s + log(s + 1) + ...``, which is exact
and, for counts as small as these, quicker.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

POISSON, NB1, NB2 = 0, 1, 2
LOG_DISPERSION_LIMIT = 12.0  # either way a dispersion is no longer told from its limit
MAX_STEPS = 100
LONGEST_STEP = 4.0  # in a log rate: exp(4) is 55 times, and no start lies so far off


@numba.njit(cache=True, nogil=True)
def _poisson(n: Any, total: Any, mu: Any) -> Any:
    loglik = np.sum(total * np.log(mu) - n * mu)
    return loglik, total - n * mu, -n * mu, np.zeros(len(n)), 0.0, 0.0


@numba.njit(cache=True, nogil=True)
def _nb2(n: Any, total: Any, value: Any, times: Any, mu: Any, size: float) -> Any:
    both = mu + size
    weight = total + n * size
    gap = total - n * mu
    cells = np.sum(n)
    loglik = np.sum(total * np.log(mu) - weight * np.log(both)) + cells * size * np.log(size)
    first = np.sum(-n * np.log(both) - weight / both) + cells * (np.log(size) + 1.0)
    second = np.sum(-2.0 * n / both + weight / (both * both)) + cells / size
    for e in range(len(value)):
        for k in range(value[e]):
            loglik += times[e] * np.log(size + k)
            first += times[e] / (size + k)
            second -= times[e] / ((size + k) * (size + k))
    slope = size * gap / both
    bend = -size * mu * weight / (both * both)
    cross = size * gap * mu / (both * both)
    return loglik, slope, bend, cross, size * first, size * size * second + size * first


@numba.njit(cache=True, nogil=True)
def _nb1(n: Any, total: Any, owner: Any, value: Any, times: Any, mu: Any, delta: float) -> Any:
    share = delta / (1.0 + delta)
    grow = np.log1p(delta)
    size = mu / delta
    by_size = -n * grow
    by_size2 = np.zeros(len(n))
    loglik = np.sum(total) * np.log(share) - np.sum(n * size) * grow
    for e in range(len(value)):
        g = owner[e]
        for k in range(value[e]):
            at = size[g] + k
            loglik += times[e] * np.log(at)
            by_size[g] += times[e] / at
            by_size2[g] -= times[e] / (at * at)
    slope = size * by_size
    bend = slope + size * size * by_size2
    lost = n * size * share
    last = np.sum(-slope + total * (1.0 - share) - lost)
    last_bend = np.sum(bend + 2.0 * lost - lost * (1.0 - share) - total * share * (1.0 - share))
    return loglik, slope, bend, -bend - lost, last, last_bend


@numba.njit(cache=True, nogil=True)
def _assemble(
    design: Any, slope: Any, bend: Any, cross: Any, last: float, last_bend: float, m: int
) -> Any:
    """Carry derivatives by the linear predictor over to the coefficients."""
    rows, q = design.shape
    gradient = np.zeros(m)
    hessian = np.zeros((m, m))
    for g in range(rows):
        for a in range(q):
            if design[g, a] == 0.0:
                continue
            gradient[a] += design[g, a] * slope[g]
            if m > q:
                hessian[a, q] += design[g, a] * cross[g]
            for b in range(a + 1):
                hessian[a, b] += design[g, a] * design[g, b] * bend[g]
    for a in range(q):
        for b in range(a):
            hessian[b, a] = hessian[a, b]
    if m > q:
        hessian[q, :q] = hessian[:q, q]
        gradient[q] = last
        hessian[q, q] = last_bend
    return gradient, hessian


@numba.njit(cache=True, nogil=True)
def derivatives(
    design: Any, n: Any, total: Any, owner: Any, value: Any, times: Any, theta: Any, kind: int
) -> Any:
    """Return log likelihood without its constant, gradient and Hessian at one point.

    Parameters
    ----------
    design
        Patterns with the intercept in front, shape ``(patterns, q)``.
    n, total, owner, value, times
        As in ``families.CountTable``.
    theta
        Coefficients, and behind them the log dispersion where the family has one.
    kind
        ``POISSON``, ``NB1`` or ``NB2``.
    """
    q = design.shape[1]
    mu = np.exp(np.minimum(design @ theta[:q], 30.0))
    if kind == POISSON:
        loglik, slope, bend, cross, last, last_bend = _poisson(n, total, mu)
    elif kind == NB2:
        size = np.exp(theta[q])
        loglik, slope, bend, cross, last, last_bend = _nb2(n, total, value, times, mu, size)
    else:
        delta = np.exp(theta[q])
        loglik, slope, bend, cross, last, last_bend = _nb1(n, total, owner, value, times, mu, delta)
    gradient, hessian = _assemble(design, slope, bend, cross, last, last_bend, len(theta))
    return loglik, gradient, hessian


@numba.njit(cache=True, nogil=True)
def _direction(gradient: Any, hessian: Any, damping: float) -> Any:
    """Newton step of the damped surface, no coordinate longer than ``LONGEST_STEP``."""
    lifted = -hessian
    steep = 1e-300
    for a in range(len(gradient)):
        steep = max(steep, -hessian[a, a])
    for a in range(len(gradient)):
        lifted[a, a] += damping * max(abs(hessian[a, a]), 1e-8) + 1e-12 * steep
    step = np.linalg.solve(lifted, gradient)
    gain = np.sum(step * gradient)
    longest = np.max(np.abs(step))
    if longest > LONGEST_STEP:
        step *= LONGEST_STEP / longest
    return step, gain


@numba.njit(cache=True, nogil=True)
def climb(
    design: Any, n: Any, total: Any, owner: Any, value: Any, times: Any, start: Any, kind: int
) -> Any:
    """Climb to the maximum: damped Newton steps, halved until they gain.

    Returns
    -------
    The point, the log likelihood there without its constant, and whether it is a maximum.
    """
    q = design.shape[1]
    here = start.copy()
    height, gradient, hessian = derivatives(design, n, total, owner, value, times, here, kind)
    damping = 0.0
    for _ in range(MAX_STEPS):
        step, gain = _direction(gradient, hessian, damping)
        if 0.0 <= gain < 1e-12:
            return here, height, True
        if gain < 0.0:  # not a way up: the surface bends the wrong way here
            damping = max(10.0 * damping, 1e-2)
            if damping > 1e8:
                break
            continue
        there, new, new_gradient, new_hessian = here, height, gradient, hessian
        for _halving in range(30):
            there = here + step
            for a in range(q, len(there)):
                there[a] = min(max(there[a], -LOG_DISPERSION_LIMIT), LOG_DISPERSION_LIMIT)
            new, new_gradient, new_hessian = derivatives(
                design, n, total, owner, value, times, there, kind
            )
            if new >= height - 1e-13 * abs(height):
                break
            step *= 0.5
        if new < height - 1e-13 * abs(height):
            return here, height, gain < 1e-6
        flat = abs(new - height) <= 1e-13 * (1.0 + abs(height))
        here, height, gradient, hessian = there, new, new_gradient, new_hessian
        damping *= 0.1
        if flat and gain < 1e-8:
            return here, height, True
    return here, height, False
