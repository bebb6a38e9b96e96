import html
import json
import re
import uuid

import geopandas as gpd
import pytest
import shapely
from patrolling import HOSTILE, MINUTE, NOW_MS, RUN

from geodata.repositories.cities import get_city
from geodata.repositories.visits import VisitQuery, get_visit, list_visits, versions_of
from geodata.repositories.zone_versions import district_zones

LOG = "/command/town/D1/log"
ONE, TWO = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def said(**change):
    return {
        "id": ONE,
        "run": RUN,
        "zone": "z1",
        "unit": "1",
        "start_ms": NOW_MS - 20 * MINUTE,
        "end_ms": NOW_MS - 8 * MINUTE,
        "activity": "foot patrol",
        "note": "",
        **change,
    }


def send(browser, *visits):
    told = browser.get(f"{LOG}/token").get_json()
    answer = browser.post(
        f"{LOG}/visits", None, json={"visits": visits}, headers={"X-CSRFToken": told["token"]}
    )
    return answer.get_json()


def stored(district, **query):
    with district.database.session() as session:
        return list_visits(session, 1, "D1", VisitQuery(**query), start=0, size=50)[1]


def form(browser, path, **change):
    """Fill the form of a page as it stands, then with what changes."""
    page = browser.get(path).text
    found = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
    for name, rest in re.findall(r'<select id="\w+" name="(\w+)"(.*?)</select>', page, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', rest)
        found[name] = chosen[1] if chosen else ""
    return browser.post(path, {**found, **change})


def test_the_page_offers_the_plan_of_the_shift_and_every_zone(district):
    answer = district.client("ana").get(LOG)
    page = answer.text
    assert answer.headers["Content-Security-Policy"].endswith("; worker-src 'self'")
    for told in ("Planned, 03:00 to 11:00", "Zone 1", "Zone 3", "bus_stops", "03:10"):
        assert told in page
    assert "<script>" not in page


def test_the_page_knows_where_zones_are_and_may_ask_the_browser_for_its_position(district):
    ana = district.client("ana")
    answer = ana.get(LOG)
    assert answer.headers["Permissions-Policy"].startswith("geolocation=(self),")
    elsewhere = ana.get("/command/town/D1/visits")
    assert elsewhere.headers["Permissions-Policy"].startswith("geolocation=(),")
    data = json.loads(html.unescape(re.search(r'data-log="([^"]*)"', answer.text)[1]))
    with district.database.session() as session:
        city = get_city(session, "town")
        zones = district_zones(session, data["run"], "D1")
    shapes = [shapely.Polygon(zone["rings"][0], zone["rings"][1:]) for zone in data["zones"]]
    for shape, zone in zip(gpd.GeoSeries(shapes, crs=4326).to_crs(city.crs), zones, strict=True):
        assert shape.symmetric_difference(zone.geom).area < 0.01 * zone.geom.area


def test_a_telephone_can_put_the_log_on_its_home_screen(district):
    ana = district.client("ana")
    link = re.search(r'<link rel="manifest" href="([^"]+)" crossorigin', ana.get(LOG).text)[1]
    answer = ana.get(html.unescape(link))
    assert answer.mimetype == "application/manifest+json"
    told = answer.get_json(force=True)
    assert (told["start_url"], told["scope"]) == (LOG, LOG.removesuffix("log"))
    with ana.get(told["icons"][0]["src"]) as icon:
        assert icon.mimetype == "image/svg+xml"


def test_visits_of_a_telephone_are_taken_once(district):
    ana = district.client("ana")
    running = said(end_ms=None)
    assert send(ana, running) == {"taken": [{"id": ONE, "state": "new"}], "refused": []}
    assert send(ana, running, said(), said(), said(id=TWO))["taken"] == [
        {"id": ONE, "state": "same"},
        {"id": ONE, "state": "ended"},
        {"id": ONE, "state": "same"},
        {"id": TWO, "state": "new"},
    ]
    assert [v.facts.end_ms for v in stored(district)] == [NOW_MS - 8 * MINUTE] * 2
    assert "Zone 1, 04:40 to 04:52" in ana.get(LOG).text


def test_a_visit_begun_by_mistake_is_withdrawn(district):
    ana = district.client("ana")
    send(ana, said(end_ms=None))
    assert send(ana, said(dropped=True))["taken"] == [{"id": ONE, "state": "withdrawn"}]
    assert send(ana, said(dropped=True), said(id=TWO, dropped=True))["taken"] == [
        {"id": ONE, "state": "same"},
        {"id": TWO, "state": "same"},
    ]
    (only,) = stored(district)
    assert only.withdrawn


def test_what_cannot_be_taken_is_told_and_the_rest_is_taken(district):
    ana = district.client("ana")
    wrong = [
        said(id="nope"),
        said(zone="other"),
        said(zone=HOSTILE),
        said(activity=HOSTILE),
        said(start_ms="1"),
        said(start_ms=True),
        said(end_ms=10**20),
        said(note=3),
        said(unit=" "),
        {},
        7,
    ]
    told = send(ana, *wrong, said(note=HOSTILE + "\0\ud800"))
    assert len(told["refused"]) == len(wrong)
    assert all(one["why"] for one in told["refused"])
    assert told["taken"] == [{"id": ONE, "state": "new"}]
    page = ana.get("/command/town/D1/visits").text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert send(ana, *[said()] * 51)["ok"] is False
    answer = ana.post(f"{LOG}/visits", None, json={"visits": [said()]})
    assert answer.status_code == 400  # without its token


def test_a_session_that_has_ended_takes_nothing(district):
    ana = district.client("ana")
    district.wait(minutes=60)
    for answer in (ana.get(f"{LOG}/token"), ana.post(f"{LOG}/visits", None, json={})):
        assert (answer.status_code, answer.location[:6]) == (303, "/login")


def test_a_visit_made_earlier_is_logged_by_form_once(district):
    ana = district.client("ana")
    fields = {
        "unit": "A 12",
        "zone": "z2",
        "start": "2026-03-04T03:30",
        "end": "2026-03-04T03:44",
        "activity": "business check",
        "note": "two clerks",
    }
    page = ana.get(LOG).text
    key = re.search(r'name="uuid" value="([^"]+)"', page)[1]
    for _ in range(2):
        assert ana.send(LOG, uuid=key, **fields).status_code == 303
    (only,) = stored(district)
    assert (only.facts.unit, only.facts.zone, only.facts.note) == ("A 12", "z2", "two clerks")
    assert only.facts.start_ms == NOW_MS - 90 * MINUTE
    for change, told in (
        ({"start": "soon"}, "write it as"),
        ({"start": "2026-03-04T09:30", "end": ""}, "ahead of now"),
        ({"end": "2026-03-04T03:20"}, "before the start"),
        ({"zone": "other"}, "no zone"),
        ({"zone": ""}, "choose a zone"),
        ({"activity": "arrest"}, "choose one of"),
        ({"unit": "x" * 41}, "Not taken"),
    ):
        answer = ana.send(LOG, **{"uuid": TWO, **fields, **change})
        assert (answer.status_code, told in answer.text) == (422, True), change
        assert "two clerks" in answer.text  # what was typed stays
    assert len(stored(district)) == 1


def test_corrections_keep_what_was_said_who_and_why(district):
    ana = district.client("ana")
    send(ana, said())
    path = f"/command/town/D1/visits/{ONE}"
    answer = form(ana, path, end="2026-03-04T04:56", why="pressed too early " + HOSTILE)
    assert answer.status_code == 303
    page = ana.get(path).text
    assert "end 04:52 became 04:56" in page
    assert "pressed too early &lt;script&gt;" in page
    with district.database.session() as session:
        first, second = versions_of(session, 1, ONE)
    assert first.facts.start_ms == second.facts.start_ms  # to the second
    assert (second.changed_by, first.facts.end_ms) == ("ana", NOW_MS - 8 * MINUTE)
    for change, told in (
        ({"why": ""}, "give the reason"),
        ({"why": "x"}, "nothing differs"),
        ({"why": "x", "unit": "2", "version": "1"}, "meanwhile"),
        ({"why": "x", "unit": "2", "version": "z"}, "meanwhile"),
        ({"why": "x", "end": "2026-03-04T04:00"}, "before the start"),
    ):
        answer = form(ana, path, **change)
        assert (answer.status_code, told in answer.text) == (422, True), change


def test_officers_change_their_own_and_commanders_all_of_the_district(district):
    send(district.client("ana"), said())
    path = f"/command/town/D1/visits/{ONE}"
    olu, cora = district.client("olu"), district.client("cora")
    assert "Withdraw the visit" not in olu.get(path).text
    assert olu.send(f"{path}/withdraw", page=LOG, why="x", version="1").status_code == 403
    assert cora.send(f"{path}/withdraw", page=path, why="", version="1").status_code == 422
    assert cora.send(f"{path}/withdraw", page=path, why="twice", version="1").status_code == 303
    with district.database.session() as session:
        assert get_visit(session, 1, ONE).withdrawn
    assert cora.send(f"{path}/withdraw", page=path, why="it was", version="2").status_code == 303
    assert [e.person for e in district.entries("visit.correct")] == ["cora"]


@pytest.mark.parametrize(
    "path", ["log", "log/token", "log/worker.js", "visits", f"visits/{ONE}", "log/visits"]
)
def test_a_district_is_for_its_own_people(district, path):
    send(district.client("ana"), said())
    dee = district.client("dee")
    answer = (
        dee.send(f"/command/town/D1/{path}", page="/account")
        if path == "log/visits"
        else dee.get(f"/command/town/D1/{path}")
    )
    assert answer.status_code == 403
    if path == "visits/" + ONE:  # nor by way of one's own district
        assert dee.get(f"/command/town/D2/{path}").status_code == 404
    for wrong in ("/command/town/D9/log", "/command/nowhere/D1/log"):
        assert dee.get(wrong).status_code == 404


def test_lists_are_narrowed_sorted_and_paged(district):
    ana = district.client("ana")
    for i in range(30):
        one = said(
            id=str(uuid.UUID(int=i + 1)),
            unit=str(i % 3),
            start_ms=NOW_MS - (100 + i) * MINUTE,
            end_ms=NOW_MS - 80 * MINUTE,
        )
        assert send(ana, one)["taken"]
    at = "/command/town/D1/visits"
    page = ana.get(at).text
    assert "Page 1 of 2" in page
    assert page.index("03:20") < page.index("03:19")
    page = ana.get(f"{at}?sort=minutes&order=down&unit=1").text
    assert page.index(">48<") < page.index(">45<")
    assert ">49<" not in page
    assert "No visit was logged that fits" in ana.get(f"{at}?day=2026-03-01").text
    assert "30 visits" in ana.get(f"{at}?day=2026-03-04").text
    for wrong in ("sort=x", "zone=x", "day=x", "page=0", "order=x"):
        assert ana.get(f"{at}?{wrong}").status_code == 400
    assert ana.get(f"{at}?unit=%00%27&page=99").status_code == 200
