"""The period before an intervention, the period after, and the steps that both are cut into.

The rule by which a change is called one: what every control area shows, and not chance alone.

What drop the rule of an evaluation calls, and how often: simulated, with the rule itself.

Counts of the treated area and of every control area are drawn for both periods, with trends that
run alike and the dispersion that the areas had before. In each draw the rule
(:func:`call`) calls a fall when the count after is below a bound; the chance of a
drop is the mean, over draws, of the chance that a count with that drop is below it. A chance is off
by 1.1 % at most (standard error; ``DRAWS``). Where trends do not run alike, nothing here holds.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import nbinom, poisson

from spatial.errors import OutcomeError
from spatial.evaluation.estimates import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray


if TYPE_CHECKING:
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
                raise OutcomeError(msg, code="period_empty")
        if self.after[0] < self.before[1]:
            msg = (
                f"the period after starts on {self.after[0]}, within the period before, which "
                f"ends before {self.before[1]}; the same incidents would count on both sides: "
                "let the first end where the second starts, or earlier"
            )
            raise OutcomeError(msg, code="periods_overlap")

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
        """Return the step of each day, counted through both periods; -1 where it is in none."""
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
    """Return the same day of a later month, its last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _whole_months(start: dt.date, end: dt.date) -> int:
    """Count the months of a period, 0 where it is not made of whole ones."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if months > 0 and months_later(start, months) == end else 0


FEWER, NEITHER, MORE = -1, 0, 1


def side(low: float, high: float) -> int:
    """Return on which side of no difference a whole interval lies, if on one."""
    if high < 0:
        return FEWER
    return MORE if low > 0 else NEITHER


def call(intervals: Iterable[tuple[float, float]]) -> int:
    """Return what is called: the side on which the intervals against all control areas lie.

    One test of the difference to the mean of the control areas would call more. At the same share
    of false calls it finds hardly more (``python -m benchmarks.bench_power``), and that share then
    depends on how unlike the trends of places are, which nobody knows.

    Parameters
    ----------
    intervals
        Lower and upper end of the widened interval against each control area.

    Examples
    --------
    >>> call([(-9.0, -1.0), (-12.0, -2.0)]), call([(-9.0, -1.0), (-12.0, 2.0)]), call([])
    (-1, 0, 0)
    """
    sides = {side(low, high) for low, high in intervals}
    return sides.pop() if len(sides) == 1 else NEITHER


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

# A share of 2,000 draws has a standard error of 1.1 points at most.
DRAWS, SEED = 2_000, 20_261_130
HALVINGS = 24  # of the range of drops: to less than a millionth of it


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """A comparison with control areas, and what it would find.

    Parameters
    ----------
    treated
        Incidents of the treated area in the period before.
    pieces
        Incidents before in each piece of ground, shape ``(pieces,)``. Where control areas overlap,
        what they share is a piece of its own.
    members
        Which pieces make up which control area, shape ``(controls, pieces)``.
    surroundings
        Incidents before in the area around, where both are counted together. A control area then
        has the pieces of both controls.
    before
        Length of the period before over that of the period after.
    dispersion
        Variance of the counts over their mean, at least 1.
    widening
        What the variance of the estimates is multiplied by in the intervals; left out, as
        ``dispersion``.
    alpha
        One minus the level of the intervals, which are two-sided.

    Raises
    ------
    OutcomeError
        If a number is out of bounds, or there is no control area.
    """

    treated: float
    pieces: Sequence[float]
    members: ArrayLike
    surroundings: float = 0.0
    before: float = 1.0
    dispersion: float = 1.0
    widening: float | None = None
    alpha: float = 0.05

    def __post_init__(self) -> None:
        widening = self.dispersion if self.widening is None else self.widening
        if not (self.treated > 0 and self.before > 0 and min(self.dispersion, widening) >= 1):
            msg = (
                "power needs incidents before, a period before and a dispersion of 1 or more; got "
                f"{self.treated:g}, {self.before:g} and {self.dispersion:g}"
            )
            raise OutcomeError(msg, code="power_inputs")
        members = np.asarray(self.members)
        if members.ndim != 2 or members.shape[1] != len(self.pieces) or len(members) == 0:
            msg = (
                "power needs the pieces of at least one control area, a row an area and a column "
                f"a piece; got shape {members.shape} for {len(self.pieces)} pieces"
            )
            raise OutcomeError(msg, code="power_inputs")

    @classmethod
    def alike(cls, treated: float, controls: int, **value: float) -> Comparison:
        """Return a comparison with so many control areas, apart and as large as the treated one.

        >>> found = Comparison.alike(150, 3)
        >>> 55 < found.drop(0.5) < 62
        True
        """
        whole = treated + value.get("surroundings", 0.0)
        return cls(treated=treated, pieces=[whole] * controls, members=np.eye(controls), **value)

    @property
    def expected(self) -> float:
        """Incidents of the treated area in the period after, without an intervention."""
        return self.treated / self.before

    def drop(self, chance: float) -> float:
        """Return the drop, in incidents of the period after, that is called with a certain chance.

        Above :attr:`expected` where not even a drop to nothing is called so often: by how far the
        count would have to fall below nothing.
        """
        if self.chance(self.expected) < chance:
            return self._whole - float(np.quantile(self._bounds, 1 - chance))
        low, high = 0.0, self.expected
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.chance(middle) < chance else (low, middle)
        return high

    def chance(self, drop: float) -> float:
        """Return the chance that a drop of some size, in incidents, is called a fall."""
        mean = max(0.0, self._whole - drop)
        last, times = self._last
        if mean == 0:
            below = (last >= 0).astype(float)
        elif self.dispersion == 1:
            below = poisson.cdf(last, mean)
        else:
            size = mean / (self.dispersion - 1)
            below = nbinom.cdf(last, size, 1 / self.dispersion)
        return float(below @ times) / DRAWS

    @property
    def _whole(self) -> float:
        return (self.treated + self.surroundings) / self.before

    @cached_property
    def _last(self) -> tuple[Floats, NDArray[np.int64]]:
        """The largest count after that is called a fall, and in how many draws it is that."""
        return np.unique(np.ceil(self._bounds) - 1, return_counts=True)

    @cached_property
    def _bounds(self) -> Floats:
        """Below which count after the rule calls a fall, in each draw.

        Against one control area, with T, C the counts before and c the one after, b the length of
        before and z the normal quantile times the root of the widening, a count t is called when
        ``t - a + z sqrt(V + t) < 0``, with ``a = T/b + c - C/b`` and ``V = T/b^2 + c + C/b^2``
        (:func:`spatial.evaluation.estimates.weighted_difference`); the bound is the root of that.
        The rule needs it against all control areas, hence the least.
        """
        rng, b = np.random.default_rng(SEED), self.before
        members = np.asarray(self.members, dtype=float)
        pieces = np.asarray(self.pieces, dtype=float)
        mine = self._draw(rng, np.full((DRAWS, 1), self.treated + self.surroundings))
        theirs = self._draw(rng, np.tile(pieces, (DRAWS, 1))) @ members.T
        later = self._draw(rng, np.tile(pieces / b, (DRAWS, 1))) @ members.T
        a = mine / b + later - theirs / b
        v = mine / b**2 + later + theirs / b**2
        widening = self.dispersion if self.widening is None else self.widening
        zz = normal_quantile(self.alpha) ** 2 * widening
        root = np.sqrt(np.maximum(0.0, zz * (zz / 4 + a + v)))
        return np.minimum(a, a + zz / 2 - root).min(axis=1)

    def _draw(self, rng: np.random.Generator, mean: Floats) -> Floats:
        """Draw counts whose variance is ``dispersion`` times their mean (gamma-Poisson)."""
        if self.dispersion > 1:
            mean = rng.gamma(mean / (self.dispersion - 1), self.dispersion - 1)
        return rng.poisson(mean).astype(float)


def pieces_of(
    areas: Sequence[NDArray[np.int64]], own: NDArray[np.int64]
) -> tuple[list[float], NDArray[np.bool_]]:
    """Cut overlapping areas into pieces, and return incidents and membership of each piece.

    Parameters
    ----------
    areas
        Numbers of the cells of each area.
    own
        Incidents of each cell of the city.
    """
    inside = np.zeros((len(own), len(areas)), dtype=bool)
    for position, cells in enumerate(areas):
        inside[cells, position] = True
    patterns, of = np.unique(inside, axis=0, return_inverse=True)
    totals = np.bincount(of.ravel(), weights=own, minlength=len(patterns))
    kept = patterns.any(axis=1)
    return totals[kept].tolist(), patterns[kept].T
