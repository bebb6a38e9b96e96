"""Open data, accountability, the statement and the framed pages, as people see them."""

from pathlib import Path

import pytest
from serving import serving

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {"wide": (1600, 1000), "tablet": (768, 1024), "phone": (360, 780)}
FRAMED = {"embed-zones": "/embed/zones", "embed-measure": "/embed/measure/alerts.count"}
PATHS = {
    "data": "/data/",
    "accountability": "/accountability/",
    "accessibility": "/accessibility/",
    "api": "/api/",
    **FRAMED,
}

CUT_OFF = """
[...document.querySelectorAll('main :is(h1, h2, h3, p, dd, dt, summary, button)')]
  .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1
    && getComputedStyle(e).overflowX !== 'visible')
  .map(e => e.textContent.slice(0, 40))
"""


@pytest.fixture(scope="module")
def address(published):
    with serving(published.app) as found:
        yield found


def sideways(page):
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("size", WIDTHS)
def test_pages_are_whole_at_every_width(visit, size, published):
    window = visit(*WIDTHS[size])
    for name, path in {**PATHS, "earlier": f"/data/releases/{published.withdrawn.id}/"}.items():
        assert window.go(path).status == 200
        assert window.page.locator("h1").count() == 1
        for summary in window.page.locator("summary").all():
            summary.click()
        assert sideways(window.page) <= 0, name
        window.shot(f"{name}-{size}", full_page=True)


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_axe_finds_no_violation(visit, size):
    assert AXE.is_file(), "axe-core is missing; run make test"
    window = visit(*WIDTHS[size], bypass_csp=True)
    for path in PATHS.values():
        window.go(path)
        for summary in window.page.locator("summary").all():
            summary.click()
        window.page.add_script_tag(path=str(AXE))
        found = window.page.evaluate("axe.run().then(result => result.violations)")
        told = [
            f"{path} {v['id']}: {v['help']} {[n['html'][:120] for n in v['nodes'][:3]]}"
            for v in found
        ]
        assert told == []


def test_text_of_twice_the_size_is_not_cut_off(visit):
    window = visit(1280, 900)
    for path in PATHS.values():
        window.go(path)
        window.page.evaluate("document.documentElement.style.setProperty('font-size', '212.5%')")
        assert sideways(window.page) <= 0, path
        cut = window.page.evaluate(CUT_OFF)
        assert cut == [], path


def test_forced_colours_keep_bars_and_outlines(visit):
    window = visit(1280, 900, forced_colors="active")
    window.go("/accountability/")
    bar = window.page.locator(".share-bar").first
    length, ground = (
        bar.locator(part).evaluate("e => getComputedStyle(e).fill")
        for part in (".length", ".ground")
    )
    assert length != ground
    window.go("/data/")
    edge = window.page.locator(".part").first.evaluate("e => getComputedStyle(e).borderLeftWidth")
    assert float(edge.removesuffix("px")) >= 1


def test_a_part_is_chosen_and_downloaded_without_scripts(visit, published):
    window = visit(java_script_enabled=False)
    window.go("/data/")
    form = window.page.locator("form.part").first
    form.get_by_label("District").select_option("D2")
    form.get_by_label("Class").select_option("multiple")
    with window.page.expect_download() as caught:
        form.get_by_role("button", name="GeoJSON").click()
    assert caught.value.suggested_filename == f"{published.current.id}-alerts_D2_multiple.geojson"
    with window.page.expect_download() as caught:
        window.page.get_by_role("link", name="Download everything").click()
    assert caught.value.suggested_filename.endswith(f"{published.current.id}.zip")


def test_the_columns_of_a_file_are_reached_by_keyboard(visit):
    window = visit()
    window.go("/data/")
    page = window.page
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    assert page.locator("table.columns").first.is_visible()


def test_another_site_can_frame_these_pages_and_no_others(chromium, address):
    """A page of another origin: the two small pages are shown in it, the others are refused."""
    frames = "".join(
        f'<iframe src="{address}{path}" title="{path}" width="600" height="500"></iframe>'
        for path in (*FRAMED.values(), "/data/")
    )

    def other(_environment, start):
        start("200 OK", [("Content-Type", "text/html")])
        return [frames.encode()]

    context = chromium.new_context(viewport={"width": 700, "height": 900})
    page = context.new_page()
    with serving(other) as elsewhere:
        page.goto(elsewhere)
        page.wait_for_load_state("networkidle")
        shown = {
            frame.url.removeprefix(address): frame.locator("h1").count()
            for frame in page.frames
            if frame.url.startswith(address)
        }
    assert shown == dict.fromkeys(FRAMED.values(), 1)
    assert context.cookies() == []
    context.close()
