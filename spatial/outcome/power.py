"""What drop the rule of an evaluation calls, and how often: simulated, with the rule itself.

Counts of the treated area and of every control area are drawn for both periods, with trends that
run alike and the dispersion that the areas had before. In each draw the rule
(:mod:`spatial.outcome.rule`) calls a fall when the count after is below a bound; the chance of a
drop is the mean, over draws, of the chance that a count with that drop is below it. A chance is off
by 1.1 % at most (standard error; ``DRAWS``). Where trends do not run alike, nothing here holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import nbinom, poisson

from spatial.errors import OutcomeError
from spatial.outcome.estimates import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

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
            raise OutcomeError(msg)
        members = np.asarray(self.members)
        if members.ndim != 2 or members.shape[1] != len(self.pieces) or len(members) == 0:
            msg = (
                "power needs the pieces of at least one control area, a row an area and a column "
                f"a piece; got shape {members.shape} for {len(self.pieces)} pieces"
            )
            raise OutcomeError(msg)

    @classmethod
    def alike(cls, treated: float, controls: int, **given: float) -> Comparison:
        """Return a comparison with so many control areas, apart and as large as the treated one.

        >>> found = Comparison.alike(150, 3)
        >>> 55 < found.drop(0.5) < 62
        True
        """
        whole = treated + given.get("surroundings", 0.0)
        return cls(treated=treated, pieces=[whole] * controls, members=np.eye(controls), **given)

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
        (:func:`spatial.outcome.estimates.weighted_difference`); the bound is the root of that. The
        rule needs it against all control areas, hence the least.
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
