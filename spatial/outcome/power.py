"""What a comparison can find before it is made: chances and the drops that they need.

All go by the approximation of :func:`spatial.outcome.estimates.detectable_drop`: the difference is
normal, its variance that of four (with displacement areas eight) Poisson counts at the level
before, here also times the dispersion of the counts. A drop makes the counts, and so the variance,
smaller than taken here: the chances are on the low side, as far as trends run alike. Where they do
not, nothing here holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from spatial.errors import OutcomeError
from spatial.outcome.estimates import detectable_drop

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a comparison of a certain size reaches.

    Parameters
    ----------
    mean
        Incidents expected in the treated area in the period after, without an intervention.
    displacement
        The same of the surroundings, where they are counted too.
    before
        Length of the period before over that of the period after.
    dispersion
        Variance of the counts over their mean, at least 1.
    alpha
        Level of the one-sided test.

    Raises
    ------
    OutcomeError
        If a number is out of bounds.
    """

    mean: float
    displacement: float | None = None
    before: float = 1.0
    dispersion: float = 1.0
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if not (self.mean > 0 and self.before > 0 and self.dispersion >= 1):
            msg = (
                "power needs incidents before, a period before and a dispersion of 1 or more; got "
                f"{self.mean:g}, {self.before:g} and {self.dispersion:g}"
            )
            raise OutcomeError(msg)

    @property
    def half(self) -> float:
        """The drop that is found half of the time."""
        drop = detectable_drop(
            self.mean, displacement=self.displacement, before=self.before, alpha=self.alpha
        )
        return drop * float(np.sqrt(self.dispersion))

    @property
    def se(self) -> float:
        """Standard error of the difference."""
        return self.half / float(norm.isf(self.alpha))

    def drop(self, chance: float) -> float:
        """Give the drop that is found with a certain chance.

        >>> round(Reach(mean=50).drop(0.5), 1), round(Reach(mean=50).drop(0.8), 1)
        (23.3, 35.2)
        """
        return self.half + float(norm.ppf(chance)) * self.se

    def chance(self, drop: ArrayLike) -> NDArray[np.float64]:
        """Give the chance that drops of some sizes, in incidents, are found."""
        found = norm.cdf(np.asarray(drop, dtype=float) / self.se - norm.isf(self.alpha))
        return np.asarray(found, dtype=np.float64)
