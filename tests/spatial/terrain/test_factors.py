import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.errors import CrsError
from spatial.grid import lay_grid
from spatial.spec import RiskFactor
from spatial.terrain.factors import (
    candidate_columns,
    candidate_list,
    distance_to_nearest,
    sample_points,
)

CRS = "EPSG:32617"
AREA = shapely.Polygon([(0, 0), (2000, 150), (1800, 1900), (250, 1700)])
GRID = lay_grid(AREA, {"a": AREA}, 100)
CENTRES = shapely.points(GRID.x, GRID.y)


def shapes_of(kind, rng):
    if kind == "points":
        return shapely.points(rng.uniform(-300, 2300, (25, 2)))
    if kind == "lines":
        return np.array(
            [shapely.LineString(rng.uniform(-200, 2200, (4, 2))) for _ in range(6)], dtype=object
        )
    return shapely.buffer(shapely.points(rng.uniform(0, 2000, (5, 2))), rng.uniform(40, 260, 5))


@pytest.mark.parametrize("kind", ["points", "lines", "polygons"])
def test_distance_agrees_with_shapely(kind):
    shapes = shapes_of(kind, np.random.default_rng(4))
    found = distance_to_nearest(GRID, gpd.GeoSeries(shapes, crs=CRS), 250)
    true = np.array([shapely.distance(centre, shapes).min() for centre in CENTRES])
    near = true <= 250
    assert 0 < near.sum() < len(GRID)
    np.testing.assert_allclose(found[near], true[near], atol=1e-6)
    assert np.isinf(found[~near]).all()


def test_density_agrees_with_its_definition():
    rng = np.random.default_rng(5)
    points = rng.normal(900, 250, (60, 2))
    factor = RiskFactor(name="bars", operation="density", max_blocks=2, step="whole")
    found = candidate_columns(GRID, gpd.GeoSeries(shapely.points(points), crs=CRS), factor, 200)
    for column, radius in zip(found.T, (200, 400), strict=True):
        r = np.hypot(GRID.x[:, None] - points[:, 0], GRID.y[:, None] - points[:, 1]) / radius
        density = np.where(r < 1, (1 - r**2) ** 2, 0).sum(axis=1)
        z = (density - density.mean()) / density.std()
        np.testing.assert_array_equal(column, z > 2)
        assert column.sum() > 3


def test_bands_are_cumulative_and_a_distance_equal_to_the_band_is_inside():
    grid = lay_grid(shapely.box(0, 0, 1000, 1000), {}, 100)
    bar = gpd.GeoSeries([shapely.Point(550, 550)], crs=CRS)  # the centre of a cell
    factor = RiskFactor(name="bars", operation="proximity", max_blocks=2, step="half")
    columns = candidate_columns(grid, bar, factor, 200)
    assert columns.sum(axis=0).tolist() == [5, 13, 29, 49]  # lattice points in circles of 1..4


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-200, 2200), st.floats(-200, 2200)), min_size=1, max_size=12),
    st.sampled_from(["points", "line", "polygon"]),
)
def test_a_longer_reach_never_loses_cells(places, kind):
    shapes = shapely.points(places)
    if kind == "line" and len(places) > 1:
        shapes = np.array([shapely.LineString(places)], dtype=object)
    if kind == "polygon":
        shapes = shapely.buffer(shapes, 90)
    factor = RiskFactor(name="bars", operation="proximity", max_blocks=3)
    columns = candidate_columns(GRID, gpd.GeoSeries(shapes, crs=CRS), factor, 200)
    assert (np.diff(columns.astype(int), axis=1) >= 0).all()


def test_order_of_features_and_a_move_of_the_city_change_nothing():
    rng = np.random.default_rng(8)
    places = rng.uniform(0, 2000, (40, 2))
    factor = RiskFactor(name="bars")
    here = candidate_columns(GRID, gpd.GeoSeries(shapely.points(places), crs=CRS), factor, 200)
    shuffled = gpd.GeoSeries(shapely.points(rng.permutation(places)), crs=CRS)
    np.testing.assert_array_equal(candidate_columns(GRID, shuffled, factor, 200), here)
    step = np.array([512_000.0, 4_096_000.0])
    moved = shapely.transform(AREA, lambda xy: xy + step)
    there = gpd.GeoSeries(shapely.points(places + step), crs=CRS)
    np.testing.assert_array_equal(
        candidate_columns(lay_grid(moved, {}, 100), there, factor, 200), here
    )


def test_a_city_in_feet_gives_the_same_columns():
    rng = np.random.default_rng(9)
    places, feet = rng.uniform(0, 2000, (40, 2)), 3937 / 1200
    factor = RiskFactor(name="bars")
    metres = candidate_columns(GRID, gpd.GeoSeries(shapely.points(places), crs=CRS), factor, 200)
    grown = shapely.transform(AREA, lambda xy: xy * feet)
    in_feet = gpd.GeoSeries(shapely.points(places * feet), crs="EPSG:2264")
    np.testing.assert_array_equal(
        candidate_columns(lay_grid(grown, {}, 100 * feet), in_feet, factor, 200 * feet), metres
    )


def test_columns_come_in_the_order_of_their_names():
    factor = RiskFactor(name="bars", max_blocks=1, step="half")
    names = [candidate.label for candidate in candidate_list(factor, 400)]
    assert names == [
        "bars proximity 200",
        "bars proximity 400",
        "bars density 200",
        "bars density 400",
    ]


def test_no_feature_gives_columns_of_nothing():
    empty = gpd.GeoSeries([], crs=CRS)
    assert candidate_columns(GRID, empty, RiskFactor(name="bars"), 200).sum() == 0
    missing = gpd.GeoSeries([None, shapely.Point()], crs=CRS)
    assert candidate_columns(GRID, missing, RiskFactor(name="bars"), 200).sum() == 0


def test_degrees_are_refused():
    degrees = gpd.GeoSeries([shapely.Point(-78.9, 36)], crs="EPSG:4326")
    with pytest.raises(CrsError, match="degrees"):
        candidate_columns(GRID, degrees, RiskFactor(name="bars"), 200)


def test_lines_are_sampled_along_and_polygons_within():
    line = shapely.LineString([(0, 0), (1000, 0)])
    assert sample_points(np.array([line], dtype=object), 250, origin=(0, 0)).tolist() == [
        [125, 0],
        [375, 0],
        [625, 0],
        [875, 0],
    ]
    square = shapely.box(10, 10, 510, 510)
    inside = sample_points(np.array([square], dtype=object), 100, origin=(0, 0))
    assert len(inside) == 25
    assert shapely.contains_xy(square, inside).all()
    small = shapely.box(20, 20, 30, 30)  # no place of the lattice lies in it
    assert len(sample_points(np.array([small], dtype=object), 100, origin=(0, 0))) == 1
