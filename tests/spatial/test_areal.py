import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from spatial.areal import weigh_areas

SQUARES = np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)], dtype=object)
COUNTS = np.array([[100.0, 30.0], [50.0, 50.0]])


def test_a_polygon_gives_as_much_as_of_its_ground_lies_inside():
    areas = [shapely.box(5, 0, 15, 10), shapely.box(0, 0, 20, 20), shapely.box(30, 0, 40, 10)]
    found = weigh_areas(COUNTS, SQUARES, areas)
    assert found.tolist() == [[75.0, 40.0], [150.0, 80.0], [0.0, 0.0]]


def test_a_polygon_without_ground_gives_nothing():
    shapes = np.array([shapely.Polygon([(0, 0), (1, 0), (0, 0)]), SQUARES[0]], dtype=object)
    assert weigh_areas(COUNTS, shapes, [shapely.box(-1, -1, 11, 11)]).tolist() == [[50.0, 50.0]]


@given(st.floats(0.1, 19.9))
def test_two_parts_of_an_area_have_together_what_it_has(cut):
    parts = [shapely.box(0, 0, cut, 10), shapely.box(cut, 0, 20, 10)]
    assert weigh_areas(COUNTS, SQUARES, parts).sum(axis=0) == pytest.approx([150, 80])
