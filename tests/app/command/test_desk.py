"""The desk's first pages: whose districts, and one of them on one sheet."""

import datetime as dt
import re

import pytest
from desk_fixtures import D1, TODAY, degrees, record_of, words

from app.i18n.patrol_words import printed
from geodata.repositories import cities, patrol_plans
from geodata.repositories.actions import ANY_FACTOR, KINDS, ActionFacts, add_action

LATER = "/analyst/town/outcome"
PAGES = {  # page -> who may see it; cora commands D1, dan D2, ida both, otto is an officer of D1
    f"{D1}/": {"cora", "ida", "otto"},
    f"{D1}/zones.png": {"cora", "ida", "otto"},
    f"{D1}/compliance": {"cora", "ida", "otto"},
    f"{D1}/plans/": {"cora", "ida", "otto"},
    f"{D1}/plans/new": {"cora", "ida"},
    f"{D1}/outcome": {"cora", "ida", "otto", "ana", "vi"},
    f"{D1}/outcome/power": {"cora", "ida", "otto", "ana", "vi"},
    f"{D1}/outcome/visits": {"cora", "ida", "otto", "ana", "vi"},
    f"{D1}/outcome/ask": {"cora", "ida", "ana"},
    LATER: {"ana", "vi"},
    f"{LATER}/power": {"ana", "vi"},
    f"{LATER}/visits": {"ana", "vi"},
    f"{LATER}/ask": {"ana"},
}


@pytest.mark.parametrize("name", ["cora", "dan", "ida", "otto", "ana", "vi"])
def test_districts_are_seen_by_those_whose_own_they_are(town_desk, name):
    browser = town_desk.client(name)
    for page, allowed in PAGES.items():
        answer = browser.get(page)
        assert answer.status_code == (200 if name in allowed else 403), (page, name)


@pytest.mark.parametrize("page", ["/", "/plans/", "/compliance", "/outcome", "/outcome/power"])
def test_a_district_that_is_not_there_is_told_as_such(cora, page):
    assert cora.get(f"/command/town/D9{page}").status_code == 404
    assert cora.get(f"/command/nowhere/D1{page}").status_code == 404


def test_the_desk_begins_with_ones_own_districts(cora, town_desk):
    page = town_desk.client("ida").get("/command/").text
    assert f'href="{D1}/"' in page
    assert 'href="/command/town/D2/"' in page
    answer = cora.get("/command/")
    assert (answer.status_code, answer.location) == (303, f"{D1}/"), "who has one, begins there"
    answer = cora.get("/command/D1")
    assert (answer.status_code, answer.location) == (303, f"{D1}/")
    assert cora.get("/command/D2").status_code == 404
    assert cora.get("/command/town").location == "/command/"
    assert "No district is yours yet" in nobodys(town_desk).get("/command/").text


def test_the_menu_shows_where_one_is(cora, town_desk):
    def marked(browser, page):
        menu = re.search(r"<nav[^>]*aria-label=.?Staff.*?</nav>", browser.get(page).text, re.S)
        return re.findall(r'aria-current="\w+">([^<]+)', menu.group())

    assert marked(cora, f"{D1}/plans/") == ["My districts"]
    assert marked(town_desk.client("ana"), f"{D1}/outcome") == ["Workbench"]
    assert marked(town_desk.client("ana"), LATER) == ["Workbench"]


def nobodys(town_desk):
    town_desk.office.add("new", "officer")
    return town_desk.client("new")


def test_the_sheet_tells_zones_with_alerts_of_the_last_day_and_week(cora, town_desk):
    page = words(cora.get(f"{D1}/"))
    own = town_desk.run.zones[town_desk.run.zones["district"] == "D1"]
    assert "Last 24 hours 1 Last 7 days 2" in page
    assert "December 20, 2024, 10:" in page
    for rank in own["rank"]:
        assert re.search(rf" {rank} ([a-z][^;]*; )?(hot spot, )?[\d.]+ % from past incidents", page)
    assert "synthetic data: this city does not exist" in page
    assert "Open actions None recorded." in page


def test_what_no_row_can_tell_is_not_known(cora, town_desk, monkeypatch):
    """Days after the last visit and alert: nothing there is 0."""
    start = dt.datetime(2024, 12, 27, 18)
    plan = town_desk.plan(shift=(start, start + dt.timedelta(hours=5)), seed=21)
    monkeypatch.setattr("app.command.district.local_now", lambda _: dt.datetime(2024, 12, 29, 9))
    page = words(cora.get(f"{D1}/"))
    assert "Last 24 hours not known Last 7 days not known" in page
    assert "The newest alert stored is of December 20, 2024." in page
    assert (
        f"{printed(plan.document)['visits']} visits were planned. What was done is not known"
        in page
    )


def test_the_last_shift_is_held_against_the_visits_that_were_logged(cora, town_desk):
    """Counted from the file by hand: visits of the evening in each of the first two zones."""
    visits, _ = record_of(town_desk.run.zones)
    evening = visits[visits["start"].dt.date == dt.date(2024, 12, 19)]
    done = evening.groupby("lon").size()
    document = printed(town_desk.before.document)
    own = town_desk.run.zones[town_desk.run.zones["district"] == "D1"].sort_values("rank")
    planned = {zone["rank"]: zone["visits"] for zone in document["zones"]}
    spots = list(own.geometry.representative_point()[:2])
    lon, _ = degrees(spots)
    counts = {own["rank"].iloc[i]: int(done.get(lon[i], 0)) for i in (0, 1)}
    met = sum(counts.get(rank, 0) >= number for rank, number in planned.items() if number)
    page = words(cora.get(f"{D1}/"))
    total = sum(number for number in planned.values())
    assert f"Visits {sum(counts.values())} of {total}" in page
    assert f"Zones that met the plan {met} of {len([n for n in planned.values() if n])}" in page


def test_tonight_is_the_plan_that_stands(cora, town_desk):
    assert "No plan for the next 24 hours" in words(cora.get(f"{D1}/"))
    first = town_desk.plan(seed=11)
    second = town_desk.plan(seed=12)
    page = cora.get(f"{D1}/").text
    assert f"{D1}/plans/{second.id}" in page
    assert f"{D1}/plans/{first.id}" not in page
    with town_desk.office.database.session() as session:
        assert patrol_plans.get_plan(session, second.id).created_by == "cora"


def test_the_most_urgent_open_actions_stand_on_the_sheet(cora, town_desk):
    zone = town_desk.run.zones.query("district == 'D1'").sort_values("rank").iloc[0]
    with town_desk.office.database.session(write=True) as session:
        city = cities.get_city(session, "town")
        for days, what in ((-3, "Cut <b>hedges</b>"), (9, "Mend the lamp")):
            facts = ActionFacts(
                zone=zone["id"],
                factor=ANY_FACTOR,
                kind=KINDS[0],
                what=what,
                owner="Parks",
                due=TODAY + dt.timedelta(days=days),
            )
            when = dt.datetime(2024, 12, 1)
            asked = {"who": "cora", "when": when, "today": TODAY}
            add_action(session, city, "D1", town_desk.run.id, facts, **asked)
    page = cora.get(f"{D1}/").text
    first, second = (
        page.index(what) for what in ("Cut &lt;b&gt;hedges&lt;/b&gt;", "Mend the lamp")
    )
    assert first < second, "the one that is due first comes first"
    assert "zone 1: Parks, due 2024-12-17 <strong>(late)</strong>" in page
    assert page.count("(late)") == 1


def test_the_picture_of_the_zones_is_one(cora):
    answer = cora.get(f"{D1}/zones.png")
    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    assert answer.headers["Cache-Control"] == "no-store"


def test_compliance_tells_measures_with_definitions_and_shifts(cora, town_desk):
    page = words(cora.get(f"{D1}/compliance"))
    assert "2024-11-23 to 2024-12-20" not in page  # visits end a day earlier
    assert "2024-11-22 to 2024-12-19, both included" in page
    for told in ("Zone-shifts that met their plan", "Share of visits that lasted from 10 to 16"):
        assert told in page
    assert "Visits of 10 to 16 minutes" in page
    assert "100.0 %" in page
    assert f"/plans/{town_desk.before.id}" in cora.get(f"{D1}/compliance").text


def test_heat_and_table_count_the_same_visits(cora):
    page = cora.get(f"{D1}/compliance?from=2024-11-24&to=2024-12-19").text
    totals = [int(n) for n in re.findall(r"<figcaption>Zone \d+: (\d+) visit", page)]
    titles = sum(int(n) for n in re.findall(r"<title>\w+ \d\d:00: (\d+) visit", page))
    rows = re.findall(
        r"<th scope=\"row\">Zone \d+</th><td>\w+</td>.*?<td class=\"n\">(\d+)</td></tr>", page
    )
    assert sum(totals) == titles == sum(int(n) for n in rows) > 100
    narrow = cora.get(f"{D1}/compliance?from=2024-11-24&to=2024-11-24").text
    seen = set(re.findall(r"<title>(\w+) \d\d:00: [1-9]", narrow))
    assert seen == {"Sunday"}  # as November 24, 2024 was
    assert sum(int(n) for n in re.findall(r"<figcaption>Zone \d+: (\d+) visit", narrow)) < 12
    assert "20:00: " in page
    assert re.search(r"<title>\w+ 03:00: [1-9]", page) is None  # local hours: none was at night


def test_enforcement_stands_apart_and_only_where_it_was_recorded(cora, town_desk):
    page = words(cora.get(f"{D1}/compliance?from=2024-12-01&to=2024-12-20"))
    assert "Arrests after alerts Zone 1 1" in page
    dan = words(town_desk.client("dan").get("/command/town/D2/compliance"))
    assert "Enforcement in the zones" in dan


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2024-12-10&to=2024-12-01", 422),
        ("from=2014-12-10&to=2024-12-01", 422),
        ("from=yesterday", 400),
        ("to=2024-13-40", 400),
    ],
)
def test_days_that_cannot_be_shown_are_told(cora, query, status):
    assert cora.get(f"{D1}/compliance?{query}").status_code == status
