import dataclasses
import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from spatial.grid import lay_grid
from spatial.spec import ZoneSpec
from spatial.zones.cut import cut_zones, links, most_expected, outline, zone_of_cells

AREA = shapely.Polygon([(0, 0), (3000, 200), (2800, 2600), (1400, 1800), (150, 2500)])
HALVES = {"west": shapely.box(-10, -10, 1500, 3000), "east": shapely.box(1500, -10, 3100, 3000)}
GRID = lay_grid(AREA, HALVES, 100)
SPEC = ZoneSpec(area_share=0.1, allotment="even", min_cells=3, max_cells=12, max_zones=5)
scores = hnp.arrays(
    float, len(GRID), elements=st.sampled_from([1.0, 1.5, 2.0, 2.0, 3.5, 8.0, 8.0, 20.0])
)


def touching_sides(grid, cells):
    raster = np.zeros((grid.n_rows, grid.n_cols), dtype=int)
    raster[grid.rows[cells], grid.cols[cells]] = 1
    return ndimage.label(raster)[1] == 1


@settings(max_examples=60, deadline=None)
@given(
    scores,
    st.sampled_from(["even", "expected", "city"]),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.45, 0.6]),
    st.sampled_from([0.0, 30.0]),
)
def test_zones_keep_what_they_promise(score, allotment, least, compactness, floor):
    spec = dataclasses.replace(
        SPEC,
        allotment=allotment,
        min_cells=least,
        least_compactness=compactness,
        least_expected=floor,
    )
    zones = cut_zones(GRID, score, score, spec, years=1.0)
    seen = np.concatenate([zone.cells for zone in zones]) if zones else np.array([])
    assert len(seen) == len(set(seen.tolist()))
    assert len(seen) <= round(0.1 * len(GRID)) + 2 * max(1, least)
    assert score[seen.astype(int)].sum() <= most_expected(GRID, score, score, spec) * (1 + 1e-9)
    for name in GRID.district_ids:
        mine = [zone for zone in zones if zone.district == name]
        cells = GRID.district == GRID.district_ids.index(name)
        if allotment == "even":
            assert sum(len(zone.cells) for zone in mine) <= max(least, round(0.1 * cells.sum()))
        assert len(mine) <= SPEC.max_zones
        assert [zone.rank for zone in mine] == list(range(1, len(mine) + 1))
        totals = [score[zone.cells].sum() for zone in mine]
        assert totals == sorted(totals, reverse=True)
    for zone in zones:
        assert least <= len(zone.cells) <= SPEC.max_cells
        assert score[zone.cells].sum() >= floor
        square = 4 * np.pi * zone.outline.area / zone.outline.length**2
        assert square >= compactness * (1 - 1e-9)
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
def test_every_zone_has_a_cell_above_the_mean_of_its_district(score):
    for zone in cut_zones(GRID, score, score, SPEC):
        cells = np.flatnonzero(GRID.district == GRID.district_ids.index(zone.district))
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


@pytest.mark.parametrize(("compactness", "fourth"), [(0.0, "out"), (0.6, "notch"), (None, "notch")])
def test_a_notch_is_filled_where_cells_are_alike_or_shapes_must_be_compact(compactness, fourth):
    """Of a zone of four cells that has three corners of a square, the fourth joins."""
    area = shapely.box(0, 0, 1000, 1000)
    grid = lay_grid(area, {"all": area}, 100)
    score = np.ones(len(grid))
    corner, beside, above, out, notch = (
        int(grid.index_raster[row, col]) for row, col in ((4, 4), (4, 5), (5, 4), (4, 6), (5, 5))
    )
    score[[corner, beside, above, out, notch]] = [10.0, 9.0, 8.0, 7.0, 6.0]
    if compactness is None:
        score[notch] = 7.0
    spec = ZoneSpec(
        area_share=0.04,
        min_cells=3,
        max_cells=4,
        max_zones=1,
        least_compactness=compactness or 0.0,
    )
    (zone,) = cut_zones(grid, score, score, spec)
    assert set(zone.cells) == {corner, beside, above, {"out": out, "notch": notch}[fourth]}


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


def test_few_zones_are_as_good_as_the_best_of_all_choices():
    """On 4 by 6 cells all pairs of connected pieces can be looked through."""
    area = shapely.box(0, 0, 600, 400)
    grid = lay_grid(area, {"all": area}, 100)
    near = links(grid)
    pieces = {frozenset([cell]) for cell in range(len(grid))}
    every = set()
    for _ in range(3):  # of two to four cells
        pieces = {
            piece | {int(other)}
            for piece in pieces
            for cell in piece
            for other in near[cell]
            if other >= 0 and other not in piece
        }
        every |= pieces
    spec = ZoneSpec(area_share=0.25, min_cells=2, max_cells=4, max_zones=2, least_compactness=0.0)
    found, best = [], []
    for seed in range(25):
        score = np.random.default_rng(seed).gamma(0.5, size=len(grid)) + 0.01
        worth = {piece: score[list(piece)].sum() for piece in every}
        single = max(worth.values())
        pairs = (
            worth[a] + worth[b]
            for a, b in itertools.combinations(every, 2)
            if len(a) + len(b) <= 6 and not a & b
        )
        best.append(max(single, *pairs))
        found.append(sum(score[z.cells].sum() for z in cut_zones(grid, score, score, spec)))
    ratio = np.array(found) / np.array(best)
    assert ratio.max() <= 1 + 1e-9
    assert ratio.mean() > 0.95


def test_a_district_gets_its_part_of_the_budget_by_the_allotment():
    """West has nine times the risk: evenly it gets half, by what it expects 9 of 10 cells."""
    area = shapely.box(0, 0, 8000, 4000)
    halves = {"west": shapely.box(0, 0, 4000, 4000), "east": shapely.box(4000, 0, 8000, 4000)}
    grid = lay_grid(area, halves, 100)
    score = np.random.default_rng(1).gamma(2.0, size=len(grid)) * np.where(grid.district, 1, 9)
    budget = round(0.05 * len(grid))

    def west(allotment):
        spec = ZoneSpec(area_share=0.05, allotment=allotment, max_zones=100)
        zones = cut_zones(grid, score, score, spec)
        cells = {
            name: sum(len(zone.cells) for zone in zones if zone.district == name)
            for name in grid.district_ids
        }
        assert sum(cells.values()) == budget
        return cells["west"] / budget

    assert west("even") == pytest.approx(0.5, abs=0.01)
    assert west("expected") == pytest.approx(0.9, abs=0.02)
    assert west("city") == pytest.approx(0.75, abs=0.01)  # half of its even share stays with east


@pytest.mark.parametrize("shape", [shapely.LineString([(500, 0), (500, 1000)]), None])
def test_no_zone_crosses_a_barrier(shape):
    area = shapely.box(0, 0, 1000, 1000)
    grid = lay_grid(area, {"all": area}, 100)
    score = np.ones(len(grid))
    hill = (np.abs(grid.x - 500) < 200) & (np.abs(grid.y - 500) < 100)
    score[hill] = 9.0
    spec = ZoneSpec(area_share=0.08, min_cells=2, max_cells=8)
    barriers = () if shape is None else (shape,)
    zones = cut_zones(grid, score, score, spec, barriers=barriers)
    assert len(zones) == (1 if shape is None else 2)
    assert set(np.concatenate([zone.cells for zone in zones])) == set(np.flatnonzero(hill))
    river = shapely.box(450, 0, 550, 1000)
    for zone in cut_zones(grid, score, score, spec, barriers=(river,)):
        assert not zone.outline.covers(shapely.LineString([(425, 500), (575, 500)]))
    near = links(grid, (river,))
    for cell, side in zip(*np.nonzero(near >= 0), strict=True):
        assert cell in near[near[cell, side]]  # what is linked is linked both ways
