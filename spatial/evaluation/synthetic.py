"""A synthetic control: untreated cells weighed so that together they ran like the treated area.

Weights by raking (Deville and Särndal 1992), as in microsynth (Robbins, Saunders, Kilmer 2017):
of all weights under which the cells' counts add up to the treated area's in every step before,
those that differ least from equal ones. Where there are none, the non-negative weights of least
squares (Abadie, Diamond, Hainmueller 2010), drawn towards equal ones, come closest.

Two things differ from microsynth, both against following chance. Steps are merged until each
holds at least five incidents of the treated area. And cells that had no incident before are donors
too, with the weight that all start from: a control made of cells that happened to have incidents
would have fewer after, whatever was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.optimize import nnls

from spatial.errors import OutcomeError
from spatial.evaluation.estimates import Estimate, estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy import sparse

    Floats = NDArray[np.float64]
    Counts: TypeAlias = NDArray[Any] | sparse.csr_array

FEWEST = 5  # incidents of the treated area in a merged step
PULL = 1e-3  # of weights to equal ones, where no weights are exact
ROUNDS = 200
EXACT = 1e-8  # largest miss of a step, of the treated area's mean step
SMALLEST_STEP = 1e-6  # a Newton step halved to this is no longer going down
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticControl:
    """Weights of donors, shape ``(donors,)``, and how closely they follow the treated series.

    Parameters
    ----------
    weights
        One a donor, 0 or above.
    exact
        Whether the weighted donors equal the treated series in every merged step before.
    miss
        Root of the mean squared gap over merged steps.
    steps
        How many merged steps there are.
    """

    weights: Floats
    exact: bool
    miss: float
    steps: int

    @property
    def method(self) -> str:
        """How the weights were found."""
        return "raking" if self.exact else "least squares"

    @property
    def effective(self) -> float:
        """How many equally weighted donors would vary as much (Kish 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    def series(self, donors: Counts) -> Floats:
        """Weigh the donors' counts, shape ``(donors, steps)``, to one series."""
        return np.asarray(donors.T @ self.weights)

    def difference(
        self,
        treated: tuple[float, float],
        donors: NDArray[Any],
        *,
        time_weights: tuple[float, float] = (1.0, 1.0),
        alpha: float = 0.05,
    ) -> Estimate:
        """Estimate the WDD against the weighted donors; their variance is that of Poisson counts.

        Parameters
        ----------
        treated
            Counts before and after.
        donors
            Counts of each donor before and after, shape ``(donors, 2)``.
        time_weights
            Lengths of the two periods.
        alpha
            One minus the level of the interval.
        """
        lengths = np.asarray(time_weights, dtype=float)
        ours, theirs = np.asarray(treated, dtype=float) / lengths, self.series(donors) / lengths
        variance = (np.asarray(treated) / lengths**2).sum()
        variance += (self.weights**2 @ donors / lengths**2).sum()
        return estimate(float(np.diff(ours - theirs)[0]), float(variance), alpha)


def weigh_donors(donors: Counts, treated: ArrayLike) -> SyntheticControl:
    """Find the weights of a synthetic control.

    Parameters
    ----------
    donors
        Counts before, shape ``(donors, steps)``, an array or a sparse one.
    treated
        The series to follow, shape ``(steps,)``.

    Raises
    ------
    OutcomeError
        If the treated area or the donors have no incident.
    """
    series = np.asarray(treated, dtype=float)
    merged = merge_steps(series)
    x, y = np.asarray(donors @ merged, dtype=float), series @ merged
    if x.sum() == 0 or y.sum() == 0:
        msg = (
            "a synthetic control needs incidents before, in the treated area and elsewhere; "
            "choose a longer period before"
        )
        raise OutcomeError(msg, code="synthetic_needs_incidents")
    kinds, kind_of, times = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    found = _rake(kinds, times, y)
    exact = found is not None
    if found is None:
        found = _least_squares(kinds, times, y)
    weights = found[kind_of.ravel()]
    miss = float(np.sqrt(((x.T @ weights - y) ** 2).mean()))
    return SyntheticControl(weights=weights, exact=exact, miss=miss, steps=len(y))


def merge_steps(series: Floats) -> Floats:
    """Merge steps, from the last backwards, until each holds at least five incidents.

    Returns
    -------
    Zeros and ones, shape ``(steps, merged steps)``, that turn a series into the merged one.
    """
    group_of = np.zeros(len(series), dtype=np.int64)
    group, kept = 0, 0.0
    for step in range(len(series) - 1, -1, -1):
        group_of[step] = group
        kept += series[step]
        if kept >= FEWEST:
            group, kept = group + 1, 0.0
    if kept < FEWEST and group > 0:
        group_of[group_of == group] = group - 1  # what is left at the start is too little
    return np.eye(int(group_of.max()) + 1)[group_of.max() - group_of]


def _rake(x: Floats, times: NDArray[np.int64], y: Floats) -> Floats | None:
    """Minimise the raking distance by Newton's method on its dual, or tell that it fails.

    ``x`` are the kinds of donors, ``times`` how many there are of each.
    """
    base = y.sum() / (times @ x).sum()
    multipliers = np.zeros(len(y))

    def dual(at: Floats) -> float:
        with np.errstate(over="ignore"):
            return float((times * base * np.exp(x @ at)).sum() - y @ at)

    value = dual(multipliers)
    for _ in range(ROUNDS):
        weights = base * np.exp(x @ multipliers)
        miss = y - (times * weights) @ x
        if np.abs(miss).max() <= EXACT * y.mean():
            return weights
        curvature = (x * (times * weights)[:, None]).T @ x
        try:
            step = np.linalg.solve(curvature, miss)
        except np.linalg.LinAlgError:
            return None
        length = 1.0
        slack = ROUNDING * abs(value)  # at the bottom, steps are within rounding
        while not (trial := dual(multipliers + length * step)) <= value + slack:
            length /= 2
            if length < SMALLEST_STEP:
                return None
        multipliers, value = multipliers + length * step, trial
    return None


def _least_squares(x: Floats, times: NDArray[np.int64], y: Floats) -> Floats:
    """Minimise the squared gap and, faintly, the squared distance from equal weights."""
    base, root = y.sum() / (times @ x).sum(), np.sqrt(times)
    fit = (x * root[:, None]).T
    pull = np.sqrt(PULL) * np.eye(len(x))
    return nnls(np.vstack([fit, pull]), np.concatenate([y, pull @ (root * base)]))[0] / root
