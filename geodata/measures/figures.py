"""From columns to figures: counts, totals, shares and quantiles, each with n and missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geodata.measures.record import Figure
from spatial.intervals import difference_interval, quantile_interval, wilson

if TYPE_CHECKING:
    import pandas as pd

    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Scope

NOTHING = Figure(value=None, n=0)


def in_reach(ledger: Ledger, section: str, scope: Scope) -> bool:
    """Tell whether a scope's days meet those that a section has rows of.

    Where they do not, a count is missing and not 0: nobody looked.
    """
    extent = ledger.extent(section)
    return extent is not None and scope.start <= extent[1] and extent[0] < scope.end


def count(ledger: Ledger, scope: Scope, *, section: str) -> Figure:
    """Count the rows of a section."""
    if not in_reach(ledger, section, scope):
        return NOTHING
    n = len(ledger.rows(section, scope))
    return Figure(value=float(n), n=n)


def total(values: pd.Series) -> Figure:
    """Add up a column; missing where no row has a value."""
    known = values.dropna()
    missing = len(values) - len(known)
    if len(known) == 0:
        return Figure(value=None, n=0, missing=missing)
    return Figure(value=float(known.sum()), n=len(known), missing=missing)


def share(hits: float, of: float, *, missing: int = 0) -> Figure:
    """Give a share with its Wilson interval; missing where there is nothing to share."""
    if of == 0:
        return Figure(value=None, n=0, missing=missing)
    low, high = wilson(hits, of)
    return Figure(
        value=float(hits / of),
        n=int(of),
        missing=missing,
        numerator=float(hits),
        denominator=float(of),
        low=low,
        high=high,
    )


def share_of_rows(met: pd.Series, known: pd.Series) -> Figure:
    """Give the share of rows that meet something, of those of which it is known."""
    return share(float((met & known).sum()), float(known.sum()), missing=int((~known).sum()))


def quantile(values: pd.Series, q: float) -> Figure:
    """Give a quantile with its bootstrap interval."""
    known = values.dropna().to_numpy(dtype=float)
    missing = len(values) - len(known)
    if len(known) == 0:
        return Figure(value=None, n=0, missing=missing)
    low, high = quantile_interval(known, q) or (None, None)
    return Figure(
        value=float(np.quantile(known, q)), n=len(known), missing=missing, low=low, high=high
    )


def difference_of_medians(first: pd.Series, second: pd.Series) -> Figure:
    """Give the median of the first minus that of the second with its bootstrap interval."""
    one, two = first.dropna().to_numpy(dtype=float), second.dropna().to_numpy(dtype=float)
    missing = len(first) + len(second) - len(one) - len(two)
    if min(len(one), len(two)) == 0:
        return Figure(value=None, n=0, missing=missing)
    low, high = difference_interval(one, two, 0.5) or (None, None)
    return Figure(
        value=float(np.median(one) - np.median(two)),
        n=len(one) + len(two),
        missing=missing,
        low=low,
        high=high,
    )


def ratio(top: Figure, bottom: Figure, times: float = 1.0) -> Figure:
    """Divide one figure by another."""
    if top.value is None or not bottom.value:
        return Figure(value=None, n=0, missing=top.missing)
    return Figure(
        value=times * top.value / bottom.value,
        n=int(bottom.value),
        missing=top.missing,
        numerator=top.value,
        denominator=bottom.value,
    )
