"""Plans by forms: asked for, changed, compared, taken along."""

import re
import xml.etree.ElementTree as ET

import pytest
from desk_fixtures import D1, words

from app.charts.plan_files import GPX
from app.i18n.patrol_words import printed
from geodata.repositories import audit, patrol_plans

FIELDS = {"units": 2, "minutes": 15, "break_minutes": 0, "seed": 3, "limit": 8}


def ask(browser, page="/plans/new", **fields):
    path = f"{D1}{page}"
    return browser.post(path, {"csrf_token": browser.token(path), **FIELDS, **fields})


def ask_new(browser, town_desk, **fields):
    told = {
        "run": town_desk.run.id,
        "day": "2024-12-21",
        "shift": "Evening",
        "start": "",
        "end": "",
    }
    return ask(browser, **told | fields)


def stored(town_desk, answer):
    assert answer.status_code == 303, words(answer)
    with town_desk.office.database.session() as session:
        return patrol_plans.get_plan(session, answer.location.rsplit("/", 1)[1])


@pytest.fixture(scope="module")
def first(town_desk, cora):
    return stored(town_desk, ask_new(cora, town_desk))


def visits_of(plan):
    return {
        (unit["unit"], visit["start"], visit["zone"])
        for unit in printed(plan.document)["units"]
        for visit in unit["visits"]
    }


def value(unit, visit):
    return f"{unit['unit']}|{visit['start']}"


def test_a_shift_of_the_agency_is_planned_and_audited(town_desk, cora, first):
    assert printed(first.document)["shift"] == ["2024-12-21T15:00", "2024-12-21T23:00"]
    assert (first.created_by, first.version, first.district) == ("cora", 1, "D1")
    with town_desk.office.database.session() as session:
        found = [
            e
            for e in audit.entries(session, audit.AuditFilter(action="plan.store"))
            if e.object == first.id
        ]
    assert [(e.person, e.details["district"]) for e in found] == [("cora", "D1")]
    again = ask_new(cora, town_desk)
    assert stored(town_desk, again).id == first.id
    assert "this is the plan that was stored then" in words(cora.get(again.location))


def test_other_times_may_cross_midnight(town_desk, cora):
    answer = ask_new(cora, town_desk, shift="other", start="22:00", end="02:00")
    assert printed(stored(town_desk, answer).document)["shift"] == [
        "2024-12-21T22:00",
        "2024-12-22T02:00",
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"units": "0"}, "give a whole number from 1 to 200"),
        ({"units": "many"}, "give a whole number from 1 to 200"),
        ({"minutes": "99"}, "give a whole number from 5 to 60"),
        ({"limit": "600"}, "give a whole number from 1 to 8"),
        ({"day": "tomorrow"}, "day"),
        ({"shift": "Dusk"}, "Not a valid choice"),
        ({"shift": "other"}, "give the time that the shift begins at"),
        ({"run": "nope"}, "Not a valid choice"),
        (
            {"shift": "other", "start": "10:00", "end": "10:20", "break_minutes": "10"},
            "has no room",
        ),
    ],
)
def test_what_cannot_be_planned_is_told_and_what_was_typed_stays(town_desk, cora, fields, told):
    answer = ask_new(cora, town_desk, seed="77", **fields)
    assert answer.status_code == 422
    assert told in words(answer)
    assert 'value="77"' in answer.text


def test_the_page_tells_orders_zones_and_what_gave_way(town_desk, cora, first):
    page = cora.get(f"{D1}/plans/{first.id}")
    assert page.status_code == 200
    for zone in printed(first.document)["zones"]:
        assert re.search(
            rf'<th scope="row">{zone["rank"]}</th>.*?<td class="n">{zone["visits"]}</td>', page.text
        )
    for unit in printed(first.document)["units"]:
        for visit in unit["visits"]:
            assert f'value="{value(unit, visit)}"' in page.text
    hard = town_desk.plan(units=1, minutes=60, seed=5)
    assert printed(hard.document)["gave_way"]
    told = words(cora.get(f"{D1}/plans/{hard.id}"))
    assert printed(hard.document)["gave_way"][0]["words"].split(":")[-1].strip() in told


def test_the_timeline_has_every_visit_once(cora, first):
    page = cora.get(f"{D1}/plans/{first.id}").text
    drawn = re.findall(r'class="stop(?: fixed)?" x="([\d.]+)"', page)
    assert len(drawn) == printed(first.document)["visits"]
    assert all(0 <= float(x) <= 1000 for x in drawn)
    assert "15:00</text>" in page
    assert "23:00</text>" in page


def test_what_is_fixed_stays_and_the_rest_is_planned_again(town_desk, cora, first):
    unit = printed(first.document)["units"][0]
    kept, left = unit["visits"][0], printed(first.document)["zones"][-1]["zone"]
    assert kept["zone"] != left
    answer = ask(cora, f"/plans/{first.id}", keep=value(unit, kept), leave=left, seed="9")
    made = stored(town_desk, answer)
    assert (made.version, made.parent) == (2, first.id)
    assert ("1", kept["start"], kept["zone"]) in visits_of(made)
    assert left not in {zone for _, _, zone in visits_of(made)}
    page = words(cora.get(answer.location))
    assert "What changed from version 1 to version 2" in page
    assert f"Fixed visits none unit 1 {kept['start'][11:]} zone" in page
    rank = printed(first.document)["zones"][-1]["rank"]
    assert f"Zones left out none {rank}" in page
    both = visits_of(made) & visits_of(first)
    assert f"{len(both)} visits stayed where and when they were" in page
    old = words(cora.get(f"{D1}/plans/{first.id}"))
    assert "This version does not stand any more" in old
    listed = words(cora.get(f"{D1}/plans/"))
    assert "(of 2)" in listed


def test_two_visits_exchange_their_zones(town_desk, cora, first):
    one, two = (unit for unit in printed(first.document)["units"][:2])
    mine, other = (
        one["visits"][1],
        next(v for v in two["visits"][3:] if v["zone"] != one["visits"][1]["zone"]),
    )
    answer = ask(cora, f"/plans/{first.id}", swap_one=value(one, mine), swap_two=value(two, other))
    made = visits_of(stored(town_desk, answer))
    assert ("1", mine["start"], other["zone"]) in made
    assert ("2", other["start"], mine["zone"]) in made


def test_a_visit_can_be_added(town_desk, cora, first):
    zone = printed(first.document)["zones"][0]["zone"]
    answer = ask(cora, f"/plans/{first.id}", pin_unit="2", pin_zone=zone, pin_at="20:40")
    assert ("2", "2024-12-21T20:40", zone) in visits_of(stored(town_desk, answer))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "nothing was changed"),
        ({"swap_one": "visit"}, "choose both visits"),
        ({"pin_unit": "1"}, "needs its unit, its zone and its time"),
        ({"keep": "9|2024-12-21T15:00"}, "not a valid choice"),
        ({"leave": "no-zone"}, "not a valid choice"),
        ({"pin_unit": "1", "pin_zone": "zone", "pin_at": "03:00"}, "shift"),
        ({"minutes": "2"}, "give a whole number from 5 to 60"),
    ],
)
def test_a_change_that_cannot_be_is_told(cora, first, fields, told):
    unit = printed(first.document)["units"][0]
    fields = {
        name: value(unit, unit["visits"][0])
        if text == "visit"
        else printed(first.document)["zones"][0]["zone"]
        if text == "zone"
        else text
        for name, text in fields.items()
    }
    answer = ask(cora, f"/plans/{first.id}", **fields)
    assert answer.status_code == 422
    assert told in words(answer)


def test_a_zone_that_is_fixed_cannot_be_left_out(cora, first):
    unit = printed(first.document)["units"][0]
    visit = unit["visits"][0]
    answer = ask(cora, f"/plans/{first.id}", keep=value(unit, visit), leave=visit["zone"])
    assert answer.status_code == 422
    assert "both pinned and dropped" in words(answer)
    assert f'value="{value(unit, visit)}" checked' in answer.text


def test_every_file_is_sent_and_audited(town_desk, cora, first):
    for ending, start in (("ics", b"BEGIN:VCALENDAR"), ("pdf", b"%PDF"), ("html", b"<!doctype")):
        answer = cora.get(f"{D1}/plans/{first.id}/plan.{ending}")
        assert answer.data.startswith(start)
        assert answer.headers["Content-Disposition"].startswith("attachment")
    route = ET.fromstring(cora.get(f"{D1}/plans/{first.id}/plan.gpx").data)  # noqa: S314 - our own
    assert len(route.findall(f"{{{GPX}}}rte")) == 2
    sheet = cora.get(f"{D1}/plans/{first.id}/sheet").text
    assert sheet.count('class="unit-page"') == 2
    assert "patrol plans are never published" in sheet
    found = [
        e.details["file"] for e in town_desk.office.entries("plan.export") if e.object == first.id
    ]
    assert sorted(name.rsplit(".", 1)[-1] for name in found) == [
        "gpx",
        "html",
        "ics",
        "pdf",
        "sheet",
    ]
    assert cora.get(f"{D1}/plans/{first.id}/plan.exe").status_code == 404


def test_the_map_has_a_layer_for_each_unit(cora, first):
    told = cora.get(f"{D1}/plans/{first.id}/map.json")
    assert "NaN" not in told.text
    layers = {layer["name"]: layer for layer in told.json["layers"]}
    assert set(layers) == {"district", "zones", "unit-1", "unit-2"}
    labels = [
        number
        for shape in layers["unit-1"]["shapes"]["features"]
        for number in shape["properties"]["label"].split(", ")
        if number
    ]
    assert sorted(map(int, labels)) == list(
        range(1, len(printed(first.document)["units"][0]["visits"]) + 1)
    )


def test_an_officer_looks_but_does_not_change(town_desk, first):
    otto = town_desk.client("otto")
    page = otto.get(f"{D1}/plans/{first.id}")
    assert page.status_code == 200
    assert "Plan the rest again" not in page.text
    assert otto.get(f"{D1}/plans/{first.id}/sheet").status_code == 200
    token = otto.token("/account/password")
    answer = otto.post(f"{D1}/plans/{first.id}", {"csrf_token": token, **FIELDS})
    assert answer.status_code == 403


def test_a_plan_of_another_district_is_as_if_it_were_not_there(town_desk, first):
    dan = town_desk.client("dan")
    for page in ("", "/sheet", "/map.json", "/plan.ics"):
        assert dan.get(f"{D1}/plans/{first.id}{page}").status_code == 403
        assert dan.get(f"/command/town/D2/plans/{first.id}{page}").status_code == 404


def test_versions_compare_with_any_of_the_same_shift_only(cora, first, town_desk):
    assert cora.get(f"{D1}/plans/{first.id}?against={town_desk.before.id}").status_code == 400
