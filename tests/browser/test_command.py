"""A commander's week in Chromium: plan, fix, plan again, print, read what came of it."""

import datetime as dt
import re

import pytest
from desk_fixtures import D1
from serving import serving
from staffing import PASSWORD
from visiting import Visit

from app.usecases.evaluation.evaluate import evaluate
from app.usecases.evaluation.study import Question
from geodata.repositories import job_queue as store

pytestmark = pytest.mark.browser

SIZES = {"phone": (360, 780), "tablet": (768, 1024), "wide": (1280, 900)}


@pytest.fixture(scope="module")
def judged(town_desk):
    """An evaluation of a zone of the district, so that there is an outcome to read."""
    run = town_desk.run
    zone = run.zones["id"][run.zones["district"] == "D1"].iloc[0]
    half = (dt.date(2024, 1, 1), dt.date(2024, 7, 1)), (dt.date(2024, 7, 1), dt.date(2025, 1, 1))
    asked = Question(
        city="town", run=run.id, outcome="robbery", before=half[0], after=half[1], zones=(zone,)
    )
    evaluate(town_desk.office.database, asked)
    return f"{D1}/outcome/{run.id}/{asked.key_on(None)}"


@pytest.fixture
def window(chromium, town_desk):
    with serving(town_desk.office.app) as address:
        visit = Visit(chromium, address, viewport={"width": 1280, "height": 900}, bypass_csp=True)
        yield visit
        visit.context.close()
    assert visit.faults == []


def sign_in(town_desk, page):
    town_desk.office.wait(minutes=2)  # no code counts twice
    page.fill("#name", "ida")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#code:focus")
    page.keyboard.type(town_desk.office.code("ida"))
    page.keyboard.press("Enter")
    page.wait_for_selector("nav[aria-label=Staff]")


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def judge(visit, name):
    """Whole at every width, and axe finds nothing."""
    for size, (width, height) in SIZES.items():
        visit.page.set_viewport_size({"width": width, "height": height})
        wider = visit.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{name} scrolls sideways by {wider} px at {width}"
        visit.shot(f"command-{name}-{size}", full_page=True)
    assert visit.page.locator("h1").count() == 1
    assert visit.violations() == []


def test_a_commanders_week(town_desk, window, judged):
    page = window.page
    window.go("/command/")
    sign_in(town_desk, page)
    judge(window, "home")
    page.get_by_role("link", name="District D1").click()
    judge(window, "district")
    for paper in ("A4", "Letter"):
        assert pages_of(page.pdf(format=paper)) == 1
    page.get_by_role("link", name="Plans", exact=True).click()
    page.get_by_role("link", name="Plan a shift").click()
    judge(window, "new-plan")
    page.get_by_label("Shift begins on").fill("2024-12-22")
    page.get_by_label("Night, 23:00 to 07:00").check()
    page.get_by_label("Units").fill("2")
    page.get_by_role("button", name="Plan", exact=True).press("Enter")
    page.wait_for_selector("svg.timeline")
    page.wait_for_selector(".staff-map[data-drawn=yes]")
    judge(window, "plan")
    assert page.locator("svg.timeline .stop").count() > 5

    # By keyboard: fix the first visit, leave a zone out, plan the rest again.
    box = page.locator(".orders input").first
    fixed = box.get_attribute("value")
    box.focus()
    page.keyboard.press("Space")
    page.get_by_label("Zone 3", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Plan the rest again").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#versions")
    assert "Version 2" in page.inner_text("main")
    assert page.locator(f'input[value="{fixed}"]').is_checked()
    page.wait_for_selector(".staff-map[data-drawn=yes]")
    judge(window, "version")
    page.get_by_label("Unit 1, order of its visits").check()
    assert page.locator(".staff-map .staff-map-name").count() > 0

    page.get_by_role("link", name="Sheet for phone and print").click()
    page.wait_for_selector(".unit-page")
    judge(window, "plan-sheet")
    assert page.locator(".unit-page").count() == 2
    assert page.locator(".stops img").count() > 2
    assert pages_of(page.pdf(format="A4")) <= 4  # both sides of a leaf for each unit
    with page.expect_download() as waiting:
        page.evaluate("location.assign(location.pathname.replace('sheet', 'plan.ics'))")
    assert waiting.value.path().read_bytes().startswith(b"BEGIN:VCALENDAR")

    window.go(f"{D1}/compliance")
    judge(window, "compliance")
    window.go(f"{D1}/outcome")
    judge(window, "outcome")
    window.go(judged)
    page.wait_for_selector(".staff-map[data-drawn=yes]")
    for picture in page.locator("figure.chart img").all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    judge(window, "evaluation")
    for name in ("ask", "power?run=" + town_desk.run.id, "visits"):
        window.go(f"{D1}/outcome/{name}")
        judge(window, name.partition("?")[0])


def test_what_was_asked_for_is_renewed_and_done_is_shown_at_once(town_desk, window):
    database, page = town_desk.office.database, window.page
    with database.session(write=True) as session:
        store.add_job(
            session,
            kind="evaluate",
            city="town",
            asked_by="ida",
            arguments={"city": "town", "district": "D1", "outcome": "robbery"},
            digest="d" * 64,
        )
    window.go(f"{D1}/outcome")
    sign_in(town_desk, page)
    page.goto(f"{window.address}{D1}/outcome")
    told = page.locator("#asked-work")
    assert "waiting" in told.inner_text()
    assert "%" not in told.inner_text()  # what waits has no share
    page.evaluate("window.unchanged = true")
    with database.session(write=True) as session:
        lease = store.lease_job(session, "w1")
    page.wait_for_function("document.getElementById('asked-work').textContent.includes('running')")
    assert page.evaluate("window.unchanged")  # renewed in place, nothing typed is lost
    with database.session(write=True) as session:
        assert store.end_job(session, lease, store.DONE)
    page.wait_for_function("!window.unchanged && !document.getElementById('asked-work')")
