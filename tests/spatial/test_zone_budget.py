"""A budget that zones do not take is told, with the limit that would let them take it."""

import dataclasses

import numpy as np
import pytest
import shapely
from scipy import ndimage

from spatial.grid import lay_grid
from spatial.spec import ZoneSpec
from spatial.zones.cut import CAPPED, CITY_CAPPED, QUIET, UNUSED, budget_note, cut_zones, quiet_note

AREA = {"west": shapely.box(0, 0, 4000, 6000), "east": shapely.box(4000, 0, 8000, 6000)}
GRID = lay_grid(shapely.box(0, 0, 8000, 6000), AREA, 100)


@pytest.fixture(scope="module")
def score():
    """Risk in many hills, as factors near each other make it."""
    drawn = np.random.default_rng(4).normal(size=(GRID.n_rows, GRID.n_cols))
    hills = ndimage.gaussian_filter(drawn, 2.0)
    return np.exp(2 * hills[GRID.rows, GRID.cols] / hills.std())


def told(score, spec):
    held = [(zone.district, len(zone.cells)) for zone in cut_zones(GRID, score, score, spec)]
    return held, budget_note(GRID, score, score, spec, held)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.15])
def test_the_number_of_zones_is_what_stands_in_the_way_and_the_one_that_is_told_honours_it(
    score, share
):
    spec = ZoneSpec(area_share=share, max_cells=12, max_zones=3)
    held, caution = told(score, spec)
    assert caution.code == CAPPED
    found = caution.parameters
    assert found["held_share"] == sum(number for _, number in held) / len(GRID) < share
    assert (found["area_share"], found["max_zones"]) == (share, 3)
    needed = found["max_zones_needed"]
    assert found["reaches_budget"]
    enough = dataclasses.replace(spec, max_zones=needed)
    wider, none = told(score, enough)
    assert none is None
    assert sum(number for _, number in wider) / len(GRID) == pytest.approx(share, abs=0.002)
    assert found["share_without_limit"] == pytest.approx(share, abs=0.002)
    fewer = dataclasses.replace(spec, max_zones=needed - 1)  # it is no more than is needed
    assert sum(n for _, n in told(score, fewer)[0]) < sum(n for _, n in wider)


def test_what_no_number_of_zones_would_take_is_told_as_such(score):
    few = np.where(score > np.quantile(score, 0.95), score, 1.0)  # all else is alike and average
    held, caution = told(few, ZoneSpec(area_share=0.3, max_zones=500))
    assert caution.code == UNUSED
    assert set(caution.parameters) == {"area_share", "held_share"}
    _, both = told(few, ZoneSpec(area_share=0.3, max_zones=2))
    assert both.code == CAPPED
    assert both.parameters["share_without_limit"] < 0.1
    assert not both.parameters["reaches_budget"]
    assert sum(number for _, number in held) / len(GRID) == pytest.approx(
        both.parameters["share_without_limit"]
    )


def test_a_budget_that_is_taken_says_nothing(score):
    assert told(score, ZoneSpec(area_share=0.02, max_zones=200))[1] is None
    flat = np.ones(len(GRID))
    assert told(flat, ZoneSpec()) == ([], None)  # that run says that its scores are alike


def test_a_number_of_zones_for_the_city_that_stands_in_the_way_is_told(score):
    spec = ZoneSpec(area_share=0.1, max_cells=12, city_zones=5)
    held, caution = told(score, spec)
    assert len(held) == 5
    assert caution.code == CITY_CAPPED
    assert caution.parameters["city_zones"] == 5
    assert {district for district, _ in held} == {"west", "east"}


def test_zones_that_would_expect_too_little_are_counted_and_named(score):
    """East is so quiet that no zone of it expects one incident in the time that there was."""
    quiet = np.where(GRID.district == 1, score / 1e4, score)
    expected = quiet * (200 / quiet.sum())
    spec = ZoneSpec(area_share=0.02, allotment="even", least_expected=0.5)
    zones = cut_zones(GRID, quiet, expected, spec, years=2.0)
    assert {zone.district for zone in zones} == {"west"}
    assert all(expected[zone.cells].sum() >= 1.0 for zone in zones)
    note = quiet_note(GRID, quiet, expected, spec, zones, years=2.0)
    assert note.code == QUIET
    every = cut_zones(GRID, quiet, expected, dataclasses.replace(spec, least_expected=0))
    left_out = [zone for zone in every if expected[zone.cells].sum() < 1.0]
    assert note.parameters == {"zones": len(left_out), "least": 0.5, "districts": ("east",)}
    free = dataclasses.replace(spec, least_expected=0)
    assert quiet_note(GRID, quiet, expected, free, every, years=2.0) is None
    assert quiet_note(GRID, score, score, spec, zones, years=2.0) is None  # all expect enough
