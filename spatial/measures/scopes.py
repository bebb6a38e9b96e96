"""What figures are about: days, and the city or one of its districts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Rows a figure is about: days from ``start`` (included) to ``end`` (excluded), a district.

    Days are local; without a district it is the whole city.
    """

    start: dt.date
    end: dt.date
    district: str | None = None

    def within(self, start: dt.date, end: dt.date) -> Scope:
        """Return the same scope over other days."""
        return replace(self, start=start, end=end)


class Scopes:
    """Scopes that figures are worked out for together, in their order."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self._scopes = tuple(scopes)

    def __len__(self) -> int:
        return len(self._scopes)

    def __iter__(self) -> Iterator[Scope]:
        return iter(self._scopes)

    @cached_property
    def start(self) -> NDArray[np.int64]:
        """First day of each scope, in days since 1970."""
        return _days([scope.start for scope in self])

    @cached_property
    def end(self) -> NDArray[np.int64]:
        """Day after the last of each scope, in days since 1970."""
        return _days([scope.end for scope in self])


def _days(days: Sequence[dt.date]) -> NDArray[np.int64]:
    return np.array(days, dtype="datetime64[D]").astype(np.int64)
