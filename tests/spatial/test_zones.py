import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from spatial.grid import lay_grid
from spatial.spec import ZoneSpec
from spatial.zones.cut import cut_zones, outline, zone_of_cells

AREA = shapely.Polygon([(0, 0), (3000, 200), (2800, 2600), (1400, 1800), (150, 2500)])
HALVES = {"west": shapely.box(-10, -10, 1500, 3000), "east": shapely.box(1500, -10, 3100, 3000)}
GRID = lay_grid(AREA, HALVES, 100)
SPEC = ZoneSpec(area_share=0.1, min_cells=3, max_cells=12, max_zones=5)
scores = hnp.arrays(
    float, len(GRID), elements=st.sampled_from([1.0, 1.5, 2.0, 2.0, 3.5, 8.0, 8.0, 20.0])
)


def touching_sides(grid, cells):
    raster = np.zeros((grid.n_rows, grid.n_cols), dtype=int)
    raster[grid.rows[cells], grid.cols[cells]] = 1
    return ndimage.label(raster)[1] == 1


@settings(max_examples=40, deadline=None)
@given(scores)
def test_zones_keep_what_they_promise(score):
    zones = cut_zones(GRID, score, score, SPEC)
    seen = np.concatenate([zone.cells for zone in zones]) if zones else np.array([])
    assert len(seen) == len(set(seen.tolist()))
    for name in GRID.district_ids:
        mine = [zone for zone in zones if zone.district == name]
        cells = GRID.district == GRID.district_ids.index(name)
        assert sum(len(zone.cells) for zone in mine) <= max(3, round(0.1 * cells.sum()))
        assert len(mine) <= SPEC.max_zones
        assert [zone.rank for zone in mine] == list(range(1, len(mine) + 1))
        totals = [score[zone.cells].sum() for zone in mine]
        assert totals == sorted(totals, reverse=True)
    for zone in zones:
        assert SPEC.min_cells <= len(zone.cells) <= SPEC.max_cells
        assert (GRID.district[zone.cells] == GRID.district_ids.index(zone.district)).all()
        assert touching_sides(GRID, zone.cells)
        assert zone.outline.is_valid
        assert zone.outline.geom_type == "Polygon"
        assert zone.outline.area == pytest.approx(len(zone.cells) * GRID.cell_area)
        assert shapely.contains_xy(zone.outline, GRID.x[zone.cells], GRID.y[zone.cells]).all()
    for a in zones:
        for b in zones:
            if a is not b:
                assert a.outline.intersection(b.outline).area == 0


@settings(max_examples=20, deadline=None)
@given(scores)
def test_every_zone_starts_from_a_cell_of_the_budget(score):
    for zone in cut_zones(GRID, score, score, SPEC):
        cells = np.flatnonzero(GRID.district == GRID.district_ids.index(zone.district))
        budget = max(SPEC.min_cells, round(SPEC.area_share * len(cells)))
        floor = np.sort(score[cells])[::-1][budget - 1]
        assert score[zone.cells].max() >= floor
        assert score[zone.cells].max() > score[cells].mean()


def test_the_highest_block_of_cells_is_the_first_zone():
    score = np.ones(len(GRID))
    peak = (GRID.x > 400) & (GRID.x < 800) & (GRID.y > 600) & (GRID.y < 800)
    hill = (GRID.x > 1000) & (GRID.x < 1200) & (GRID.y > 600) & (GRID.y < 800)
    score[hill], score[peak] = 5.0, 9.0
    first, second = [z for z in cut_zones(GRID, score, score, SPEC) if z.district == "west"][:2]
    assert set(np.flatnonzero(peak)) == set(first.cells)
    assert set(np.flatnonzero(hill)) <= set(second.cells)


def test_an_isolated_cell_takes_in_its_best_neighbours():
    score = 1 + np.hypot(GRID.x, GRID.y) / 1e6
    lone = int(np.argmin(np.hypot(GRID.x - 750, GRID.y - 750)))
    score[lone] = 50.0
    spec = ZoneSpec(area_share=0.001, min_cells=4, max_cells=10)
    (zone,) = [z for z in cut_zones(GRID, score, score, spec) if z.district == "west"]
    assert lone in zone.cells
    assert len(zone.cells) == 4


def test_a_notch_is_filled_before_a_higher_cell_sticks_out():
    """Of a zone of four cells that has three corners of a square, the fourth joins."""
    area = shapely.box(0, 0, 1000, 1000)
    grid = lay_grid(area, {"all": area}, 100)
    score = np.ones(len(grid))
    corner, beside, above, out, notch = (
        int(grid.index_raster[row, col]) for row, col in ((4, 4), (4, 5), (5, 4), (4, 6), (5, 5))
    )
    score[[corner, beside, above, out, notch]] = [10.0, 9.0, 8.0, 7.0, 6.0]
    spec = ZoneSpec(area_share=0.05, min_cells=3, max_cells=4, max_zones=1)
    (zone,) = cut_zones(grid, score, score, spec)
    assert set(zone.cells) == {corner, beside, above, notch}


def test_of_equal_cells_the_one_in_higher_surroundings_is_the_better():
    area = shapely.box(0, 0, 1000, 1000)
    grid = lay_grid(area, {"all": area}, 100)
    score = np.ones(len(grid))
    low, high, near = (int(grid.index_raster[cell]) for cell in ((2, 2), (7, 7), (7, 5)))
    score[[low, high]], score[near] = 9.0, 3.0
    spec = ZoneSpec(area_share=0.01, min_cells=1, max_cells=1, max_zones=1)
    (zone,) = cut_zones(grid, score, score, spec)
    assert zone.cells.tolist() == [high]


def test_a_flat_surface_has_no_zones():
    flat = np.ones(len(GRID))
    assert cut_zones(GRID, flat, flat, SPEC) == []


def test_the_same_scores_give_the_same_zones():
    score = np.random.default_rng(0).integers(1, 4, len(GRID)).astype(float)
    here = cut_zones(GRID, score, score, SPEC)
    there = cut_zones(GRID, score + 1e-13, score, SPEC)  # below rounding
    assert [z.cells.tolist() for z in here] == [z.cells.tolist() for z in there]


def test_an_outline_keeps_its_hole():
    ring = [
        i
        for i in range(len(GRID))
        if 5 <= GRID.rows[i] <= 7
        and 5 <= GRID.cols[i] <= 7
        and (GRID.rows[i], GRID.cols[i]) != (6, 6)
    ]
    shape = outline(GRID, np.array(ring))
    assert len(shape.interiors) == 1
    assert shape.area == 8 * GRID.cell_area


def test_cells_know_their_zone():
    score = np.random.default_rng(0).random(len(GRID)) + 1
    zones = cut_zones(GRID, score, score, SPEC)
    found = zone_of_cells(GRID, zones)
    for position, zone in enumerate(zones):
        assert np.flatnonzero(found == position).tolist() == zone.cells.tolist()
