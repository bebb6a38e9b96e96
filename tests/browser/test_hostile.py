"""Hostile names in Chromium: scripts that draw pages and maps take them as text too."""

import threading

import pytest
import waitress
from crawling import crawl
from hostile import STARTS, Reader, hostile_office
from staffing import PASSWORD
from visiting import Visit

from app.people.signing_in import utc_now
from geodata.database import upgrade

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    upgrade(url)
    made = hostile_office(folder, url)
    made.now = utc_now()
    yield made
    made.close()


def _handed_over(answer):
    """A browser saves such a page and does not show it."""
    return answer.headers.get("Content-Disposition", "").startswith("attachment")


def test_nothing_of_a_hostile_town_runs_in_a_browser(chromium, office):
    addresses = [
        address
        for address, answer, page in crawl(Reader(office).get, STARTS, each=1)
        if page and answer.status_code == 200 and not _handed_over(answer)
    ]
    server = waitress.create_server(office.app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    visit = Visit(chromium, f"http://127.0.0.1:{server.effective_port}")
    try:
        visit.page.add_init_script("window.hit = () => { window.wasHit = true; }")
        visit.page.on("dialog", lambda dialog: visit.faults.append(dialog.message))
        office.wait(minutes=2)
        visit.go("/login")
        visit.page.fill("#name", "eve")
        visit.page.fill("#password", PASSWORD)
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("#code")
        visit.page.fill("#code", office.code("eve"))
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("nav[aria-label=Staff]")
        maps = 0
        for address in addresses:
            visit.go(address)
            assert not visit.page.evaluate("Boolean(window.wasHit)"), address
            maps += visit.page.locator(".staff-map[data-drawn]").count()
            assert visit.faults == [], address
    finally:
        visit.context.close()
        server.close()
        thread.join(timeout=5)
    assert len(addresses) > 8
    assert maps > 0, "a map has to be drawn for this to say anything"
