"""A made-up region of any size, in memory: cells, factor layers, incidents."""

import geopandas as gpd
import numpy as np
import shapely

from spatial.grid import lay_grid
from spatial.spec import RiskFactor

CRS = "EPSG:32617"
CELL = 100.0


def make_region(cells, factors, incidents, *, operation="proximity", seed=0):
    """Give grid, layers, points of incidents and the districts of a square region."""
    rng = np.random.default_rng(seed)
    side = np.sqrt(cells) * CELL
    x0, y0 = 500_000.0, 4_000_000.0
    area = shapely.box(x0, y0, x0 + side, y0 + side)
    districts = {
        f"D{i}": shapely.box(x0 + i * side / 6, y0, x0 + (i + 1) * side / 6, y0 + side)
        for i in range(6)
    }
    grid = lay_grid(area, districts, CELL)
    centres = rng.uniform(0.1, 0.9, (25, 2)) * side + (x0, y0)
    layers = {}
    for number in range(factors):
        n = int(rng.integers(100, 900))
        loose = rng.uniform(0, side, (n // 3, 2)) + np.array([x0, y0])
        tight = centres[rng.integers(0, 25, n - n // 3)] + rng.normal(0, side / 40, (n - n // 3, 2))
        layers[RiskFactor(name=f"factor_{number}", operation=operation)] = gpd.GeoSeries(
            shapely.points(np.vstack([loose, tight])), crs=CRS
        )
    first = shapely.get_coordinates(np.asarray(next(iter(layers.values())).array))
    near = first[rng.integers(0, len(first), incidents // 2)] + rng.normal(
        0, 180, (incidents // 2, 2)
    )
    rest = rng.uniform(0, side, (incidents - len(near), 2)) + np.array([x0, y0])
    points = gpd.GeoSeries(shapely.points(np.vstack([near, rest])), crs=CRS)
    return area, districts, grid, layers, points
