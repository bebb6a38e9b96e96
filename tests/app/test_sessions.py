"""What keeps a session alive, and what is left of it after signing out."""

import re
from pathlib import Path

import pytest
from attacking import lift_limits

from app.auth.permissions import BY_THEMSELVES

STATIC = Path(__file__).parents[2] / "app" / "static"
POLLING = {  # by hand: scripts that ask by themselves, and what they ask
    "work.js": {"work.status"},
    "board.js": {"board.state", "board.map_"},
    "log.js": {"visits.token"},
}
MARKED = {"work.js"}  # also asks for the page it is on, and says with a header that it does
ADDRESSES = {
    "work.status": "/analyst/town/jobs/1.json",
    "board.state": "/command/town/D1/board/state.json",
    "board.map_": "/command/town/D1/board/map.json",
    "visits.token": "/command/town/D1/log/token",
}


@pytest.fixture(autouse=True)
def unlimited(attacked, monkeypatch):
    lift_limits(monkeypatch)
    attacked.office.wait(minutes=2)  # no code counts twice


def test_every_script_that_asks_by_itself_is_known():
    asking = re.compile(r"setInterval\(|setTimeout\(again")
    scripts = {
        path.name
        for path in STATIC.glob("*.js")
        if asking.search(path.read_text(encoding="utf-8")) and "fetch(" in path.read_text()
    }
    assert scripts - {"activity.js"} == POLLING.keys() | MARKED  # the public map plays what it has
    for name in MARKED:
        assert '"X-By-Itself"' in (STATIC / name).read_text(encoding="utf-8")
    assert set().union(*POLLING.values()) == BY_THEMSELVES


def test_asking_by_itself_does_not_keep_a_session_alive(attacked):
    adapter = attacked.app.url_map.bind("localhost")
    for endpoint, address in ADDRESSES.items():
        assert adapter.match(address)[0] == endpoint
        browser = attacked.office.client("eve")
        for _ in range(4):
            attacked.office.wait(minutes=9)
            answer = browser.get(address)
        assert answer.status_code == 303, endpoint
        assert answer.location.startswith("/login"), endpoint
        attacked.office.wait(minutes=2)


def test_a_visit_that_is_sent_does_keep_it_alive(attacked):
    browser = attacked.office.client("eve")
    for _ in range(4):
        attacked.office.wait(minutes=9)
        assert browser.post("/command/town/D1/log/visits", json={"visits": []}).status_code == 200
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize("address", ["/logout", "/account/sessions/end"])
def test_signing_out_lets_the_browser_drop_its_copies(attacked, address):
    browser = attacked.office.client("eve")
    answer = browser.post(address)
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache"'  # not "storage": visits wait in it
    assert "signed-out.js" in browser.get(answer.location).text
