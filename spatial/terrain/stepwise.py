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
from spatial.terrain.families import CountFit, fit_counts
from spatial.terrain.pattern_counts import Parted, Rows, part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spatial.spec import Family

    Floats = NDArray[np.float64]

LEAST_GAIN = 1e-8  # of the BIC, which is known to rounding only: a tie is no gain


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """Where the search ended: positions of the columns, in the order of the design, and the fit."""

    columns: tuple[int, ...]
    fit: CountFit


class _StepwiseSearch:
    """Fits of one family, each model once."""

    def __init__(self, rows: Rows, family: Family, sign: int) -> None:
        self.rows, self.family, self.sign = rows, family, sign
        self.fits: dict[tuple[int, ...], CountFit] = {}

    def fit(self, parted: Parted, column: int | None, near: CountFit, at: Parted) -> CountFit:
        """Fit the model that parts the rows, with one more column if one is named."""
        model = parted.model if column is None else tuple(sorted((*parted.model, column)))
        if model not in self.fits:
            start = _start(model, near, at.model)
            self.fits[model] = fit_counts(
                parted.tally(self.rows, column), self.family, start=start, covariance=False
            )
        return self.fits[model]

    def allowed(self, fit: CountFit) -> bool:
        return bool(np.all(self.sign * fit.beta[1:] > 0))


def collapse(
    columns: NDArray[np.uint8], counts: NDArray[np.int64], times: NDArray[np.int64] | None
) -> Rows:
    """Make rows with the same columns and count one row: exact, and less to pass over."""
    weight = np.ones(len(counts)) if times is None else times
    _, code = distinct_rows(columns)
    width = int(counts.max(initial=0)) + 1
    joint = code.astype(np.int64) * width + counts
    _, first, place = np.unique(joint, return_index=True, return_inverse=True)
    together = np.bincount(place, weight).astype(np.float64)
    present = together > 0
    first = first[present]
    return Rows(
        columns=np.ascontiguousarray(columns[first].T),
        counts=counts[first].astype(np.int64),
        times=together[present],
    )


def _start(model: tuple[int, ...], near: CountFit, near_model: tuple[int, ...]) -> Floats:
    """Start from a neighbouring model's coefficients."""
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
    times: NDArray[np.int64] | None = None,
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
    times
        How often each cell counts; once if left out.

    Raises
    ------
    FitError
        If there is no incident.
    """
    return search_columns(collapse(columns, counts, times), factors, family, sign=sign)


def search_columns(rows: Rows, factors: list[str], family: Family, *, sign: int = 1) -> Chosen:
    """Search as :func:`choose_columns`, over rows that are collapsed already."""
    search = _StepwiseSearch(rows, family, sign)
    here = part(rows)
    fit = fit_counts(here.tally(rows), family)
    while True:
        best_fit, best = fit, here.model
        for base, column in _moves(here, factors):
            tried = search.fit(base, column, fit, here)
            if tried.bic < best_fit.bic - LEAST_GAIN and search.allowed(tried):
                best_fit = tried
                best = base.model if column is None else tuple(sorted((*base.model, column)))
        if best == here.model:
            last = _start(here.model, fit, here.model)
            return Chosen(columns=here.model, fit=fit_counts(here.tally(rows), family, start=last))
        for column in set(here.model) - set(best):
            here = here.without(column)
        for column in set(best) - set(here.model):
            here = here.with_column(rows, column)
        fit = best_fit


def _moves(here: Parted, factors: list[str]) -> Iterator[tuple[Parted, int | None]]:
    """Return the models one move away, each as a parting and one more column, or none.

    A column is dropped, or swapped for another of its factor, or one of a new factor is added.
    """
    kept = {factors[column] for column in here.model}
    for column in here.model:
        less = here.without(column)
        yield less, None
        for other, factor in enumerate(factors):
            if factor == factors[column] and other != column:
                yield less, other
    for column, factor in enumerate(factors):
        if factor not in kept:
            yield here, column
