import re

import pytest

pytestmark = pytest.mark.browser

WIDTHS = {"wide": (1280, 900), "tablet": (768, 1024), "phone": (360, 780)}
PATHS = {
    "measures": "/measures/",
    "measures-district": "/measures/?period=all&district=D2",
    "measure-share": "/measures/alerts.published_60s.trigger",
    "measure-count": "/measures/dirtbike.complaints?period=all",
    "measure-sensitive": "/measures/alerts.guns?period=all",
    "measure-week": "/measures/alerts.count?by=week&period=all",
    "measure-kinds": "/measures/dirtbike.seizures",
    "measure-missing": "/measures/dosage.plan_met",
    "initiatives": "/initiatives/",
    "initiative": "/initiatives/community-policing-strategies",
}


@pytest.mark.parametrize("size", WIDTHS)
def test_pages_are_whole_at_every_width(visit, size):
    window = visit(*WIDTHS[size])
    for name, path in PATHS.items():
        assert window.go(path).status == 200
        page = window.page
        assert page.locator("h1").count() == 1
        wider = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{name} scrolls sideways by {wider} px"
        broken = page.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
        assert broken == 0, f"{name} has {broken} pictures that do not load"
        window.shot(f"{name}-{size}", full_page=True)


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_axe_finds_no_violation(visit, size):
    window = visit(*WIDTHS[size], bypass_csp=True)
    for path in [*PATHS.values(), "/measures/nothing"]:
        window.go(path)
        assert window.violations() == []
    window.faults.clear()  # the 404 page


def test_small_screens_get_the_narrow_chart(visit):
    for size, narrow in (("wide", False), ("phone", True)):
        window = visit(*WIDTHS[size])
        window.go(PATHS["measure-share"])
        source = window.page.locator("figure.chart img").first.evaluate("image => image.currentSrc")
        assert ("narrow=1" in source) is narrow


def test_without_scripts_the_period_and_district_are_chosen(visit):
    window = visit(*WIDTHS["wide"], java_script_enabled=False)
    window.go("/measures/")
    page = window.page
    page.select_option("#period", "2025-06")
    page.select_option("#district", "D2")
    page.get_by_role("button", name="Show").click()
    assert re.search(r"period=2025-06&district=D2$", page.url)
    assert "June 1 to June 30, 2025" in page.locator("main").inner_text()
    page.get_by_role("link", name="Gunshot alerts").nth(1).click()
    assert page.url.endswith("/measures/alerts.count?period=2025-06&district=D2")
    assert "District 2, June 1 to June 30, 2025" in page.locator("main").inner_text()
    page.get_by_role("link", name="All days").click()
    assert page.url.endswith("/measures/alerts.count?period=all&district=D2")


def test_from_the_front_page_to_a_measure_by_keyboard(visit):
    window = visit(*WIDTHS["wide"])
    window.go("/")
    page = window.page
    _tab_to(page, "Published within 60 seconds of the trigger")
    page.keyboard.press("Enter")
    page.wait_for_url("**/measures/alerts.published_60s.trigger")
    _tab_to(page, "By week")
    page.keyboard.press("Enter")
    page.wait_for_url("**by=week**")
    region = page.get_by_role("region", name="by week")
    for _ in range(60):
        page.keyboard.press("Tab")
        if region.evaluate("table => table === document.activeElement"):
            break
    assert region.evaluate("table => table === document.activeElement")
    before = region.evaluate("table => table.scrollTop")
    page.keyboard.press("End")
    page.wait_for_timeout(400)
    assert region.evaluate("table => table.scrollTop") > before


def test_status_is_told_in_words_and_by_shape(visit):
    window = visit(*WIDTHS["wide"])
    window.go("/measures/")
    page = window.page
    for icon, words in (("met", "Target met"), ("not-met", "Target not met")):
        status = page.locator(f".measures .status:has(svg.{icon})").first
        assert words in status.inner_text()
    shapes = {
        page.locator(f".measures svg.{icon}").first.inner_html() for icon in ("met", "not-met")
    }
    assert len(shapes) == 2


def _tab_to(page, text):
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == text:
            return
    pytest.fail(f"{text} is not reached by keyboard")
