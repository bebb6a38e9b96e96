"""The nearest-neighbour test, against what is known exactly."""

import math

import numpy as np
import pytest

from spatial.errors import SpecError
from spatial.neighbours import nearest_neighbours


def lattice(side, step):
    x, y = np.meshgrid(np.arange(side) * step, np.arange(side) * step)
    return x.ravel(), y.ravel()


def test_a_square_lattice_is_dispersed_twice_as_far_as_chance():
    x, y = lattice(20, 100.0)
    found = nearest_neighbours(x, y, 400 * 100.0**2)
    assert (found.n, found.mean_units) == (400, 100.0)
    assert found.expected_units == pytest.approx(50.0)
    assert found.ratio == pytest.approx(2.0)
    # (100 - 50) / (0.26136 / sqrt(400^2 / A)), A = 4e6: Clark and Evans print 0.26136
    assert found.z == pytest.approx(50 / (0.26136 / math.sqrt(400**2 / 4e6)), rel=1e-4)
    assert (found.pattern, found.suggests(1_000)) == ("dispersed", "proximity")


def test_a_hexagonal_lattice_reaches_the_greatest_ratio_there_is():
    rows = np.arange(20)
    x = np.concatenate([np.arange(20) + (row % 2) / 2 for row in rows])
    y = np.repeat(rows * math.sqrt(3) / 2, 20)
    found = nearest_neighbours(x, y, 400 * math.sqrt(3) / 2)
    assert found.ratio == pytest.approx(2.1491, abs=1e-4)  # Clark and Evans 1954


def test_three_points_by_hand():
    # distances to the nearest: 3, 3, 4; mean 10/3; A = 108: expected 0.5 / sqrt(3/108) = 3
    found = nearest_neighbours([0, 3, 3], [0, 0, 4], 108)
    assert found.mean_units == pytest.approx(10 / 3)
    assert found.expected_units == pytest.approx(3.0)
    assert found.ratio == pytest.approx(10 / 9)
    assert found.pattern == "random"


def test_points_at_random_are_called_so_about_as_often_as_the_level_says():
    rng = np.random.default_rng(5)
    told = [nearest_neighbours(*rng.uniform(0, 1_000, (2, 400)), 1e6).z for _ in range(200)]
    # no correction for edges: a little too far apart, never too near
    assert 0 < np.mean(told) < 1
    assert np.mean(np.array(told) < -1.96) < 0.03


def test_clusters_suggest_density_unless_they_lie_farther_apart_than_any_influence():
    rng = np.random.default_rng(6)
    centres = rng.uniform(0, 10_000, (2, 12))
    x, y = np.repeat(centres, 10, axis=1) + rng.normal(0, 50, (2, 120))
    found = nearest_neighbours(x, y, 1e8)
    assert found.pattern == "clustered"
    assert found.suggests(600) == "density"
    assert found.suggests(found.mean_units - 1) == "proximity"


def test_points_at_one_place_are_clustered():
    x, y = lattice(5, 100.0)
    found = nearest_neighbours(np.tile(x, 2), np.tile(y, 2), 25 * 100.0**2)
    assert (found.mean_units, found.pattern) == (0.0, "clustered")


def test_the_unit_decides_nothing():
    x, y = np.random.default_rng(7).uniform(0, 1, (2, 50))
    metres, feet = nearest_neighbours(x, y, 1.0), nearest_neighbours(x * 3.28, y * 3.28, 3.28**2)
    assert (metres.ratio, metres.z) == pytest.approx((feet.ratio, feet.z))


@pytest.mark.parametrize(("x", "area"), [([1.0], 1.0), ([1.0, 2.0], 0.0), ([1.0, 2.0], math.nan)])
def test_what_cannot_be_tested_is_refused(x, area):
    with pytest.raises(SpecError, match="two points and an area"):
        nearest_neighbours(x, x, area)
