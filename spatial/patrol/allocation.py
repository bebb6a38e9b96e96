"""How many visits each zone gets: by expected incidents, with a floor, within what units can do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spatial.errors import DosageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

GAP_MIN = 120  # return at least every two hours (Koper 1995, as cited by the Police Foundation)
LEAST_GAP_MIN = 30  # how long a stop was seen to last; coming back sooner adds little
LONGEST_SHIFT_MIN = 24 * 60
# Koper 1995 has residual deterrence peak after 10 to 16 minutes; a city may plan around that.
FEWEST_MIN, MOST_MIN = 5, 60
MOST_UNITS = 200  # a district has tens; more is a typing error


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpec:
    """What a plan is requested; all times in whole minutes.

    Parameters
    ----------
    shift_min
        Length of the shift.
    units
        How many units there are.
    visit_min
        Length of a visit.
    break_min
        Length of the one break of each unit, 0 for none.
    gap_min
        A zone should not be without a visit for longer.
    least_gap_min
        A zone is not visited again sooner.
    load
        Share of the units' time that visits are counted on to take; the rest is what an order
        that nobody can foresee costs.
    seed
        Decides everything that is drawn.
    limit_s
        The search stops after this many seconds even if it is not finished.
    """

    shift_min: int
    units: int
    visit_min: int = 15
    break_min: int = 30
    gap_min: int = GAP_MIN
    least_gap_min: int = LEAST_GAP_MIN
    load: float = 0.9
    seed: int = 1
    limit_s: float = 8.0

    def __post_init__(self) -> None:
        if not 0 < self.shift_min <= LONGEST_SHIFT_MIN:
            msg = f"a shift lasts up to 24 hours, not {self.shift_min / 60:g}; cut it into several"
            raise DosageError(msg, code="shift_too_long")
        if not 1 <= self.units <= MOST_UNITS:
            msg = f"a plan needs 1 to {MOST_UNITS} units, not {self.units}"
            raise DosageError(msg, code="units_range")
        if not FEWEST_MIN <= self.visit_min <= MOST_MIN:
            msg = f"a visit lasts {FEWEST_MIN} to {MOST_MIN} minutes, not {self.visit_min}"
            raise DosageError(msg, code="visit_minutes_range")
        if not 0 <= self.break_min <= self.shift_min - self.visit_min:
            msg = (
                f"a shift of {self.shift_min} minutes has no room for a visit of {self.visit_min} "
                f"and a break of {self.break_min}; shorten them or lengthen the shift"
            )
            raise DosageError(msg, code="shift_too_short")
        if not self.limit_s > 0:
            msg = f"the time limit is a number of seconds above 0, not {self.limit_s}"
            raise DosageError(msg, code="limit_range")

    @property
    def enough(self) -> int:
        """Fewest visits that keep every gap of a zone within ``gap_min``, at least 1.

        n visits of m minutes leave n + 1 gaps in a shift of T: ``T - n m <= (n + 1) gap``.
        """
        return max(1, math.ceil((self.shift_min - self.gap_min) / (self.visit_min + self.gap_min)))

    @property
    def most(self) -> int:
        """Most visits of a zone that come no sooner than ``least_gap_min`` after one another."""
        return (self.shift_min + self.least_gap_min) // (self.visit_min + self.least_gap_min)


def capacity(spec: PlanSpec, travel_min: Ints, *, units: int | None = None) -> int:
    """Estimate how many visits the units can make.

    A visit is taken to cost its own length and the travel to it, half-way between that from the
    nearest zone and that from the mean zone.

    Parameters
    ----------
    spec
        The ask.
    travel_min
        Minutes from zone to zone, shape ``(z, z)``.
    units
        How many, if not those of the ask.
    """
    worked = (units or spec.units) * (spec.shift_min - spec.break_min) * spec.load
    return max(units or spec.units, int(worked / (spec.visit_min + _usual_travel(travel_min))))


def units_for(spec: PlanSpec, travel_min: Ints) -> int:
    """Estimate the fewest units with which every zone would be visited every ``gap_min``."""
    wanted = len(travel_min) * spec.enough
    one = (spec.shift_min - spec.break_min) * spec.load
    return max(1, math.ceil(wanted * (spec.visit_min + _usual_travel(travel_min)) / one))


def allocate_visits(expected: Floats, number: int, spec: PlanSpec) -> Ints:
    """Return each zone a number of visits.

    What there is is given out in rounds, each by expected incidents and each up to a ceiling: one
    visit a zone; as many as keep gaps within bounds; one more, without which there is next to no
    choice of when; as many as still add something. Where a round cannot be filled, it is shared out
    in proportion and the rounds after it get nothing. A zone never gets fewer visits than one that
    expects less.

    Parameters
    ----------
    expected
        Incidents expected in each zone, shape ``(z,)``. Equal numbers, also all 0, share equally.
    number
        How many visits there are to give, such as :func:`capacity`.
    spec
        The ask.

    Returns
    -------
    Visits of each zone, shape ``(z,)``. They sum to ``number``, or to what zones can take.
    """
    size = len(expected)
    value = np.zeros(size, dtype=np.int64)
    for ceiling in (1, spec.enough, min(spec.enough + 1, spec.most), spec.most):
        if number < ceiling * size:
            return _share_out(expected, number, value, ceiling)
        value = np.full(size, ceiling, dtype=np.int64)
    return value


def _share_out(expected: Floats, number: int, low: Ints, high: int) -> Ints:
    """Share visits in proportion to expected incidents between bounds, by largest remainder."""
    weight = np.asarray(expected, dtype=float)
    if not weight.sum() > 0:
        weight = np.ones(len(weight))
    quota = _quota(weight, number, low, high)
    value = np.floor(quota + 1e-9).astype(np.int64)
    order = np.lexsort((np.arange(len(weight)), -weight, -np.round(quota - value, 9)))
    left = number - int(value.sum())
    value[[i for i in order.tolist() if value[i] < high][:left]] += 1
    return value


def _quota(weight: Floats, number: int, low: Ints, high: int) -> Floats:
    """Give ``min(max(low, c w), high)`` with the c for which they sum to ``number``."""
    least = weight[weight > 0].min()
    below, above = 0.0, (high + 1) / least
    for _ in range(200):
        middle = (below + above) / 2
        if np.clip(middle * weight, low, high).sum() < number:
            below = middle
        else:
            above = middle
    quota = np.clip(above * weight, low, high)
    short = number - quota.sum()
    if short > 1e-6:  # zones that expect nothing share what the others cannot take
        idle = weight == 0
        quota[idle] += short / idle.sum()
    return quota


def _usual_travel(travel_min: Ints) -> float:
    size = len(travel_min)
    if size < 2:
        return 0.0
    apart = ~np.eye(size, dtype=bool)
    nearest = np.where(apart, travel_min, travel_min.max() + 1).min(axis=1)
    return float((nearest.mean() + travel_min[apart].mean()) / 2)
