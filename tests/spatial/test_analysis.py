import geopandas as gpd
import numpy as np
import pytest
import shapely

from spatial.analysis import Inputs, analyse_city, analyse_districts
from spatial.errors import FitError, GridError
from spatial.grid import lay_grid
from spatial.notes import Note
from spatial.spec import GridSpec, ModelSpec, RiskFactor, RunSpec, ZoneSpec
from spatial.terrain.factors import candidate_columns

CRS = "EPSG:32617"
BARS = RiskFactor(name="bars", operation="proximity", max_blocks=2, step="half")
SHOPS = RiskFactor(name="shops", operation="both", max_blocks=2, step="whole")
SPEC = RunSpec(
    grid=GridSpec(cell_units=100, block_units=200),
    factors=(BARS, SHOPS),
    zones=ZoneSpec(area_share=0.05),
)


@pytest.fixture(scope="module")
def inputs():
    """A town of 6 by 5 km: incidents crowd within 200 m of bars; the east has hardly any."""
    rng = np.random.default_rng(12)
    bars = rng.uniform([300, 300], [5700, 4700], (40, 2))
    near = bars[rng.integers(0, 40, 260)] + rng.normal(0, 90, (260, 2))
    incidents = np.vstack([near, rng.uniform(0, [6000, 5000], (160, 2))])
    incidents = incidents[(incidents[:, 0] < 5000) | (rng.random(len(incidents)) < 0.15)]
    return Inputs(
        study_area=shapely.box(0, 0, 6000, 5000),
        districts={
            "D1": shapely.box(0, 0, 2500, 5000),
            "D2": shapely.box(2500, 0, 5000, 5000),
            "D3": shapely.box(5000, 0, 6000, 5000),
        },
        incidents=gpd.GeoSeries(shapely.points(incidents), crs=CRS),
        layers={
            BARS: gpd.GeoSeries(shapely.points(bars), crs=CRS),
            SHOPS: gpd.GeoSeries(shapely.points(rng.uniform(0, [6000, 5000], (60, 2))), crs=CRS),
        },
    )


def test_a_city_has_zones_with_reasons_in_every_district(inputs):
    found = analyse_city(inputs, SPEC)
    assert found.scope == "city"
    assert [c.factor for c in found.terrain.model.columns] == ["bars"]
    assert set(found.zones["district"]) == {"D1", "D2", "D3"}
    for zone in found.zones.itertuples():
        (factor,) = zone.factors
        assert factor.name == "bars"
        assert factor.rrv == pytest.approx(np.exp(found.terrain.model.fit.beta[1]))
        assert 0 < factor.share <= 1
        assert zone.area == pytest.approx(zone.geometry.area)
        inside = shapely.contains_xy(zone.geometry, inputs.incidents.x, inputs.incidents.y)
        assert zone.past == inside.sum()
    assert found.cells["count"].sum() == found.incidents
    assert found.cells["risk_class"].between(0, 3).all()


def test_incidents_in_no_cell_are_told_not_counted(inputs):
    stray = gpd.GeoSeries(
        [shapely.Point(0.0, 0.0), shapely.Point(-50.0, 10.0), shapely.Point(9e6, 1)]
    )
    more = gpd.GeoSeries(list(inputs.incidents) + list(stray), crs=CRS)
    changed = Inputs(
        study_area=inputs.study_area,
        districts=inputs.districts,
        incidents=more,
        layers=inputs.layers,
    )
    before, after = analyse_city(inputs, SPEC), analyse_city(changed, SPEC)
    assert len(after.grid) == len(before.grid)  # strays never enlarge the grid
    strays = len(inputs.incidents) - before.incidents
    assert after.incidents == before.incidents + 1
    assert after.warnings[0] == Note("incidents.outside", {"incidents": strays + 2})


def test_a_district_with_few_incidents_takes_the_citys_factors(inputs):
    d1, d3 = analyse_districts(inputs, SPEC, ["D1", "D3"])
    assert not d1.terrain.borrowed
    assert d3.terrain.borrowed
    assert d3.incidents < 50 <= d1.incidents
    city = analyse_city(inputs, SPEC)
    assert d3.terrain.model.columns == city.terrain.model.columns
    np.testing.assert_array_equal(d3.terrain.model.fit.beta[1:], city.terrain.model.fit.beta[1:])
    assert d3.terrain.expected.sum() == pytest.approx(d3.incidents)
    few = {"district": "D3", "incidents": d3.incidents, "least": 50}
    assert d3.warnings[0] == Note("district.city_factors", few)
    for found, name in ((d1, "D1"), (d3, "D3")):
        assert found.scope == name
        assert set(found.zones["district"]) == {name}


def test_features_across_the_border_still_reach_into_a_district(inputs):
    across = gpd.GeoSeries([shapely.Point(4970, 2450)], crs=CRS)  # 30 m west of D3
    grid = lay_grid(inputs.study_area, inputs.districts, 100).only("D3")
    assert candidate_columns(grid, across, BARS, 200)[:, 0].sum() > 0


def test_districts_can_share_strength(inputs):
    shared = RunSpec(
        grid=SPEC.grid, factors=SPEC.factors, zones=SPEC.zones, model=ModelSpec(sharing="shared")
    )
    city = analyse_city(inputs, shared)
    table = city.shared.table()
    assert list(table["district"]) == ["D1", "D2", "D3"]
    found = analyse_districts(inputs, shared, ["D1", "D3"])
    for analysis in found:
        row = table[table["district"] == analysis.scope].iloc[0]
        assert analysis.terrain.borrowed
        assert analysis.terrain.model.columns == city.terrain.model.columns
        assert np.exp(analysis.terrain.model.fit.beta[1]) == pytest.approx(row["rrv"])
        assert analysis.warnings[0].code == "district.shared"
        assert analysis.warnings[0].parameters["district"] == analysis.scope
        mine = table[table["district"] == analysis.scope]["own_share"]
        assert analysis.warnings[0].parameters["own_share"] == pytest.approx(mine.mean())
    few, many = (table[table["district"] == name].iloc[0] for name in ("D3", "D1"))
    assert few["incidents"] < many["incidents"]
    assert few["own_share"] < many["own_share"]


def test_what_cannot_be_asked_is_told(inputs):
    with pytest.raises(GridError, match="D1, D2, D3"):
        analyse_districts(inputs, SPEC, ["D9"])
    nobody = Inputs(
        study_area=inputs.study_area,
        districts=inputs.districts,
        incidents=inputs.incidents[:0],
        layers=inputs.layers,
    )
    with pytest.raises(FitError, match="no incident"):
        analyse_city(nobody, SPEC)
    with pytest.raises(FitError, match="no incident"):
        analyse_districts(nobody, SPEC, ["D1"])


def test_a_moved_city_gives_the_same_answer(inputs):
    step = np.array([431_000.0, 3_777_000.0])

    def move(shape):
        return shapely.transform(shape, lambda xy: xy + step)

    moved = Inputs(
        study_area=move(inputs.study_area),
        districts={name: move(shape) for name, shape in inputs.districts.items()},
        incidents=inputs.incidents.translate(*step),
        layers={factor: shapes.translate(*step) for factor, shapes in inputs.layers.items()},
    )
    here, there = analyse_city(inputs, SPEC), analyse_city(moved, SPEC)
    np.testing.assert_array_equal(here.cells["count"], there.cells["count"])
    np.testing.assert_allclose(here.cells["score"], there.cells["score"])
    assert len(here.zones) == len(there.zones)
    np.testing.assert_allclose(here.zones["expected"], there.zones["expected"])


def test_the_model_settings_are_used(inputs):
    only = RunSpec(grid=SPEC.grid, factors=SPEC.factors, model=ModelSpec(families=("nb2",)))
    found = analyse_city(inputs, only)
    assert found.terrain.model.family == "nb2"
    assert found.terrain.alternatives == ()


PUBS = RiskFactor(name="pubs", operation="proximity", max_blocks=1, step="whole")
CLUBS = RiskFactor(name="clubs", operation="proximity", max_blocks=1, step="whole")


@pytest.mark.parametrize(("apart", "inflation", "warned"), [(12, 6.05, 2), (18, 4.05, 0)])
def test_factors_that_go_together_are_warned_of_at_six_and_not_at_four(apart, inflation, warned):
    """Of 200 pubs and clubs all but ``apart`` of either share a place."""
    rng = np.random.default_rng(0)
    lattice = np.arange(150, 6000, 300)
    places = np.stack(np.meshgrid(lattice, lattice), axis=-1).reshape(-1, 2)
    places = rng.permutation(places)[:200]
    pubs, clubs = places[: 200 - apart], places[apart:]
    near = np.repeat(np.vstack([pubs, clubs]), 4, axis=0)
    near = near + rng.normal(0, 40, near.shape)
    incidents = np.vstack([near, rng.uniform(0, 6000, (150, 2))])
    town = shapely.box(0, 0, 6000, 6000)
    found = analyse_city(
        Inputs(
            study_area=town,
            districts={"D1": town},
            incidents=gpd.GeoSeries(shapely.points(incidents), crs=CRS),
            layers={
                PUBS: gpd.GeoSeries(shapely.points(pubs), crs=CRS),
                CLUBS: gpd.GeoSeries(shapely.points(clubs), crs=CRS),
            },
        ),
        RunSpec(grid=GridSpec(cell_units=100, block_units=100), factors=(PUBS, CLUBS)),
    )
    assert found.diagnostics.inflation == pytest.approx((inflation, inflation), abs=0.1)
    assert sum(note.code == "model.inflation" for note in found.warnings) == warned
