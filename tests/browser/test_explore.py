"""The map that people explore: filter, address and back, search, a place, an area, a picture."""

import io
import json
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from geodata.releases.gazetteer import find_spots

pytestmark = pytest.mark.browser

ASKED = (
    "mill & 5th",
    "canal rd / market loop",
    "n",
    "harbor road",
    "tanery",
    "Beltline AND northgate av",
    "seventh",
    "acron street",
    "downtown",
    "park",
    "zzzz",
    "granite and linden",
    "market lop",
)


@pytest.fixture
def surroundings(published_app, shown):
    return published_app.extensions["saferground.site"].surroundings(shown)


def query(window):
    return {key: values[0] for key, values in parse_qs(urlparse(window.page.url).query).items()}


def total(window):
    told = window.page.text_content("#activity-told")
    return int(told.split(" ")[0].replace(",", ""))


def rows(window):
    return window.page.locator("#zone-table tr[data-zone]:visible").count()


def open_map(visit, path="/map", **options):
    window = visit(**options)
    window.go(path)
    window.page.locator("path[data-zone]").first.wait_for(state="attached")
    return window


def test_one_filter_moves_map_figures_tables_and_address_and_back_undoes_it(visit, shown):
    window = open_map(visit)
    page = window.page
    whole, zones = total(window), rows(window)
    page.select_option("#district", "D3")
    assert query(window)["district"] == "D3"
    assert rows(window) == int((shown.run.zones["district"] == "D3").sum()) < zones
    assert page.locator("path[data-zone]").count() == rows(window)
    in_d3 = total(window)
    page.select_option("#class", "single")
    single = total(window)
    assert whole > in_d3 > single > 0
    assert page.locator("#activity-table [data-row]:visible").count() == 1
    shared = page.url
    page.go_back()
    assert (total(window), page.input_value("#class")) == (in_d3, "")
    page.go_back()
    assert (total(window), rows(window)) == (whole, zones)
    page.go_forward()
    page.go_forward()
    assert total(window) == single
    again = open_map(visit, shared.removeprefix(window.address))
    assert (total(again), rows(again)) == (single, rows(window))
    plain = visit(java_script_enabled=False)
    plain.go(shared.removeprefix(window.address))
    assert (total(plain), rows(plain)) == (single, rows(window))


def test_the_filter_works_as_a_form_without_scripts(visit, shown):
    plain = visit(java_script_enabled=False)
    plain.go("/map")
    before = total(plain)
    plain.page.select_option("#class", "multiple")
    plain.page.check('input[name="layers"][value="complaints"]')
    plain.page.click("#filter-submit")
    assert query(plain)["class"] == "multiple"
    assert total(plain) < before
    assert "complaint" in plain.page.text_content("#activity-told")


def test_both_searches_find_the_same(visit, surroundings):
    window = open_map(visit)
    document = json.loads(surroundings.gazetteer.document())
    found = window.page.evaluate(
        """([told, asked]) => {
            const { names, spots } = Search.read(told);
            const row = (spot) => [spot.kind, spot.name, ...spot.at];
            return asked.map((text) => Search.find(names, spots, text, 12).map(row));
        }""",
        [document, list(ASKED)],
    )
    for text, places in zip(ASKED, found, strict=True):
        told = find_spots(surroundings.gazetteer, text)
        assert places == [[s.kind, s.name, s.latitude, s.longitude] for s in told], text


def test_a_place_is_searched_by_keyboard_and_told(visit):
    window = open_map(visit)
    page = window.page
    page.focus("#place")
    page.keyboard.type("canal and market")
    page.locator("#place-list li").first.wait_for()
    assert page.get_attribute("#place", "aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    active = page.get_attribute("#place", "aria-activedescendant")
    assert page.get_attribute(f"#{active}", "aria-selected") == "true"
    page.keyboard.press("Enter")
    page.locator("#here-title").wait_for()
    assert page.evaluate("document.activeElement.id") == "here-title"
    assert "At Canal Road & Market Loop" in page.text_content("#here")
    assert query(window)["at"]
    window.shot("map-searched")
    page.keyboard.press("Tab")
    page.click("#here-close")
    assert not page.locator("#here").is_visible()
    assert "at" not in query(window)
    page.fill("#place", "zzzz")
    expect(page.locator("#search-told")).to_contain_text("Nothing is called “zzzz” here. Try ")
    assert page.locator("#search-told").bounding_box()["height"] > 20  # for those who see it
    assert not page.locator("#place-list").is_visible()


def test_a_search_without_an_answer_says_so_and_clears_the_answer_before(visit):
    window = open_map(visit)
    page = window.page
    page.fill("#place", "canal and market")
    page.keyboard.press("Enter")
    page.locator("#here-title").wait_for()
    assert "at" in query(window)
    page.fill("#place", "400 zzzz street")
    page.keyboard.press("Enter")
    expect(page.locator("#search-told")).to_contain_text("400 zzzz street")
    assert "Nothing is called" in page.inner_text("#search-told")
    assert page.locator("#here").is_hidden()
    assert page.locator("#place-list").is_hidden()
    assert "at" not in query(window)
    assert page.locator("path.leaflet-interactive[stroke='#16233b']").count() == 0  # no mark either
    page.fill("#place", "canal and market")
    page.keyboard.press("Enter")
    page.locator("#here-title").wait_for()
    assert page.inner_text("#search-told") == ""


def test_a_search_that_cannot_run_says_so(visit):
    window = open_map(visit)
    page = window.page
    page.route("**/names-*.json", lambda route: route.fulfill(status=503, body="busy"))
    page.fill("#place", "canal and market")
    page.keyboard.press("Enter")
    expect(page.locator("#search-told")).to_contain_text("did not run")
    page.unroute_all(behavior="ignoreErrors")
    page.route("**/map/here?*", lambda route: route.fulfill(status=503, body="busy"))
    page.fill("#place", "canal and market")  # the names load at the next try
    page.keyboard.press("Enter")
    expect(page.locator("#here")).to_contain_text("could not be loaded. Try again")
    page.unroute_all(behavior="ignoreErrors")
    page.fill("#place", "canal & market")
    page.keyboard.press("Enter")
    page.locator("#here-title").wait_for()
    assert "At Canal Road & Market Loop" in page.text_content("#here")
    window.faults.clear()  # the two answers of 503 that this test made


def test_search_works_without_scripts(visit):
    plain = visit(java_script_enabled=False)
    plain.go("/map?district=D5")
    plain.page.fill("#place", "canal & market")
    plain.page.keyboard.press("Enter")
    plain.page.get_by_role("link", name="Canal Road & Market Loop").click()
    assert "At Canal Road & Market Loop" in plain.page.text_content("#here")
    assert query(plain)["district"] == "D5"


def test_a_click_tells_what_is_here_as_the_server_does(visit):
    window = open_map(visit)
    page = window.page
    box = page.locator("#map-frame").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.55)
    page.locator("#here-title").wait_for()
    told = page.inner_text("#here").replace("Close", "").split()
    plain = visit(java_script_enabled=False)
    plain.go(f"/map?{urlparse(page.url).query}")
    assert plain.page.inner_text("#here").split() == told
    page.go_back()
    page.wait_for_function("document.getElementById('here').hidden")
    again = open_map(visit, f"/map?{urlparse(plain.page.url).query}")
    again.page.locator("#here-title").wait_for()
    assert again.page.inner_text("#here").replace("Close", "").split() == told


def test_a_circle_is_drawn_shared_and_reported(visit):
    window = open_map(visit)
    page = window.page
    page.click("#draw-circle")
    box = page.locator("#map-frame").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + box["height"] * 0.5)
    page.fill("#radius_m", "900")
    page.keyboard.press("Tab")
    assert query(window)["circle"].endswith(",900")
    assert not page.locator("#here").is_visible()  # the click belonged to the drawing
    again = open_map(visit, f"/map?{urlparse(page.url).query}")
    assert again.page.input_value("#radius_m") == "900"
    assert again.page.locator(".leaflet-area-pane path").count() == 1
    page.click("#area-form button[type=submit]")
    page.wait_for_url("**/map/area?circle=*")
    assert "900 m around" in page.text_content("h1")
    window.shot("area-report", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.path().read_text().startswith("section,what,value")
    page.get_by_role("link", name="See it on the map").click()
    page.locator(".leaflet-area-pane path").wait_for(state="attached")


def test_corners_are_drawn_and_taken_back(visit):
    window = open_map(visit)
    page = window.page
    page.click("#draw-polygon")
    box = page.locator("#map-frame").bounding_box()
    for x, y in ((0.3, 0.4), (0.4, 0.4), (0.4, 0.55), (0.2, 0.2)):
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        page.wait_for_timeout(400)  # a second click at once would be a double click
    assert query(window)["polygon"].count(";") == 3
    page.keyboard.press("Backspace")
    assert query(window)["polygon"].count(";") == 2
    page.click("#area-form button[type=submit]")
    page.wait_for_url("**/map/area?*polygon=*")
    assert "3 corners" in page.text_content("h1")


def test_the_picture_shows_what_is_on_the_map_with_title_legend_and_source(visit):
    window = open_map(visit)
    page = window.page
    page.check('#layers input[value="surface"]')
    with page.expect_download() as download:
        page.click("#save-png")
    content = download.value.path().read_bytes()
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    size = page.evaluate(
        "(frame => [frame.offsetWidth, frame.offsetHeight])(document.getElementById('map-frame'))"
    )
    assert picture.shape[0] > 2 * size[1] + 200  # title above, legend and source below
    assert picture.shape[1] >= 2 * size[0]

    def painted(colour):
        return int((np.abs(picture - colour).sum(axis=2) < 12).sum())

    assert painted((184, 67, 27)) > 2000  # zone outlines and numbers
    assert painted((233, 214, 107)) > 200  # the legend's yellow
    page.uncheck('#layers input[value="zones"]')
    zones = painted((184, 67, 27))
    with page.expect_download() as download:
        page.click("#save-png")
    picture = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    assert painted((184, 67, 27)) < zones / 3


def test_the_print_has_everything_on_one_sheet(visit):
    window = open_map(visit)
    page = window.page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#print-sheet").is_visible()
    assert not page.locator(".map-stage").is_visible()
    assert page.locator("#zone-table").is_visible()
    window.shot("map-print", full_page=True)
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#print-sheet").count() == 0
    assert page.locator(".map-stage").is_visible()


def test_districts_take_the_colours_of_a_measure(visit):
    window = open_map(visit)
    page = window.page
    page.select_option("#measure", "alerts.count")
    page.wait_for_url("**measure=alerts.count**")
    page.locator(".leaflet-shades-pane path").first.wait_for(state="attached")
    drawn = page.eval_on_selector_all(
        ".leaflet-shades-pane path", "paths => paths.map(path => path.getAttribute('fill'))"
    )
    told = page.eval_on_selector_all(
        "#shades-table tr[data-shade]", "rows => rows.map(row => row.dataset.shade)"
    )
    assert sorted(drawn) == sorted(told)
    assert len(set(drawn)) > 1
    assert not page.is_checked('#layers input[value="surface"]')
    window.shot("map-measure")


def test_neighbourhoods_are_shown_on_demand(visit, surroundings):
    window = open_map(visit)
    names = window.page.locator(".part-name")
    assert names.count() == 0
    window.page.check('#layers input[value="neighbourhoods"]')
    assert names.count() == len(surroundings.neighbourhoods)
    assert "neighbourhoods" in query(window)["layers"]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_report_is_whole_at_every_width(visit, width):
    window = visit(width, 900)
    window.go("/map/area?circle=35.9965,-39.4965,700")
    wider = window.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider <= 0
    window.shot(f"area-{width}", full_page=True)


def test_what_is_shown_can_be_downloaded_and_is_as_many_rows(visit):
    window = open_map(visit)
    page = window.page
    page.select_option("#district", "D3")
    page.select_option("#class", "multiple")
    page.wait_for_function("document.querySelector('#downloads a').href.includes('class=multiple')")
    link = page.locator("#downloads a").first.get_attribute("href")
    answer = window.context.request.get(link)
    assert answer.status == 200
    lines = answer.text().strip().splitlines()[1:]
    assert len(lines) == total(window) > 5
    page.reload()
    again = page.locator("#downloads a").first.get_attribute("href")
    assert parse_qs(urlparse(again).query) == parse_qs(urlparse(link).query)


def test_a_street_answers_with_the_zones_it_runs_through(visit, shown):
    by_street = {}
    for zone in shown.run.zones.itertuples():
        for street in zone.place_name.near.streets if zone.place_name else ():
            by_street.setdefault(street, []).append(zone.id)
    street = max(by_street, key=lambda name: len(by_street[name]))
    window = open_map(visit)
    page = window.page
    page.fill("#place", street)
    page.locator("#place-list li").first.wait_for()
    page.locator("#place-list li", has_text="Street,").filter(has_text=street).first.click()
    page.locator("#here .along").wait_for()
    links = page.locator("#here .along a")
    told = links.evaluate_all("all => all.map(one => one.dataset.zone)")
    assert set(by_street[street]) <= set(told)
    links.first.click()
    expect(page.locator("#zone-panel")).to_be_visible()
    assert query(window)["zone"] == told[0]
    plain = visit(java_script_enabled=False)
    plain.go(f"/map?place={street}")
    assert plain.page.locator("#matches .along a").count() >= len(told)


def test_near_me_tells_the_zone_and_the_position_stays_in_the_browser(visit, shown):
    window = open_map(visit, bypass_csp=True)
    page, context = window.page, window.page.context
    zone = shown.run.zones.to_crs(4326).iloc[0]
    inside = zone.geometry.representative_point()
    asked = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    context.grant_permissions(["geolocation"])

    def stand(latitude, longitude):
        context.set_geolocation({"latitude": latitude, "longitude": longitude, "accuracy": 20})
        page.get_by_role("button", name="Near me").click()
        return page.locator("#near-told")

    expect(stand(inside.y, inside.x)).to_contain_text("You are in this zone: ")
    expect(page.locator("#zone-panel")).to_be_visible()
    assert window.violations() == []
    south = shown.run.zones.to_crs(4326).total_bounds[1]
    expect(stand(south - 0.02, inside.x)).to_contain_text("The nearest zone is ")
    expect(page.locator("#near-told")).to_contain_text("north")
    expect(page.locator("#near-told")).to_contain_text("Your position stays on this device.")
    expect(stand(south - 3, inside.x)).to_have_text("You are far from every zone here.")
    context.clear_permissions()
    page.get_by_role("button", name="Near me").click()
    expect(page.locator("#near-told")).to_contain_text("cannot be found")
    exact = {f"{value:.4f}" for value in (inside.y, inside.x, south - 0.02)}
    assert not [one for one in asked if any(value in one for value in exact)]
    assert not any(value in page.url for value in exact)
    answer = page.request.get(f"{window.address}/zones/")
    assert answer.headers["permissions-policy"].startswith("geolocation=(),")
