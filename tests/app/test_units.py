"""Lengths and areas are written in the units of the city: of its file, else of its country."""

import json
import re

import pytest
from staffing import KEY
from town import Town

from app import create_app
from app.charts.charts import round_length
from app.config import Settings
from app.i18n import numbers, place_words, titles
from spatial.zones.names import PlaceName

METRIC = re.compile(r"\d (?:m|km|meters|hectares|hectáreas)\b")


@pytest.fixture
def of_one_answer():
    yield titles.use_titles
    titles.use_titles({})


@pytest.mark.parametrize(
    ("crs", "usual"),
    [
        ("EPSG:2264", "us"),  # North Carolina, in feet
        ("EPSG:26985", "us"),  # Maryland, in meters
        ("EPSG:32617", "metric"),  # a belt of the whole earth
        ("EPSG:26910", "metric"),  # Canada too
        ("EPSG:3763", "metric"),  # Portugal
    ],
)
def test_the_country_of_the_reference_system_tells_the_units(crs, usual):
    assert numbers.Units(crs).system == usual
    other = {"us": "metric", "metric": "us"}[usual]
    assert numbers.Units(crs, other).system == other


def test_the_city_file_goes_before_its_country(of_one_answer):
    name = PlaceName(form="past", street="Elm St", start="Oak St", distance_m=200.0)
    assert "200 m" in place_words.whole(name)
    of_one_answer({}, "us")
    assert numbers.Units("EPSG:32617").length(300) == "980 ft"
    assert numbers.Units("EPSG:32617").area(40_468.6) == "10 acres"
    assert "feet" in place_words.whole(name)
    assert round_length(1600.0, numbers.Units("EPSG:32617")) == (pytest.approx(1609.344), "1 mi")
    of_one_answer({}, "metric")
    assert numbers.Units("EPSG:2264").length(1000) == "305 m"
    assert round_length(3300.0, numbers.Units("EPSG:2264"))[1] == "1 km"


def test_a_city_in_meters_is_told_in_feet_wherever_people_read_it(run, tmp_path):
    town = Town(tmp_path, n=700).crowd(500)
    town.change('timezone = "America/New_York"', 'timezone = "America/New_York"\nunits = "us"')
    run("init")
    run("import", town.path)
    run("fit", "town", "--outcome", "robbery")
    drafted = json.loads(run("publish", "draft", "town", "--as", "ana", "--json").stdout)
    run("publish", "approve", drafted["release"], "--as", "ben")
    folder = tmp_path / "instance"
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    client = create_app(Settings(database_url=url, instance=folder, secret_key=KEY)).test_client()
    for page in ("/zones/", "/methods/", "/map", "/zones/?lang=es"):
        text = re.sub(r"<(?:script|style).*?</(?:script|style)>", "", client.get(page).text)
        told = re.sub(r"<[^>]*>", " ", text).replace("25 m", "")  # a term of contracts
        assert not METRIC.findall(told), page
    assert re.search(r"[Ww]ithin [\d,]+ ft", client.get("/zones/").text)
    assert 'data-units="us"' in client.get("/map").text
    assert 'name="radius_ft"' in client.get("/map").text
    release = folder / "releases" / "town" / drafted["release"]
    assert json.loads((release / "site" / "city.json").read_text())["units"] == "us"
    picture = next((release / "site" / "map").glob("overview-*.svg")).read_text()
    assert re.search(r">\d+ (ft|mi)</text>", picture)
    zones = json.loads((release / "data" / "zones.geojson").read_text())["features"]
    assert not any(" ft" in json.dumps(zone["properties"].get("area")) for zone in zones)
    asked = client.get("/map/area?centre=35.99,-79.0&radius_ft=3280")
    assert ",1000" in asked.headers.get("Location", "") or asked.status_code == 400
