import pytest

pytestmark = pytest.mark.browser

WIDTHS = {"wide": (1600, 1000), "tablet": (768, 1024), "phone": (360, 780)}


@pytest.fixture
def paths(shown):
    zone = shown.run.zones["id"].iloc[0]
    return {
        "home": "/",
        "map": "/map",
        "asked": "/map?at=35.9965,-39.4965&place=market&measure=alerts.count",
        "area": "/map/area?circle=35.9965,-39.4965,700",
        "my-area": "/map/area?centre=market",
        "zones": "/zones/",
        "zone": f"/zones/{zone}",
        "methods": "/methods/",
        "validation": "/methods/validation",
        "missing": "/zones/nowhere",
    }


@pytest.mark.parametrize("size", WIDTHS)
def test_pages_are_whole_at_every_width(visit, paths, size):
    width, height = WIDTHS[size]
    window = visit(width, height)
    for name, path in paths.items():
        response = window.go(path)
        assert response.status == (404 if name == "missing" else 200)
        if name == "missing":
            window.faults.clear()  # the browser notes the 404 that was asked for
        assert window.page.locator("h1").count() == 1
        wider = window.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{name} scrolls sideways by {wider} px"
        window.shot(f"{name}-{size}", full_page=name != "map" or size == "phone")


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_axe_finds_no_violation(visit, paths, size):
    window = visit(*WIDTHS[size], bypass_csp=True)
    for path in paths.values():
        window.go(path)
        assert window.violations() == []
    window.faults.clear()  # the 404 page


def test_zones_are_drawn_and_linked_both_ways(visit, paths, shown):
    window = visit()
    window.go("/map")
    page = window.page
    outlines = page.locator("path[data-zone]")
    outlines.first.wait_for(state="attached")
    assert outlines.count() == len(shown.run.zones)
    zone = shown.run.zones["id"].iloc[3]
    page.locator(f'tr[data-zone="{zone}"] a').click()
    name = page.locator(f'tr[data-zone="{zone}"] a').inner_text()
    assert page.locator("#panel-title").inner_text().startswith(f"{name} (District ")
    assert f"zone={zone}" in page.url
    other = shown.run.zones["id"].iloc[0]
    page.locator(f'path[data-zone="{other}"]').dispatch_event("click")
    assert page.locator(f'tr[data-zone="{other}"]').get_attribute("class") == "chosen"
    window.shot("map-zone-chosen")
    page.go_back()
    page.wait_for_url(f"**zone={zone}**")
    assert page.locator(f'tr[data-zone="{zone}"]').get_attribute("class") == "chosen"


def test_the_address_brings_the_same_view_back(visit, shown):
    window = visit()
    zone = shown.run.zones["id"].iloc[5]
    window.go("/map")
    window.page.locator("path[data-zone]").first.wait_for(state="attached")
    window.page.locator(f'tr[data-zone="{zone}"] a').click()
    assert window.page.locator(".leaflet-risk-pane img").count() == 0  # zones alone are shaded
    window.page.locator('#layers input[value="surface"]').check()
    window.page.wait_for_timeout(600)
    shared = window.page.url
    again = visit()
    again.page.goto(shared)
    again.page.locator("path[data-zone]").first.wait_for(state="attached")
    assert again.page.locator("#zone-panel").is_visible()
    assert again.page.locator('#layers input[value="surface"]').is_checked()
    assert again.page.locator(".leaflet-risk-pane img").count() == 1
    assert again.page.url == shared


def test_a_zone_is_reached_by_keyboard_and_its_reasons_read(visit):
    window = visit()
    window.go("/")
    page = window.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Explore the map":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/map")
    page.locator("path[data-zone]").first.wait_for(state="attached")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.zone || ''"):
            break
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "zone" in name
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "panel-title"
    assert page.locator("#panel-reasons li").count() > 0
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "panel-link":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/zones/*")
    assert "Why this is a zone" in page.locator("main").inner_text()


def test_without_scripts_everything_but_the_map_works(visit, shown):
    window = visit(java_script_enabled=False)
    window.go("/map")
    still = window.page.locator("img.still")
    assert still.is_visible()
    window.page.select_option("#district", "D3")
    window.page.get_by_role("button", name="Show", exact=True).click()
    assert "district=D3" in window.page.url
    rows = window.page.locator("#zone-table tbody tr:visible")
    assert rows.count() == int((shown.run.zones["district"] == "D3").sum())
    rows.first.locator("a").click()
    assert "Why this is a zone" in window.page.locator("main").inner_text()
    window.shot("zone-without-scripts", full_page=True)


def test_the_first_view_is_light(visit):
    window = visit()
    sizes = []
    window.page.on(
        "requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"])
    )
    window.go("/map")
    assert 50_000 < sum(sizes) < 500_000
