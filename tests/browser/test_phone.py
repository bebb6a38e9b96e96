"""The map and a release's own page on a phone: 390 pixels wide, under fingers."""

import pytest

pytestmark = pytest.mark.browser

PHONE = {
    "width": 390,
    "height": 844,
    "has_touch": True,
    "is_mobile": True,
    "bypass_csp": True,  # for axe
}
SMALL = """all => all.filter(one => {
    const { width, height } = one.getBoundingClientRect();
    return width && height < 43.5 && getComputedStyle(one).visibility === "visible";
}).map(one => one.outerHTML.slice(0, 90))"""
TARGETS = (
    ".map-stage button, .map-stage select, .map-stage input[type=search], .map-legend summary, "
    ".layers label, .leaflet-bar a, #zone-table a, .top nav a, .panel button, #area-form button"
)


@pytest.fixture
def phone(visit):
    window = visit(**PHONE)
    window.go("/map")
    window.page.locator("path[data-zone]").first.wait_for(state="attached")
    return window


def test_the_map_is_most_of_the_first_screen_and_nothing_is_cut(phone):
    box = phone.page.locator("#map-frame").bounding_box()
    seen = min(box["y"] + box["height"], 844) - box["y"]
    assert seen >= 0.6 * 844, box
    assert phone.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    cut = phone.page.eval_on_selector_all(
        ".zone-number",
        """all => all.filter(one => getComputedStyle(one).visibility === "visible")
            .map(one => one.getBoundingClientRect())
            .filter(({ left, right }) => left < 0 || right > 390).length""",
    )
    assert cut == 0
    phone.shot("map-390")


def test_every_target_is_as_large_as_a_finger(phone):
    assert phone.page.eval_on_selector_all(TARGETS, SMALL) == []


def test_one_finger_scrolls_the_page_and_two_move_the_map(phone):
    page = phone.page
    style = page.eval_on_selector(".leaflet-container", "one => getComputedStyle(one).touchAction")
    assert style == "pan-x pan-y"
    assert page.locator("#two-fingers").is_hidden()
    fingers = """count => {
        const frame = document.querySelector(".leaflet-container");
        const touches = Array.from({ length: count }, (_, identifier) => new Touch(
            { identifier, target: frame, clientX: 100 + 90 * identifier, clientY: 400 }));
        frame.dispatchEvent(new TouchEvent("touchmove", { touches, bubbles: true }));
    }"""
    page.evaluate(fingers, 2)
    assert page.locator("#two-fingers").is_hidden()
    page.evaluate(fingers, 1)
    assert page.locator("#two-fingers").is_visible()
    page.locator("#two-fingers").wait_for(state="hidden")


def test_what_is_tapped_is_told_at_the_bottom_of_the_screen(phone):
    page = phone.page
    top = page.evaluate("scrollY")
    page.locator("path[data-zone]").first.dispatch_event("click")
    box = page.locator("#zone-panel").bounding_box()
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    assert 80 < box["height"] < 0.5 * 844
    page.touchscreen.tap(150, 350)
    page.locator("#here-title").wait_for()
    box = page.locator("#here").bounding_box()
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    assert page.locator("#zone-panel").is_hidden()  # it lies behind
    assert page.evaluate("scrollY") == top
    phone.shot("map-390-sheet")
    assert phone.violations() == []
    page.click("#here-close")
    assert page.locator("#here").is_hidden()


def test_zones_are_cards_that_need_no_sideways_scrolling(visit):
    window = visit(**PHONE)
    window.go("/zones/")
    page = window.page
    wide = page.eval_on_selector(".scroll", "one => one.scrollWidth - one.clientWidth")
    assert wide <= 0
    assert page.locator(".cards-below tbody tr").first.bounding_box()["width"] > 300
    window.shot("zones-390")
    assert window.violations() == []
