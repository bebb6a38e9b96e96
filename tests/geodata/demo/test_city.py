import hashlib
import itertools

import numpy as np
import pytest
import shapely
import statsmodels.api as sm

from geodata.cityfile.description import read_city_file
from geodata.demo import write_city
from geodata.demo.crime import indicator
from geodata.repositories.cities import get_city
from geodata.repositories.incidents import incident_points
from spatial.grid import lay_grid
from spatial.spec import RiskFactor
from spatial.terrain.factors import candidate_columns


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(brought, city_of_seed, tmp_path):
    write_city(tmp_path / "same")
    assert digests(brought.folder) == digests(tmp_path / "same")
    other = digests(city_of_seed(7)[0])
    assert other["incidents.csv"] != digests(brought.folder)["incidents.csv"]
    assert other["alerts.csv"] != digests(brought.folder)["alerts.csv"]
    assert other["streets.geojson"] != digests(brought.folder)["streets.geojson"]


@pytest.mark.parametrize("seed", [2026, 7, 8])
def test_districts_tile_the_city(seed, brought, city_of_seed):
    land = (brought.truth if seed == 2026 else city_of_seed(seed)[1]).land
    districts = list(land.districts.values())
    assert list(land.districts) == ["D1", "D2", "D3", "D4", "D5"]
    assert all(shape.is_valid and shape.geom_type == "Polygon" for shape in districts)
    assert sum(shape.area for shape in districts) == pytest.approx(land.limit.area, rel=1e-9)
    assert shapely.union_all(districts).area == pytest.approx(land.limit.area, rel=1e-9)


def test_it_says_that_it_is_synthetic(brought):
    described = read_city_file(brought.folder / "city.toml")
    assert described.synthetic
    assert "synthetic" in described.name


def test_the_import_leaves_out_exactly_the_dirty_rows(brought):
    truth = brought.truth
    report = brought.reports["incidents"]
    assert report["left_out"] == truth.dirty
    assert report["stored"] == truth.incidents


def test_incidents_lie_in_the_city_and_on_dry_land(brought):
    import datetime as dt

    truth = brought.truth
    with brought.database.session() as session:
        city = get_city(session, "alder-falls")
        days = [dt.date(2020, 1, 1), dt.date(2023, 1, 1), dt.date(2026, 1, 1)]
        for outcome, (start, end) in itertools.product(truth.outcomes, itertools.pairwise(days)):
            points = incident_points(session, city.id, outcome, start, end)
            expected = truth.outcomes[outcome].expected_total
            assert abs(len(points) - expected) < 6 * np.sqrt(expected * 2)
            xy = shapely.get_coordinates(points.geometry.array) - [455_000, 3_984_000]
            assert not shapely.contains_xy(truth.land.water.buffer(-1), xy).any()
            assert shapely.contains_xy(truth.land.limit.buffer(1), xy).all()


def test_files_are_small(brought):
    sizes = {path.name: path.stat().st_size for path in brought.folder.iterdir()}
    assert sizes["streets.geojson"] < 1_200_000
    assert sum(sizes.values()) < 6_000_000


def test_the_counts_were_drawn_from_the_stated_truth(brought):
    """A regression on the true indicators finds the true coefficients again."""
    import datetime as dt

    truth = brought.truth
    with brought.database.session() as session:
        city = get_city(session, "alder-falls")
        points = incident_points(
            session, city.id, "robbery", dt.date(2020, 1, 1), dt.date(2023, 1, 1)
        )
    grid = truth.grid
    xy = shapely.get_coordinates(points.geometry.array) - [455_000, 3_984_000]
    lived_in = truth.expected["robbery"] > 0
    counts = grid.count(xy[:, 0], xy[:, 1])[lived_in]
    effects = truth.outcomes["robbery"].effects
    columns = np.column_stack([indicator(grid, truth.layers, e)[lived_in] for e in effects])
    fit = sm.NegativeBinomial(counts, sm.add_constant(columns.astype(float))).fit(disp=0)
    for effect, found, se in zip(effects, fit.params[1:-1], fit.bse[1:-1], strict=True):
        assert abs(found - effect.coefficient) < 3.5 * se, effect


def test_the_truth_has_the_form_of_the_engines_candidates(brought):
    """Two works of different hands, the generator's and the engine's, mark the same cells."""
    import geopandas as gpd

    truth = brought.truth
    for outcome in truth.outcomes.values():
        for effect in outcome.effects:
            factor = RiskFactor(name=effect.factor, operation=effect.operation)
            shapes = gpd.GeoSeries(truth.layers[effect.factor], crs="EPSG:32624")
            columns = candidate_columns(truth.grid, shapes, factor, 200.0)
            mine = columns[:, int(effect.distance_m / 100) - 1]
            theirs = indicator(truth.grid, truth.layers, effect)
            assert (mine != theirs).mean() < 1e-3, effect


def test_the_grid_is_the_one_that_an_import_lays(brought):
    truth = brought.truth
    with brought.database.session() as session:
        city = get_city(session, "alder-falls")
    districts = dict(zip(city.districts["code"], city.districts.geometry, strict=True))
    laid = lay_grid(city.study_area, districts, 100.0)
    assert abs(len(laid) - len(truth.grid)) < 0.01 * len(laid)
