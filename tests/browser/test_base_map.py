"""Streets and their names are drawn under the map, from this site alone."""

import folium
import pytest
from based import AREA, base_frame, based_town
from serving import serving
from town import to_degrees
from visiting import ROOT, Visit

from app import create_app
from app.maps.notebook import NotebookBaseMap
from geodata.basemap.tiles_file import make_archive

pytestmark = pytest.mark.browser

# Every piece of text that is drawn on any canvas, and what of the security policy was broken.
WATCH = """
window.written = []; window.broken = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...more) { written.push(text); return write.call(this, text, ...more); };
document.addEventListener("securitypolicyviolation", (event) => broken.push(event.violatedDirective));
"""  # noqa: E501
COLOURS = """() => {
  const found = new Set();
  for (const tile of document.querySelectorAll("canvas.leaflet-tile")) {
    const { data } = tile.getContext("2d").getImageData(0, 0, tile.width, tile.height);
    for (let i = 0; i < data.length; i += 4) found.add(data.slice(i, i + 3).join());
  }
  return [...found];
}"""
PARK, WATER = "223,231,214", "189,211,226"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    settings, release = based_town(tmp_path_factory.mktemp("based"))
    with serving(create_app(settings)) as address:
        yield address, release


def drawn(page):
    page.wait_for_function("document.querySelectorAll('canvas.leaflet-tile').length > 0")
    page.wait_for_function("window.written.length > 0", timeout=15_000)
    return page.evaluate(COLOURS)


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_the_public_map_draws_streets_with_names_under_the_policy(chromium, town, width):
    address, _ = town
    window = Visit(chromium, address, viewport={"width": width, "height": 900})
    window.page.add_init_script(WATCH)
    answer = window.go("/map")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert len(drawn(window.page)) > 10  # lines and their soft edges, not one ground
    assert {"Main Street", "Fifth Street"} & {*window.page.evaluate("written")}
    assert window.page.evaluate("broken") == []
    assert window.faults == []
    window.context.close()


def test_the_first_view_holds_the_whole_city_and_does_not_jump(chromium, town):
    address, _ = town
    window = Visit(chromium, address, viewport={"width": 1400, "height": 900})
    window.page.add_init_script(
        "document.addEventListener('saferground:map', (event) => { shownMap = event.detail.map; })"
    )
    window.go("/map")
    drawn_all = window.page.evaluate("shownMap.getBounds().toBBoxString()").split(",")
    west, south, east, north = map(float, drawn_all)
    city = to_degrees(AREA).bounds
    assert west <= city[0] <= city[2] <= east
    assert south <= city[1] <= city[3] <= north
    window.context.close()


def test_a_saved_picture_has_the_base_map_in_it(chromium, town):
    address, _ = town
    window = Visit(chromium, address, viewport={"width": 1400, "height": 900})
    window.page.add_init_script(WATCH)
    window.go("/map")
    drawn(window.page)
    window.page.wait_for_timeout(500)
    count = """() => {
      const sheet = Picture.sheet(), seen = new Set();
      const { data } = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
      for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 3).join());
      return [...seen];
    }"""
    assert "251,250,247" in window.page.evaluate(count)  # the ground of the base map
    assert window.faults == []
    window.context.close()


def test_a_map_in_a_notebook_draws_the_file_it_holds(chromium):
    west, south, east, north = to_degrees(AREA).bounds
    chart = folium.Map(location=[(south + north) / 2, (west + east) / 2], zoom_start=14, tiles=None)
    NotebookBaseMap(make_archive(base_frame(), AREA), "City of Town").add_to(chart)
    html = chart.get_root().render()
    context = chromium.new_context(viewport={"width": 900, "height": 700})
    page = context.new_page()
    page.add_init_script(WATCH)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    leaflet = ROOT / "app" / "static" / "vendor" / "leaflet" / "leaflet.js"

    def route(one):
        if one.request.url == "http://notebook.test/":
            one.fulfill(body=html, content_type="text/html")
        elif one.request.url.endswith("leaflet.js"):
            one.fulfill(path=leaflet, content_type="text/javascript")
        else:  # what Folium itself loads from elsewhere is not needed
            one.fulfill(body="", content_type="text/css")

    page.route("**/*", route)
    page.goto("http://notebook.test/")
    assert {PARK, WATER} <= {*drawn(page)}
    assert "Main Street" in page.evaluate("written")
    assert page.text_content(".base-source") == "City of Town"
    assert faults == []
    context.close()
