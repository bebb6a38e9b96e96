"""Counts by pattern of a model's columns, grown one column at a time.

A search tries hundreds of neighbours of one model. Their patterns are those of the model, each
parted by one more column, so one pass over the rows tallies a neighbour: nothing is sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from spatial.terrain.candidates import distinct_rows
from spatial.terrain.families import CountTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """What is searched: columns of 0 and 1, the count of each row and how often it stands.

    ``columns`` has shape ``(columns, rows)``, so that each column lies together in memory.
    """

    columns: NDArray[np.uint8]
    counts: NDArray[np.int64]
    times: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Parted:
    """The rows parted by the columns of a model: the pattern of each row, and the patterns.

    ``model`` names the columns in the order of ``patterns``, which is ascending.
    """

    model: tuple[int, ...]
    code: NDArray[np.int64]
    patterns: NDArray[np.uint8]

    def with_column(self, rows: Rows, column: int) -> Parted:
        """Part the rows by one more column."""
        doubled = self.code * 2 + rows.columns[column]
        present, code = np.unique(doubled, return_inverse=True)
        patterns = np.column_stack([self.patterns[present // 2], present % 2])
        return _ordered((*self.model, column), code, patterns.astype(np.uint8))

    def without(self, column: int) -> Parted:
        """Put together what only one column parted."""
        place = self.model.index(column)
        patterns, code = distinct_rows(np.delete(self.patterns, place, axis=1))
        model = tuple(other for other in self.model if other != column)
        return Parted(model=model, code=code[self.code], patterns=patterns)

    def tally(self, rows: Rows, column: int | None = None) -> CountTable:
        """Tally the rows by pattern, parted by one more column if one is named."""
        width = int(rows.counts.max(initial=0)) + 1
        extra = _NOTHING if column is None else rows.columns[column]
        n, total, histogram = _tally(
            self.code, extra, rows.counts, rows.times, len(self.patterns), width
        )
        patterns = self.patterns
        if column is not None:
            twice = np.repeat(patterns, 2, axis=0)
            last = np.tile(np.array([0, 1], dtype=np.uint8), len(patterns))
            order = np.argsort((*self.model, column), kind="stable")
            patterns = np.column_stack([twice, last])[:, order]
        present = n > 0
        owner, value = np.nonzero(histogram[present])
        return CountTable(
            columns=patterns[present].astype(np.float64),
            n=n[present],
            total=total[present],
            owner=owner,
            value=value,
            times=histogram[present][owner, value],
        )


def part(rows: Rows) -> Parted:
    """Part the rows by no column: all are one pattern."""
    n = rows.columns.shape[1]
    return Parted(
        model=(), code=np.zeros(n, dtype=np.int64), patterns=np.zeros((1, 0), dtype=np.uint8)
    )


_NOTHING = np.zeros(0, dtype=np.uint8)


def _ordered(
    model: tuple[int, ...], code: NDArray[np.int64], patterns: NDArray[np.uint8]
) -> Parted:
    order = np.argsort(model, kind="stable")
    return Parted(
        model=tuple(model[i] for i in order),
        code=code.astype(np.int64),
        patterns=np.ascontiguousarray(patterns[:, order]),
    )


@numba.njit(cache=True, nogil=True)
def _tally(code: Any, extra: Any, counts: Any, times: Any, n_patterns: int, width: int) -> Any:
    """Rows, incidents and the histogram of counts above 0, by pattern."""
    parts = 2 if len(extra) else 1
    n = np.zeros(n_patterns * parts)
    total = np.zeros(n_patterns * parts)
    histogram = np.zeros((n_patterns * parts, width))
    for i in range(len(code)):
        g = code[i] * parts
        if parts == 2:
            g += extra[i]
        n[g] += times[i]
        y = counts[i]
        if y > 0:
            total[g] += times[i] * y
            histogram[g, y] += times[i]
    return n, total, histogram
