"""The engine finds what the demonstration city was drawn from."""

import numpy as np
import pytest

from geodata.demo.crime import PLANS


@pytest.fixture(scope="module")
def run(drawn):
    return drawn[1]


def test_the_engine_finds_the_factors_of_robbery(run):
    found = {f.key: f for f in run.result.model.factors}
    true = {(e.factor, e.operation, e.distance_m): e.coefficient for e in PLANS["robbery"][1]}
    assert set(found) == set(true)
    for key, coefficient in true.items():
        assert abs(found[key].coefficient - coefficient) < 3 * found[key].se, key


def test_zones_hold_more_than_their_share(run):
    zones, cells = run.zones, run.cells
    share = zones["n_cells"].sum() / len(cells)
    assert share < 0.021
    held = zones["past"].sum() / cells["count"].sum()
    assert held > 3 * share
    assert zones["expected"].sum() == pytest.approx(
        cells["expected"].to_numpy()[_inside(run)].sum()
    )


def _inside(run):
    grid = run.grid
    inside = np.zeros(len(grid), dtype=bool)
    for shape in run.zones.geometry:
        import shapely

        inside |= shapely.contains_xy(shape, grid.x, grid.y)
    return inside
