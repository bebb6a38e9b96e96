"""The outcome's pages: asked for, read, foreseen, explored."""

import datetime as dt
import re
from pathlib import Path

import pytest
from desk_fixtures import D1, record_of, words
from sqlalchemy import delete, select

from app.i18n import evaluation_words
from app.i18n.evaluation_words import printed
from app.usecases.evaluation.evaluate import evaluate as run_evaluation
from app.usecases.evaluation.power import PowerAsk, foresee
from app.usecases.evaluation.study import Question
from geodata.db.tables import City, Finding
from geodata.errors import DataError
from geodata.repositories import job_queue, zone_versions
from geodata.repositories.zone_editing import Redraw, change_zones
from spatial.evaluation.design import Comparison
from spatial.evaluation.estimates import detectable_drop

WHOLE = "/analyst/town/outcome"
BEFORE = (dt.date(2024, 1, 1), dt.date(2024, 7, 1))
AFTER = (dt.date(2024, 7, 1), dt.date(2025, 1, 1))
WHEN = dt.datetime(2026, 3, 4, 10, 0)
DAYS = {
    "before_first": "2024-01-01",
    "before_last": "2024-06-30",
    "after_first": "2024-07-01",
    "after_last": "2024-12-31",
}


def evaluate(database, asked):
    """Evaluate; give the document as scripts read it."""
    return printed(run_evaluation(database, asked))


@pytest.fixture(scope="module")
def own(town_desk):
    """An evaluation of one zone of D1: run, key, document."""
    run = town_desk.run
    zone = run.zones["id"][run.zones["district"] == "D1"].iloc[0]
    asked = Question(
        city="town", run=run.id, outcome="robbery", before=BEFORE, after=AFTER, zones=(zone,)
    )
    document = evaluate(town_desk.office.database, asked)
    return run.id, document["key"], document


@pytest.fixture(scope="module")
def both(town_desk):
    """An evaluation of one zone of each district."""
    zones = town_desk.run.zones
    chosen = tuple(zones.groupby("district")["id"].first())
    asked = Question(
        city="town",
        run=town_desk.run.id,
        outcome="robbery",
        before=BEFORE,
        after=AFTER,
        zones=chosen,
    )
    document = evaluate(town_desk.office.database, asked)
    return town_desk.run.id, document["key"], document


def test_the_page_begins_with_words_and_tells_every_figure(cora, own):
    run, key, document = own
    page = words(cora.get(f"{D1}/outcome/{run}/{key}"))
    order = [page.index(text) for text in ("What it allows", "To know before", "Against each")]
    assert order == sorted(order)
    for control in document["controls"]:
        assert f"{control['wdd']:+.1f}" in page
        assert f"{control['low_widened']:+.1f} to {control['high_widened']:+.1f}" in page
    assert "the intervals are too narrow" in page.lower()
    assert f"{document['synthetic_control']['wdd']:+.1f}" in page
    for text in document["verdict"] + document["warnings"]:
        assert text[1:40].replace("&", "&amp;") in page
    assert evaluation_words.range_of(evaluation_words.LOCAL.widened) in page
    assert evaluation_words.COMMAND in page


def test_areas_are_on_the_map_and_charts_are_drawn(cora, own):
    run, key, document = own
    told = cora.get(f"{D1}/outcome/{run}/{key}/areas.json")
    assert "NaN" not in told.text
    names = [layer["name"] for layer in told.json["layers"]]
    controls = [c["name"].replace(" ", "-") for c in document["controls"]]
    legend = names[::-1] if told.json["highest_first"] else names
    assert legend[: len(controls) + 2] == ["treated", *controls, "displacement"]
    for name in ("series", "running"):
        answer = cora.get(f"{D1}/outcome/{run}/{key}/{name}.svg")
        assert answer.mimetype == "image/svg+xml"
        assert b"<svg" in answer.data
    assert cora.get(f"{D1}/outcome/{run}/{key}/other.svg").status_code == 404


def test_an_outcome_is_a_districts_own_only_where_all_its_zones_are(town_desk, cora, own, both):
    rows = cora.get(f"{D1}/outcome").text
    assert own[1] in rows
    assert both[1] not in rows
    assert cora.get(f"{D1}/outcome/{both[0]}/{both[1]}").status_code == 404
    dan = town_desk.client("dan")
    assert dan.get(f"/command/town/D2/outcome/{own[0]}/{own[1]}").status_code == 404
    assert dan.get(f"{D1}/outcome/{own[0]}/{own[1]}").status_code == 403
    assert dan.get(f"{WHOLE}/{own[0]}/{own[1]}").status_code == 403
    vi = town_desk.client("vi")
    whole = vi.get(WHOLE).text
    assert own[1] in whole
    assert both[1] in whole
    assert vi.get(f"{WHOLE}/{both[0]}/{both[1]}").status_code == 200
    assert vi.get(f"{D1}/outcome/{own[0]}/{own[1]}").status_code == 200
    assert cora.get(f"{D1}/outcome/{own[0]}/nothing").status_code == 404
    assert cora.get(f"{D1}/outcome/nothing/{own[1]}").status_code == 404


@pytest.fixture
def redrawn(town_desk):
    """A zone of D1 that a person drew anew and its evaluation, while that edition is in use."""
    run, database = town_desk.run, town_desk.office.database
    zone = run.zones[run.zones["district"] == "D1"].iloc[0]
    change = Redraw(zone=zone["id"], shape=zone.geometry.buffer(run.grid.cell_units))
    with database.session(write=True) as session:
        changed = change_zones(run, change, 1)
        zone_versions.add_edition(session, run, changed, "the lot too", "ana", WHEN, after=0)
        zone_versions.use_edition(session, run, 1, "agreed", "ana", WHEN)
    (code,) = set(changed.zones["id"]) - set(run.zones["id"])
    asked = Question(
        city="town", run=run.id, outcome="robbery", before=BEFORE, after=AFTER, zones=(code,)
    )
    document = evaluate(database, asked)
    yield code, document
    with database.session(write=True) as session:
        zone_versions.use_edition(session, run, 0, "as it was", "ana", WHEN)
        session.execute(delete(Finding).where(Finding.key == document["key"]))


def test_zones_that_a_person_changed_are_asked_about_and_told_as_such(town_desk, cora, redrawn):
    run, (code, document) = town_desk.run, redrawn
    assert f'value="{code}"' in cora.get(f"{D1}/outcome/ask?run={run.id}").text
    assert "6 (asked)" in words(cora.get(f"{D1}/outcome/power?{query(town_desk, zones=code)}"))
    told = "changed by a person, step 1 of March 4, 2026"
    assert f"zones {told}" in words(cora.get(f"{D1}/outcome"))
    page = words(cora.get(f"{D1}/outcome/{run.id}/{document['key']}"))
    assert f"Zones of run {run.id}, {told}" in page


def test_sensitive_outcomes_are_not_told(town_desk, cora, own):
    def mark(outcomes):
        with town_desk.office.database.session(write=True) as session:
            session.scalar(select(City).where(City.slug == "town")).sensitive_outcomes = outcomes

    mark(["robbery"])
    try:
        assert own[1] not in cora.get(f"{D1}/outcome").text
        assert cora.get(f"{D1}/outcome/{own[0]}/{own[1]}").status_code == 404
        assert "No run of this city is in use" in words(cora.get(f"{D1}/"))
        assert "No run of this city is in use" in words(cora.get(f"{D1}/outcome/power"))
    finally:
        mark([])


def test_the_overview_tells_what_the_comparison_shows(cora, own):
    page = words(cora.get(f"{D1}/"))
    treated = own[2]["treated"]
    assert f"{treated['before']:,} before, {treated['after']:,} after" in page
    assert "its intervals are too narrow" in page


def send(browser, town_desk, page=f"{D1}/outcome/ask", **fields):
    told = {"run": town_desk.run.id, "outcome": "robbery", "controls": "2", **DAYS, **fields}
    return browser.post(page, {"csrf_token": browser.token(page), **told})


def test_an_evaluation_is_asked_of_a_worker(town_desk, cora):
    zone = town_desk.run.zones["id"][town_desk.run.zones["district"] == "D1"].iloc[0]
    answer = send(cora, town_desk, zones=zone, buffer_cells="1", others_untreated="y")
    assert (answer.status_code, answer.location) == (303, f"{D1}/outcome")
    with town_desk.office.database.session() as session:
        (job,) = job_queue.list_jobs(session, "town")
    assert (job.kind, job.asked_by) == ("evaluate", "cora")
    assert job.arguments == {
        "city": "town",
        "run": town_desk.run.id,
        "outcome": "robbery",
        "before": ["2024-01-01", "2024-07-01"],
        "after": ["2024-07-01", "2025-01-01"],
        "zones": [zone],
        "controls": 2,
        "other_zones_untreated": True,
        "district": "D1",
        "buffer_cells": 1,
    }
    page = words(cora.get(f"{D1}/outcome"))
    assert f"Number {job.id}, robbery, by cora: waiting" in page
    assert "No worker is running" in page
    assert "Number" not in words(town_desk.client("dan").get("/command/town/D2/outcome"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"before_last": "2023-06-30"}, "the last day is before the first"),
        ({"after_first": "2024-06-30"}, "begins within the one before"),
        ({"controls": "40"}, "give 1 to 10"),
        ({"buffer_cells": "-1"}, "give 0 to 50"),
        ({"outcome": "arson"}, "Not a valid choice"),
        ({"before_first": ""}, "give a day"),
    ],
)
def test_a_question_that_cannot_be_is_told_at_its_field(town_desk, cora, fields, told):
    answer = send(cora, town_desk, **fields)
    assert answer.status_code == 422
    assert told in words(answer)
    assert 'value="2024-12-31"' in answer.text


def test_zones_of_another_district_cannot_be_asked_for(town_desk, cora):
    other = town_desk.run.zones["id"][town_desk.run.zones["district"] == "D2"].iloc[0]
    assert send(cora, town_desk, zones=other).status_code == 422
    ana = town_desk.client("ana")
    assert send(ana, town_desk, f"{WHOLE}/ask", zones=other).status_code == 303


def query(town_desk, **fields):
    told = {
        "run": town_desk.run.id,
        "outcome": "robbery",
        "before_first": "2024-01-01",
        "before_last": "2024-06-30",
        "months": "6",
    }
    return "&".join(f"{name}={value}" for name, value in (told | fields).items())


def test_what_could_be_found_is_simulated_with_the_rule(town_desk, cora):
    asked = PowerAsk(
        city="town", run=town_desk.run.id, outcome="robbery", before=BEFORE, months=6, district="D1"
    )
    found = foresee(town_desk.office.database, asked)
    simulated = Comparison.alike(found.before, 3, dispersion=found.dispersion)
    assert found.at[0].half == simulated.drop(0.5) > detectable_drop(found.before)
    assert found.at[0].likely == simulated.drop(0.8)
    assert found.at[0].chances[1] == simulated.chance(0.2 * found.before)
    assert found.at[0].expected == pytest.approx(found.before)
    twelve = next(at for at in found.at if at.months == 12)
    assert twelve.expected == pytest.approx(2 * found.before)
    assert twelve.half / twelve.expected < found.at[0].half / found.at[0].expected
    page = words(cora.get(f"{D1}/outcome/power?{query(town_desk)}"))
    assert "the intervals against all 3 control areas lie below 0" in page
    assert f"had {found.before} incidents in the period before" in page
    assert "6 (asked)" in page


def test_before_the_pilot_and_after_it_the_same_drop_is_told(town_desk, own):
    """The page takes areas as large as the zones; the evaluation has those that were found."""
    document = own[2]
    asked = PowerAsk(
        city="town",
        run=town_desk.run.id,
        outcome="robbery",
        before=BEFORE,
        months=6,
        zones=tuple(document["treated"]["zones"]),
        district="D1",
    )
    half = foresee(town_desk.office.database, asked).at[0].half
    assert half == pytest.approx(document["detectable_drop"], rel=0.15)


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"months": "0"}, 422, "give 1 to 60"),
        ({"months": "x"}, 422, "give 1 to 60"),
        ({"before_last": "2023-01-01"}, 422, "the last day is before the first"),
        ({"outcome": "arson"}, 422, "Not a valid choice"),
        ({"before_first": "2030-01-01", "before_last": "2030-12-31"}, 422, "no incident"),
        ({"run": "nope"}, 400, "is not known"),
    ],
)
def test_a_pilot_that_cannot_be_foreseen_is_told(town_desk, cora, fields, status, told):
    answer = cora.get(f"{D1}/outcome/power?{query(town_desk, **fields)}")
    assert answer.status_code == status
    assert told in words(answer)


def test_a_pilot_is_not_endless(town_desk):
    with pytest.raises(DataError, match="1 to 60 months"):
        PowerAsk(city="town", run=town_desk.run.id, outcome="robbery", before=BEFORE, months=61)


def test_visits_and_incidents_are_labelled_exploratory(town_desk, cora):
    page = words(cora.get(f"{D1}/outcome/visits"))
    assert "Exploratory." in page
    assert "this is not the effect of a visit" in page
    assert "whole weeks from Monday: November 25, 2024 to December 15, 2024" in page
    logged, _ = record_of(town_desk.run.zones)
    within = logged["start"].between("2024-11-25", "2024-12-16")
    visits = [int(n) for n in re.findall(r"Zone \d+ (\d+) \d+", page)]
    assert sum(visits) == within.sum() > 50
    assert (
        "are too few; log visits in at least 3 zones for 4 weeks" in page or "95 % interval" in page
    )


def test_the_coverage_that_pages_tell_is_that_of_the_table():
    """Shares of the docs' table, the lowest and highest by kind of trend, are the constants."""
    text = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text()
    for name, told in (("smooth", evaluation_words.SMOOTH), ("local", evaluation_words.LOCAL)):
        rows = re.findall(rf"^\| {name} \|.*\|$", text, re.MULTILINE)
        assert len(rows) == evaluation_words.SETTINGS / 2
        cells = [[cell.strip() for cell in row.split("|")] for row in rows]
        widened = [float(cell[8].split(" %")[0]) / 100 for cell in cells]
        synthetic = [float(cell[10].split(", ")[-1].removesuffix(" %")) / 100 for cell in cells]
        plain = [int(cell[7].removesuffix(" %")) / 100 for cell in cells]
        assert (min(widened), max(widened)) == pytest.approx(told.widened)
        assert (min(synthetic), max(synthetic)) == pytest.approx(told.synthetic)
        assert (min(plain), max(plain)) == pytest.approx(told.plain, abs=0.0051)
    assert evaluation_words.COMMAND in text
    assert f"{evaluation_words.MEASURED_ON}" in text


def test_the_drops_of_the_docs_are_those_that_pages_say():
    text = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text()
    rows = re.findall(r"^\| (\d+) ((?:\| \d+ \(\d+ %\) ){4})\|$", text, re.MULTILINE)
    assert [int(before) for before, _ in rows] == [40, 150, 400]
    for number, cells in rows:
        before = int(number)
        drops = [
            Comparison.alike(before, 1).drop(0.5),
            Comparison.alike(before, 3).drop(0.5),
            Comparison.alike(before, 3, dispersion=1.5).drop(0.5),
            detectable_drop(before),
        ]
        told = [[int(part) for part in re.findall(r"\d+", cell)] for cell in cells.split("|")[1:]]
        assert told == [[round(drop), round(100 * drop / before)] for drop in drops]


def test_how_often_such_drops_are_found_is_that_of_the_table(cora, own):
    text = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text()
    table = text[text.index(evaluation_words.POWER_COMMAND) :]
    for name, told in (
        ("smooth", evaluation_words.FOUND_SMOOTH),
        ("local", evaluation_words.FOUND_LOCAL),
    ):
        rows = re.findall(
            rf"^\| \d+ \| {name} \|.*?\| (\d+) % \(\d+ to \d+\) \|", table, re.MULTILINE
        )
        shares = [int(share) / 100 for share in rows]
        assert len(shares) == 6
        assert (min(shares), max(shares)) == told
    assert f"{evaluation_words.POWER_MEASURED_ON}" in text
    page = words(cora.get(f"{D1}/outcome/{own[0]}/{own[1]}"))
    assert evaluation_words.found_words() in page
