import numpy as np
import pytest
from scipy import ndimage, sparse

from spatial.errors import OutcomeError
from spatial.evaluation.controls import Yardstick, beside, distinct, find_controls, ring, shared

STEPS = 12


def block(grid, row, col, rows, cols):
    inside = (
        (grid.rows >= row)
        & (grid.rows < row + rows)
        & (grid.cols >= col)
        & (grid.cols < col + cols)
    )
    return np.flatnonzero(inside)


@pytest.fixture
def city(make_grid):
    """A city of 40 by 40 cells at the same rate everywhere, but for a treated block."""
    grid = make_grid(40, 40)
    rng = np.random.default_rng(8)
    treated = block(grid, 18, 18, 4, 4)
    rate = np.full((len(grid), STEPS), 0.05)
    rate[treated] = 0.5
    return grid, treated, rng.poisson(rate)


def search(grid, treated, counts, *, buffer=2, blocked=()):
    candidate = np.ones(len(grid), dtype=bool)
    candidate[ring(grid, treated, buffer)] = False
    for cells in blocked:
        candidate[cells] = False
    return find_controls(grid, sparse.csr_array(counts), treated, candidate), candidate


def in_one_piece(grid, cells):
    inside = np.zeros((grid.n_rows, grid.n_cols), dtype=bool)
    inside[grid.rows[cells], grid.cols[cells]] = True
    return ndimage.label(inside)[1] == 1


def test_areas_are_contiguous_and_outside_what_is_treated(city):
    grid, treated, counts = city
    areas, candidate = search(*city)
    assert len(areas) > 100
    for area in areas:
        assert candidate[area.cells].all()
        assert not np.isin(area.cells, treated).any()
        assert in_one_piece(grid, area.cells)
        found = Yardstick(counts[treated].sum(0)).check(counts[area.cells].sum(0))
        assert found == area.checks


def test_those_that_pass_come_first_and_the_nearest_of_them_at_the_top(city):
    areas, _ = search(*city)
    passing = [area.checks.passes for area in areas]
    assert passing[0]
    assert passing == sorted(passing, reverse=True)
    near = [area.distance_units for area in areas if area.checks.passes]
    assert near == sorted(near)
    assert near[0] == pytest.approx(300.0, abs=150.0)  # just outside the ring of 2 cells
    far = [area.checks.worst for area in areas if not area.checks.passes]
    assert far == sorted(far)


def test_an_area_that_passes_has_as_many_incidents_as_chance_allows(city):
    _, treated, counts = city
    total = counts[treated].sum()
    for area in search(*city)[0]:
        if area.checks.passes:
            assert abs(counts[area.cells].sum() - total) <= np.sqrt(
                2 * total * Yardstick(counts[treated].sum(0)).dispersion
            )


def test_distinct_areas_share_at_most_half_of_their_cells(city):
    picked = distinct(search(*city)[0], 5)
    assert len(picked) == 5
    for position, area in enumerate(picked):
        assert all(shared(area, other) <= 0.5 for other in picked[:position])


def test_areas_beside_the_controls_are_as_distinct_as_these(city):
    """One area must not stand beside every control as if it were three."""
    areas, _ = search(*city)
    controls = distinct(areas, 3)
    for found in (beside(areas, controls), beside(areas, controls[:1] * 3)):
        those = [area for area in found if area is not None]
        assert those
        for position, area in enumerate(those):
            assert all(shared(area, other) <= 0.5 for other in those[:position])
    assert len([area for area in beside(areas, controls) if area is not None]) == 3
    for control, area in zip(controls, beside(areas, controls), strict=True):
        assert len(np.intersect1d(control.cells, area.cells)) == 0


def test_where_fewer_areas_differ_fewer_stand_beside(city):
    areas, _ = search(*city)
    controls = distinct(areas, 3)
    apart = next(
        area
        for area in areas
        if not any(np.isin(area.cells, control.cells).any() for control in controls)
    )
    assert beside([apart], controls) == [apart, None, None]
    assert beside([], controls) == [None, None, None]


def test_where_none_passes_the_closest_is_given_and_says_so(city):
    grid, treated, counts = city
    elsewhere = np.setdiff1d(np.arange(len(grid)), treated)
    counts = counts.copy()
    counts[elsewhere, : STEPS // 2] *= 4  # a trend that the treated area does not have
    areas, _ = search(grid, treated, counts)
    picked = distinct(areas, 2)
    assert not any(area.checks.passes for area in areas)
    assert picked[0].checks.worst == min(area.checks.worst for area in areas) > 1


def test_one_place_is_never_the_control(city):
    grid, treated, counts = city
    counts = counts.copy()
    place = block(grid, 30, 30, 1, 1)
    counts[place] = 10
    assert counts[place].sum() > 0.2 * counts[treated].sum()
    areas, _ = search(grid, treated, counts)
    assert not any(np.isin(place, area.cells).any() for area in areas)


def test_a_wall_parts_the_city(city):
    grid = city[0]
    wall = block(grid, 10, 0, 1, 40)
    areas, _ = search(*city, blocked=[wall])
    for area in areas:
        rows = grid.rows[area.cells]
        assert (rows < 10).all() or (rows > 10).all()


def test_the_same_city_gives_the_same_areas(city):
    one, other = search(*city)[0], search(*city)[0]
    assert [a.cells.tolist() for a in one] == [a.cells.tolist() for a in other]


def test_after_plays_no_part_and_the_past_of_a_cell_does_not_make_it_a_centre(make_grid):
    """Areas of cells picked for many incidents would have fewer later: here they must not."""
    grid = make_grid(24, 24)
    treated = block(grid, 10, 10, 4, 4)
    rate = np.full(len(grid), 0.04)
    rate[treated] = 0.3
    gaps = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        before = rng.poisson(rate[:, None], (len(grid), STEPS))
        after = rng.poisson(rate * STEPS)
        (area,) = distinct(search(grid, treated, before)[0], 1)
        gaps.append(after[area.cells].sum() - before[area.cells].sum())
    assert abs(np.mean(gaps)) < 2.5 * np.std(gaps) / np.sqrt(len(gaps))


def test_checks_are_those_of_the_paper_written_out():
    treated = np.array([5, 7, 6, 4, 8, 5, 6, 7], dtype=float)
    area = np.array([6, 6, 7, 3, 9, 6, 4, 5], dtype=float)
    yardstick = Yardstick(treated)
    variance = 2 * yardstick.dispersion * treated
    gap = area - treated
    time = np.arange(8) - 3.5
    blocks = abs(gap[:2].sum()) + abs(gap[2:].sum())  # six steps that end with the period
    found = yardstick.check(area)
    assert found.fit == pytest.approx(abs(gap).sum() / np.sqrt(2 * variance / np.pi).sum())
    assert found.blocks == pytest.approx(
        blocks / (np.sqrt(2 * variance[:2].sum() / np.pi) + np.sqrt(2 * variance[2:].sum() / np.pi))
    )
    assert found.level == pytest.approx(abs(gap.sum()) / np.sqrt(variance.sum()))
    assert found.trend == pytest.approx(
        abs((time * gap).sum()) / np.sqrt((time**2 * variance).sum())
    )
    assert found.worst == max(found.fit, found.blocks, found.level, found.trend)


@pytest.mark.parametrize(
    ("part", "gap"),
    [
        ("fit", 9.0 * np.tile([1.0, -1.0], 6)),
        ("blocks", np.repeat([4.0, -4.0], 6)),
        ("level", np.full(12, 2.0)),
        ("trend", 0.9 * (np.arange(12) - 5.5)),
    ],
)
def test_each_check_can_fail(part, gap):
    treated = np.full(12, 20.0)
    found = Yardstick(treated).check(treated + gap)
    assert getattr(found, part) > 1
    assert not found.passes
    assert Yardstick(treated).check(treated).passes


def test_a_single_step_has_no_trend():
    assert Yardstick([10]).check([12]).trend == 0


def test_a_ring_goes_around_corners_and_stays_in_the_city(make_grid):
    grid = make_grid(5, 5)
    assert len(ring(grid, block(grid, 2, 2, 1, 1), 1)) == 8
    assert len(ring(grid, block(grid, 0, 0, 1, 1), 2)) == 8
    assert len(ring(grid, block(grid, 2, 2, 1, 1), 0)) == 0


def test_without_incidents_nothing_can_be_compared(city):
    grid, treated, counts = city
    quiet = counts.copy()
    quiet[treated] = 0
    with pytest.raises(OutcomeError, match="treated area has no incident"):
        search(grid, treated, quiet)
    only = np.zeros_like(counts)
    only[treated] = counts[treated]
    with pytest.raises(OutcomeError, match="nothing to compare with"):
        search(grid, treated, only)


def test_areas_that_do_not_pass_are_no_company_for_one_that_does(city):
    areas, _ = search(*city)
    passing = [area for area in areas if area.checks.passes]
    failing = [area for area in areas if not area.checks.passes]
    assert failing
    picked = distinct([passing[0], *failing], 5)
    assert picked == [passing[0]]
