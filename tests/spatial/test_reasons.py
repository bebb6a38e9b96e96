import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from spatial.analysis import Inputs, analyse_city
from spatial.spec import GridSpec, RiskFactor, RunSpec, ZoneSpec
from spatial.zones.describe import ZoneFactor, contribution, order_factors, reasons_of, zone_kind

CRS = "EPSG:32617"
STOPS = RiskFactor(name="stops", operation="proximity", max_blocks=2, step="whole")
SHOPS = RiskFactor(name="shops", operation="proximity", max_blocks=2, step="whole")
SPEC = RunSpec(
    grid=GridSpec(cell_units=100, block_units=200),
    factors=(STOPS, SHOPS),
    zones=ZoneSpec(area_share=0.05),
)
SHARES = st.floats(0.0, 1.0)


def factor(name, rrv, share, covers):
    return ZoneFactor(
        name=name, operation="proximity", distance=100.0, rrv=rrv, share=share, covers=covers
    )


@pytest.fixture(scope="module")
def crowded():
    """A city in which stops mark 60 % of the cells, and shops few of them."""
    rng = np.random.default_rng(4)
    x, y = np.meshgrid(np.arange(50, 3600, 100), np.arange(50, 5000, 100))
    stops = np.column_stack([x.ravel(), y.ravel()])[::6]
    shops = rng.uniform([300, 300], [3300, 4700], (14, 2))
    near = shops[rng.integers(0, 14, 240)] + rng.normal(0, 90, (240, 2))
    west, all_over = rng.uniform([0, 0], [3600, 5000], (500, 2)), rng.uniform(0, 1, (60, 2))
    incidents = np.vstack([near, west, all_over * [6000, 5000]])
    incidents = incidents[(incidents >= 0).all(axis=1) & (incidents < [6000, 5000]).all(axis=1)]
    return analyse_city(
        Inputs(
            study_area=shapely.box(0, 0, 6000, 5000),
            districts={
                "D1": shapely.box(0, 0, 3000, 5000),
                "D2": shapely.box(3000, 0, 6000, 5000),
            },
            incidents=gpd.GeoSeries(shapely.points(incidents), crs=CRS),
            layers={
                STOPS: gpd.GeoSeries(shapely.points(stops), crs=CRS),
                SHOPS: gpd.GeoSeries(shapely.points(shops), crs=CRS),
            },
        ),
        SPEC,
    )


def test_a_column_that_marks_most_of_the_city_is_no_reason(crowded):
    names = [column.factor for column in crowded.terrain.model.columns]
    covers = dict(zip(names, crowded.diagnostics.covers, strict=True))
    assert 0.55 < covers["stops"] < 0.75
    assert covers["shops"] < 0.2
    zones = list(crowded.zones.itertuples())
    assert any(f.name == "stops" for zone in zones for f in zone.factors)  # it acts there
    told = [[f.name for f in reasons_of(zone.factors)] for zone in zones]
    assert all("stops" not in names for names in told)
    assert sum(names == ["shops"] for names in told) > len(zones) / 2
    for zone in zones:
        assert all(f.covers == pytest.approx(covers[f.name]) for f in zone.factors)


def test_contributions_add_up_to_how_far_a_zone_lies_above_all_cells(crowded):
    eta = np.log(crowded.cells["score"].to_numpy())
    shapely.prepare(crowded.zones.geometry.to_numpy())
    for zone in crowded.zones.itertuples():
        inside = shapely.contains_xy(zone.geometry, crowded.grid.x, crowded.grid.y)
        absent = [
            -np.log(rrv) * cover
            for column, rrv, cover in zip(
                crowded.terrain.model.columns,
                np.exp(crowded.terrain.model.fit.beta[1:]),
                crowded.diagnostics.covers,
                strict=True,
            )
            if column.factor not in {f.name for f in zone.factors}
        ]
        added = sum(contribution(f) for f in zone.factors) + sum(absent)
        assert added == pytest.approx(eta[inside].mean() - eta.mean())


def test_what_is_rare_elsewhere_comes_before_what_is_everywhere():
    rare, common = factor("bars", 1.8, 0.6, 0.05), factor("stops", 3.0, 1.0, 0.6)
    half = factor("parks", 2.5, 1.0, 0.5)
    missing = factor("banks", 4.0, 0.1, 0.3)  # rarer here than elsewhere
    guard = factor("lamps", 0.5, 1.0, 0.2)  # lowers the risk
    ordered = order_factors([guard, missing, common, half, rare])
    assert [f.name for f in reasons_of(ordered)] == ["parks", "bars"]


@given(st.lists(st.tuples(st.floats(0.1, 9.0), SHARES, SHARES), max_size=8))
def test_reasons_are_ordered_rare_and_more_common_in_the_zone(rows):
    factors = [factor(f"f{i}", *row) for i, row in enumerate(rows)]
    found = reasons_of(order_factors(factors))
    weights = [contribution(f) for f in found]
    assert weights == sorted(weights, reverse=True)
    for f in found:
        assert f.covers <= 0.5
        assert f.rrv > 1
        assert f.share > f.covers


def test_factors_of_an_earlier_run_take_what_they_cover_from_its_diagnostics():
    bare = factor("bars", 2.0, 1.0, None)
    (told,) = order_factors([bare], {bare.key: 0.6})
    assert told.covers == 0.6
    assert reasons_of([told]) == []


@pytest.mark.parametrize(
    ("share", "kind"), [(0.0, "hot spot"), (0.2499, "hot spot"), (0.25, "risk terrain zone")]
)
def test_below_a_quarter_of_environment_a_zone_is_a_hot_spot(share, kind):
    assert zone_kind(share) == kind
