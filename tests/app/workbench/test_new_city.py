"""A city is set up from a file of its districts; Hartford's traps are told and put right."""

import io
import zipfile

import pytest
from extracts import ExtractTown
from ready import make_ready
from town import CRS

from geodata.repositories.layers import factor_layers


@pytest.fixture
def empty(tmp_path):
    from workbench import Workbench

    url = f"sqlite:///{tmp_path}/x.sqlite"
    make_ready(url)
    made = Workbench(url, tmp_path)
    yield made
    made.office.close()


GOOD = {
    "name": "Town",
    "slug": "town-two",
    "crs": CRS,
    "timezone": "America/New_York",
    "cell": "100",
    "block": "200",
}


def test_a_city_is_described_looked_at_and_set_up(bench):
    content = (bench.town.folder / "districts.geojson").read_bytes()
    address = bench.hand_in(content, "districts.geojson", "/analyst/new-city").location
    fields = bench.form(address)
    assert fields["crs"].startswith("EPSG:")
    assert fields["cell"] in ("60", "200")
    bad = {**GOOD, "name": "", "slug": "town", "timezone": "Mars", "cell": "-1", "crs": "EPSG:4326"}
    answer = bench.send(address, **bad, district="code", look="y")
    assert answer.status_code == 422
    for told in ("give the city", "there is a city town already", "choose a time zone",
                 "give a length", "is not projected"):  # fmt: skip
        assert told in answer.text
    assert 'value="Mars"' in answer.text
    many = bench.send(address, **{**GOOD, "cell": "0.5", "block": "1"}, district="code", look="y")
    assert many.status_code == 422
    assert "cells" in many.text[many.text.index('id="cell-fault') :][:400]
    seen = bench.send(address, **GOOD, district="code", look="y")
    assert "<strong>2</strong> districts, <strong>1,600</strong> cells" in seen.text
    drawn = bench.browser.get(f"{address}/places.json").json
    labels = [f["properties"]["label"] for f in drawn["layers"][0]["shapes"]["features"]]
    assert labels == ["D1", "D2"]
    done = bench.send(address, set_up="y")
    assert done.status_code == 303
    assert done.location == "/analyst/town-two/sources"
    page = bench.browser.get(done.location).text
    assert "Police districts" in page
    assert "Add a source" in page
    assert list(bench.city("town-two").districts["code"]) == ["D1", "D2"]
    assert bench.toml("town-two")["districts"] == {"source": "districts.geojson", "id": "code"}
    assert "city.add" in bench.office.actions()
    assert bench.browser.get(address).status_code == 404, "what was set up is forgotten"


def test_a_city_without_districts_is_one_and_tables_are_refused(empty):
    page = empty.browser.get("/analyst/").text
    assert "No city is stored yet" in page
    assert "/analyst/new-city" in page
    answer = empty.hand_in("a,b\n1,2\n", "t.csv", "/analyst/new-city")
    assert answer.status_code == 422
    assert "districts are areas with an outline" in answer.text


def zipped(folder):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.glob("block_groups.*")):
            archive.write(path, path.name)
    return packed.getvalue()


def test_hartford_is_set_up_and_its_feet_are_not_degrees(empty, shared_data):
    folder = shared_data / "hartford"
    address = empty.hand_in(zipped(folder), "block_groups.zip", "/analyst/new-city").location
    told = {"name": "Hartford", "slug": "hartford", "timezone": "America/New_York"}
    seen = empty.send(address, name="São Tomé, Hartford", timezone="America/New_York")
    assert 'value="sao-tome"' in seen.text  # a short name that was left empty
    assert "These are many for police districts" in seen.text
    seen = empty.send(address, **told, district="", look="y")
    assert "<strong>1</strong> district," in seen.text
    assert "These are many" not in seen.text
    assert empty.form(address)["crs"] == "EPSG:3508"
    assert empty.send(address, set_up="y").status_code == 303
    page = "/analyst/hartford/sources/add"
    robberies = (folder / "robberies_2017_2018.csv").read_bytes()
    address = empty.hand_in(robberies, "robberies_2017_2018.csv", page).location
    trapped = empty.browser.get(address).text
    assert "longitude and latitude are called degrees" in trapped
    assert "they fit EPSG:3508" in trapped
    assert "<strong>837 elsewhere</strong>" in trapped
    right = empty.send(address, take_crs="EPSG:3508")
    assert "<strong>837</strong> of 837 rows" in right.text
    (result,) = empty.commit(address, outcome="robbery")
    assert result.sources[-1].stored == 837
    places = (folder / "places.csv").read_bytes()
    address = empty.hand_in(places, "places.csv", page).location
    empty.send(address, take_crs="EPSG:3508")
    empty.commit(address)
    with empty.office.database.session() as session:
        layers = factor_layers(session, empty.city("hartford").id)
    assert {f.name: len(shapes) for f, shapes in layers.items()} == {
        "restaurant": 109,
        "bar": 73,
        "gas_station": 49,
        "liquor_store": 41,
        "pharmacy": 33,
        "night_club": 18,
    }
    assert empty.city("hartford").outcomes == ("robbery",)


def hand_in_all(bench, town, **others):
    """Hand in the districts with an extract and incidents, as the first page does."""
    data = {"csrf_token": bench.browser.token("/account/password")}
    for field, name in {"file": "districts.geojson", **others}.items():
        data[field] = (io.BytesIO((town.folder / name).read_bytes()), name)
    return bench.browser.post("/analyst/new-city", data, content_type="multipart/form-data")


def test_an_extract_and_incidents_make_the_whole_city(empty, tmp_path):
    town = ExtractTown(tmp_path / "files")
    address = hand_in_all(empty, town, osm="town.osm", incidents="robberies.csv").location
    fields = empty.form(address)
    assert (fields["crs"], fields["timezone"]) == ("EPSG:2264", "America/New_York")
    assert (fields["cell"], fields["block"]) == ("165", "330")
    assert fields["factor-bars"] == "y"
    page = empty.browser.get(address).text
    assert "the state plane zone of North Carolina" in page
    assert "Outcomes of the incidents: robbery <strong>400</strong>" in page
    assert "Bars inside restaurants and hotels" in page
    told = {"name": "Alder Town", "slug": "alder", "district": "code"}
    kept = {name: value for name, value in empty.form(address).items() if name != "factor-trails"}
    del kept["factor-railroads"]
    seen = empty.browser.post(address, {**kept, **told, "look": "y"})
    assert seen.status_code == 200
    assert 'name="factor-railroads" value="y">' in seen.text  # struck out, and still offered
    assert 'name="factor-bars" value="y" checked>' in seen.text
    done = empty.send(address, set_up="y")
    assert done.status_code == 303, done.text
    assert done.location.startswith("/analyst/alder/jobs/")
    (result,) = empty.work()
    assert {one.source for one in result.sources} >= {"town.osm: bars", "robberies.csv"}
    content = empty.toml("alder")
    names = [one["name"] for one in content["factors"]]
    assert "bars" in names
    assert "railroads" not in names
    assert content["osm"] == {"source": "town.osm"}
    city = empty.city("alder")
    assert city.outcomes == ("robbery",)
    sources = empty.browser.get("/analyst/alder/sources").text
    assert "OpenStreetMap extract" in sources
    assert "town.osm: bars" in sources


def test_files_in_the_wrong_place_are_told_where(empty, tmp_path):
    town = ExtractTown(tmp_path / "files")
    answer = hand_in_all(empty, town, osm="robberies.csv", incidents="town.osm")
    assert answer.status_code == 422
    assert "give .osm, .osm.bz2 or .osm.pbf" in answer.text
    assert "give a table or points" in answer.text
    answer = hand_in_all(empty, town, osm="districts.geojson")
    assert answer.status_code == 422


def test_an_extract_is_added_to_a_city_that_is_there(bench, tmp_path):
    town = ExtractTown(tmp_path / "files")
    address = bench.hand_in((town.folder / "town.osm").read_bytes(), "town.osm").location
    fields = bench.form(address)
    assert fields["kind"] == "osm"
    (result,) = bench.commit(address)
    stored = {one.source: one.stored for one in result.sources}
    assert stored["town.osm: street"] == 21
    assert bench.toml()["osm"] == {"source": "town.osm"}
