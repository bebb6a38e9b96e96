"""Bidirectional stepwise choice by BIC, at most one column per factor.

From the null model, every step tries to add a column of a factor that is not in the model, to drop
one, and to swap one for another column of its factor; the move with the lowest BIC is made, and
the search ends when none lowers it (RTMDx; S1, S4 in docs/method.md). A column whose coefficient
has the wrong sign is not taken: a risk factor that lowers risk explains nothing to anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spatial.terrain.candidates import distinct_rows
from spatial.terrain.families import CountFit, fit_counts, tabulate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.spec import Family

    Floats = NDArray[np.float64]

LEAST_GAIN = 1e-8


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """Where the search ended: positions of the columns, in the order of the design, and the fit."""

    columns: tuple[int, ...]
    fit: CountFit


class _Search:
    """Fits of one family, each model once."""

    def __init__(
        self,
        columns: NDArray[np.uint8],
        counts: NDArray[np.int64],
        family: Family,
        sign: int,
    ) -> None:
        _, code = distinct_rows(columns)
        width = int(counts.max(initial=0)) + 1
        joint = code.astype(np.int64) * width + counts
        _, first, times = np.unique(joint, return_index=True, return_counts=True)
        self.columns = columns[first]
        self.counts = counts[first]
        self.times = times
        self.family: Family = family
        self.sign = sign
        self.fits: dict[tuple[int, ...], CountFit] = {}

    def fit(
        self, model: tuple[int, ...], near: CountFit | None, near_model: tuple[int, ...]
    ) -> CountFit:
        if model not in self.fits:
            table = tabulate(self.columns[:, list(model)], self.counts, self.times)
            self.fits[model] = fit_counts(table, self.family, start=_start(model, near, near_model))
        return self.fits[model]

    def allowed(self, fit: CountFit) -> bool:
        return bool(np.all(self.sign * fit.beta[1:] > 0))


def _start(
    model: tuple[int, ...], near: CountFit | None, near_model: tuple[int, ...]
) -> Floats | None:
    """Start from a neighbouring model's coefficients."""
    if near is None:
        return None
    known = dict(zip(near_model, near.beta[1:], strict=True))
    start = [near.beta[0], *(known.get(column, 0.0) for column in model)]
    if near.dispersion is not None:
        start.append(np.log(near.dispersion))
    return np.array(start)


def choose_columns(
    columns: NDArray[np.uint8],
    factors: list[str],
    counts: NDArray[np.int64],
    family: Family,
    *,
    sign: int = 1,
) -> Chosen:
    """Search for the model of lowest BIC.

    Parameters
    ----------
    columns
        Shape ``(cells, columns)``, 0 or 1.
    factors
        Factor of each column.
    counts
        Incidents in each cell.
    family
        Which likelihood.
    sign
        1 for aggravating, -1 for protective factors.

    Raises
    ------
    FitError
        If there is no incident.
    """
    search = _Search(columns, counts, family, sign)
    model: tuple[int, ...] = ()
    fit = search.fit(model, None, ())
    while True:
        best, best_fit = model, fit
        for move in _moves(model, factors):
            tried = search.fit(move, fit, model)
            if tried.bic < best_fit.bic - LEAST_GAIN and search.allowed(tried):
                best, best_fit = move, tried
        if best == model:
            return Chosen(columns=model, fit=fit)
        model, fit = best, best_fit


def _moves(model: tuple[int, ...], factors: list[str]) -> list[tuple[int, ...]]:
    """List the models one move away; a factor in the model is dropped or swapped, others added."""
    holder = {factors[column]: column for column in model}
    moves = [tuple(c for c in model if c != column) for column in model]
    for column, factor in enumerate(factors):
        if column in model:
            continue
        rest = [c for c in model if c != holder.get(factor)]
        moves.append(tuple(sorted([*rest, column])))
    return moves
