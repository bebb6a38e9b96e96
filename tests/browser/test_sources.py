"""A file with feet called degrees, in Chromium: told, put right at one click, added, undone."""

import pytest
from ready import make_ready
from serving import serving
from town import Town
from visiting import Visit
from workbench import Workbench

from geodata.cityfile.description import read_city_file
from geodata.clock import utc_now
from geodata.ingest.store import import_city

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=document.title=1>`${alert(1)}`"


@pytest.fixture
def bench(tmp_path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    make_ready(url)
    made = Workbench(url, tmp_path)
    made.town = Town(tmp_path)
    import_city(made.office.database, read_city_file(made.town.path))
    made.office.now = utc_now()  # the browser's cookie is young too
    made.browser = made.office.client("ann")
    yield made
    made.office.close()


@pytest.fixture
def window(chromium, bench):
    with serving(bench.office.app) as address:
        made = Visit(chromium, address, bypass_csp=True)
        cookie = bench.browser.client.get_cookie("saferground")
        made.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        yield made
        faults = made.faults
        made.context.close()
    assert faults == []


def drawn(page):
    page.wait_for_selector(".staff-map[data-drawn]")
    return page.locator(".staff-map-legend").inner_text()


def test_feet_called_degrees_are_told_put_right_added_and_undone(bench, window, tmp_path):
    rows = bench.town.incidents.assign(
        lon=range(600_100, 600_220), lat=range(4_000_100, 4_000_220), offense=HOSTILE
    )
    rows = rows.rename(columns={"offense": HOSTILE})
    path = tmp_path / "robberies `${alert(1)}`.csv"
    rows.to_csv(path, index=False)
    page = window.page
    window.go("/analyst/town/sources")
    violations = window.violations()
    page.get_by_role("link", name="Add a source").click()
    page.get_by_label("File", exact=True).set_input_files(path)
    violations += window.violations()
    page.get_by_role("button", name="Hand in", exact=True).click()
    assert "in a district" not in drawn(page)
    assert "called degrees" in page.get_by_role("status").first.inner_text()
    assert "0 of 120 rows" in page.locator(".tells").inner_text()
    violations += window.violations()
    page.get_by_role("button", name="Read them as EPSG:32617").click()
    assert "in a district: 120" in drawn(page)
    page.get_by_label("Outcome", exact=True).fill("robbery")
    page.get_by_label(HOSTILE, exact=True).select_option("")
    page.get_by_label("Outcome", exact=True).press("Enter")  # looks again, and adds nothing
    assert page.get_by_label("Outcome", exact=True).input_value() == "robbery"
    page.get_by_role("button", name="See what would be left out").click()
    assert "in a district: 120" in drawn(page)
    assert "repeated id" not in page.locator("main").inner_text()
    violations += window.violations()
    page.get_by_role("button", name="Add to Town").click()
    assert bench.work()[0].city == "town"
    window.go("/analyst/town/sources")
    violations += window.violations()
    page.get_by_role("link", name="Undo import 2").click()
    page.get_by_label("Undo import 2").check()
    page.get_by_role("button", name="Undo").click()
    assert "Import 2 is undone" in page.get_by_role("status").inner_text()
    assert "Undone" in page.get_by_role("region", name="Imports").inner_text()
    for width in (360, 768):
        page.set_viewport_size({"width": width, "height": 800})
        for place in ("/analyst/town/sources", "/analyst/town/sources/add", "/analyst/new-city"):
            window.go(place)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (place, width)
    assert "1" not in page.title()
    assert violations == []
