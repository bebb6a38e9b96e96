import geopandas as gpd
import numpy as np
import pytest
import shapely

from spatial.grid import lay_grid

CRS = "EPSG:32617"


@pytest.fixture
def make_grid():
    def make(n_cols=20, n_rows=20, cell=100.0, x0=500_000.0, y0=4_000_000.0, districts=1):
        area = shapely.box(x0, y0, x0 + n_cols * cell, y0 + n_rows * cell)
        edges = np.linspace(x0, x0 + n_cols * cell, districts + 1)
        parts = {
            f"D{i + 1}": shapely.box(edges[i], y0, edges[i + 1], y0 + n_rows * cell)
            for i in range(districts)
        }
        return lay_grid(area, parts, cell)

    return make


@pytest.fixture
def make_points():
    def make(xy):
        xy = np.asarray(xy, dtype=float).reshape(-1, 2)
        return gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=CRS)

    return make
