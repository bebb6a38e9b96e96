"""A made-up region of any size, in memory: cells, factor layers, incidents."""

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import cKDTree

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


def make_metropolis(cells, *, seed=0, side_m=17_320.0, incidents=20_000):
    """Give a made-up city of 300 square km in 30 districts, for comparisons at any cell size.

    20 point factors of 500 to 5,000 features that gather along common centres; influence by half
    blocks of 120 m up to three, proximity and density: 240 candidates. Incidents follow twelve of
    the factors and vary more than Poisson. Returns area, districts, grid, layers, points and the
    length of a block.
    """
    rng = np.random.default_rng(seed)
    x0, y0, block = 500_000.0, 4_000_000.0, 120.0
    area = shapely.box(x0, y0, x0 + side_m, y0 + side_m)
    districts = {
        f"D{i}{j}": shapely.box(
            x0 + i * side_m / 6,
            y0 + j * side_m / 5,
            x0 + (i + 1) * side_m / 6,
            y0 + (j + 1) * side_m / 5,
        )
        for i in range(6)
        for j in range(5)
    }
    grid = lay_grid(area, districts, side_m / np.sqrt(cells))
    centres = rng.uniform(0.05, 0.95, (120, 2)) * side_m + (x0, y0)
    layers, features = {}, []
    for number in range(20):
        n = int(np.exp(rng.uniform(np.log(500), np.log(5000))))
        own = centres[rng.choice(120, 40, replace=False)]
        tight = own[rng.integers(0, 40, n // 2)] + rng.normal(0, 500, (n // 2, 2))
        loose = rng.uniform(0, side_m, (n - n // 2, 2)) + np.array([x0, y0])
        features.append(np.vstack([tight, loose]))
        factor = RiskFactor(name=f"factor_{number:02}", operation="both", max_blocks=3, step="half")
        layers[factor] = gpd.GeoSeries(shapely.points(features[-1]), crs=CRS)
    eta = np.zeros(len(grid))
    for number in range(12):
        reach = block * (1 + number % 6) / 2
        near = cKDTree(features[number]).query(np.column_stack([grid.x, grid.y]))[0] <= reach
        eta += (0.25 + 0.06 * number) * near
    mean = np.exp(eta)
    mean *= incidents / mean.sum()
    counts = rng.poisson(mean * rng.gamma(2.0, 0.5, len(grid)))
    home = np.repeat(np.arange(len(grid)), counts)
    half = grid.cell_units / 2
    xy = np.column_stack([grid.x[home], grid.y[home]])
    points = gpd.GeoSeries(shapely.points(xy + rng.uniform(-half, half, xy.shape)), crs=CRS)
    return area, districts, grid, layers, points, block
