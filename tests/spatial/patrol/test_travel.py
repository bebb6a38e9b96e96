import itertools

import numpy as np
import pytest
from shapely import LineString

from spatial.errors import DosageError
from spatial.patrol.travel import TravelSpec, travel_minutes, travel_units
from spatial.streets import street_network


def grid_streets(n, step):
    lines = [LineString([(0, i * step), ((n - 1) * step, i * step)]) for i in range(n)]
    lines += [LineString([(i * step, 0), (i * step, (n - 1) * step)]) for i in range(n)]
    return lines


def floyd(network):
    """All shortest ways, by the plainest algorithm there is."""
    n = len(network.places)
    ways = np.full((n, n), np.inf)
    np.fill_diagonal(ways, 0)
    for a, b, length in zip(network.first, network.last, network.length_units, strict=True):
        ways[a, b] = ways[b, a] = min(ways[a, b], length)
    for k in range(n):
        ways = np.minimum(ways, ways[:, k : k + 1] + ways[k : k + 1])
    return ways


def test_in_a_grid_the_way_goes_round_corners():
    network = street_network(grid_streets(5, 100.0), 1.0)
    places = np.array([[0.0, 0.0], [400.0, 300.0], [200.0, 200.0]])
    found = travel_units(places, network, 1.3)
    assert found[0] == pytest.approx([0, 700, 400])
    assert found[1, 2] == pytest.approx(300)


def test_ways_agree_with_the_plainest_algorithm():
    rng = np.random.default_rng(2)
    streets = [
        LineString(rng.uniform(0, 1000, (2, 2))) for _ in range(25)
    ]  # they cross where they will
    network = street_network(streets, 1.0)
    ways = floyd(network)
    finite = np.isfinite(ways).all(axis=0) | np.isfinite(ways[0])
    nodes = np.flatnonzero(finite)[:12]
    found = travel_units(network.places[nodes], network, 1.3)
    for i, j in itertools.product(range(len(nodes)), repeat=2):
        expected = ways[nodes[i], nodes[j]]
        if np.isfinite(expected):
            assert found[i, j] == pytest.approx(expected)


def test_the_way_to_the_street_counts_with_the_detour():
    network = street_network([LineString([(0, 0), (1000, 0)])], 1.0)
    found = travel_units(np.array([[0.0, 100.0], [1000.0, 0.0]]), network, 1.5)
    assert found[0, 1] == pytest.approx(1000 + 150)


def test_without_streets_or_a_way_it_is_the_straight_line_with_the_detour():
    places = np.array([[0.0, 0.0], [300.0, 400.0]])
    assert travel_units(places, None, 1.3)[0, 1] == pytest.approx(650)
    apart = street_network([LineString([(0, 0), (0, 10)]), LineString([(300, 400), (310, 400)])], 1)
    assert travel_units(places, apart, 1.3)[0, 1] == pytest.approx(650)
    assert street_network([], 1.0) is None


def test_minutes_are_whole_rounded_up_and_at_least_one():
    length = np.array([[0.0, 10.0, 5280.0], [10.0, 0.0, 5280.0], [5280.0, 5280.0, 0.0]])
    minutes = travel_minutes(length, 0.3048, TravelSpec(speed_kmh=32.18688))  # 20 mph
    assert minutes.tolist() == [[0, 1, 3], [1, 0, 3], [3, 3, 0]]


@pytest.mark.parametrize(
    "bad", [{"speed_kmh": 0.0}, {"speed_kmh": float("nan")}, {"detour": 0.9}, {"detour": 9.0}]
)
def test_a_speed_or_detour_that_cannot_be_is_refused(bad):
    with pytest.raises(DosageError, match="between 1 and"):
        TravelSpec(**bad)
