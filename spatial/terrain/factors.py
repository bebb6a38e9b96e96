"""One factor and its features -> its candidate columns of 0 and 1.

Proximity marks the cells whose centre lies within a distance of the nearest feature; its bands are
cumulative (Wheeler 2020). Density marks the cells where a quartic kernel of that radius has a
z-score above 2 over the cells of the grid, population standard deviation (Wheeler 2020 for the
threshold). Lines and polygons are measured to themselves; for density they are sampled at the
spacing of the influence distance (RTMDx User Manual, 2015, appendix).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from spatial.errors import CrsError
from spatial.terrain.influence import nearest_squared, quartic_density

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.notes import Parameter
    from spatial.spec import Operation, RiskFactor

DENSITY_Z = 2.0  # Wheeler 2020
TOUCH = 1 + 1e-9  # a distance equal to the band within rounding is inside it


@dataclass(frozen=True, slots=True)
class Candidate:
    """One column: a factor, how it works and how far.

    >>> Candidate("bars", "proximity", 400.0).label
    'bars proximity 400'
    """

    factor: str
    operation: Operation
    distance_units: float

    @property
    def label(self) -> str:
        """The column in words, unique within a model."""
        return f"{self.factor} {self.operation} {self.distance_units:g}"

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The column by the names of :class:`ModelColumn`, for notes about it."""
        return {
            "name": self.factor,
            "operation": self.operation,
            "distance": float(self.distance_units),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelColumn:
    """A column of a model as documents have it: the factor's name, how it works and how far.

    ``distance`` is in the unit of the city's reference system.
    """

    name: str
    operation: str
    distance: float

    @property
    def key(self) -> tuple[str, str, float]:
        """What tells it from other columns: name, operation, distance."""
        return self.name, self.operation, self.distance


def candidate_list(factor: RiskFactor, block_units: float) -> list[Candidate]:
    """Name the columns that a factor asks for, proximity first, nearest first."""
    return [
        Candidate(factor.name, operation, distance)
        for operation in factor.operations
        for distance in factor.distances_units(block_units)
    ]


def candidate_columns(
    grid: Grid, features: GeoSeries, factor: RiskFactor, block_units: float
) -> NDArray[np.uint8]:
    """Work out the candidate columns of one factor.

    Parameters
    ----------
    grid
        The cells.
    features
        Points, lines or polygons in the grid's reference system; may lie outside the grid.
    factor
        What to try.
    block_units
        Length of a block.

    Returns
    -------
    Shape ``(cells, candidates)``, 0 or 1, in the order of :func:`candidate_list`; all 0 where there
    is no feature.

    Raises
    ------
    CrsError
        If the features are in degrees.
    """
    if features.crs is not None and features.crs.is_geographic:
        msg = (
            f"factor {factor.name!r}: features are in degrees ({features.crs}); reproject them "
            "to the city's projected crs first"
        )
        raise CrsError(msg, code="degrees")
    shapes = _clean(features)
    distances = factor.distances_units(block_units)
    columns: list[NDArray[np.uint8]] = []
    for operation in factor.operations:
        find = _proximity if operation == "proximity" else _density
        columns.extend(find(grid, shapes, distances))
    return np.column_stack(columns)


def distance_to_nearest(grid: Grid, features: GeoSeries, reach_units: float) -> NDArray[np.float64]:
    """Give the exact distance from each centre to its nearest feature, infinite past the reach."""
    return _nearest(grid, _clean(features), reach_units)


def _clean(features: GeoSeries) -> NDArray[np.object_]:
    shapes = np.asarray(features.array, dtype=object)
    return shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


def _lattice(grid: Grid) -> tuple[float, float, float, int, int]:
    return grid.x0, grid.y0, grid.cell_units, grid.n_cols, grid.n_rows


def _nearest(grid: Grid, shapes: NDArray[np.object_], reach: float) -> NDArray[np.float64]:
    squared = nearest_squared(_segments(shapes), *_lattice(grid), reach)
    distance = np.sqrt(squared[grid.rows, grid.cols])
    polygons = shapes[shapely.get_dimensions(shapes) == 2]
    if len(polygons):
        tree = shapely.STRtree(polygons)
        inside, _ = tree.query(shapely.points(grid.x, grid.y), predicate="intersects")
        distance[inside] = 0.0
    distance[distance > reach * TOUCH] = np.inf
    return distance


def _proximity(
    grid: Grid, shapes: NDArray[np.object_], distances: tuple[float, ...]
) -> list[NDArray[np.uint8]]:
    nearest = _nearest(grid, shapes, max(distances))
    return [(nearest <= distance * TOUCH).astype(np.uint8) for distance in distances]


def _density(
    grid: Grid, shapes: NDArray[np.object_], distances: tuple[float, ...]
) -> list[NDArray[np.uint8]]:
    only_points = bool((shapely.get_dimensions(shapes) == 0).all())
    columns, points = [], None
    for distance in distances:
        if points is None or not only_points:  # points stand for themselves at any spacing
            points = sample_points(shapes, distance, origin=(grid.x0, grid.y0))
            points = points[np.lexsort(points.T)]  # the order of features must not change a sum
        columns.append(_gathered(grid, points, distance))
    return columns


def _gathered(grid: Grid, points: NDArray[np.float64], distance: float) -> NDArray[np.uint8]:
    """Mark the cells in which points gather."""
    density = quartic_density(points, *_lattice(grid), distance)[grid.rows, grid.cols]
    spread = density.std()
    if spread == 0:
        return np.zeros(len(grid), dtype=np.uint8)
    return ((density - density.mean()) / spread > DENSITY_Z).astype(np.uint8)


def _segments(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Break shapes into segments, shape ``(m, 4)``; points become segments of no length."""
    parts = shapely.get_parts(shapes)
    dimension = shapely.get_dimensions(parts)
    points = shapely.get_coordinates(parts[dimension == 0])
    found = [np.hstack([points, points])]
    lines = np.concatenate(
        [parts[dimension == 1], shapely.get_parts(shapely.boundary(parts[dimension == 2]))]
    )
    if len(lines):
        xy, owner = shapely.get_coordinates(lines, return_index=True)
        joined = owner[1:] == owner[:-1]
        found.append(np.hstack([xy[:-1][joined], xy[1:][joined]]))
    return np.ascontiguousarray(np.concatenate(found), dtype=np.float64)


def sample_points(
    shapes: NDArray[np.object_], spacing_units: float, *, origin: tuple[float, float]
) -> NDArray[np.float64]:
    """Stand for shapes by points: points as they are, lines along, polygons within.

    Parameters
    ----------
    shapes
        Shapely geometries.
    spacing_units
        Distance between samples.
    origin
        Where the lattice inside polygons is anchored, so that a moved city is sampled alike.

    Returns
    -------
    Shape ``(m, 2)``; at least one point for each part.
    """
    parts = shapely.get_parts(shapes)
    dimension = shapely.get_dimensions(parts)
    found = [shapely.get_coordinates(parts[dimension == 0])]
    for line in parts[dimension == 1]:
        steps = max(1, round(line.length / spacing_units))
        along = (np.arange(steps) + 0.5) * line.length / steps
        found.append(shapely.get_coordinates(shapely.line_interpolate_point(line, along)))
    for polygon in parts[dimension == 2]:
        found.append(_inside(polygon, spacing_units, origin))
    return np.concatenate(found)


def _inside(
    polygon: shapely.Polygon, spacing: float, origin: tuple[float, float]
) -> NDArray[np.float64]:
    west, south, east, north = polygon.bounds
    axes = [
        np.arange(np.ceil((low - start) / spacing), np.floor((high - start) / spacing) + 1)
        * spacing
        + start
        for low, high, start in ((west, east, origin[0]), (south, north, origin[1]))
    ]
    x, y = (mesh.ravel() for mesh in np.meshgrid(*axes))
    inside = shapely.contains_xy(polygon, x, y)
    if not inside.any():
        return shapely.get_coordinates(polygon.representative_point())
    return np.column_stack([x[inside], y[inside]])
