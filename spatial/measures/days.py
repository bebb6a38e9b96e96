"""Rows by place and day: sorted once, then cut for any number of places and periods.

A figure of a week in a district and one of five years in the city are slices of one order, so that
a thousand figures cost one sort and two binary searches each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

Value = TypeVar("Value", bound=np.generic)
WHOLE, NOWHERE = 0, -1  # places; those of districts count from 1
SPAN = 2**32  # more than there are days, so that place and day are one whole number
EPOCH = 2**31


class DayIndex:
    """Rows in the order of their place and day.

    Parameters
    ----------
    row
        Position of each row in its table; a row may stand in several places.
    place
        0 for the whole city, a district's number from 1; rows of -1 are in no place.
    day
        Days since 1970. All three have the shape ``(entries,)``.
    """

    def __init__(self, row: Ints, place: Ints, day: Ints) -> None:
        entries = np.flatnonzero(place != NOWHERE)
        key = _key(place[entries], day[entries])
        order = np.argsort(key, kind="stable")
        self._key, self._row = key[order], row[entries[order]]

    @classmethod
    def of_table(cls, district: Ints, day: Ints) -> DayIndex:
        """Return the index of a table whose rows lie in the city and in a district each."""
        row = np.arange(len(day))
        return cls(
            np.concatenate([row, row]),
            np.concatenate([np.full(len(row), WHOLE), district]),
            np.concatenate([day, day]),
        )

    def cut(self, place: Ints, start: Ints, end: Ints) -> Slices:
        """Return the rows of each place from its first day to the day before its end.

        Shapes ``(cells,)``.
        """
        low = np.searchsorted(self._key, _key(place, start))
        high = np.searchsorted(self._key, _key(place, end))
        return Slices(row=self._row, low=low, high=np.maximum(low, high))


@dataclass(frozen=True, kw_only=True, eq=False)
class Slices:
    """The rows of many cells: cell ``i`` has ``row[low[i]:high[i]]``."""

    row: Ints
    low: Ints
    high: Ints

    @property
    def sizes(self) -> Ints:
        """Rows of each cell."""
        return self.high - self.low

    def counts(self, flags: Flags) -> Ints:
        """Return how many rows of each cell are flagged; ``flags`` has one value a row."""
        before = np.concatenate([[0], np.cumsum(flags[self.row])])
        return before[self.high] - before[self.low]

    def where(self, flags: Flags) -> Slices:
        """Return the flagged rows of each cell."""
        chosen = flags[self.row]
        before = np.concatenate([[0], np.cumsum(chosen)])
        return Slices(row=self.row[chosen], low=before[self.low], high=before[self.high])

    def pieces(self, values: NDArray[Value]) -> Iterator[NDArray[Value]]:
        """Return the values of each cell, by day; ``values`` has one value a row."""
        ordered = values[self.row]
        for low, high in zip(self.low.tolist(), self.high.tolist(), strict=True):
            yield ordered[low:high]

    def sums(self, values: Floats) -> list[float]:
        """Add up the values of each cell in the order of the table.

        The order decides the last bit of a sum: cutting it in another order would change figures
        that have been published.
        """
        return [float(values[np.sort(rows)].sum()) for rows in self.pieces(np.arange(len(values)))]


def _key(place: Ints, day: Ints) -> Ints:
    return place * SPAN + (day + EPOCH)
