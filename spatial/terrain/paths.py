"""The compiled loops of the elastic net: a pass over the rows, a cross table, a descent.

A row's expected count is a product of table entries, one a factor, so a pass needs no exponential.
Rows are cut into pieces by their number alone and the pieces are added up in order: the answer does
not depend on how many threads worked on them.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Fixed, not taken from the number of cores: sums round alike on every machine.
PIECE_ROWS = 12_500
MOST_PIECES = 16
MOST_SWEEPS = 10_000


def sum_over_pieces(rows: int, work: Callable[[int, int], tuple[Floats, ...]]) -> list[Floats]:
    """Do a piece of work on every run of rows and add the answers up, always in the same order.

    Parameters
    ----------
    rows
        Number of rows.
    work
        Called with the first row and one past the last; must let go of the interpreter's lock.
    """
    pieces = min(MOST_PIECES, max(1, rows // PIECE_ROWS))
    edges = np.linspace(0, rows, pieces + 1).astype(int).tolist()
    spans = list(itertools.pairwise(edges))
    if pieces == 1:
        return list(work(*spans[0]))
    answers = list(_threads().map(lambda span: work(*span), spans))
    total = [part.copy() for part in answers[0]]
    for answer in answers[1:]:
        for whole, part in zip(total, answer, strict=True):
            whole += part
    return total


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(numba.config.NUMBA_NUM_THREADS, thread_name_prefix="rows")


@numba.njit(cache=True, nogil=True)
def list_levels(codes: Any, number: Any) -> Any:
    """List the levels of each row that mean anything, under new numbers.

    Parameters
    ----------
    codes
        Shape ``(rows, factors)``.
    number
        New number of each level, -1 for one that marks nothing, shape ``(levels,)``.

    Returns
    -------
    Where each row's list starts, shape ``(rows + 1,)``, and the lists one after the other.
    """
    n_rows, n_factors = codes.shape
    starts = np.zeros(n_rows + 1, dtype=np.int64)
    for i in range(n_rows):
        found = 0
        for f in range(n_factors):
            found += number[codes[i, f]] >= 0
        starts[i + 1] = starts[i] + found
    listed = np.empty(starts[n_rows], dtype=np.uint16)
    at = 0
    for i in range(n_rows):
        for f in range(n_factors):
            level = number[codes[i, f]]
            if level >= 0:
                listed[at] = level
                at += 1
    return starts, listed


@numba.njit(cache=True, nogil=True)
def pass_over_rows(
    starts: Any, listed: Any, weight: Any, fold: Any, factors: Any, base: Any, start: int, stop: int
) -> Any:
    """Sum the expected counts that every lane's gradient and kept-out deviance need.

    A row trains every lane but that of its own fold, where it is kept out.

    Parameters
    ----------
    starts, listed
        Levels of each row, as :func:`list_levels` gives them.
    weight, fold
        Shape ``(rows,)``; folds are numbered from 1, and lane 0 is trained on every row.
    factors
        Shape ``(levels, lanes)``: what each level multiplies the expected count by.
    base
        Shape ``(lanes,)``: the expected count before any factor.
    start, stop
        Rows to pass over.

    Returns
    -------
    Expected counts by level and lane, their total by lane, and those kept out by lane.
    """
    n_levels, lanes = factors.shape
    by_level = np.zeros((n_levels, lanes))
    total = np.zeros(lanes)
    kept = np.zeros(lanes)
    mu = np.empty(lanes)
    for i in range(start, stop):
        for k in range(lanes):
            mu[k] = weight[i] * base[k]
        for at in range(starts[i], starts[i + 1]):
            level = listed[at]
            for k in range(lanes):
                mu[k] *= factors[level, k]
        own = fold[i]
        kept[own] += mu[own]
        mu[own] = 0.0
        for k in range(lanes):
            total[k] += mu[k]
        for at in range(starts[i], starts[i + 1]):
            level = listed[at]
            for k in range(lanes):
                by_level[level, k] += mu[k]
    return by_level, total, kept


@numba.njit(cache=True, nogil=True)
def cross_tabulate(
    starts: Any, listed: Any, weight: Any, factors: Any, base: float, start: int, stop: int
) -> Any:
    """Sum the expected counts of the full fit over every pair of levels in a row.

    Parameters
    ----------
    starts, listed, weight
        As in :func:`pass_over_rows`.
    factors, base
        As in :func:`pass_over_rows`, of the full fit alone; ``factors`` has shape ``(levels,)``.
    start, stop
        Rows to pass over.

    Returns
    -------
    Upper half, shape ``(levels, levels)``: a factor's levels come before those of later factors;
    and the expected counts of all the rows.
    """
    n = len(factors)
    table = np.zeros((n, n))
    total = np.zeros(1)
    for i in range(start, stop):
        mu = weight[i] * base
        for at in range(starts[i], starts[i + 1]):
            mu *= factors[listed[at]]
        total[0] += mu
        for at in range(starts[i], starts[i + 1]):
            row = listed[at]
            for other in range(at, starts[i + 1]):
                table[row, listed[other]] += mu
    return table, total


@numba.njit(cache=True, nogil=True)
def descend(hessian: Any, gradient: Any, start: Any, l1: Any, l2: Any, enough: Any) -> Any:
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
    enough
        Violation of the optimality conditions that each coordinate may keep.
    """
    m = len(start)
    b = start.copy()
    slope = gradient.copy()  # of the loss model at b
    for _ in range(MOST_SWEEPS):
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
                    slope[k] += hessian[j, k] * move
        if _settled(b, slope, l1, l2, enough):
            break
    return b


@numba.njit(cache=True, nogil=True)
def _settled(b: Any, slope: Any, l1: Any, l2: Any, enough: Any) -> bool:
    """Return whether every coordinate meets its optimality condition."""
    for j in range(len(b)):
        pull = slope[j] + l2[j] * b[j] + l1[j]
        if j > 0 and b[j] == 0.0:
            pull = min(pull, 0.0)
        if abs(pull) > enough[j]:
            return False
    return True
