"""From rows to figures: counts, totals, shares and quantiles, each with n and missing.

Each function works a measure out for many scopes at once and gives one figure a scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geodata.measures.record import Figure
from spatial.intervals import (
    difference_interval,
    quantile_interval,
    quantile_of_sorted,
    wilson,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from geodata.measures.ledger import MeasureData
    from spatial.measures.days import Slices
    from spatial.measures.scopes import Scopes

    Flags = NDArray[np.bool_]
    Ints = NDArray[np.int64]

NOTHING = Figure(value=None, n=0)


def in_reach(ledger: MeasureData, section: str, scopes: Scopes) -> Flags:
    """Tell of each scope whether its days meet those that a section has rows of.

    Where they do not, a count is missing and not 0: nobody looked.
    """
    extent = ledger.extent(section)
    if extent is None:
        return np.zeros(len(scopes), dtype=bool)
    first, last = np.array(extent, dtype="datetime64[D]").astype(np.int64)
    return (scopes.start <= last) & (first < scopes.end)


def count(ledger: MeasureData, scopes: Scopes, *, section: str) -> list[Figure]:
    """Count the rows of a section."""
    sizes = ledger.slices(section, scopes).sizes.tolist()
    return [
        Figure(value=float(n), n=n) if reached else NOTHING
        for n, reached in zip(sizes, in_reach(ledger, section, scopes), strict=True)
    ]


def total(rows: Slices, values: pd.Series) -> list[Figure]:
    """Add up a column; missing where no row has a value."""
    known = values.notna().to_numpy()
    with_value = rows.where(known)
    numbers = with_value.sizes.tolist()
    missing = (rows.sizes - with_value.sizes).tolist()
    sums = with_value.sums(values.to_numpy(dtype=float))
    return [
        Figure(value=value if n else None, n=n, missing=lacking)
        for value, n, lacking in zip(sums, numbers, missing, strict=True)
    ]


def share(hits: float, of: float, *, missing: int = 0) -> Figure:
    """Return a share with its Wilson interval; missing where there is nothing to share."""
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


def shares(hits: Ints, of: Ints, missing: Iterable[int]) -> list[Figure]:
    """Return the share of each scope."""
    return [
        share(float(some), float(every), missing=lacking)
        for some, every, lacking in zip(hits.tolist(), of.tolist(), missing, strict=True)
    ]


def share_of_rows(rows: Slices, met: pd.Series, known: pd.Series) -> list[Figure]:
    """Return the share of rows that meet something, of those of which it is known."""
    of = rows.counts(known.to_numpy(dtype=bool))
    hits = rows.counts((met & known).to_numpy(dtype=bool))
    return shares(hits, of, (rows.sizes - of).tolist())


def quantile(rows: Slices, values: pd.Series, q: float) -> list[Figure]:
    """Return a quantile with its bootstrap interval."""
    with_value = rows.where(values.notna().to_numpy())
    missing = (rows.sizes - with_value.sizes).tolist()
    pieces = with_value.pieces(values.to_numpy(dtype=float))
    return [
        quantile_of(piece, q, missing=lacking)
        for piece, lacking in zip(pieces, missing, strict=True)
    ]


def quantile_of(known: NDArray[np.float64], q: float, *, missing: int) -> Figure:
    """Give a quantile of some values with its bootstrap interval; missing where there are none."""
    if len(known) == 0:
        return Figure(value=None, n=0, missing=missing)
    ordered = np.sort(known)
    low, high = quantile_interval(ordered, q) or (None, None)
    return Figure(
        value=quantile_of_sorted(ordered, q), n=len(known), missing=missing, low=low, high=high
    )


def difference_of_medians(
    first: tuple[Slices, pd.Series], second: tuple[Slices, pd.Series]
) -> list[Figure]:
    """Return the median of the first minus that of the second with its bootstrap interval."""
    missing = np.zeros(len(first[0].sizes), dtype=np.int64)
    sides = []
    for rows, values in (first, second):
        with_value = rows.where(values.notna().to_numpy())
        missing += rows.sizes - with_value.sizes
        sides.append(with_value.pieces(values.to_numpy(dtype=float)))
    return [
        _difference(np.sort(one), np.sort(two), lacking)
        for one, two, lacking in zip(*sides, missing.tolist(), strict=True)
    ]


def _difference(one: NDArray[np.float64], two: NDArray[np.float64], missing: int) -> Figure:
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
