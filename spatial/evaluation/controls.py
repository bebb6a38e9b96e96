"""Areas to compare with: contiguous, as like the treated area before as chance allows, and near.

After "Drawing contiguous control areas for the weighted displacement difference test" (A. Wheeler,
repository WDDControl): the four checks of the gap before, their thresholds, the cap on single
places and the rule "the nearest that passes" are that paper's. The search is its "pure scan":
areas grown outward from many centres. Its integer program is not used; in the
paper's simulations it found a passing area more often and was no more accurate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from spatial.errors import OutcomeError
from spatial.evaluation.estimates import dispersion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from spatial.grid import Grid

    Floats = NDArray[np.float64]
    Cells = NDArray[np.int64]
    Flags = NDArray[np.bool_]

BLOCK_STEPS = 6  # steps of the second check
MOST_CENTRES = 400  # candidates spread evenly over the city; the cost grows with each
MOST_SHARED = 0.5  # of the cells of the smaller of two control areas
CAP_SHARE, CAP_LEAST = 0.2, 3  # of the treated area's incidents before, in one cell
REACH = 3.0  # how many times the level's threshold a trial area may be off
FIRST_STEPS = 16  # how far a trial area may reach at first, in cells; doubled as needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The gap between an area and the treated one before, over what chance alone would make it.

    Each is 1 at the threshold; an area passes when none is above.

    Parameters
    ----------
    fit
        Sum over steps of the absolute gap.
    blocks
        The same over stretches of six steps.
    level
        Gap of the totals.
    trend
        Gap of the linear trends.
    """

    fit: float
    blocks: float
    level: float
    trend: float

    @property
    def worst(self) -> float:
        """The largest of the four."""
        return max(self.fit, self.blocks, self.level, self.trend)

    @property
    def passes(self) -> bool:
        """Whether the area is like the treated one, as far as chance lets one see."""
        return self.worst <= 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlArea:
    """A contiguous area to compare with.

    Parameters
    ----------
    cells
        Numbers of its cells, ascending.
    checks
        How it compares before.
    distance_units
        How far the cell that it grew from is from the nearest treated cell. Not a mean over its
        cells: that would favour small areas, which are those that happened to have many incidents.
    """

    cells: Cells
    checks: Checks
    distance_units: float


class Yardstick:
    """The treated series before, and what chance alone would make of a gap to it."""

    def __init__(self, series: ArrayLike) -> None:
        y = np.asarray(series, dtype=float)
        if y.ndim != 1 or len(y) == 0 or y.sum() <= 0:
            msg = (
                "the treated area has no incident in the period before, so nothing can be found "
                "that was like it; choose a longer period or a larger area"
            )
            raise OutcomeError(msg, code="nothing_before")
        self.series = y
        self.dispersion = dispersion(y)
        variance = 2.0 * self.dispersion * y  # of the gap: k + k^2 = 2 for areas of equal counts
        self.centred = np.arange(len(y)) - (len(y) - 1) / 2
        ends = len(y) - np.arange(len(y)) - 1
        self.block_of = ends // BLOCK_STEPS  # blocks end where the period before does
        in_block = np.bincount(self.block_of, variance)
        self.fit = float(np.sqrt(2 * variance / np.pi).sum())
        self.blocks = float(np.sqrt(2 * in_block / np.pi).sum())
        self.level = float(np.sqrt(variance.sum()))
        self.trend = float(np.sqrt((self.centred**2 * variance).sum()))

    def measure(self, areas: ArrayLike) -> Floats:
        """Return the four ratios of several areas.

        Parameters
        ----------
        areas
            Their series, shape ``(areas, steps)``.

        Returns
        -------
        Shape ``(areas, 4)``, in the order of :class:`Checks`.
        """
        gap = np.asarray(areas, dtype=float) - self.series
        blocks = np.stack([gap[:, self.block_of == b].sum(1) for b in np.unique(self.block_of)], 1)
        found = np.stack(
            [
                np.abs(gap).sum(1) / self.fit,
                np.abs(blocks).sum(1) / self.blocks,
                np.abs(gap.sum(1)) / self.level,
                np.abs(gap @ self.centred),
            ],
            axis=1,
        )
        found[:, 3] /= self.trend if self.trend > 0 else 1.0  # a single step has no trend
        return found

    def check(self, area: ArrayLike) -> Checks:
        """Check the series of one area."""
        fit, blocks, level, trend = self.measure(np.asarray(area)[None, :])[0].tolist()
        return Checks(fit=fit, blocks=blocks, level=level, trend=trend)


def ring(grid: Grid, cells: Cells, reach: int) -> Cells:
    """Return the cells around an area, up to ``reach`` cells away in every direction."""
    if reach == 0:
        return np.empty(0, dtype=np.int64)
    inside = np.zeros((grid.n_rows, grid.n_cols), dtype=bool)
    inside[grid.rows[cells], grid.cols[cells]] = True
    around = ndimage.maximum_filter(inside, size=2 * reach + 1) & ~inside
    return np.flatnonzero(around[grid.rows, grid.cols]).astype(np.int64)


def find_controls(
    grid: Grid,
    counts: sparse.csr_array,
    treated: Cells,
    candidate: Flags,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[ControlArea]:
    """Find areas like the treated one, best first.

    From each of many centres an area grows cell by cell, along shared sides, nearest to the
    centre first. Of its extents that pass all four checks the one nearest in level is kept, else
    the one that comes closest. Areas that pass come first, nearest first; then the others, least
    violation first.

    Parameters
    ----------
    grid
        The cells.
    counts
        Incidents in each step before, shape ``(cells, steps)``.
    treated
        Cells of the treated area.
    candidate
        Cells that may be compared with, shape ``(cells,)``.

    Raises
    ------
    OutcomeError
        If the treated area had no incident before, or no candidate cell had one.
    """
    yardstick = Yardstick(counts[treated].sum(axis=0))
    own = np.asarray(counts.sum(axis=1)).ravel()
    pool = candidate & (own <= max(CAP_LEAST, CAP_SHARE * yardstick.series.sum()))
    pool[treated] = False
    if own[pool].sum() == 0:
        msg = (
            "no cell outside the treated area and its surroundings had an incident in the period "
            "before, so there is nothing to compare with; treat fewer zones, take a smaller "
            "buffer or a longer period before"
        )
        raise OutcomeError(msg, code="no_control")
    away, graph = _away(grid, treated), _sides(grid, pool)
    enough = yardstick.series.sum() + REACH * yardstick.level
    centres = _centres(grid, pool)
    found = []
    for done, centre in enumerate(centres.tolist(), start=1):
        order = _outward(grid, graph, centre, own, enough)
        cells, checks = _grown(order, counts, own, yardstick)
        found.append(ControlArea(cells=cells, checks=checks, distance_units=float(away[centre])))
        if progress:
            progress("control areas", done, len(centres))
    return sorted(found, key=_merit)


def _merit(area: ControlArea) -> tuple[bool, float, float, list[int]]:
    """Return what areas are sorted by: passing ones by distance, the others by their violation."""
    passes, worst = area.checks.passes, area.checks.worst
    nearness = round(area.distance_units if passes else worst, 9)
    return not passes, nearness, worst, area.cells.tolist()


def distinct(areas: Sequence[ControlArea], wanted: int) -> list[ControlArea]:
    """Pick the first areas of which no two share more than half of the smaller one's cells.

    Only areas that pass are picked; where none does, those that come closest are.

    Parameters
    ----------
    areas
        Best first.
    wanted
        How many at most.
    """
    picked: list[ControlArea] = []
    for area in [area for area in areas if area.checks.passes] or areas:
        if len(picked) == wanted:
            break
        if _apart(area, picked):
            picked.append(area)
    return picked


def beside(
    areas: Sequence[ControlArea], controls: Sequence[ControlArea]
) -> list[ControlArea | None]:
    """Pick an area to stand beside each control area, and share no cell with it.

    No two share more than half of the smaller one's cells, so there may be fewer than control
    areas. Of the areas that share no cell with a control only those that pass are picked; where
    none does, the one that comes closest is.

    Parameters
    ----------
    areas
        Best first.
    controls
        The control areas.

    Returns
    -------
    One for each control area, nothing where none is left that differs from those before it.
    """
    picked: list[ControlArea | None] = []
    for control in controls:
        free = [area for area in areas if len(np.intersect1d(area.cells, control.cells)) == 0]
        those = [area for area in free if area.checks.passes] or free
        earlier = [area for area in picked if area is not None]
        picked.append(next((area for area in those if _apart(area, earlier)), None))
    return picked


def _apart(area: ControlArea, others: Sequence[ControlArea]) -> bool:
    return all(shared(area, other) <= MOST_SHARED for other in others)


def shared(one: ControlArea, other: ControlArea) -> float:
    """Return the share of the smaller area's cells that lie in the larger one."""
    both = len(np.intersect1d(one.cells, other.cells, assume_unique=True))
    return both / min(len(one.cells), len(other.cells))


def _away(grid: Grid, treated: Cells) -> Floats:
    """Distance of each cell's centre from the nearest treated one's, in units."""
    outside = np.ones((grid.n_rows, grid.n_cols), dtype=bool)
    outside[grid.rows[treated], grid.cols[treated]] = False
    lattice = ndimage.distance_transform_edt(outside)[grid.rows, grid.cols]
    return lattice * grid.cell_units


def _centres(grid: Grid, pool: Flags) -> Cells:
    """Return one candidate cell of each square of the city, of as many squares as are allowed.

    Incidents play no part: an area around a cell that happened to have many would have fewer later.
    """
    cells = np.flatnonzero(pool)
    side = max(1, int(np.sqrt(len(cells) / MOST_CENTRES)))
    while True:
        square = (grid.rows[cells] // side) * np.int64(grid.n_cols) + grid.cols[cells] // side
        row_off = grid.rows[cells] % side - side / 2 + 0.5
        col_off = grid.cols[cells] % side - side / 2 + 0.5
        order = np.lexsort((cells, row_off**2 + col_off**2, square))
        first = order[np.unique(square[order], return_index=True)[1]]
        if len(first) <= MOST_CENTRES:
            return cells[first].astype(np.int64)
        side += 1


def _sides(grid: Grid, pool: Flags) -> sparse.csr_array:
    """Join candidate cells that share a side."""
    here, there = [], []
    raster = grid.index_raster
    for one, other in ((raster[:, :-1], raster[:, 1:]), (raster[:-1], raster[1:])):
        both = (one >= 0) & (other >= 0)
        a, b = one[both], other[both]
        kept = pool[a] & pool[b]
        here.append(a[kept])
        there.append(b[kept])
    a, b = np.concatenate(here), np.concatenate(there)
    ones = np.ones(2 * len(a), dtype=np.int8)
    places = (np.concatenate([a, b]), np.concatenate([b, a]))
    return sparse.csr_array((ones, places), shape=(len(grid), len(grid)))


def _outward(
    grid: Grid, graph: sparse.csr_array, centre: int, own: NDArray[np.int64], enough: float
) -> Cells:
    """Order cells outward from a centre: by steps along sides, then as one flies.

    Every start of the order is contiguous, since a cell's way to the centre comes before it. Goes
    as far as ``enough`` incidents lie, or the last cell that can be reached.
    """
    limit, order = FIRST_STEPS, np.empty(0, dtype=np.int64)
    while True:
        steps = csgraph.dijkstra(
            graph, directed=False, indices=centre, unweighted=True, limit=limit
        )
        reached = np.flatnonzero(np.isfinite(steps))
        done = own[reached].sum() >= enough or len(reached) == len(order)
        order = reached
        if done:
            break
        limit *= 2
    far = np.hypot(grid.x[order] - grid.x[centre], grid.y[order] - grid.y[centre])
    return order[np.lexsort((order, np.round(far, 6), steps[order]))].astype(np.int64)


def _grown(
    order: Cells, counts: sparse.csr_array, own: NDArray[np.int64], yardstick: Yardstick
) -> tuple[Cells, Checks]:
    """Grow an area along an order; of the extents that pass give the one nearest in level.

    Where none passes, the one that comes closest.
    """
    wanted, slack = yardstick.series.sum(), REACH * yardstick.level
    totals = np.cumsum(own[order])
    start, stop = np.searchsorted(totals, [wanted - slack, wanted + slack], side="right")
    start = min(int(start), len(order) - 1)
    adds = np.flatnonzero(np.diff(totals[start : int(stop)])) + start + 1  # others change nothing
    ends = np.concatenate([[start], adds]).astype(np.int64)
    base = np.asarray(counts[order[: start + 1]].sum(axis=0)).ravel()
    series = np.vstack([base, base + np.cumsum(counts[order[adds]].toarray(), axis=0)])
    measured = yardstick.measure(series)
    worst = measured.max(axis=1)
    best = int(np.where(worst <= 1.0, measured[:, 2], worst + 1.0).argmin())
    return np.sort(order[: ends[best] + 1]), yardstick.check(series[best])
