"""Zones changed by hand: what holds for every zone holds for these too, whatever is drawn."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from spatial.errors import ZoneEditError
from spatial.grid import lay_grid
from spatial.zones.cut import cells_within, outline
from spatial.zones.edit import active_factors, draw, merge, pieces, split

SIDE = 12
GRID = lay_grid(
    shapely.box(0, 0, 10.0 * SIDE, 10.0 * SIDE),
    {"D1": shapely.box(0, 0, 60, 120), "D2": shapely.box(60, 0, 120, 120)},
    10.0,
)


@st.composite
def grown(draw_, most=40):
    """Cells that hang together, grown at random in one district."""
    rng = np.random.default_rng(draw_(st.integers(0, 10_000)))
    size = draw_(st.integers(2, most))
    district = rng.integers(0, 2)
    own = np.flatnonzero(GRID.district == district)
    cells = {int(rng.choice(own))}
    while len(cells) < size:
        cell = int(rng.choice(sorted(cells)))
        step = rng.integers(0, 4)
        row = int(GRID.rows[cell]) + (0, 1, 0, -1)[step]
        col = int(GRID.cols[cell]) + (1, 0, -1, 0)[step]
        if 0 <= row < SIDE and 0 <= col < SIDE:
            other = int(GRID.index_raster[row, col])
            if GRID.district[other] == district:
                cells.add(other)
    return np.array(sorted(cells), dtype=np.int64)


points = st.tuples(st.floats(-20, 140), st.floats(-20, 140))


@given(grown())
def test_what_hangs_together_is_one_piece_and_its_outline_holds_it(cells):
    (one,) = pieces(GRID, cells)
    assert one.tolist() == cells.tolist()
    shape = outline(GRID, cells)
    assert shape.geom_type == "Polygon"
    assert shape.is_valid
    assert cells_within(GRID, [shape])[0].tolist() == cells.tolist()


@given(grown(most=20), grown(most=20))
def test_pieces_part_cells_without_losing_one(one, other):
    both = np.unique(np.concatenate([one, other]))
    found = pieces(GRID, both)
    assert np.sort(np.concatenate(found)).tolist() == both.tolist()
    assert [len(piece) for piece in found] == sorted((len(p) for p in found), reverse=True)
    for piece in found:
        assert len(pieces(GRID, piece)) == 1


@given(grown(), points, points)
def test_a_split_parts_a_zone_without_losing_a_cell(cells, start, end):
    assume(shapely.Point(start).distance(shapely.Point(end)) > 1)
    line = shapely.LineString([start, end])
    try:
        parts = split(GRID, cells, outline(GRID, cells), line)
    except ZoneEditError:
        return
    assert len(parts) >= 2
    assert np.sort(np.concatenate(parts)).tolist() == cells.tolist()
    shapes = [outline(GRID, part) for part in parts]
    assert all(shape.geom_type == "Polygon" and shape.is_valid for shape in shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(outline(GRID, cells).area)
    if len(pieces(GRID, np.sort(np.concatenate(parts)))) == 1:
        assert merge(GRID, parts).tolist() == cells.tolist()


@given(st.lists(points, min_size=3, max_size=7), grown(), st.integers(0, 1))
def test_what_is_drawn_lies_in_one_district_and_in_no_other_zone(corners, other, district):
    shape = shapely.Polygon(corners)
    taken = np.zeros(len(GRID), dtype=bool)
    taken[other] = True
    try:
        found = draw(GRID, shape, district, taken)
    except ZoneEditError:
        return
    assert shape.is_valid
    assert (GRID.district[found.cells] == district).all()
    assert not taken[found.cells].any()
    assert shapely.contains_xy(shape, GRID.x[found.cells], GRID.y[found.cells]).all()
    assert len(pieces(GRID, found.cells)) == 1
    held = int(shapely.contains_xy(shape, GRID.x, GRID.y).sum())
    assert len(found.cells) + found.elsewhere + found.taken == held


def box_cells(west, south, east, north):
    return cells_within(GRID, [shapely.box(west, south, east, north)])[0]


def test_zones_that_share_a_side_become_one():
    one, other = box_cells(0, 0, 20, 20), box_cells(20, 0, 40, 10)
    assert merge(GRID, [one, other]).tolist() == sorted([*one, *other])


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ([box_cells(0, 0, 20, 20)], "at least two"),
        ([box_cells(0, 0, 20, 20), box_cells(20, 20, 40, 40)], "share no side"),  # corner only
        ([box_cells(0, 0, 20, 20), box_cells(30, 0, 50, 20)], "2 places"),
    ],
)
def test_what_cannot_be_merged_is_told(zones, told):
    with pytest.raises(ZoneEditError, match=told):
        merge(GRID, zones)


def test_a_line_parts_a_zone_where_it_is_drawn():
    cells = box_cells(0, 0, 40, 20)
    line = shapely.LineString([(12, -5), (12, 25)])
    large, small = split(GRID, cells, outline(GRID, cells), line)
    assert large.tolist() == box_cells(10, 0, 40, 20).tolist()
    assert small.tolist() == box_cells(0, 0, 10, 20).tolist()


def test_a_cell_whose_centre_lies_on_the_line_is_not_lost():
    cells = box_cells(0, 0, 40, 20)
    line = shapely.LineString([(15, -5), (15, 25)])
    parts = split(GRID, cells, outline(GRID, cells), line)
    assert sorted(np.concatenate(parts)) == cells.tolist()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ([(12, -5), (12, 10)], "does not cross"),
        ([(100, 0), (100, 100)], "does not cross"),
        ([(2, -5), (2, 25)], "one side"),
        ([(10, -5), (10, 25), (30, 10), (0, 10)], "crosses itself"),
    ],
)
def test_a_line_that_parts_nothing_is_told(line, told):
    cells = box_cells(0, 0, 40, 20)
    with pytest.raises(ZoneEditError, match=told):
        split(GRID, cells, outline(GRID, cells), shapely.LineString(line))


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (shapely.Polygon([(0, 0), (40, 40), (40, 0), (0, 40)]), "not valid"),
        (shapely.LineString([(0, 0), (40, 40)]), "one polygon"),
        (shapely.MultiPolygon([shapely.box(0, 0, 20, 20), shapely.box(30, 0, 40, 20)]), "one poly"),
        (shapely.box(70, 0, 90, 20), "no centre"),  # the other district
        (shapely.box(1, 1, 3, 3), "no centre"),
        (shapely.box(0, 0, 60, 20), "2 pieces"),  # a zone lies across
    ],
)
def test_what_cannot_be_a_zone_is_told(shape, told):
    taken = np.zeros(len(GRID), dtype=bool)
    taken[box_cells(20, 0, 30, 120)] = True
    with pytest.raises(ZoneEditError, match=told):
        draw(GRID, shape, 0, taken)


@given(st.lists(st.floats(0.05, 3), min_size=0, max_size=6), st.integers(0, 99))
def test_factors_are_told_from_scores(coefficients, seed):
    beta = np.array(coefficients, dtype=float)
    sums = np.sort(
        (((np.arange(2 ** len(beta))[:, None] >> np.arange(len(beta))) & 1) @ beta).astype(float)
    )
    assume(len(sums) == 1 or np.diff(sums).min() > 1e-6)
    rng = np.random.default_rng(seed)
    active = rng.random((50, len(beta))) < 0.4
    active[0] = False
    eta = active @ beta
    found = active_factors(np.exp(eta - eta.min()), beta)
    assert found.tolist() == active.tolist()


def test_factors_are_told_where_none_is_free_of_them():
    beta = np.array([0.7, 1.1])
    active = np.array([[True, False], [True, True], [False, True]])
    eta = active @ beta
    assert active_factors(np.exp(eta - eta.min()), beta).tolist() == active.tolist()


def test_patterns_that_score_alike_are_not_guessed():
    assert active_factors(np.array([1.0, 2.0]), np.log([2.0, 2.0])) is None
    assert active_factors(np.array([1.0, 2.0]), np.full(15, 0.1)) is None
    assert active_factors(np.array([1.0, 2.5]), np.log([2.0])) is None
