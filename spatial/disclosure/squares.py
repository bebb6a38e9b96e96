"""Squares of a public lattice for the points that no public place is near.

Squares start at whole multiples of their side from the origin of the reference system, so they
stay where they are when a district's border moves. A square that too few addresses share is
joined with its neighbours to one of twice, then four times the side; what is still too few is
known by the district alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from spatial.errors import MaskingError
from spatial.grid import NO_DISTRICT, area_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STEPS = (1, 2, 4)  # sides of the squares, in the smallest side
LEAST_AREA = 0.5  # of a smallest square: what a square must hold where no addresses are known
# More are a unit error (a size in metres, an area in feet), and the arrays of one district grow.
MAX_SQUARES = 500_000
BITS = 24
HALF = 1 << (BITS - 1)
NO_KEY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Squares:
    """The squares of one district that may be used, by key.

    Parameters
    ----------
    cell_units
        Side of the smallest squares.
    step
        Position in ``STEPS`` of each square's side.
    col, row
        Lattice place of each square, in its own sides from the origin.
    counted
        Whether addresses are known in the district.
    left
        Addresses (or smallest squares' area) in no square that may be used.
    """

    cell_units: float
    step: Ints
    col: Ints
    row: Ints
    counted: bool
    left: float

    @property
    def size_units(self) -> Floats:
        """Side of each square."""
        return np.array(STEPS)[self.step] * self.cell_units

    def keys(self, district: int) -> Ints:
        """Return the number that finds each square again; ascending."""
        return _key(district, self.step, self.col, self.row)

    def draw(self, shape: BaseGeometry) -> tuple[Floats, Floats]:
        """Return a point of the district in each square, and how far the square reaches from it.

        The point is the centre where the district holds it.
        """
        size = self.size_units
        west, south = self.col * size, self.row * size
        xy = np.column_stack([west + size / 2, south + size / 2])
        off = np.flatnonzero(area_of(xy[:, 0], xy[:, 1], [shape]) == NO_DISTRICT)
        boxes = shapely.box(west, south, west + size, south + size)
        cut = shapely.point_on_surface(shapely.intersection(boxes[off], shape))
        xy[off] = shapely.get_coordinates(cut)
        corners = shapely.get_coordinates(boxes).reshape(-1, 5, 2)
        return xy, np.hypot(*np.moveaxis(corners - xy[:, None, :], -1, 0)).max(axis=1)


def square_keys(xy: Floats, district: int, cell_units: float) -> list[Ints]:
    """Return the keys of the squares that hold each point, one array a side, smallest first."""
    keys = []
    for step, times in enumerate(STEPS):
        place = np.floor(xy / (times * cell_units))
        near = np.asarray((np.abs(place) < HALF).all(axis=1))
        col, row = np.where(near[:, None], place, 0).astype(np.int64).T
        keys.append(np.where(near, _key(district, np.int64(step), col, row), NO_KEY))
    return keys


def lay_squares(
    shape: BaseGeometry, cell_units: float, *, homes: Floats | None = None, k: int = 0
) -> Squares:
    """Choose the squares of a district, smallest first.

    Parameters
    ----------
    shape
        The district.
    cell_units
        Side of the smallest squares.
    homes
        Addresses that no public place is near, shape ``(n, 2)``; None where no addresses are
        known, and then a square must hold half a smallest square's area of the district instead.
    k
        How many addresses must share a square.

    Notes
    -----
    An outsider knows the rule: a large square is used only for what its smaller ones may not be
    used for, so it counts only the addresses of those. Should the addresses left to the district
    in the end be fewer than k, the largest kind of square gives up the one with the fewest.
    """
    if homes is None:
        col, row, mass = _areas(shape, cell_units)
        least = LEAST_AREA
    else:
        col, row = np.floor(homes / cell_units).astype(np.int64).T
        mass, least = np.ones(len(homes)), float(k)
    chosen: list[tuple[int, int, int, float]] = []
    for step, times in enumerate(STEPS):
        place = np.column_stack([col // times, row // times])
        squares, of = np.unique(place, axis=0, return_inverse=True)
        kept = np.bincount(of.ravel(), mass, minlength=len(squares))
        enough = kept >= least
        chosen += [
            (step, int(c), int(r), float(h))
            for (c, r), h in zip(squares[enough], kept[enough], strict=True)
        ]
        rest = ~enough[of.ravel()]
        col, row, mass = col[rest], row[rest], mass[rest]
    left = float(mass.sum())
    if 1e-9 < left < least and chosen:
        given_up = min(chosen, key=lambda square: (-square[0], square[3], square[1:3]))
        chosen.remove(given_up)
        left += given_up[3]
    found = np.array([square[:3] for square in sorted(chosen)], dtype=np.int64).reshape(-1, 3)
    return Squares(
        cell_units=cell_units,
        step=found[:, 0],
        col=found[:, 1],
        row=found[:, 2],
        counted=homes is not None,
        left=left,
    )


def _areas(shape: BaseGeometry, cell: float) -> tuple[Ints, Ints, Floats]:
    """Smallest squares that a district reaches into, and its area in each, in squares."""
    west, south, east, north = np.floor(np.array(shape.bounds) / cell).astype(np.int64)
    if (east - west + 1) * (north - south + 1) > MAX_SQUARES:
        msg = (
            f"squares of {cell:g} units would be more than {MAX_SQUARES:,} in a district; "
            "is the size given in the unit of the city's crs (feet or metres)?"
        )
        raise MaskingError(msg, code="too_many_squares")
    col, row = (
        part.ravel() for part in np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
    )
    boxes = shapely.box(col * cell, row * cell, (col + 1) * cell, (row + 1) * cell)
    shapely.prepare(shape)
    area = np.zeros(len(boxes))
    area[np.asarray(shapely.contains(shape, boxes))] = 1.0
    edge = np.flatnonzero(shapely.intersects(shape, boxes) & (area == 0))
    area[edge] = shapely.area(shapely.intersection(boxes[edge], shape)) / cell**2
    reached = area > 0
    return col[reached], row[reached], area[reached]


def _key(district: int, step: Ints | np.int64, col: Ints, row: Ints) -> Ints:
    place = (col + HALF) << BITS | (row + HALF)
    return (np.int64(district * len(STEPS)) + step) << (2 * BITS) | place
