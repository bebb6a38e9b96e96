"""What a new reader can do from the front page: the walk that the public site was built for."""

import re

import pytest

from spatial.zones.describe import reasons_of
from spatial.zones.name_words import short_name

pytestmark = pytest.mark.browser


def test_a_reader_finds_a_zone_its_reasons_alerts_near_it_and_a_measure_and_shares_it(
    visit, chromium, address, shown
):
    window = visit(1280, 900)
    window.go("/")
    page = window.page
    # The riskiest zone of District 3, and why it is one.
    page.get_by_role("listitem").filter(
        has=page.get_by_role("heading", name="District 3")
    ).get_by_role("link").click()
    page.wait_for_load_state("networkidle")
    zones = shown.run.zones
    first = zones[(zones["district"] == "D3") & (zones["rank"] == 1)].iloc[0]
    name = page.locator("h1").inner_text()
    assert name == short_name(first["place_name"])
    assert "District 3, zone 1" in page.locator("main").inner_text()
    reasons = page.locator(".reason").all_inner_texts()
    assert len(reasons) == len(reasons_of(first["factors"])) + 1
    past = [told for told in reasons if "times as frequent as elsewhere" not in told]
    assert past == [reasons[0 if first["environment_share"] <= 0.5 else -1]]  # the larger first
    window.shot("walk-1-zone", full_page=True)
    # Alerts near it in the last month.
    page.get_by_role("link", name="Alerts near it in the last month").click()
    page.wait_for_load_state("networkidle")
    assert "from December 1, 2025 to December 29, 2025" in page.locator(".lead").inner_text()
    assert name in page.locator("table").nth(1).inner_text()
    alerts = page.get_by_label("Gunshot alerts")
    number = int(re.sub(r"\D", "", alerts.locator(".big").inner_text()))
    months = alerts.locator("tbody .num").all_inner_texts()
    assert sum(int(one) for one in months) == number
    window.shot("walk-2-alerts", full_page=True)
    # How many alerts were published within 60 seconds, and by which clock.
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Measures").click()
    page.get_by_role("link", name="Published within 60 seconds of the trigger").click()
    page.wait_for_load_state("networkidle")
    english = page.locator(".headline, .figure").first.inner_text()
    figure = re.search(r"\d+\.\d", english)[0]
    assert "trigger" in page.locator("h1").inner_text()
    assert re.search(r"[\d,]+ of [\d,]+", page.locator("main").inner_text())
    # The same in Spanish, at an address that says so.
    page.get_by_role("link", name="Español").click()
    page.wait_for_load_state("networkidle")
    assert page.locator("html").get_attribute("lang") == "es"
    assert "disparador" in page.locator("h1").inner_text() or "60 segundos" in (
        page.locator("h1").inner_text()
    )
    assert figure in page.locator("main").inner_text()
    window.shot("walk-3-spanish", full_page=True)
    shared = page.url
    assert "lang=es" in shared
    # Somebody else opens the link, in a browser that asks for English.
    other = visit(1280, 900, locale="en-US")
    other.page.goto(shared)
    assert other.page.locator("html").get_attribute("lang") == "es"
    assert other.page.locator("h1").inner_text() == page.locator("h1").inner_text()


def test_by_keyboard_alone_from_the_front_page_to_a_zone_and_a_measures_table(visit):
    window = visit(1280, 900)
    window.go("/")
    page = window.page
    _tab_to(page, "District 3")
    page.keyboard.press("Enter")
    page.wait_for_url("**/zones/*")
    assert page.locator(".reason").count() > 1
    _tab_to(page, "Measures")
    page.keyboard.press("Enter")
    page.wait_for_url("**/measures/")
    _tab_to(page, "Gunshot alerts")
    page.keyboard.press("Enter")
    page.wait_for_url("**/measures/**")


def _tab_to(page, name, most=150):
    """Press Tab until a link of that name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        told = page.evaluate("document.activeElement.textContent.trim()")
        if told == name:
            return
    pytest.fail(f"{name} is not reached by Tab")


@pytest.mark.parametrize("language", ["en", "es"])
def test_axe_finds_no_violation_on_any_kind_of_page(visit, shown, language):
    window = visit(1280, 900, bypass_csp=True)
    zone = shown.run.zones["id"].iloc[0]
    for path in (
        "/",
        "/map",
        "/zones/",
        f"/zones/{zone}",
        "/initiatives/",
        "/measures/",
        "/measures/alerts.published_60s.trigger",
        "/measures/alerts.confirmed",
        "/accountability/",
        "/methods/",
        "/methods/validation",
        "/data/",
        "/accessibility/",
    ):
        window.go(f"{path}?lang={language}")
        assert window.violations() == []


def test_the_first_view_is_light_and_quick(visit):
    """At most 500 kB come over the wire for the map, as the browser counts them."""
    window = visit(1280, 900)
    session = window.context.new_cdp_session(window.page)
    session.send("Network.enable")
    received = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    for path in ("/", "/map"):
        received.clear()
        window.go(path)
        assert 10_000 < sum(received) < 500_000, (path, sum(received))
        session.send("Network.clearBrowserCache")
