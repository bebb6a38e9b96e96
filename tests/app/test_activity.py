import dataclasses
import datetime as dt
import json
import re
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from app.maps.bundle import activity_json
from app.maps.shapes import districts_geojson
from geodata.db.engine import open_database
from geodata.measures.ledger import MeasureData
from geodata.releases.activity import count_activity
from geodata.repositories.cities import get_city


@pytest.fixture
def data(client):
    page = client.get("/map").text
    address = re.search(r'data-activity="([^"]+)"', page)[1]
    with client.get(address) as response:
        assert response.cache_control.no_cache  # a withdrawal takes it back
        assert not response.cache_control.immutable
        return response.get_json(force=True)


def test_no_exact_place_and_no_young_day_reaches_the_map(data, demo_settings):
    database = open_database(demo_settings.database_url)
    with database.session() as session:
        city = get_city(session, "alder-falls")
        ledger = MeasureData(session, city, city.this_day())
        alerts = ledger.alerts
        exact = shapely.points(alerts["x"], alerts["y"])
        newest = city.this_day() - dt.timedelta(days=7)
    database.close()
    assert data["through"] <= newest.isoformat()
    assert data["weeks"][-1] <= newest.isoformat()
    assert set(data) == {"weeks", "through", "districts", "layers"}
    for layer in data["layers"]:
        assert set(layer) == {"id", "title", "one", "many", "classes", "sites", "counts"}
        assert all(len(site) == 4 for site in layer["sites"])
        reaches = {site[2] for site in layer["sites"]}
        assert min(reaches - {0}) >= 50  # never drawn as a pin; 0 is a whole district
    (layer,) = [layer for layer in data["layers"] if layer["id"] == "alerts"]
    assert len(layer["sites"]) < len(exact) / 2
    young = alerts["day"] > np.datetime64(newest)
    inside = alerts["district"].notna()
    assert sum(layer["counts"][4::5]) == int((inside & ~young).sum())


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=2025-01-07", "is not known"),
        ("to=soon", "is not known"),
        ("from=2025-03-03&to=2025-01-06", "the other way round"),
    ],
)
def test_weeks_that_cannot_be_are_the_askers_fault(client, query, message):
    response = client.get(f"/map?{query}")
    assert response.status_code == 400
    assert message in response.text


def test_the_page_tells_the_weeks_of_the_address(client, data):
    page = client.get("/map?from=2025-01-06&to=2025-01-27").text
    first, last = data["weeks"].index("2025-01-06"), data["weeks"].index("2025-01-27")
    (layer,) = [layer for layer in data["layers"] if layer["id"] == "alerts"]
    counts = np.reshape(layer["counts"], (-1, 5))
    weeks = counts[:, 1] // 7
    number = counts[(weeks >= first) & (weeks <= last), 4].sum()
    assert f"{number} alerts" in page
    assert "from January 6, 2025 to February 2, 2025" in page


def test_a_city_without_alerts_shows_a_map_without_weeks(client, monkeypatch):
    site = client.application.extensions["saferground.site"]
    bare = dataclasses.replace(site.surroundings(site.shown()), activity=None)
    monkeypatch.setattr(site, "surroundings", lambda _shown: bare)
    page = client.get("/map")
    assert page.status_code == 200
    assert "week-bars" not in page.text
    assert json.dumps("activity") not in page.text


def test_an_area_no_smaller_than_its_district_is_the_district_itself():
    rows = pd.DataFrame(
        {
            "day": pd.Timestamp("2025-03-03"),
            "class": "",
            "number": 1,
            "name": ["place", "square", "all"],
            "x": [300_100.0, 300_500.0, 300_900.0],
            "y": 4_000_500.0,
            "radius_units": [100.0, 600.0, 400.0],
            "rule": ["place", "cell", "district"],
            "district": "N",
        }
    )
    shape = shapely.box(300_000, 4_000_000, 301_000, 4_001_000)
    districts = gpd.GeoDataFrame({"code": ["N"]}, geometry=[shape], crs="EPSG:32617")
    found = json.loads(activity_json(count_activity({"alerts": rows}, ["N"]), districts))
    sites = dict(zip(["all", "place", "square"], found["layers"][0]["sites"], strict=True))
    assert sites["place"][2] == 100
    assert sites["square"][2] == sites["all"][2] == 0
    label = json.loads(districts_of(districts))["features"][0]["properties"]["at"]
    assert sites["square"][:2] == sites["all"][:2] == [round(one, 5) for one in label]


def districts_of(frame):
    """Write the file of districts that the same map has."""
    city = SimpleNamespace(districts=frame.assign(name="North"), crs=frame.crs.to_string())
    return districts_geojson(SimpleNamespace(city=city))
