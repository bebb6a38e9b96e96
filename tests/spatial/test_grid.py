import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from spatial.errors import GridError
from spatial.grid import lay_grid

SQUARE = shapely.box(0, 0, 400, 300)
X, Y = (st.floats(-100, high, allow_subnormal=False) for high in (500, 400))


def test_a_cell_belongs_by_its_centre():
    # The triangle's long side passes exactly through no centre but leaves half the square.
    area = shapely.Polygon([(0, 0), (400, 0), (0, 400)])
    grid = lay_grid(area, {"a": area}, 100)
    inside = [shapely.contains_xy(area, x, y) for x, y in zip(grid.x, grid.y, strict=True)]
    assert all(inside)
    assert len(grid) == 6


def test_points_on_edges_count_once_and_points_outside_never():
    grid = lay_grid(SQUARE, {"a": SQUARE}, 100)
    x = [0, 100, 200, 100, 400, 399.999, -0.001, np.nan]
    y = [0, 0, 100, 100, 100, 299.999, 10, 10]
    counts = grid.count(x, y)
    assert counts.sum() == 5  # the outer right edge, the stray and the missing are in no cell
    assert grid.locate(x, y).tolist() == [0, 1, 6, 5, -1, 11, -1, -1]


@given(st.lists(st.tuples(X, Y), min_size=1, max_size=30))
def test_every_point_inside_is_in_exactly_the_cell_that_holds_it(points):
    grid = lay_grid(SQUARE, {"a": SQUARE}, 100)
    x, y = np.array(points).T
    for cell, px, py in zip(grid.locate(x, y), x, y, strict=True):
        if 0 <= px < 400 and 0 <= py < 300:
            assert 0 <= px - (grid.x[cell] - 50) < 100
            assert 0 <= py - (grid.y[cell] - 50) < 100
        else:
            assert cell == -1


def test_each_cell_has_one_district_and_the_first_holds_a_shared_centre():
    left, right = shapely.box(0, 0, 200, 300), shapely.box(150, 0, 400, 300)
    grid = lay_grid(SQUARE, {"left": left, "right": right}, 100)
    assert grid.district_ids == ("left", "right")
    assert (grid.district == 0).sum() == 6  # centres at 50 and at 150, three rows
    assert (grid.district == 1).sum() == 6


def test_cells_in_no_district_are_kept_without_one():
    grid = lay_grid(SQUARE, {"left": shapely.box(0, 0, 200, 300)}, 100)
    assert (grid.district == -1).sum() == 6


def test_a_district_keeps_the_lattice_of_the_city():
    right = shapely.box(200, 0, 400, 300)
    grid = lay_grid(SQUARE, {"left": shapely.box(0, 0, 200, 300), "right": right}, 100)
    part = grid.only("right")
    assert len(part) == 6
    assert set(part.x) == {250.0, 350.0}
    assert part.bounds == grid.bounds
    with pytest.raises(GridError, match="left, right"):
        grid.only("north")


@pytest.mark.parametrize("cell", [0.1, 0.01])
def test_a_cell_in_the_wrong_unit_is_refused_with_the_reason(cell):
    with pytest.raises(GridError, match="unit of the city's crs"):
        lay_grid(SQUARE, {"a": SQUARE}, cell)


def test_a_study_area_that_holds_no_centre_is_refused():
    sliver = shapely.box(0, 0, 10, 400)
    with pytest.raises(GridError, match="smaller cell"):
        lay_grid(sliver, {"a": sliver}, 100)
    with pytest.raises(GridError, match="empty"):
        lay_grid(shapely.Polygon(), {}, 100)


def test_a_moved_city_has_the_same_cells():
    area = shapely.Polygon([(0, 0), (900, 100), (700, 800), (100, 600)])
    moved = shapely.transform(area, lambda xy: xy + np.array([123_456.5, -7_890.25]))
    here, there = lay_grid(area, {"a": area}, 50), lay_grid(moved, {"a": moved}, 50)
    np.testing.assert_array_equal(here.rows, there.rows)
    np.testing.assert_array_equal(here.cols, there.cols)


def test_rasters_put_each_cell_in_its_place():
    grid = lay_grid(SQUARE, {"a": SQUARE}, 100).only("a")
    raster = grid.to_raster(np.arange(len(grid), dtype=float))
    assert raster.shape == (3, 4)
    assert raster[0].tolist() == [0, 1, 2, 3]  # the south row first
