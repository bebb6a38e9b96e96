"""Half-open square cells over a study area: which cell a point is in, which district a cell is in.

The grid starts at the lower left corner of the study area's bounds. A cell belongs to it when the
cell's centre lies inside the study area. A cell holds its left and its lower edge, so a point on
an edge counts once. Cells are numbered row by row from the lower left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from spatial.errors import GridError
from spatial.spec import MAX_CELLS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

# 200 MB as int32: a narrow study area across a whole state, or a unit error.
MAX_RASTER = 50_000_000
NO_DISTRICT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """The cells of a study area.

    Parameters
    ----------
    x0, y0
        Lower left corner of the lattice, in units of the projected reference system.
    cell_units
        Side of a cell.
    n_cols, n_rows
        Size of the lattice around the study area.
    cols, rows
        Lattice place of each cell, shape ``(n,)``, sorted by row, then column.
    district
        Position of each cell's district in ``district_ids``; -1 where the cell is in none.
    district_ids
        Identifiers of the districts, in the order of the city's file.
    """

    x0: float
    y0: float
    cell_units: float
    n_cols: int
    n_rows: int
    cols: NDArray[np.int32]
    rows: NDArray[np.int32]
    district: NDArray[np.int16]
    district_ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.cols)

    @property
    def x(self) -> NDArray[np.float64]:
        """Centres, eastward; shape ``(n,)``."""
        return self.x0 + (self.cols.astype(np.float64) + 0.5) * self.cell_units

    @property
    def y(self) -> NDArray[np.float64]:
        """Centres, northward; shape ``(n,)``."""
        return self.y0 + (self.rows.astype(np.float64) + 0.5) * self.cell_units

    @property
    def cell_area(self) -> float:
        """Area of one cell in square units."""
        return self.cell_units**2

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Lattice bounds as ``(min x, min y, max x, max y)``."""
        return (
            self.x0,
            self.y0,
            self.x0 + self.n_cols * self.cell_units,
            self.y0 + self.n_rows * self.cell_units,
        )

    @cached_property
    def index_raster(self) -> NDArray[np.int32]:
        """Cell number at each lattice place, -1 outside; ``(n_rows, n_cols)``, south first."""
        raster = np.full((self.n_rows, self.n_cols), -1, dtype=np.int32)
        raster[self.rows, self.cols] = np.arange(len(self), dtype=np.int32)
        return raster

    def to_raster(self, values: ArrayLike, *, fill: float = np.nan) -> NDArray[Any]:
        """Spread one value per cell over the lattice, ``fill`` outside; south row first."""
        values = np.asarray(values)
        raster = np.full((self.n_rows, self.n_cols), fill, dtype=np.result_type(values, type(fill)))
        raster[self.rows, self.cols] = values
        return raster

    def locate(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.int32]:
        """Return the cell number of each point, -1 where the point is in no cell."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        with np.errstate(invalid="ignore"):
            col = np.floor((x - self.x0) / self.cell_units)
            row = np.floor((y - self.y0) / self.cell_units)
            inside = (col >= 0) & (col < self.n_cols) & (row >= 0) & (row < self.n_rows)
        found = np.full(x.shape, -1, dtype=np.int32)
        found[inside] = self.index_raster[row[inside].astype(int), col[inside].astype(int)]
        return found

    def count(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.int64]:
        """Count the points in each cell; points in no cell are not counted."""
        found = self.locate(x, y)
        return np.bincount(found[found >= 0], minlength=len(self))

    def only(self, district_id: str) -> Grid:
        """Keep the cells of one district, on the same lattice.

        Raises
        ------
        GridError
            If the district is unknown or holds no cell.
        """
        if district_id not in self.district_ids:
            msg = (
                f"no district {district_id!r}; the districts are "
                f"{', '.join(self.district_ids) or 'none'}"
            )
            raise GridError(msg, code="unknown_district")
        found = self.within((district_id,))
        if len(found) == 0:
            msg = (
                f"district {district_id!r} holds no cell: it is smaller than a cell of "
                f"{self.cell_units:g} units; use a smaller cell"
            )
            raise GridError(msg, code="district_without_cell")
        return found

    def within(self, districts: Collection[str]) -> Grid:
        """Keep the cells of some districts, on the same lattice; none of a district unknown."""
        wanted = [place for place, name in enumerate(self.district_ids) if name in districts]
        keep = np.isin(self.district, wanted)
        return replace(
            self, cols=self.cols[keep], rows=self.rows[keep], district=self.district[keep]
        )


def lay_grid(
    study_area: BaseGeometry, districts: Mapping[str, BaseGeometry], cell_units: float
) -> Grid:
    """Lay a grid over a study area and give each cell its district.

    Parameters
    ----------
    study_area
        Polygon or multipolygon in a projected reference system.
    districts
        Polygons by identifier; where two share a centre, the first holds it.
    cell_units
        Side of a cell, in the units of the reference system.

    Raises
    ------
    GridError
        If the area is empty or holds no cell centre, or if it would hold too many cells, which is
        nearly always a cell given in another unit than the reference system's.
    """
    if study_area.is_empty or study_area.area == 0:
        msg = "the study area is empty; check the districts and the boundary of the city file"
        raise GridError(msg, code="study_area_empty")
    west, south, east, north = study_area.bounds
    expected = study_area.area / cell_units**2
    n_cols = max(1, int(np.ceil((east - west) / cell_units)))
    n_rows = max(1, int(np.ceil((north - south) / cell_units)))
    if expected > MAX_CELLS or n_cols * n_rows > MAX_RASTER:
        msg = (
            f"a cell of {cell_units:g} would make about {expected:,.0f} cells (at most "
            f"{MAX_CELLS:,}) of a study area {east - west:,.0f} by {north - south:,.0f} units; "
            "is the cell given in the unit of the city's crs (feet or metres)?"
        )
        raise GridError(msg, code="too_many_cells")
    cols, rows = _cells_inside(study_area, west, south, cell_units, n_cols, n_rows)
    if len(cols) == 0:
        msg = (
            f"no cell of {cell_units:g} units has its centre inside the study area, which is "
            f"{east - west:,.1f} by {north - south:,.1f} units; use a smaller cell, and check "
            "that it is given in the unit of the city's crs"
        )
        raise GridError(msg, code="no_cell")
    x = west + (cols.astype(np.float64) + 0.5) * cell_units
    y = south + (rows.astype(np.float64) + 0.5) * cell_units
    return Grid(
        x0=west,
        y0=south,
        cell_units=cell_units,
        n_cols=n_cols,
        n_rows=n_rows,
        cols=cols,
        rows=rows,
        district=area_of(x, y, list(districts.values())),
        district_ids=tuple(districts),
    )


def _cells_inside(
    area: BaseGeometry, x0: float, y0: float, cell: float, n_cols: int, n_rows: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    shapely.prepare(area)
    centre_x = x0 + (np.arange(n_cols) + 0.5) * cell
    found = []
    for row in range(n_rows):  # a row at a time keeps memory flat however wide the bounds
        inside = shapely.contains_xy(area, centre_x, np.full(n_cols, y0 + (row + 0.5) * cell))
        found.append(np.flatnonzero(inside))
    cols = np.concatenate(found).astype(np.int32)
    rows = np.repeat(np.arange(n_rows, dtype=np.int32), [len(part) for part in found])
    return cols, rows


def area_of(
    x: NDArray[np.float64], y: NDArray[np.float64], areas: Sequence[BaseGeometry]
) -> NDArray[np.int16]:
    """Return the position of the first area that holds each point, border included; -1 for none."""
    district = np.full(len(x), NO_DISTRICT, dtype=np.int16)
    for position, area in enumerate(areas):
        west, south, east, north = area.bounds
        shapely.prepare(area)
        free = np.flatnonzero(
            (district == NO_DISTRICT) & (x >= west) & (x <= east) & (y >= south) & (y <= north)
        )
        district[free[shapely.intersects_xy(area, x[free], y[free])]] = position
    return district
