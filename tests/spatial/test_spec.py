import math

import pytest

from spatial.errors import SpecError
from spatial.spec import GridSpec, ModelSpec, RiskFactor, RunSpec, ZoneSpec


def count(factor):
    return len(factor.operations) * len(factor.distances_units(500))


def test_the_published_counts_of_variables():
    # S1: both at 3 blocks whole gives 6, proximity at 3 whole gives 3, together 9.
    both = RiskFactor(name="a", operation="both", max_blocks=3, step="whole")
    near = RiskFactor(name="b", operation="proximity", max_blocks=3, step="whole")
    assert (count(both), count(near), count(both) + count(near)) == (6, 3, 9)
    # S3: 14 factors both and one proximity, 3 blocks, half steps, give 174.
    halves = [RiskFactor(name=f"f{i}") for i in range(14)]
    halves.append(RiskFactor(name="last", operation="proximity"))
    assert sum(map(count, halves)) == 174


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
def test_a_grid_refuses_a_length_that_is_none(bad):
    with pytest.raises(SpecError, match="cell"):
        GridSpec(cell_units=bad, block_units=400)
    with pytest.raises(SpecError, match="block"):
        GridSpec(cell_units=200, block_units=bad)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"operation": "near"}, "operation"),
        ({"step": "third"}, "step"),
        ({"max_blocks": 0}, "max_blocks"),
        ({"max_blocks": 21}, "max_blocks"),
        ({"name": " "}, "name"),
    ],
)
def test_a_factor_names_what_is_wrong(change, named):
    with pytest.raises(SpecError, match=named):
        RiskFactor(**{"name": "bars", **change})


@pytest.mark.parametrize(
    "change",
    [
        {"folds": 2},
        {"mixing": 0.0},
        {"mixing": math.nan},
        {"lambda_rule": "max"},
        {"families": ()},
        {"families": ("gamma",)},
        {"min_ones": 0},
        {"sign": "both"},
    ],
)
def test_a_model_refuses_settings_that_cannot_be(change):
    with pytest.raises(SpecError):
        ModelSpec(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"area_share": 0},
        {"area_share": 0.6},
        {"area_share": math.nan},
        {"min_cells": 0},
        {"min_cells": 9, "max_cells": 8},
        {"max_zones": 0},
    ],
)
def test_zones_refuse_a_budget_that_cannot_be(change):
    with pytest.raises(SpecError):
        ZoneSpec(**change)


def test_a_run_names_factors_given_twice():
    grid = GridSpec(cell_units=200, block_units=400)
    with pytest.raises(SpecError, match="bars"):
        RunSpec(grid=grid, factors=(RiskFactor(name="bars"), RiskFactor(name="bars")))
    with pytest.raises(SpecError, match="at least one"):
        RunSpec(grid=grid, factors=())
