"""A city without streets under its maps says so to its staff, and offers no search for streets."""

import pytest
from based import based_town
from staffing import Office

from app import create_app

NOTE = "No streets under the maps."


@pytest.fixture(scope="module", params=[True, False], ids=["streets", "none"])
def town(request, tmp_path_factory):
    settings, release = based_town(tmp_path_factory.mktemp("town"), base=request.param)
    office = Office(settings.database_url, settings.instance)
    office.add("ann", "analyst", display="Ann")
    yield request.param, settings, release, office.client("ann")
    office.close()


def test_the_staff_see_it_on_the_overview_and_where_releases_are_drafted_and_approved(town):
    streets, _, release, ann = town
    for path in (
        "/analyst/town/",
        "/analyst/town/releases",
        f"/analyst/town/releases/{release.id}",
    ):
        answer = ann.get(path)
        assert answer.status_code == 200
        page = answer.get_data(as_text=True)
        assert (NOTE in page) is not streets
    assert streets or "/sources" in ann.get("/analyst/town/").get_data(as_text=True)


def test_the_public_map_has_a_search_where_there_is_something_to_find(town):
    streets, settings, _, _ = town
    page = create_app(settings).test_client().get("/map").get_data(as_text=True)
    assert ('id="place"' in page) is streets
    assert ('id="search"' in page) is streets


def test_a_search_without_streets_does_not_promise_any(tmp_path):
    settings, _ = based_town(tmp_path, streets=False)
    client = create_app(settings).test_client()
    page = client.get("/map").get_data(as_text=True)
    form = page[page.index('<form id="search"') :].split("</form>")[0]
    assert "Find a place by name" in form
    assert "Find a street" not in form
    assert "Old Tannery" in client.get("/map?place=tannery").get_data(as_text=True)


def test_the_staffs_maps_draw_the_base_map_in_parts(town):
    streets, _, _, ann = town
    told = ann.get("/staff/town/ground.json").get_json()
    if not streets:
        assert [one["properties"]["kind"] for one in told["features"]] == ["limit"]
        return
    part = ann.get(told["tiles"], headers={"Range": "bytes=0-6"}, buffered=True)
    assert (part.status_code, part.data) == (206, b"PMTiles")
    again = ann.get(told["tiles"], headers={"Range": "bytes=99999999-"}, buffered=True)
    assert again.status_code == 416
    assert ann.get("/staff/town/ground/000000000000.pmtiles").status_code == 404
    assert ann.get("/staff/town/ground/..%2f..%2fx.pmtiles").status_code == 404
