"""The period before an intervention, the period after, and the steps that both are cut into."""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from spatial.errors import OutcomeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Unit = Literal["month", "week"]

SHORTEST_FOR_MONTHS = 3  # months in either period; shorter ones are cut into weeks


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Two half-open periods of days, the second not before the end of the first.

    Raises
    ------
    OutcomeError
        If one is empty or they overlap.
    """

    before: tuple[dt.date, dt.date]
    after: tuple[dt.date, dt.date]

    def __post_init__(self) -> None:
        for name, (start, end) in (("before", self.before), ("after", self.after)):
            if start >= end:
                msg = (
                    f"the period {name}, {start} to {end}, is empty; its first day is included, "
                    "its last is not"
                )
                raise OutcomeError(msg)
        if self.after[0] < self.before[1]:
            msg = (
                f"the period after starts on {self.after[0]}, within the period before, which "
                f"ends before {self.before[1]}; the same incidents would count on both sides: "
                "let the first end where the second starts, or earlier"
            )
            raise OutcomeError(msg)

    @cached_property
    def unit(self) -> Unit:
        """What the periods are cut into: months, or weeks where one is shorter than 3 months."""
        long_enough = all(
            months_later(start, SHORTEST_FOR_MONTHS) <= end
            for start, end in (self.before, self.after)
        )
        return "month" if long_enough else "week"

    @cached_property
    def time_weights(self) -> tuple[float, float]:
        """Lengths of the periods in lengths of the period after, so that figures are per that.

        In months where both are whole months, so that half-years are equal; in days otherwise.
        """
        months = [_whole_months(*period) for period in (self.before, self.after)]
        if months[0] and months[1]:
            return months[0] / months[1], 1.0
        days = [(end - start).days for start, end in (self.before, self.after)]
        return days[0] / days[1], 1.0

    @cached_property
    def steps_before(self) -> tuple[tuple[dt.date, dt.date], ...]:
        """Whole steps that end with the period before; days left at its start are in none.

        The period itself where it is shorter than a step.
        """
        edges = [self.before[1]]
        while (earlier := _step(self.before[1], -len(edges), self.unit)) >= self.before[0]:
            edges.append(earlier)
        if len(edges) == 1:
            return (self.before,)
        return tuple(itertools.pairwise(reversed(edges)))

    @cached_property
    def steps_after(self) -> tuple[tuple[dt.date, dt.date], ...]:
        """Steps from the start of the period after; the last may be shorter."""
        edges = [self.after[0]]
        while (later := _step(self.after[0], len(edges), self.unit)) < self.after[1]:
            edges.append(later)
        return tuple(itertools.pairwise([*edges, self.after[1]]))

    @cached_property
    def elapsed(self) -> NDArray[np.float64]:
        """Share of the period after that has passed by the end of each of its steps."""
        start, end = self.after
        months = _whole_months(start, end)
        if self.unit == "month" and months:
            return np.arange(1, months + 1) / months
        passed = [(last - start).days for _, last in self.steps_after]
        return np.array(passed) / (end - start).days

    def step_of(self, days: Iterable[dt.date]) -> NDArray[np.int64]:
        """Give the step of each day, counted through both periods; -1 where it is in none."""
        number = np.array([day.toordinal() for day in days], dtype=np.int64)
        found = np.full(len(number), -1, dtype=np.int64)
        for position, (start, end) in enumerate([*self.steps_before, *self.steps_after]):
            found[(number >= start.toordinal()) & (number < end.toordinal())] = position
        return found


def within(days: Iterable[dt.date], period: tuple[dt.date, dt.date]) -> NDArray[np.bool_]:
    """Tell which days are in a half-open period."""
    return np.array([period[0] <= day < period[1] for day in days], dtype=bool)


def _step(start: dt.date, steps: int, unit: Unit) -> dt.date:
    return months_later(start, steps) if unit == "month" else start + dt.timedelta(weeks=steps)


def months_later(day: dt.date, months: int) -> dt.date:
    """Give the same day of a later month, its last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _whole_months(start: dt.date, end: dt.date) -> int:
    """Count the months of a period, 0 where it is not made of whole ones."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if months > 0 and months_later(start, months) == end else 0
