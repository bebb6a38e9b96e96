"""An officer's shift on a telephone: visits logged with and without a connection, sent once."""

import datetime as dt
import json

import pytest
from patrolling import make_district
from playwright.sync_api import Error, expect
from ready import make_ready
from serving import serving
from staffing import PASSWORD
from visiting import AXE, Visit

from geodata.clock import utc_now
from geodata.repositories.visits import VisitQuery, list_visits

pytestmark = pytest.mark.browser

LOG = "/command/town/D1/log"
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def district(tmp_path):
    url = f"sqlite:///{tmp_path}/district.sqlite"
    make_ready(url)
    made = make_district(url, tmp_path, now=utc_now())
    yield made
    made.close()


@pytest.fixture
def phone(chromium, district):
    with serving(district.app) as address:
        made = Visit(
            chromium,
            address,
            viewport=PHONE,
            is_mobile=True,
            has_touch=True,
            service_workers="allow",
        )
        yield made
        # What a browser says of a lost connection is no fault of the page.
        lost = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
        faults = [fault for fault in made.faults if not fault.endswith(lost)]
        made.context.close()
    assert faults == []


def sign_in(district, phone, name):
    page = phone.page
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("#code")
    page.fill("#code", district.code(name))
    page.click("main button")
    page.wait_for_selector("nav[aria-label=Staff]")


def violations(phone):
    """Let axe-core judge the page under its own policy, which the worker has to obey too."""
    phone.page.evaluate(AXE.read_text() + "; true")
    found = phone.page.evaluate("axe.run().then(result => result.violations)")
    return [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]


def kept(district):
    with district.database.session() as session:
        count, found = list_visits(session, 1, "D1", VisitQuery(descending=False), start=0, size=20)
    assert count == len(found)
    return [(v.facts.zone, v.facts.end_ms is not None, v.facts.activity) for v in found]


def test_a_shift_with_and_without_a_connection(district, phone):
    page = phone.page
    phone.go(LOG)
    sign_in(district, phone, "ana")
    page.wait_for_url(f"**{LOG}")
    expect(page.locator("#log-state")).to_have_text("Everything is sent.")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(phone) == []
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    # With a connection: begun and ended, each told to the server at once.
    page.get_by_role("button", name="Start Zone 1, planned").first.click()
    expect(page.locator("#log-running-title")).to_have_text("Zone 1, unit 1")
    expect(page.locator("#log-state")).to_have_text("Everything is sent.")
    assert kept(district) == [("z1", False, "foot patrol")]
    assert violations(phone) == []
    phone.shot("log-running-360", full_page=True)
    page.get_by_label("business check").check()
    page.fill("#log-note", "spoke with the manager")
    page.get_by_role("button", name="End").click()
    expect(page.locator("#log-kept .quiet")).to_have_text("sent")
    assert kept(district) == [("z1", True, "business check")]

    # Begun by mistake: taken back.
    page.select_option("#log-zone", "z3")
    page.click("#log-start")
    page.click("#log-undo")
    expect(page.locator("#log-state")).to_have_text("Everything is sent.")
    district_withdrawn = kept(district)[1:]
    assert [one[0] for one in district_withdrawn] in ([], ["z3"])

    # Without one: the page opens, keeps a visit, and says what waits.
    phone.context.set_offline(True)
    page.reload()
    expect(page.locator("h1")).to_have_text("Log visits")
    page.get_by_role("button", name="Start Zone 2, planned").click()
    expect(page.locator("#log-state")).to_contain_text("1 visit waits on this telephone")
    page.reload()  # the telephone slept meanwhile
    page.get_by_role("button", name="End").click()
    expect(page.locator("#log-state")).to_contain_text("No connection. 1 visit waits")
    expect(page.locator("#log-kept strong")).to_have_text("waits to be sent")
    phone.shot("log-offline-360", full_page=True)
    assert "z2" not in [one[0] for one in kept(district)]

    # The session ends meanwhile: it is said, and after signing in all is sent, once.
    district.now += dt.timedelta(hours=2)
    phone.context.set_offline(False)
    expect(page.locator("#log-trouble")).to_contain_text("Your session has ended")
    expect(page.locator("#log-state")).to_contain_text("1 visit waits")
    page.get_by_role("link", name="Sign in and send them").click()
    sign_in(district, phone, "ana")
    page.wait_for_url(f"**{LOG}")
    expect(page.locator("#log-state")).to_have_text("Everything is sent.")
    visits = [one for one in kept(district) if one[0] == "z2"]
    assert visits == [("z2", True, "foot patrol")]
    page.reload()
    assert [one for one in kept(district) if one[0] == "z2"] == visits


def test_after_signing_out_the_log_no_longer_opens_and_visits_still_wait(district, phone):
    page = phone.page
    phone.go(LOG)
    sign_in(district, phone, "ana")
    page.wait_for_url(f"**{LOG}")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    phone.context.set_offline(True)
    page.reload()
    expect(page.locator("h1")).to_have_text("Log visits")  # it is kept while one is signed in
    page.get_by_role("button", name="Start Zone 2, planned").click()
    expect(page.locator("#log-state")).to_contain_text("1 visit waits")
    waiting = page.evaluate("localStorage.getItem('saferground.visits')")
    phone.context.set_offline(False)
    phone.context.route("**/log/visits", lambda route: route.abort())  # nothing is sent meanwhile
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.wait_for_function("caches.keys().then((names) => names.length === 0)")
    page.wait_for_function(
        "navigator.serviceWorker.getRegistrations().then((found) => found.length === 0)"
    )
    phone.context.set_offline(True)
    with pytest.raises(Error, match=r"ERR_INTERNET_DISCONNECTED|ERR_FAILED"):
        page.goto(phone.address + LOG)
    phone.context.set_offline(False)
    phone.go("/login")
    left = page.evaluate("localStorage.getItem('saferground.visits')")
    assert json.loads(left)[0]["id"] == json.loads(waiting)[0]["id"]


def test_the_position_finds_the_zone_and_stays_in_the_browser(district, phone):
    page = phone.page
    phone.go(LOG)
    sign_in(district, phone, "ana")
    page.wait_for_url(f"**{LOG}")
    zones = json.loads(page.get_attribute("#log", "data-log"))["zones"]
    ring = next(zone["rings"][0] for zone in zones if zone["code"] == "z3")
    longitude, latitude = (sum(point[i] for point in ring[:-1]) / len(ring[:-1]) for i in (0, 1))
    asked = []
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    phone.context.grant_permissions(["geolocation"])
    phone.context.set_geolocation({"longitude": longitude, "latitude": latitude, "accuracy": 12})
    page.get_by_role("button", name="Which zone am I in?").click()
    expect(page.locator("#log-here")).to_contain_text(
        "You are in Zone 3. Your position is accurate to"
    )
    assert violations(phone) == []
    phone.shot("log-here-360", full_page=True)
    phone.context.set_geolocation({"longitude": longitude, "latitude": latitude + 1})
    page.get_by_role("button", name="Which zone am I in?").click()
    expect(page.locator("#log-here")).to_contain_text("You are in no zone. The nearest is")
    expect(page.locator("#log-here")).to_contain_text("km south of you")
    phone.context.set_geolocation({"longitude": longitude, "latitude": latitude})
    page.get_by_role("button", name="Which zone am I in?").click()
    page.get_by_role("button", name="Start here, Zone 3").click()
    expect(page.locator("#log-running-title")).to_have_text("Zone 3, unit 1")
    expect(page.locator("#log-state")).to_have_text("Everything is sent.")
    assert not [one for one in asked if f"{latitude:.3f}"[:6] in one]


def test_the_due_stop_is_first_and_those_made_are_last(district, phone):
    page = phone.page
    phone.go(LOG)
    sign_in(district, phone, "ana")
    page.wait_for_url(f"**{LOG}")
    planned = page.locator("#log-order li strong").all_inner_texts()
    expect(page.locator("#log-order li").first).to_contain_text("Next, ")
    page.locator("#log-order button").first.click()
    page.get_by_role("button", name="End").click()
    expect(page.locator("#log-order li.done")).to_have_count(1)
    assert page.locator("#log-order li strong").all_inner_texts() == [*planned[1:], planned[0]]
    expect(page.locator("#log-order li.due strong")).to_have_text(planned[1])


def test_a_sheet_that_was_opened_opens_without_a_connection(district, phone):
    page = phone.page
    # The district of this test has no run that a sheet could be made of.
    district.app.view_functions["plans.sheet"] = lambda **_: "<h2>Unit 1</h2>"
    phone.go(LOG)
    sign_in(district, phone, "ana")
    page.wait_for_url(f"**{LOG}")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.get_by_role("link", name="The sheet of this plan").click()
    expect(page.locator("h2").first).to_contain_text("Unit 1")
    phone.context.set_offline(True)
    page.reload()
    expect(page.locator("h2").first).to_contain_text("Unit 1")
    phone.context.set_offline(False)
    phone.go(LOG)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_function("caches.keys().then((names) => names.length === 0)")
