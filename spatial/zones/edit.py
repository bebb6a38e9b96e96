"""What a person changes about zones: merge, split, redraw. A zone stays a set of cells.

Everything is done on the cells of the run's grid. What is drawn is taken to the cells whose centre
it holds, so that an edited zone is of the same kind as one that was cut: one piece along the
lattice, in one district, sharing no cell with another, its area a number of cells.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
import shapely.ops
from scipy import ndimage

from spatial.errors import ZoneEditError
from spatial.grid import area_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.grid import Grid

    Cells = NDArray[np.int64]
    Floats = NDArray[np.float64]

MOST_DECODED = 14  # factors whose 2^k patterns are looked through
SAME = 1e-9  # of log scores: how alike two values of one pattern are


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnCells:
    """Cells that a drawn shape holds; how many it kept besides, and why they were left out."""

    cells: Cells
    elsewhere: int  # in another district
    taken: int  # in other zones


def pieces(grid: Grid, cells: Cells) -> list[Cells]:
    """Part cells into pieces whose cells hang together by their sides, the largest first.

    Parameters
    ----------
    grid
        The cells of the study area.
    cells
        Positions of some of them.

    Returns
    -------
    Positions of each piece, ascending; of pieces as large as each other, the one that holds the
    lowest position comes first.
    """
    if len(cells) == 0:
        return []
    mask = np.zeros((grid.n_rows, grid.n_cols), dtype=bool)
    mask[grid.rows[cells], grid.cols[cells]] = True
    label, count = ndimage.label(mask)
    of = label[grid.rows[cells], grid.cols[cells]]
    found = [np.sort(cells[of == number]) for number in range(1, count + 1)]
    return sorted(found, key=lambda piece: (-len(piece), int(piece[0])))


def merge(grid: Grid, zones: Sequence[Cells]) -> Cells:
    """Put zones together.

    Raises
    ------
    ZoneEditError
        If there are fewer than two, or they do not touch.
    """
    if len(zones) < 2:
        msg = "choose at least two zones to merge"
        raise ZoneEditError(msg, code="merge_needs_two")
    cells = np.unique(np.concatenate(zones)).astype(np.int64)
    apart = len(pieces(grid, cells))
    if apart > 1:
        msg = (
            f"these zones lie in {apart} places that share no side of a cell; a zone is one piece, "
            "so redraw one of them first until it meets the other"
        )
        raise ZoneEditError(msg, code="not_adjacent")
    return cells


def split(grid: Grid, cells: Cells, outline: BaseGeometry, line: shapely.LineString) -> list[Cells]:
    """Part a zone along a line.

    Parameters
    ----------
    grid
        The cells of the study area.
    cells, outline
        Those of the zone, and its outline.
    line
        Leads across the zone, in the grid's reference system. A cell goes where its centre lies; on
        the line itself, to the first of the parts.

    Returns
    -------
    The parts, the largest first; two or more.

    Raises
    ------
    ZoneEditError
        If the line does not cross the zone, or no centre of a cell lies on one of its sides.
    """
    if not line.is_simple:
        msg = "the line crosses itself; draw it from one side of the zone to the other"
        raise ZoneEditError(msg, code="line_crosses_itself")
    sides = list(shapely.ops.split(outline, line).geoms)
    if len(sides) < 2:
        msg = "the line does not cross the zone; begin and end it outside of the zone"
        raise ZoneEditError(msg, code="line_misses_zone")
    side = area_of(grid.x[cells], grid.y[cells], sides)
    parts = [
        piece
        for number in range(len(sides))
        for piece in pieces(grid, cells[np.maximum(side, 0) == number])
    ]
    if len(parts) < 2:
        msg = "all cells of the zone have their centre on one side of the line; move the line"
        raise ZoneEditError(msg, code="line_at_the_edge")
    return sorted(parts, key=lambda part: (-len(part), int(part[0])))


def draw(grid: Grid, shape: BaseGeometry, district: int, taken: NDArray[np.bool_]) -> DrawnCells:
    """Take a drawn shape to cells.

    Parameters
    ----------
    grid
        The cells of the study area.
    shape
        Polygon in the grid's reference system.
    district
        Position of the district that the zone is to lie in.
    taken
        Whether each cell belongs to another zone; shape ``(n,)``.

    Raises
    ------
    ZoneEditError
        If the shape is no valid polygon, holds no free cell of the district, or falls apart.
    """
    if shape.geom_type != "Polygon" or shape.is_empty:
        msg = f"a zone is one polygon, not a {shape.geom_type}"
        raise ZoneEditError(msg, code="not_a_polygon")
    if not shape.is_valid:
        msg = f"the outline is not valid ({shapely.is_valid_reason(shape)}); draw it anew"
        raise ZoneEditError(msg, code="outline_invalid")
    kept = np.flatnonzero(shapely.contains_xy(shape, grid.x, grid.y))
    mine = grid.district[kept] == district
    free = mine & ~taken[kept]
    cells = kept[free].astype(np.int64)
    if len(cells) == 0:
        msg = (
            "the outline holds no centre of a cell that is in the zone's district and in no other "
            "zone; draw it larger or elsewhere"
        )
        raise ZoneEditError(msg, code="outline_without_cell")
    found = pieces(grid, cells)
    if len(found) > 1:
        msg = (
            f"what the outline holds falls into {len(found)} pieces, because other zones or a "
            "border of the district lie between them; a zone is one piece"
        )
        raise ZoneEditError(msg, code="outline_in_pieces")
    return DrawnCells(
        cells=found[0], elsewhere=int((~mine).sum()), taken=int((mine & taken[kept]).sum())
    )


def active_factors(score: Floats, coefficients: Floats) -> NDArray[np.bool_] | None:
    """Tell from relative risk scores which factors act in each cell.

    A score is ``exp(eta) / min exp(eta)`` and every factor is there or not, so each value belongs
    to one pattern of factors, as long as no two patterns give the same.

    Parameters
    ----------
    score
        Relative risk score of each cell, the lowest 1; shape ``(n,)``.
    coefficients
        Of the factors; shape ``(k,)``.

    Returns
    -------
    Whether each factor acts in each cell, shape ``(n, k)``; nothing if it cannot be reported.
    """
    k = len(coefficients)
    if k > MOST_DECODED:
        return None
    patterns = np.array(list(itertools.product((False, True), repeat=k)), dtype=bool)
    patterns = patterns.reshape(2**k, k)
    result = patterns @ coefficients
    order = np.argsort(result, kind="stable")
    patterns, result = patterns[order], result[order]
    if len(result) > 1 and np.diff(result).min() <= 4 * SAME:
        return None
    wanted = np.log(score)
    for lowest in result:  # the pattern of the lowest score: nearly always the first
        place = _nearest(result, wanted + lowest)
        if np.abs(result[place] - wanted - lowest).max() <= SAME:
            return np.asarray(patterns[place], dtype=bool)
    return None


def _nearest(values: Floats, wanted: Floats) -> NDArray[np.intp]:
    """Return the position of the ascending value that is nearest to each wanted one."""
    right = np.clip(np.searchsorted(values, wanted), 0, len(values) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(values[left] - wanted) <= np.abs(values[right] - wanted), left, right)
