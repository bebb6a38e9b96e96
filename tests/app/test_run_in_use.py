"""A run that somebody tries changes nothing for anybody; a run that is put to use changes it all.

Every reader of "the zones of now" is asked, and what it says is compared byte for byte.
"""

import dataclasses
import datetime as dt
import json
import re

import pytest
from click.testing import CliRunner
from desk_fixtures import D1, words
from using import put_to_use

from app import create_app
from app.cli import main
from app.command.district import present, present_of
from app.jobs.kinds import Tools, read_task
from app.usecases.measures import measure_city
from app.usecases.risk.fit import FitRequest, fit
from geodata.releases.build import approve_release
from geodata.releases.preview import preview_draft
from geodata.repositories import cities, patrol_plans, releases, runs, runs_in_use
from geodata.repositories.actions import ANY_FACTOR, ActionFacts, add_action
from spatial.spec import ZoneSpec

TRIAL = FitRequest(
    city="town", outcome="robbery", end=dt.date(2024, 8, 1), zones=ZoneSpec(area_share=0.06)
)
DESK = (
    f"{D1}/",
    f"{D1}/zones.png",
    f"{D1}/plans/",
    f"{D1}/plans/new",
    f"{D1}/board",
    f"{D1}/board/state.json",
    f"{D1}/board/map.json",
    f"{D1}/log",
    f"{D1}/visits",
    f"{D1}/actions",
    f"{D1}/actions/new",
    f"{D1}/compliance",
    f"{D1}/outcome",
    f"{D1}/outcome/ask",
    f"{D1}/outcome/power",
    f"{D1}/outcome/visits",
)
PUBLIC = (
    "/",
    "/map",
    "/zones/",
    "/methods/",
    "/measures/",
    "/measures/zones.hit_rate",
    "/measures/dosage.gap_minutes.p50",
)
RELEASED = (  # by programs, of the release that is public
    "/api/v1/city",
    "/api/v1/zones",
    "/api/v1/zones.csv",
    "/api/v1/measures",
    "/api/v1/collections/zones/items",
)
DRAWN_BY_CHANCE = (  # what a page has that is new at each asking
    re.compile(rb'name="csrf_token" value="[^"]*"'),
    re.compile(rb'id="uuid" name="uuid"[^>]*>'),
    re.compile(rb'name="uuid"[^>]*value="[^"]*"'),
    re.compile(rb'"timeStamp": ?"[^"]*"'),
    re.compile(rb'<aside class="staleness".*?</aside>', re.S),  # how long ago it was made
)


def plain(content):
    for part in DRAWN_BY_CHANCE:
        content = part.sub(b"", content)
    return content


@pytest.fixture(autouse=True)
def as_before(town_desk):
    """Leave the run of the desk in use, whatever a test put to use."""
    yield
    database = town_desk.office.database
    with database.session() as session:
        used = runs_in_use.id_in_use(session, cities.get_city(session, "town"))
    if used != town_desk.run.id:
        put_to_use(database, town_desk.run)


@pytest.fixture(scope="module")
def told(town_desk):
    """Ask every reader, by what it is."""
    office = town_desk.office
    cora, viewer = town_desk.client("cora"), town_desk.client("vi")
    town_desk.plan()
    with office.database.session(write=True) as session:
        city = cities.get_city(session, "town")
        zone = town_desk.run.zones.query("district == 'D1'")["id"].iloc[0]
        facts = ActionFacts(
            zone=zone,
            factor=ANY_FACTOR,
            kind="lighting",
            what="Mend the lamp",
            owner="Streets",
            due=None,
        )
        signed = {"who": "cora", "when": office.now, "today": office.now.date()}
        add_action(session, city, "D1", town_desk.run.id, facts, **signed)
    public = draft(office)[0]
    approve_release(office.database, office.settings.releases, public, "ben")
    anybody = office.app.test_client()

    def ask():
        found = {page: plain(cora.get(page).data) for page in DESK}
        for page in ("/analyst/town/outcome/power", "/analyst/town/outcome/visits"):
            found[page] = plain(viewer.get(page).data)
        found["draft"] = draft(office)
        found |= preview(office, found["draft"][0])
        for page in RELEASED:
            answer = anybody.get(page)
            assert answer.status_code == 200, page
            found[page] = plain(answer.data)
        for district in (None, "D1"):
            measured = measure_city(office.database, "town", district=district)
            values = [{**value.as_json(), "computed_at": None} for value in measured.values]
            found[f"measures of {district}"] = json.dumps(values)
        return found

    return ask


def preview(office, drafted):
    """Read the public pages over a draft, as staff who preview it do."""
    settings = dataclasses.replace(office.settings, preview=True, secret_key=None)
    preview_draft(settings.releases, settings.previews, "town", drafted)
    client = create_app(settings).test_client()
    answers = {page: client.get(page) for page in PUBLIC}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {page: plain(answer.data) for page, answer in answers.items()}


def draft(office, **more):
    task = read_task("draft", {"city": "town", **more})
    tools = Tools(database=office.database, settings=office.settings, who="ana")
    made = task.work(tools, lambda *_: None).release
    with office.database.session() as session:
        return made, releases.get_release(session, made).manifest.run.id


def test_a_trial_changes_nothing_for_anybody_until_it_is_put_to_use(town_desk, told):
    office = town_desk.office
    before = told()
    assert before["draft"][1] == town_desk.run.id
    (trial,) = fit(office.database, TRIAL, who="ana")
    assert set(trial.zones["id"]).isdisjoint(town_desk.run.zones["id"])
    assert len(trial.zones) > len(town_desk.run.zones)
    after = told()
    assert [name for name in before if before[name] != after[name]] == []
    same_places = draft(office, run=trial.id)  # somebody may draft it, by its name
    assert same_places[1] == trial.id
    assert told() == before
    put_to_use(office.database, trial)
    now = told()
    assert now["draft"][1] == trial.id
    must_change = {
        f"{D1}/",
        f"{D1}/zones.png",
        f"{D1}/plans/new",
        f"{D1}/compliance",
        f"{D1}/actions/new",
        f"{D1}/outcome/ask",
        "/map",
        "/zones/",
        "/measures/zones.hit_rate",
        "measures of None",
    }
    assert must_change <= {name for name in before if before[name] != now[name]}
    put_to_use(office.database, town_desk.run)
    again = told()
    assert {name: again[name] for name in must_change - {f"{D1}/outcome/ask"}} == {
        name: before[name] for name in must_change - {f"{D1}/outcome/ask"}
    }


@pytest.mark.usefixtures("told")
def test_what_was_made_for_a_zone_stays_in_it_and_says_of_which_run_it_is(town_desk):
    office = town_desk.office
    cora = town_desk.client("cora")
    (trial,) = fit(office.database, TRIAL)
    with office.database.session() as session:
        city = cities.get_city(session, "town")
        standing = patrol_plans.standing_plans(session, "town", district="D1")
        spots = [[zone.zone for zone in plan.document.zones] for plan in standing]
        shapes = patrol_plans.zone_shapes(session, town_desk.run.id)
        assert runs_in_use.id_in_use(session, city) == town_desk.run.id
    put_to_use(office.database, trial, when=dt.datetime(2026, 5, 1))
    old = f"of run {town_desk.run.id} (in use until 2026-05-01)"
    page = words(cora.get(f"{D1}/actions"))
    assert f"Zone 1 {old}" in page
    assert f"zone 1 {old}" in words(cora.get(f"{D1}/"))
    board = words(cora.get(f"{D1}/board"))
    assert f"These are zones of run {town_desk.run.id} (in use until 2026-05-01)" in board
    plan = words(cora.get(f"{D1}/plans/{standing[-1].id}"))
    assert f"zones {old}" in plan
    with office.database.session() as session:
        after = patrol_plans.standing_plans(session, "town", district="D1")
        assert [[z.zone for z in plan.document.zones] for plan in after] == spots
        assert patrol_plans.zone_shapes(session, town_desk.run.id).keys() == shapes.keys()


def test_without_a_run_in_use_pages_and_commands_say_what_to_do(town_desk, monkeypatch):
    office = town_desk.office
    for place in ("geodata.repositories.runs_in_use.uses_now", "app.cli.run_commands.uses_now"):
        monkeypatch.setattr(place, lambda *_: {})
    cora, ana = town_desk.client("cora"), town_desk.client("ana")
    for page in (f"{D1}/", f"{D1}/plans/new", f"{D1}/outcome/visits", f"{D1}/log"):
        shown = words(cora.get(page))
        assert "No run of this city is in use" in shown, page
        assert "puts one to use" in shown, page
    assert "No run is in use" in words(ana.get("/analyst/town/runs"))
    assert "No run is in use" in words(ana.get("/analyst/town/releases"))
    url = str(office.settings.database_url)
    listed = CliRunner().invoke(main, ["runs", "town", "--database", url])
    assert "saferground use RUN" in listed.stderr
    found = CliRunner().invoke(main, ["measures", "town", "--database", url, "--json"])
    assert found.exit_code == 0
    by_id = {one["id"]: one for one in json.loads(found.stdout)["measures"]}
    assert by_id["zones.hit_rate"]["value"] is None
    assert by_id["dosage.visits"]["value"] > 0  # all that needs no zones is told
    assert "saferground use RUN" in found.stderr


def test_who_may_decide_sees_the_difference_and_says_why(town_desk):
    office = town_desk.office
    office.add("pia", "publisher")
    (trial,) = fit(office.database, TRIAL)
    page = f"/analyst/town/runs/{trial.id}/use"
    for name in ("cora", "otto", "vi"):
        assert town_desk.client(name).get(page).status_code == 403
        sent = town_desk.client(name).send(page, page="/account/password", reason="x")
        assert sent.status_code == 403
    assert "Put to use" not in words(town_desk.client("vi").get(page.removesuffix("/use")))
    pia = town_desk.client("pia")
    shown = words(pia.get(page))
    with office.database.session() as session:
        used = runs_in_use.run_in_use(session, cities.get_city(session, "town"))
        mine = runs.get_run(session, trial.id)
    kept = [code for code in mine.zones["code"] if code in set(used.zones["code"])]
    assert f"Stay, with their outline of this run: {len(kept)} {', '.join(kept)}" in shown
    assert f"New: {len(mine.zones) - len(kept)}" in shown
    refused = pia.send(page, reason=" ")
    assert refused.status_code == 422
    assert "say why" in words(refused)
    done = pia.send(page, reason="Agreed with the captains")
    assert (done.status_code, done.location) == (303, page.removesuffix("/use"))
    assert "in use since" in words(pia.get(done.location))
    assert "Agreed with the captains" in words(pia.get(page))
    entry = office.entries("run.use")[0]
    assert (entry.person, entry.object) == ("pia", trial.id)
    assert "This run is in use already" in words(pia.get(page))
    assert pia.send(page, reason="again").status_code == 422


def test_a_run_is_named_on_its_page_and_lists_say_the_name(town_desk):
    ana, page = town_desk.client("ana"), f"/analyst/town/runs/{town_desk.run.id}"
    done = ana.send(f"{page}/name", page=page, name="Winter", note="before the new stops")
    assert done.status_code == 303
    assert "Winter : before the new stops" in words(ana.get(page))
    assert "Winter" in words(ana.get("/analyst/town/runs"))
    assert "Winter" in words(ana.get("/analyst/town/"))
    ana.send(f"{page}/name", page=page, name="x" * 90, note="")
    assert "Not taken: the name is too long" in words(ana.get(page))
    assert "Winter : before" in words(ana.get(page))
    vi = town_desk.client("vi")
    assert vi.send(f"{page}/name", page="/account/password", name="y").status_code == 403
    ana.send(f"{page}/name", page=page, name="", note="")


def test_present_zones_are_those_of_the_plan_and_without_one_of_the_run_in_use(town_desk):
    office = town_desk.office
    (trial,) = fit(office.database, TRIAL)

    class Place:
        code = "D1"

        def __init__(self, city):
            self.city = city

    with office.database.session() as session:
        place = Place(cities.get_city(session, "town"))
        assert present(session, place, None).run == town_desk.run.id
        there = present(session, place, town_desk.before)
        assert (there.run, there.note, there.names) == (town_desk.run.id, "", {})
        other = present_of(session, place, trial.id)
    assert other.run == trial.id
    assert trial.id in other.note
