import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString

from spatial.streets import public_candidates

TOLERANCE = 1.0


def found(*lines, tolerance=TOLERANCE):
    return public_candidates(lines, tolerance).tolist()


CROSS = [[-50.0, 0.0], [0.0, -50.0], [0.0, 0.0], [0.0, 50.0], [50.0, 0.0]]
WEST, EAST, SOUTH, NORTH, MIDDLE = (-100, 0), (100, 0), (0, -100), (0, 100), (0, 0)


@pytest.mark.parametrize(
    "streets",
    [
        [(WEST, EAST), (SOUTH, NORTH)],
        [(MIDDLE, WEST), (EAST, MIDDLE), (MIDDLE, SOUTH), (NORTH, MIDDLE)],
        [((0.4, 0.3), EAST), (MIDDLE, WEST), (MIDDLE, SOUTH), (MIDDLE, NORTH)],
        [(WEST, EAST), (SOUTH, (0, -0.6)), ((0, 0.5), NORTH)],
        [(WEST, EAST), (EAST, WEST), (SOUTH, NORTH), (SOUTH, (0, 30))],
    ],
    ids=["through", "cut", "gap", "short of the middle", "twice"],
)
def test_a_crossing_is_found_however_its_streets_are_drawn(streets):
    lines = [LineString(street) for street in streets]
    places = found(*lines)
    middles = [place for place in places if place != [0.0, 15.0]]
    np.testing.assert_allclose(middles, CROSS, atol=TOLERANCE)
    np.testing.assert_array_equal(found(MultiLineString(lines)), places)


def test_a_bend_is_no_crossing_and_cuts_no_block():
    corner = [LineString([(0, 0), (100, 0)]), LineString([(100, 0), (100, 60)])]
    assert found(*corner) == [[80.0, 0.0]]  # half-way along 160
    assert found(corner[1], corner[0]) == [[80.0, 0.0]]


def test_a_block_of_several_pieces_has_one_middle():
    street = [LineString([(x, 0), (x + w, 0)]) for x, w in [(0, 10), (10, 50), (60, 40)]]
    side = [LineString([(0, -50), (0, 50)]), LineString([(100, -50), (100, 50)])]
    assert [50.0, 0.0] in found(*street, *side)
    assert len(found(*street, *side)) == 2 + 1 + 4  # crossings, the block, four dead ends


def test_a_loop_road_has_its_middle_opposite_its_mouth():
    loop = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]
    halves = [LineString(loop[:3]), LineString(loop[2:])]
    stem = LineString([(-80, 0), (0, 0)])
    expected = [[-40.0, 0.0], [0.0, 0.0], [100.0, 100.0]]
    assert found(LineString(loop), stem) == expected
    assert found(*halves, stem) == expected


def test_a_figure_of_eight_crosses_itself():
    eight = LineString([(0, 0), (100, 100), (100, 0), (0, 100), (0, 0)])
    assert [50.0, 50.0] in found(eight)


def test_what_is_no_street_is_passed_over():
    assert found() == []
    assert found(LineString(), None, shapely.Point(1, 1), shapely.box(0, 0, 1, 1)) == []
    with np.errstate(invalid="ignore"):
        broken = LineString([(0, 0), (np.nan, 3)])
    assert found(broken, LineString([(0, 0), (0, 8)])) == [[0.0, 4.0]]
    assert found(LineString([(5, 5), (5, 5)])) == []


def test_beyond_the_tolerance_streets_do_not_meet():
    lines = [LineString([(-100, 0), (100, 0)]), LineString([(0, 3), (0, 100)])]
    assert found(*lines) == [[0.0, 0.0], [0.0, 51.5]]  # two middles, no crossing
    assert [0.0, 0.0] in found(*lines, tolerance=4.0)
    assert len(found(*lines, tolerance=4.0)) == 4


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 14))
def test_order_and_direction_of_the_streets_change_nothing(seed, n):
    rng = np.random.default_rng(seed)
    lines = [
        LineString(rng.integers(0, 40, (3, 2)) * 10 + rng.normal(0, 0.2, (3, 2))) for _ in range(n)
    ]
    turned = [line.reverse() if rng.random() < 0.5 else line for line in lines]
    shuffled = [turned[i] for i in rng.permutation(n)]
    np.testing.assert_array_equal(
        public_candidates(lines, TOLERANCE), public_candidates(shuffled, TOLERANCE)
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 6), st.integers(2, 6))
def test_a_warped_grid_has_the_crossings_and_blocks_that_it_was_drawn_with(seed, n, m):
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(n + 2) * 100.0, np.arange(m + 2) * 100.0, indexing="ij")
    knots = np.stack([x, y], -1) + rng.uniform(-20, 20, (n + 2, m + 2, 2))
    along = [LineString(knots[:, j]) for j in range(1, m + 1)]
    across = [LineString(knots[i]) for i in range(1, n + 1)]
    places = public_candidates([*along, *across], TOLERANCE)
    crossings = {tuple(p) for p in np.round(knots[1:-1, 1:-1].reshape(-1, 2), 1)}
    assert crossings <= {tuple(p) for p in places}
    assert len(places) == n * m + m * (n + 1) + n * (m + 1)
