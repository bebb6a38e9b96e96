"""A budget that zones do not take is told, with the limit that would let them take it."""

import dataclasses

import numpy as np
import pytest
import shapely
from scipy import ndimage

from spatial.grid import lay_grid
from spatial.spec import ZoneSpec
from spatial.zones.cut import CAPPED, UNUSED, budget_caution, cut_zones

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
    return held, budget_caution(GRID, score, score, spec, held)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.15])
def test_the_number_of_zones_is_what_stands_in_the_way_and_the_one_that_is_told_honours_it(
    score, share
):
    spec = ZoneSpec(area_share=share, max_zones=3)
    held, caution = told(score, spec)
    assert caution.code == CAPPED
    found = caution.parameters
    assert found["held_share"] == sum(number for _, number in held) / len(GRID) < share
    assert (found["area_share"], found["max_zones"]) == (share, 3)
    needed = found["max_zones_needed"]
    assert f"allow {needed}" in caution.text
    enough = dataclasses.replace(spec, max_zones=needed)
    wider, none = told(score, enough)
    assert none is None
    assert sum(number for _, number in wider) / len(GRID) == pytest.approx(share, abs=0.002)
    assert found["share_without_limit"] == sum(number for _, number in wider) / len(GRID)
    fewer = dataclasses.replace(spec, max_zones=needed - 1)  # it is no more than is needed
    assert sum(n for _, n in told(score, fewer)[0]) < sum(n for _, n in wider)


def test_what_no_number_of_zones_would_take_is_told_as_such(score):
    few = np.where(score > np.quantile(score, 0.95), score, 1.0)  # all else is alike and average
    held, caution = told(few, ZoneSpec(area_share=0.3, max_zones=500))
    assert caution.code == UNUSED
    assert "too small for a zone or is not above the mean" in caution.text
    assert "allow" not in caution.text
    _, both = told(few, ZoneSpec(area_share=0.3, max_zones=2))
    assert both.code == CAPPED
    assert both.parameters["share_without_limit"] < 0.1
    assert "too small for a zone" in both.text
    assert sum(number for _, number in held) / len(GRID) == pytest.approx(
        both.parameters["share_without_limit"]
    )


def test_a_budget_that_is_taken_says_nothing(score):
    assert told(score, ZoneSpec(area_share=0.02, max_zones=200))[1] is None
    flat = np.ones(len(GRID))
    assert told(flat, ZoneSpec()) == ([], None)  # that run says that its scores are alike


def test_a_caution_is_read_by_scripts(score):
    _, caution = told(score, ZoneSpec(area_share=0.1, max_zones=2))
    document = caution.as_json()
    assert set(document) == {"code", "parameters", "warning"}
    assert document["warning"] == caution.text
