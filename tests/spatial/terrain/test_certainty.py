import geopandas as gpd
import numpy as np
import pytest
import shapely

from spatial.analysis import Inputs, analyse_city
from spatial.certainty import Replicate, blocks, prepare, summarise, top_cells
from spatial.history.kernels import lay_past
from spatial.spec import GridSpec, ModelSpec, RiskFactor, RunSpec, ZoneSpec
from spatial.terrain.candidates import build_design
from spatial.terrain.factors import Candidate
from spatial.terrain.forest import forest_table

CRS = "EPSG:32617"
BARS = RiskFactor(name="bars", operation="proximity", max_blocks=2)
NOISE = RiskFactor(name="noise", operation="proximity", max_blocks=2)
SPEC = RunSpec(
    grid=GridSpec(cell_units=100, block_units=200),
    factors=(BARS, NOISE),
    model=ModelSpec(families=("poisson", "nb2")),
    zones=ZoneSpec(area_share=0.04),
)


@pytest.fixture(scope="module")
def resampling():
    rng = np.random.default_rng(5)
    bars = rng.uniform([300, 300], [4700, 4700], (30, 2))
    near = bars[rng.integers(0, 30, 500)] + rng.normal(0, 70, (500, 2))
    xy = np.vstack([near, rng.uniform(0, 5000, (200, 2))])
    inputs = Inputs(
        study_area=shapely.box(0, 0, 5000, 5000),
        districts={"D1": shapely.box(0, 0, 2500, 5000), "D2": shapely.box(2500, 0, 5000, 5000)},
        incidents=gpd.GeoSeries(shapely.points(xy), crs=CRS),
        layers={
            BARS: gpd.GeoSeries(shapely.points(bars), crs=CRS),
            NOISE: gpd.GeoSeries(shapely.points(rng.uniform(0, 5000, (30, 2))), crs=CRS),
        },
    )
    analysis = analyse_city(inputs, SPEC)
    design = build_design(analysis.grid, inputs.layers, 200.0)
    past = lay_past(analysis.grid, inputs.incidents.x, inputs.incidents.y)
    return analysis, prepare(
        analysis.grid,
        design,
        past,
        analysis.combined.components,
        analysis.combined.record,
        forest_table(analysis.grid, inputs.layers, 200.0),
        SPEC,
        seed=7,
    )


def test_a_true_factor_is_chosen_and_noise_is_not(resampling):
    analysis, work = resampling
    cells = [analysis.grid.locate(z.x, z.y) for z in analysis.zones.geometry.centroid]
    found = summarise(
        (work.replicate(i) for i in range(12)),
        ["bars", "noise"],
        [np.atleast_1d(c).astype(np.int64) for c in cells],
        len(analysis.grid),
    )
    bars, noise = found.factors
    assert bars.name == "bars"
    assert bars.chosen == 1.0
    assert noise.chosen <= 0.5
    assert bars.rrv_low > 1.5
    assert noise.rrv_low == 1.0
    model = analysis.terrain.model.table().iloc[0]
    assert bars.rrv_low < model["rrv"] < bars.rrv_high
    assert sum(share for *_, share in bars.bands) == pytest.approx(1.0)
    assert sum(found.families.values()) == pytest.approx(1.0)
    assert found.on_top.sum() == pytest.approx(round(0.04 * len(analysis.grid)))


def test_a_replicate_depends_on_its_seed_and_number_alone(resampling):
    _, work = resampling
    one, again, other = work.replicate(3), work.replicate(3), work.replicate(4)
    assert one.chosen == again.chosen
    np.testing.assert_array_equal(one.in_zone, again.in_zone)
    assert (one.on_top != other.on_top).any()


def test_blocks_hold_neighbours_together(make_grid):
    grid = make_grid(60, 60, cell=100.0)
    number = blocks(grid, 300.0)
    assert number.max() + 1 == 100
    assert set(np.bincount(number)) == {36}
    assert (number[(grid.rows < 6) & (grid.cols < 6)] == number[0]).all()
    assert blocks(make_grid(12, 12), 5000.0).max() + 1 >= 30


def test_the_top_share_has_that_many_cells_whatever_the_ties():
    assert top_cells(np.ones(50), 0.1).sum() == 5
    assert top_cells(np.arange(50.0), 0.1)[-5:].all()


def test_a_replicate_without_the_factor_counts_as_no_effect():
    column = Candidate("bars", "proximity", 100.0)

    def drawn(*coefficients):
        return [
            Replicate(
                family="poisson",
                chosen=() if b is None else ((column, b),),
                in_zone=np.array([True, False]),
                on_top=np.array([True, False]),
            )
            for b in coefficients
        ]

    found = summarise(
        drawn(np.log(2), np.log(2), None, None), ["bars"], [np.array([0]), np.array([1])], 2
    )
    (bars,) = found.factors
    assert (bars.chosen, bars.rrv_median) == (0.5, pytest.approx(2.0))
    assert (bars.rrv_low, bars.rrv_high) == (1.0, pytest.approx(2.0))
    assert found.zones == (1.0, 0.0)
