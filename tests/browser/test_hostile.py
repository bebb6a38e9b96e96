"""Hostile names in Chromium: scripts that draw pages and maps take them as text too."""

import pytest
from crawling import crawl
from hostile import STARTS, Reader, hostile_office
from ready import make_ready
from serving import serving
from visiting import Visit

from geodata.clock import utc_now

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    make_ready(url)
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
    maps = 0
    with serving(office.app) as served:
        visit = Visit(chromium, served)
        visit.page.add_init_script("window.hit = () => { window.wasHit = true; }")
        visit.page.on("dialog", lambda dialog: visit.faults.append(dialog.message))
        office.wait(minutes=2)
        visit.sign_in(office, "eve")
        for address in addresses:
            visit.go(address)
            assert not visit.page.evaluate("Boolean(window.wasHit)"), address
            maps += visit.page.locator(".staff-map[data-drawn]").count()
            assert visit.faults == [], address
        visit.context.close()
    assert len(addresses) > 8
    assert maps > 0, "a map has to be drawn for this to say anything"
