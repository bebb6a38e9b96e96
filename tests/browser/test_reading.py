"""A run in Chromium: read at every width, its zones split on the map and by keyboard."""

import pytest
import shapely
from ready import make_ready
from serving import serving
from staffing import Office
from town import Town
from visiting import Visit

from app.usecases.risk.fit import FitRequest, fit
from geodata.cityfile.description import read_city_file
from geodata.clock import utc_now
from geodata.ingest.store import import_city
from geodata.repositories import zone_versions

pytestmark = pytest.mark.browser
WIDTHS = {"wide": (1280, 900), "tablet": (768, 1024), "phone": (360, 780)}


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    url = f"sqlite:///{folder}/town.sqlite"
    make_ready(url)
    made = Office(url, folder)
    made.now = utc_now()
    import_city(made.database, read_city_file(Town(folder, n=700).crowd(400).path))
    (made.run,) = fit(made.database, FitRequest(city="town", outcome="robbery"))
    made.add("ana", "analyst", display="Ana Ruiz")
    made.cookie = made.client("ana").client.get_cookie("saferground").value
    yield made
    made.close()


@pytest.fixture
def window(chromium, office):
    """Make windows of somebody who is signed in; at the end none may have seen a fault."""
    made = []

    def make(size="wide", **options):
        width, height = WIDTHS[size]
        visit = Visit(chromium, address, viewport={"width": width, "height": height}, **options)
        visit.context.add_cookies([{"name": "saferground", "value": office.cookie, "url": address}])
        made.append(visit)
        return visit

    with serving(office.app) as address:
        yield make
        faults = [fault for one in made for fault in one.faults]
        for one in made:
            one.context.close()
    assert faults == []


def drawn(visit, path):
    assert visit.go(path).status == 200
    visit.page.wait_for_selector(".staff-map[data-drawn]")


@pytest.mark.parametrize("size", WIDTHS)
def test_pages_of_a_run_are_whole_and_axe_finds_nothing(office, window, size):
    visit = window(size, bypass_csp=True)
    at = f"/analyst/town/runs/{office.run.id}"
    for path in (at, f"{at}/zones", "/analyst/town/compare"):
        visit.go(path)
        if visit.page.locator(".staff-map").count():
            visit.page.wait_for_selector(".staff-map[data-drawn]")
        visit.shot(f"reading-{path.rsplit('/', 1)[1]}-{size}", full_page=True)
        wider = visit.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{path} scrolls sideways by {wider} px"
        assert visit.violations() == []


def test_a_zone_is_split_on_the_map_and_taken_back_by_keyboard(office, window):
    visit = window()
    page = visit.page
    drawn(visit, f"/analyst/town/runs/{office.run.id}/zones")
    zone = office.run.zones.sort_values("n_cells").iloc[-1]
    # The largest zone is looked at closely; the line is to lead through its middle.
    ends = page.evaluate(
        """(id) => {
          const { map, layers } = StaffMap.mapOf(document.querySelector(".staff-map"));
          let found;
          for (const { told, drawn } of layers) {
            if (told.name === "zones") drawn.eachLayer((part) => part.eachLayer((one) => {
              if (one.options.interactive && one.feature.properties.id === id) found = one;
            }));
          }
          map.fitBounds(found.getBounds(), { animate: false, padding: [120, 120] });
          const box = found.getBounds();
          const x = map.latLngToContainerPoint(box.getCenter()).x + 3;
          const top = map.latLngToContainerPoint(box.getNorthWest()).y - 40;
          const bottom = map.latLngToContainerPoint(box.getSouthEast()).y + 40;
          return [[x, top], [x, bottom]];
        }""",
        zone.id,
    )
    chosen = page.locator(f"input[name=zones][value='{zone.id}']")
    page.get_by_role("button", name="Draw a line").click()
    assert page.get_by_label("Split:").is_checked()
    page.locator(".staff-map").evaluate(
        "map => map.scrollIntoView({ block: 'center', behavior: 'instant' })"
    )
    frame = page.locator(".staff-map").bounding_box()
    for x, y in ends:
        page.mouse.click(frame["x"] + x, frame["y"] + y)
        page.wait_for_timeout(300)  # two presses in a row are not one double press
    page.get_by_role("button", name="Finish").click()
    assert '"LineString"' in page.input_value("#shape")
    middle = [sum(pair) / 2 for pair in zip(*ends, strict=True)]
    page.locator(".staff-map").evaluate(
        "map => map.scrollIntoView({ block: 'center', behavior: 'instant' })"
    )
    visit.shot("reading-drawn")
    frame = page.locator(".staff-map").bounding_box()
    page.mouse.click(frame["x"] + middle[0] + 8, frame["y"] + middle[1])  # the zone itself
    if not chosen.is_checked():  # beside it: its shape is not convex
        chosen.check()
    page.get_by_label("Why", exact=True).fill("a river lies between")
    page.get_by_role("button", name="Take this step").click()
    page.wait_for_selector("text=It is not in use yet.")
    with office.database.session() as session:
        run = zone_versions.with_edition(session, office.run, 1)
    parts = run.zones[~run.zones["id"].isin(office.run.zones["id"])]
    assert len(parts) >= 2
    assert parts["n_cells"].sum() == zone.n_cells
    assert shapely.union_all(parts.geometry).equals(zone.geometry)
    # Back by keyboard alone.
    page.locator("#back-to").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("the river has a bridge")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Step 2: back to the run's own zones")
    with office.database.session() as session:
        assert zone_versions.newest_number(session, office.run.id) == 2
        assert zone_versions.with_edition(session, office.run, 2).edited is None
