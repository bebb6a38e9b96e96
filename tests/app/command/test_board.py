import datetime as dt
import re

import pytest
from patrolling import MINUTE, NOW_MS, RUN, a_plan
from sqlalchemy import insert

from geodata.db.tables import Visit
from geodata.repositories.cities import get_city
from geodata.repositories.patrol_plans import save_plan
from geodata.repositories.visits import VisitFacts, log_visit

BOARD = "/command/town/D1/board"
ID = "00000000-0000-4000-8000-00000000000{}"


def log(district, number, zone, ago, minutes=None, unit="1"):
    """Log a visit that began some minutes ago; a plan began two hours ago."""
    start = NOW_MS - ago * MINUTE
    end = None if minutes is None else start + minutes * MINUTE
    facts = VisitFacts(zone=zone, unit=unit, start_ms=start, end_ms=end, activity="foot patrol")
    with district.database.session(write=True) as session:
        log_visit(
            session,
            get_city(session, "town"),
            "D1",
            RUN,
            ID.format(number),
            facts,
            who="ana",
            when=district.now,
            now_ms=NOW_MS,
        )


def state(browser, query=""):
    return browser.get(f"{BOARD}/state.json{query}").get_json()


def test_the_board_sets_visits_of_every_source_beside_the_plan(district):
    cora = district.client("cora")
    before = state(cora)
    assert [(z["name"], z["state"], z["late"]) for z in before["zones"]] == [
        ("Zone 1", "late", 1),
        ("Zone 2", "late", 1),
        ("Zone 3", "waiting", 0),
    ]
    log(district, 1, "z1", 105, 12)
    log(district, 2, "z2", 5)
    log(district, 3, "z3", 125, 10)  # before the shift
    with district.database.session(write=True) as session:  # imported, in zone 3, another unit
        session.execute(
            insert(Visit).values(
                city_id=1,
                source="visits.csv",
                row_key="V-1",
                start_ms=NOW_MS - 40 * MINUTE,
                end_ms=NOW_MS - 30 * MINUTE,
                unit="A11",
                x=500_750.0,
                y=4_000_100.0,
            )
        )
    told = state(cora)
    assert [(z["name"], z["state"], z["made"], z["since"], z["next"]) for z in told["zones"]] == [
        ("Zone 1", "waiting", 1, "1 h 33 min ago", "05:30"),
        ("Zone 2", "under way", 1, "now", "none"),
        ("Zone 3", "waiting", 1, "30 min ago", "08:00"),  # hours before: not the planned one
    ]
    assert [(u["unit"], u["made"], u["due"], u["planned"], u["next"]) for u in told["units"]] == [
        ("1", 2, 2, 3, "Zone 1, 05:30"),
        ("2", 0, 0, 1, "Zone 3, 08:00"),
        ("others", 1, 0, 0, "none"),
    ]
    sums = {name: told[name] for name in ("planned", "made", "late", "gaps", "under_way", "phase")}
    assert sums == {
        "planned": 4,
        "made": 3,
        "late": 0,
        "gaps": 0,
        "under_way": 1,
        "phase": "on",
    }
    page = cora.get(BOARD).text
    for words in ("An officer is there", "1 h 33 min ago", "Other units", "plan version 1"):
        assert words in page


def test_one_definition_of_waiting_and_nothing_of_the_past_is_next(district):
    """Every half hour of the shift: the sum is the rows that say so, what is next lies ahead."""
    log(district, 1, "z1", 118, 5)
    cora = district.client("cora")
    seen = set()
    for _ in range(13):
        told, now = state(cora), district.now
        rows = told["zones"]
        assert told["gaps"] == sum("too long" in row["since"] for row in rows)
        assert [row["waits"] for row in rows] == ["too long" in row["since"] for row in rows]
        clock = (now - dt.timedelta(hours=5)).strftime("%H:%M")
        for row in [*rows, *told["units"]]:
            ahead = row["next"].rpartition("; then ")[2].rpartition(", ")[2]
            if re.fullmatch(r"\d\d:\d\d", ahead):
                assert ahead >= clock, (row["next"], clock)
                seen.add("next")
            if "overdue since" in row["next"]:
                assert row["state"] == "late"
                seen.add("overdue")
        if told["gaps"]:
            seen.add("gaps")
        district.wait(minutes=25)
        cora = district.client("cora")
    assert seen == {"next", "overdue", "gaps"}


def test_the_map_has_the_zones_by_state(district):
    log(district, 1, "z1", 105, 12)
    drawn = district.client("cora").get(f"{BOARD}/map.json").get_json()
    (layer,) = drawn["layers"]
    tips = [shape["properties"]["tip"] for shape in layer["shapes"]["features"]]
    assert tips[0] == "Zone 1: waiting, nothing late, 1 of 2 visits"
    assert len(layer["keys"]) == 6
    assert drawn["base"] == "/staff/town/ground.json"


def test_another_shift_can_be_chosen_and_is_over(district):
    earlier = a_plan("town", NOW_MS - 24 * 60 * MINUTE)
    with district.database.session(write=True) as session:
        save_plan(session, type(earlier)(**{**vars(earlier), "id": "bbbbbbbbbbbb"}))
    cora = district.client("cora")
    told = state(cora, "?plan=bbbbbbbbbbbb")
    assert told["phase"] == "over"
    assert {z["state"] for z in told["zones"]} == {"missed"}
    page = cora.get(f"{BOARD}?plan=bbbbbbbbbbbb").text
    assert "The shift is over" in page
    assert "Missed" in page
    assert cora.get(f"{BOARD}?plan=nope").status_code == 404


def test_without_a_plan_the_page_says_what_to_do(district):
    dee = district.client("dee")
    assert "No plan stands" in dee.get("/command/town/D2/board").text
    assert dee.get("/command/town/D2/board/state.json").status_code == 404


@pytest.mark.parametrize("path", ["", "/state.json", "/map.json"])
def test_a_board_is_for_the_district_alone(district, path):
    assert district.client("dee").get(f"{BOARD}{path}").status_code == 403
