import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from releasing import town_run

from geodata.releases.inputs import in_districts
from spatial.zones.cut import cells_within


def moved(run, *outlines):
    zones = run.zones.copy()
    zones.geometry = gpd.GeoSeries(list(outlines), index=zones.index, crs=zones.crs)
    return dataclasses.replace(run, zones=zones)


@pytest.fixture(scope="module")
def run():
    return town_run()


def test_a_zone_inside_of_its_district_stays_as_it_is(run):
    whole = shapely.box(*run.zones.total_bounds).buffer(50)
    codes = list(dict.fromkeys(run.zones["district"]))
    districts = gpd.GeoDataFrame({"code": codes}, geometry=[whole] * len(codes), crs=run.zones.crs)
    cut = in_districts(run, districts).zones
    assert shapely.equals_exact(cut.geometry.array, run.zones.geometry.array).all()


@given(
    st.floats(0.15, 0.85),
    st.floats(-0.12, 0.12),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_outlines_are_cut_at_the_border_and_areas_follow(share, slope, holes):
    run = town_run()
    west, south, east, north = run.zones.total_bounds
    x = west + share * (east - west)
    lean = slope * (east - west)
    ground = shapely.Polygon(
        [
            (west - 99, south - 99),
            (x - lean, south - 99),
            (x + lean, north + 99),
            (west - 99, north + 99),
        ]
    )
    if holes:
        middle = shapely.Point((west + x) / 2, (south + north) / 2).buffer(30)
        ground = shapely.difference(ground, middle)
    codes = list(dict.fromkeys(run.zones["district"]))
    districts = gpd.GeoDataFrame({"code": codes}, geometry=[ground] * len(codes), crs=run.zones.crs)
    for before, after in zip(
        run.zones.itertuples(), in_districts(run, districts).zones.itertuples(), strict=True
    ):
        inside = shapely.intersection(before.geometry, ground)
        assert after.geometry.is_valid
        assert after.geometry.geom_type in ("Polygon", "MultiPolygon")
        assert after.area == pytest.approx(after.geometry.area)
        if inside.area < 0.01 * run.grid.cell_area:
            assert after.geometry.equals(before.geometry)  # of another district: left alone
            continue
        assert shapely.difference(after.geometry, ground).area < 1e-6
        assert after.geometry.area == pytest.approx(inside.area, abs=0.05 * run.grid.cell_area)


def test_cells_of_a_district_stay_in_their_zone_when_it_is_cut(run):
    grid = run.grid
    columns = np.unique(grid.x)
    x = columns[len(columns) // 2] + 0.3 * grid.cell_units  # a border between center and edge
    west, south, _, north = grid.bounds
    ground = shapely.box(west, south, x, north)
    mine = np.flatnonzero(grid.x < x)
    outline = shapely.union_all(
        shapely.box(
            grid.x[mine] - grid.cell_units / 2,
            grid.y[mine] - grid.cell_units / 2,
            grid.x[mine] + grid.cell_units / 2,
            grid.y[mine] + grid.cell_units / 2,
        )
    )
    one = dataclasses.replace(run, zones=run.zones.iloc[:1])
    districts = gpd.GeoDataFrame(
        {"code": [one.zones["district"].iloc[0]]}, geometry=[ground], crs=run.zones.crs
    )
    cut = in_districts(moved(one, outline), districts).zones
    assert cut.geometry.iloc[0].bounds[2] == pytest.approx(x)
    (kept,) = cells_within(grid, list(cut.geometry))
    assert set(kept) == set(mine)
