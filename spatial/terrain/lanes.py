"""The three compiled loops of the elastic net: a pass over the rows, a cross table, a descent."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def pass_over_rows(
    codes: Any, y: Any, weight: Any, fold: Any, eta_levels: Any, intercept: Any
) -> Any:
    """Give, for every lane at once, what its gradient, its loss and its held-out deviance need.

    A row trains every lane but that of its own fold, where it is held out.

    Parameters
    ----------
    codes
        Shape ``(rows, factors)``.
    y, weight, fold
        Shape ``(rows,)``.
    eta_levels
        Shape ``(levels, lanes)``: what each level adds to the linear predictor.
    intercept
        Shape ``(lanes,)``.

    Returns
    -------
    Expected counts by level and lane, their total by lane, the loss ``sum w (mu - y eta)`` and the
    held-out Poisson deviance by lane.
    """
    n_rows, n_factors = codes.shape
    n_levels, lanes = eta_levels.shape
    level_mu = np.zeros((n_levels, lanes))
    mu_total = np.zeros(lanes)
    loss = np.zeros(lanes)
    held = np.zeros(lanes)
    eta = np.empty(lanes)
    for i in range(n_rows):
        for k in range(lanes):
            eta[k] = intercept[k]
        for f in range(n_factors):
            level = codes[i, f]
            for k in range(lanes):
                eta[k] += eta_levels[level, k]
        yi, wi, own = y[i], weight[i], fold[i]
        for k in range(lanes):
            mu = np.exp(eta[k])
            if k == own:
                deviance = mu - yi
                if yi > 0.0:
                    deviance += yi * (np.log(yi) - eta[k])
                held[k] += 2.0 * wi * deviance
                eta[k] = 0.0
            else:
                loss[k] += wi * (mu - yi * eta[k])
                eta[k] = wi * mu
                mu_total[k] += eta[k]
        for f in range(n_factors):
            level = codes[i, f]
            for k in range(lanes):
                level_mu[level, k] += eta[k]
    return level_mu, mu_total, loss, held


@numba.njit(cache=True, nogil=True)
def cross_tabulate(
    codes: Any, weight: Any, eta_levels: Any, intercept: float, n_levels: int
) -> Any:
    """Sum the expected counts of the full fit over every pair of levels that meet in a row.

    Returns
    -------
    Symmetric, shape ``(levels, levels)``.
    """
    n_rows, n_factors = codes.shape
    table = np.zeros((n_levels, n_levels))
    for i in range(n_rows):
        eta = intercept
        for f in range(n_factors):
            eta += eta_levels[codes[i, f], 0]
        mu = weight[i] * np.exp(eta)
        for f in range(n_factors):
            for g in range(f, n_factors):
                table[codes[i, f], codes[i, g]] += mu
    for a in range(n_levels):
        for b in range(a):
            table[a, b] = table[b, a]
    return table


@numba.njit(cache=True, nogil=True)
def descend(hessian: Any, gradient: Any, start: Any, l1: Any, l2: Any) -> Any:
    """Minimise the penalised quadratic model by coordinate descent, coefficients at or above 0.

    The first coordinate is the intercept: free and not penalised.

    Parameters
    ----------
    hessian, gradient
        Of the loss at ``start``, without penalty.
    start
        Where the model was made.
    l1, l2
        Penalties of each coordinate.
    """
    m = len(start)
    b = start.copy()
    slope = gradient.copy()  # of the loss model at b
    for _ in range(1000):
        largest = 0.0
        for j in range(m):
            h = hessian[j, j] + l2[j]
            if h <= 0.0:
                continue
            new = b[j] - (slope[j] + l2[j] * b[j] + l1[j]) / h
            if j > 0 and new < 0.0:
                new = 0.0
            move = new - b[j]
            if move != 0.0:
                b[j] = new
                for k in range(m):
                    slope[k] += hessian[k, j] * move
                largest = max(largest, h * move * move)
        if largest < 1e-14:
            break
    return b
