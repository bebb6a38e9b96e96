"""Scores of a forecast on a later period: hit rate, PAI, PEI, capture curve, calibration.

The cells are chosen on the score alone, then the incidents of a later period are counted in them.
With ``n`` incidents on an area ``a`` of the chosen cells, ``N`` and ``A`` in all: hit rate ``n/N``;
prediction accuracy index ``PAI = (n/N) / (a/A)`` (Chainey, Tompson, Uhlig 2008); prediction
efficiency index ``PEI = n / n*`` with ``n*`` the most that area could have kept (Hunt 2016).

Cells of equal score have no order, so their incidents are spread evenly over them (``spread``):
what is printed is what a random choice among them finds on average. ``pessimistic`` puts the cells
with fewest incidents first instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from spatial.errors import ForecastError
from spatial.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ties = Literal["spread", "pessimistic"]

SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
RELATIVE_TIE = 1e-12  # scores closer than this share of the largest are the same score


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What the cells of the highest scores, on one share of the area, kept.

    ``tied`` is the number of cells that share the score at the edge of the choice: 1 where the
    choice was clear. ``most`` is what so many cells could have held. ``calibration`` is expected
    over found incidents in the chosen cells, missing where the score is not a number of incidents
    or none was found. Intervals are 95 %.
    """

    share: float
    cells: int
    hits: float
    hit_rate: float
    pai: float
    pai_low: float
    pai_high: float
    pei: float
    most: float
    tied: int
    calibration: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Capture:
    """A capture curve: ``hits[i]`` incidents on ``area[i]`` of the highest-scored cells.

    Parameters
    ----------
    area, hits
        Cumulative, shape ``(cells,)``, highest score first.
    most
        The most incidents that each area could have kept, shape ``(cells,)``.
    expected
        Cumulative score over the same cells, in the score's own unit.
    block
        Number of cells that share the score of each cell.
    """

    area: Floats
    hits: Floats
    most: Floats
    expected: Floats
    block: NDArray[np.int64]

    @property
    def total(self) -> float:
        """Incidents in all."""
        return float(self.hits[-1])

    @property
    def hit_rate(self) -> Floats:
        """Share of the incidents captured."""
        return self.hits / self.total

    @property
    def pai(self) -> Floats:
        """Prediction accuracy index along the curve."""
        return self.hit_rate / (self.area / self.area[-1])

    @property
    def pei(self) -> Floats:
        """Prediction efficiency index along the curve."""
        return self.hits / self.most

    @property
    def predicted_over_observed(self) -> Floats:
        """Predicted over observed incidents along the curve, infinite before the first hit.

        One of three things called "RRI"; it is a calibration and is named as such here.
        """
        with np.errstate(divide="ignore"):
            return self.expected / self.hits

    @property
    def under_curve(self) -> float:
        """Area under the capture curve: 0.5 is chance, 1 cannot be reached (trapezoids)."""
        x = np.concatenate([[0.0], self.area / self.area[-1]])
        y = np.concatenate([[0.0], self.hit_rate])
        return float(np.trapezoid(y, x))

    def levels(
        self, shares: Sequence[float] = SHARES, *, expected_total: float | None = None
    ) -> list[Level]:
        """Read the curve of equal cells at several shares of the area.

        Parameters
        ----------
        shares
            Shares of the cells, each rounded to a whole number of cells, at least one.
        expected_total
            Incidents that the score expects in the whole test period, where it is a rate; asks
            for the calibration.
        """
        n = len(self.hits)
        levels = []
        for share in shares:
            cells = max(1, round(share * n))
            at = cells - 1
            hits, rate = float(self.hits[at]), float(self.hit_rate[at])
            low, high = wilson(hits, self.total)
            part = cells / n
            expected = None
            if expected_total is not None and hits > 0 and self.expected[-1] > 0:
                expected = float(self.expected[at] / self.expected[-1] * expected_total / hits)
            levels.append(
                Level(
                    share=share,
                    cells=cells,
                    hits=hits,
                    hit_rate=rate,
                    pai=rate / part,
                    pai_low=low / part,
                    pai_high=high / part,
                    pei=float(self.pei[at]),
                    most=float(self.most[at]),
                    tied=int(self.block[at]),
                    calibration=expected,
                )
            )
        return levels


def capture(
    score: ArrayLike, observed: ArrayLike, *, area: ArrayLike | None = None, ties: Ties = "spread"
) -> Capture:
    """Order cells by score and accumulate what they kept.

    Parameters
    ----------
    score
        Risk of each cell, shape ``(cells,)``.
    observed
        Incidents of the test period in each cell.
    area
        Area of each cell; equal if left out.
    ties
        What becomes of cells of equal score.

    Raises
    ------
    ForecastError
        If lengths differ, a score is not finite, or there is no incident.
    """
    score, observed = np.asarray(score, dtype=float), np.asarray(observed, dtype=float)
    area = np.ones(len(score)) if area is None else np.asarray(area, dtype=float)
    if not len(score) == len(observed) == len(area) or len(score) == 0:
        msg = (
            "score, observed and area need one value a cell each; got "
            f"{len(score)}, {len(observed)} and {len(area)}"
        )
        raise ForecastError(msg, code="shapes_differ")
    if not np.isfinite(score).all():
        msg = f"{int((~np.isfinite(score)).sum())} cells have no finite score; give every cell one"
        raise ForecastError(msg, code="not_finite")
    if observed.sum() <= 0:
        msg = "no incident lies in the study area in the test period; choose a period that has some"
        raise ForecastError(msg, code="no_incident")
    block_of = _blocks(score)
    order = np.lexsort((observed / area, block_of))
    blocks = block_of[order]
    hits = observed[order]
    size = np.bincount(block_of)
    if ties == "spread":
        in_block = np.bincount(block_of, observed) / np.bincount(block_of, area)
        hits = in_block[blocks] * area[order]
    richest = np.argsort(-observed / area, kind="stable")
    cumulative_area = np.cumsum(area[order])
    return Capture(
        area=cumulative_area,
        hits=np.cumsum(hits),
        most=np.interp(cumulative_area, np.cumsum(area[richest]), np.cumsum(observed[richest])),
        expected=np.cumsum(score[order]),
        block=size[blocks],
    )


def score_levels(
    score: ArrayLike,
    observed: ArrayLike,
    *,
    shares: Sequence[float] = SHARES,
    expected_total: float | None = None,
) -> list[Level]:
    """Score equal cells at several shares of the area: :func:`capture`, then its levels."""
    return capture(score, observed).levels(shares, expected_total=expected_total)


def _blocks(score: Floats) -> NDArray[np.int64]:
    """Return each cell the number of its block of equal scores, 0 the highest."""
    order = np.argsort(-score, kind="stable")
    fall = -np.diff(score[order])
    gap = RELATIVE_TIE * max(float(np.abs(score).max()), 1e-300)
    block = np.empty(len(score), dtype=np.int64)
    block[order] = np.concatenate([[0], np.cumsum(fall > gap)])
    return block
