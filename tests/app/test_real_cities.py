"""Durham and Hartford as their example files describe them, from import to zones."""

import datetime as dt
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from app.i18n import numbers, zone_words
from app.usecases.risk.fit import FitRequest, fit
from app.workbench.results_maps import BY_NAME
from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.releases.inputs import in_districts
from geodata.repositories.cities import get_city
from spatial.zones.describe import contribution, reasons_of

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


@pytest.fixture
def bring(sqlite_database, shared_data):
    def bring_in(city):
        described = read_city_file(EXAMPLES / city / "city.toml", shared_data / city)
        return sqlite_database, import_city(sqlite_database, described)

    return bring_in


def test_hartford(bring):
    database, result = bring("hartford")
    (incidents,) = [r for r in result.sources if r.kind == "incidents"]
    assert (incidents.read, incidents.stored, incidents.left_out) == (837, 837, {})
    (record,) = fit(database, FitRequest(city="hartford", outcome="robbery"))
    document = record.result
    assert document.grid.cells == 12_585
    assert document.incidents == 837
    assert (document.candidates, document.screened) == (72, 29)
    bic = {m.family: m.bic for m in [document.model, *document.alternatives]}
    assert bic["nb2"] <= 5484.5
    assert bic["poisson"] == pytest.approx(5985.604, abs=1e-3)
    assert document.model.family == min(bic, key=bic.get)


TITLES = """
[city]
slug = "durham"
name = "Durham"
crs = "EPSG:2264"
timezone = "America/New_York"
[districts]
source = "police_districts.geojson"
id = "district"
[grid]
cell = 800
block = 800
[[incidents]]
source = "{incidents}"
outcome_field = "title"
id = "incident_id"
date = "date"
[incidents.outcomes]
"Robbery" = "robbery"
"Assault Offenses" = "assault"
"Burglary/Breaking and Entering" = "burglary"
[[factors]]
name = "bars"
source = "risk_factors/bars_pubs_by_name.geojson"
operation = "proximity"
"""


def test_each_outcome_of_durham_has_days_of_its_own(shared_data, sqlite_database, tmp_path):
    """One file with several outcomes in ``title``, the burglaries only those of March."""
    whole = gpd.read_file(shared_data / "durham" / "incidents_2013_jan_jun.geojson")
    day = pd.to_datetime(whole["date"]).dt.date
    whole["date"] = day.astype(str)
    march = (day >= dt.date(2013, 3, 1)) & (day < dt.date(2013, 4, 1))
    kept = whole[(whole["title"] != "Burglary/Breaking and Entering") | march]
    kept.to_file(tmp_path / "incidents.geojson", driver="GeoJSON")
    file = tmp_path / "city.toml"
    file.write_text(TITLES.format(incidents=tmp_path / "incidents.geojson"))
    import_city(sqlite_database, read_city_file(file, shared_data / "durham"))
    days = {
        "robbery": (dt.date(2013, 1, 1), dt.date(2013, 6, 30)),
        "assault": (dt.date(2013, 1, 1), dt.date(2013, 7, 1)),
        "burglary": (dt.date(2013, 3, 1), dt.date(2013, 4, 1)),
    }
    for outcome, (start, end) in days.items():
        (run,) = fit(sqlite_database, FitRequest(city="durham", outcome=outcome))
        assert (run.period_from, run.period_to) == (start, end), outcome
        weekly = run.cells["expected"].sum() / ((end - start).days / 7)
        true = run.result.incidents / ((end - start).days / 7)
        assert weekly == pytest.approx(true, rel=0.1)
        assert run.result.incidents > 150


def test_durham_city_and_districts(bring):
    database, result = bring("durham")
    robbery = next(r for r in result.sources if r.kind == "incidents")
    assert (robbery.read, robbery.stored) == (283, 252)
    assert robbery.left_out == {"left out by where": 31}
    (city,) = fit(database, FitRequest(city="durham", outcome="robbery"))
    assert set(city.zones["district"]) == {"D1", "D2", "D3", "D4", "D5"}
    names = ("D1", "D2", "D3", "D4", "D5")
    districts = fit(database, FitRequest(city="durham", outcome="robbery", districts=names))
    assert [record.scope for record in districts] == list(names)
    small = districts[4]
    assert small.result.factors_from == "city"
    assert small.result.warnings[0].code == "district.city_factors"
    assert small.result.warnings[0].parameters["district"] == "D5"
    chosen = [(f.name, f.distance) for f in city.result.model.factors]
    assert [(f.name, f.distance) for f in small.result.model.factors] == chosen
    for record in (city, *districts):
        assert len(record.zones) > 0
        shapes = record.zones.geometry.to_numpy()
        assert shapely.is_valid(shapes).all()
        union = shapely.union_all(shapes)
        assert union.area == pytest.approx(shapely.area(shapes).sum())


def test_hartford_called_degrees_is_refused_with_the_cause(
    bring, shared_data, tmp_path, sqlite_database
):
    from geodata.errors import DataError

    text = (EXAMPLES / "hartford" / "city.toml").read_text()
    wrong = text.replace('y = "latitude"\ncrs = "EPSG:3508"', 'y = "latitude"')
    (tmp_path / "city.toml").write_text(wrong)
    described = read_city_file(tmp_path / "city.toml", shared_data / "hartford")
    with pytest.raises(DataError, match=r"projected coordinates called degrees.*the city's own"):
        import_city(sqlite_database, described)


def test_the_raw_districts_with_sheriffs_areas_are_joined_and_mended(
    shared_data, sqlite_database, tmp_path
):
    text = (EXAMPLES / "durham" / "city.toml").read_text()
    text = text.replace(
        'source = "police_districts.geojson"\nid = "district"',
        'source = "police_districts_raw.geojson"\nid = "LAWDIST"\n'
        'where = { LAWDIST = ["D1", "D2", "D3", "D4", "D5"] }',
    )
    (tmp_path / "city.toml").write_text(text)
    described = read_city_file(tmp_path / "city.toml", shared_data / "durham")
    result = import_city(sqlite_database, described)
    districts = result.sources[0]
    assert districts.read == 115
    assert districts.left_out["left out by where"] > 0
    assert any("joined to 5 districts" in note for note in districts.notes)


@pytest.mark.parametrize("city", ["durham", "hartford"])
def test_reasons_and_classes_hold_on_a_real_city(bring, city):
    database, _ = bring(city)
    (record,) = fit(database, FitRequest(city=city, outcome="robbery"))
    with database.session() as session:
        districts = get_city(session, city).districts
    covers = {f.name: f.covers for f in record.result.diagnostics.factors}
    units = numbers.Units(record.zones.crs.to_wkt())
    for zone in record.zones.itertuples():
        told = zone_words.reasons(zone, units)
        first_is_past = "ast incidents" in told[0]
        assert first_is_past == (zone.environment_share <= 0.5)
        assert ("Hot spot" in told[0]) == (zone.environment_share < 0.25)
        found = reasons_of(zone.factors)
        assert [contribution(f) for f in found] == sorted(map(contribution, found), reverse=True)
        assert all(f.covers == pytest.approx(covers[f.name]) for f in found)
        assert all(f.covers <= 0.5 for f in found)
    for surface in ("combined", "score"):  # four classes, on which staff and public maps rest
        painted = BY_NAME[surface].paint(record)
        shares = np.bincount(painted.classes, minlength=4) / len(painted.classes)
        assert (shares > 0.005).all(), (surface, shares)
    cut = in_districts(record, districts).zones
    ground = districts.set_index("code").geometry
    for zone in cut.itertuples():
        outside = shapely.difference(zone.geometry, ground[zone.district])
        assert outside.area < 0.01 * zone.area
        assert zone.area == pytest.approx(zone.geometry.area)
    assert (cut["area"] <= record.zones["area"] * (1 + 1e-9)).all()
