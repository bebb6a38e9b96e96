"""What a cell's own record adds to what its surroundings lead one to expect.

Cells with the same surroundings differ: a bar fight happens at one corner and not at the next. Let
a cell's true mean be its expectation times a factor that is drawn for each cell from one
distribution, the same for all cells. That distribution is estimated from the counts of all cells
without giving it a form (nonparametric maximum likelihood of a mixture of Poisson distributions:
Kiefer, Wolfowitz 1956, Laird 1978; here on a grid of factors, by EM). A cell's own factor is then
its mean given what the cell recorded (empirical Bayes: Robbins 1956). Where most cells are alike a
record moves little; where few cells have most incidents it moves much; a long one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_FACTOR = 1e-3  # a cell a thousand times quieter than expected is as good as empty
STEP = 1.4  # from one factor of the grid to the next
ROUNDS = 100
ZEROS_STEP = 0.02  # expectations of cells without an incident are put together this finely (log)
AT_ONCE = 65_536  # cells worked on together, which bounds memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How far cells differ from their expectation: factors, and the share of cells that has each.

    ``scale`` turns weighted incidents into as many whole ones as know equally much.
    """

    factors: tuple[float, ...]
    shares: tuple[float, ...]
    scale: float

    def lift(self, expected: Floats, kept: Floats) -> Floats:
        """Return each cell's factor from what it was expected to hold and what it kept.

        Parameters
        ----------
        expected, kept
            Weighted incidents, shape ``(cells,)``; expectations above 0.
        """
        factors = np.array(self.factors)
        shares = np.array(self.shares)
        lifted = np.empty(len(expected))
        for start in range(0, len(expected), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            chance = shares * _likelihood(
                self.scale * expected[part], self.scale * kept[part], factors
            )
            lifted[part] = (chance @ factors) / chance.sum(axis=1)
        return lifted


def learn_record(
    expected: Floats, kept: Floats, *, scale: float = 1.0, rounds: int = ROUNDS
) -> Record:
    """Estimate the distribution of factors from all cells.

    Parameters
    ----------
    expected
        Weighted incidents that each cell's surroundings lead one to expect, above 0, worked out
        without the cell's own; shape ``(cells,)``.
    kept
        Weighted incidents of each cell, not all 0.
    scale
        Sum of the incidents' weights over the sum of their squares (Kish 1965): a sum of weighted
        incidents varies as a count of ``scale`` times as many does, relative to its mean.
    rounds
        Rounds of EM from equal shares. A fixed number keeps the distribution from falling apart
        into single points.
    """
    highest = max(10.0, float((kept / expected).max()))
    number = 1 + int(np.ceil(np.log(highest / LEAST_FACTOR) / np.log(STEP)))
    factors = LEAST_FACTOR * STEP ** np.arange(number, dtype=np.float64)
    means, counts, cells = _collapse(scale * expected, scale * kept)
    likelihood = _likelihood(means, counts, factors)
    shares = np.full(number, 1.0 / number)
    for _ in range(rounds):
        shares = shares * ((cells / (likelihood @ shares)) @ likelihood) / len(expected)
    shares /= shares.sum()
    return Record(factors=tuple(factors.tolist()), shares=tuple(shares.tolist()), scale=scale)


def _collapse(expected: Floats, kept: Floats) -> tuple[Floats, Floats, Floats]:
    """Put cells without an incident together by expectation: means, counts, numbers of cells."""
    some = kept > 0
    steps, number = np.unique(
        np.rint(np.log(expected[~some]) / ZEROS_STEP).astype(np.int64), return_counts=True
    )
    return (
        np.concatenate([expected[some], np.exp(steps * ZEROS_STEP)]),
        np.concatenate([kept[some], np.zeros(len(steps))]),
        np.concatenate([np.ones(int(some.sum())), number]),
    )


def _likelihood(expected: Floats, kept: Floats, factors: Floats) -> Floats:
    """Poisson likelihood of each cell under each factor, its highest 1; ``(cells, factors)``."""
    means = expected[:, None] * factors
    log = kept[:, None] * np.log(means) - means
    return np.asarray(np.exp(log - log.max(axis=1, keepdims=True)), dtype=np.float64)
