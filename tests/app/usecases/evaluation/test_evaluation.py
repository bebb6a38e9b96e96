import copy
import dataclasses
import datetime as dt
import inspect
import itertools
import json
import re

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from golden import GOLDEN
from scipy.stats import norm

from app.charts.charts import draw, running_difference, treated_and_controls
from app.cli import main
from app.i18n.evaluation_words import SENTENCES, changed_by, printed, sentence_of, title_of
from app.usecases.evaluation import conclusions
from app.usecases.evaluation.conclusions import conclude
from app.usecases.evaluation.evaluate import EVALUATION, document_of, evaluations, read_evaluation
from app.usecases.evaluation.evaluate import evaluate as run_evaluation
from app.usecases.evaluation.study import Question
from app.usecases.risk.fit import FitRequest, fit
from geodata.documents import to_json
from geodata.errors import DataError, NotStoredError
from geodata.repositories import cities, incidents, run_analyses, zone_versions
from geodata.repositories.zone_editing import Drop, change_zones
from geodata.stored_documents import Note
from spatial.errors import OutcomeError
from spatial.evaluation.design import Comparison

BEFORE = (dt.date(2024, 1, 1), dt.date(2024, 7, 1))
AFTER = (dt.date(2024, 7, 1), dt.date(2025, 1, 1))
WHEN = dt.datetime(2026, 3, 4, 10, 0)


def ask(of, **changes):
    asked = {"city": "town", "run": of.id, "outcome": "robbery", "before": BEFORE, "after": AFTER}
    return Question(**(asked | changes))


def evaluate(database, asked):
    """Evaluate; give the document as scripts read it."""
    return printed(run_evaluation(database, asked))


def verdict(made):
    """Say what figures allow one to say; what was stored with them in words is not read."""
    return [sentence_of(note) for note in read_evaluation(made).verdict]


def warnings_of(made, **known):
    return [sentence_of(note) for note in conclude(read_evaluation(made), **known).warnings]


def called(made):
    """Return what the rule calls of the treated area, and of it with its surroundings."""
    document = read_evaluation(made)
    moved = document.displacement
    return document.called, None if moved is None else moved.called


@pytest.fixture(scope="module")
def some(small):
    """An evaluation of two zones, so that enough of the town is left to compare with."""
    database, run = small
    return evaluate(database, ask(run, zones=tuple(run.zones["id"][:2])))


def test_the_document_has_the_shape_that_scripts_read(some, small):
    assert some["outcome"] == "robbery"
    assert {"before", "after"} <= set(some["treated"])
    assert len(some["controls"]) == 3
    for found in some["controls"]:
        assert set(found) >= {
            "name",
            "before",
            "after",
            "wdd",
            "se",
            "z",
            "low",
            "high",
            "rate_ratio",
            "rate_ratio_low",
            "rate_ratio_high",
        }
    assert some["detectable_drop"] > 0
    assert some["warnings"][0] == sentence_of(Note("narrow"))
    assert some["time_weights"] == [1.0, 1.0]
    json.dumps(some, allow_nan=False)


def test_figures_are_those_of_the_incidents_inside(some, small):
    database, run = small
    with database.session() as session:
        city = cities.get_city(session, "town")
        points = incidents.incident_points(session, city.id, "robbery", BEFORE[0], AFTER[1])
        finding = evaluations(session, run.id)[0]
    outline = shapely.union_all(run.zones.geometry[:2].to_numpy())
    inside = shapely.contains_xy(outline, points.geometry.x, points.geometry.y)
    early = np.array([day < BEFORE[1] for day in points["occurred_on"]])
    treated = some["treated"]
    assert (treated["before"], treated["after"]) == (
        (inside & early).sum(),
        (inside & ~early).sum(),
    )
    cell = run.grid.locate(points.geometry.x, points.geometry.y)
    for found in some["controls"]:
        area = finding.cells[finding.cells["area"] == found["name"]]
        assert len(area) == found["cells"]
        own = run.grid.index_raster[area["row"], area["col"]]
        held = np.isin(cell, own)
        assert (found["before"], found["after"]) == ((held & early).sum(), (held & ~early).sum())
        gap = (treated["after"] - treated["before"]) - (found["after"] - found["before"])
        total = treated["after"] + treated["before"] + found["after"] + found["before"]
        assert (found["wdd"], found["se"]) == pytest.approx((gap, np.sqrt(total)))
        reach = norm.isf(0.025) * found["se"]
        assert (found["low"], found["high"]) == pytest.approx((gap - reach, gap + reach))
        assert found["low_widened"] <= found["low"]
        assert found["running"][-1]["wdd"] == pytest.approx(gap)
        assert found["rate_ratio"] == pytest.approx(
            treated["after"] / treated["before"] / (found["after"] / found["before"])
        )
    power = some["power"]
    assert some["detectable_drop"] == power["half"] < power["likely"]
    assert power["expected"] == treated["before"]
    assert power["dispersion"] >= 1
    one_test = norm.isf(0.05) * np.sqrt(4 * treated["before"])
    assert some["detectable_drop"] > one_test  # against one area, at 5 % on one side


@pytest.mark.parametrize("before", [40, 150, 400])
def test_the_words_call_a_drop_of_the_size_said_half_of_the_time(some, before):
    """The verdict itself on drawn counts; without a drop it calls one in hardly any draw."""
    drop, draws, spread = Comparison.alike(before, 3, dispersion=1.3).drop(0.5), 500, 1.3
    rng = np.random.default_rng(before)
    called = {0.0: 0, drop: 0}
    for gone in called:
        for _ in range(draws):
            means = np.array([before] * 7 + [before - gone])
            counts = rng.poisson(rng.gamma(means / (spread - 1), spread - 1))
            c0, c1, (t0, t1) = counts[:3], counts[3:6], counts[6:]
            wdd = (t1 - t0) - (c1 - c0)
            se = np.sqrt(spread * (t0 + t1 + c0 + c1))
            told = say(some, *wdd, widened=norm.isf(0.025) * se)
            called[gone] += "had fewer incidents than expected" in told
    assert called[0.0] / draws <= 0.025
    assert 0.4 < called[drop] / draws < 0.6


def test_what_is_called_is_told_in_words_and_as_a_key(some):
    for value, word in ((-10.0, "fewer"), (10.0, "more"), (0.0, None)):
        made = made_up(some, value, value + 1)
        assert called(made) == (word, None)
        assert (f"had {word} incidents" in " | ".join(verdict(made))) == (word is not None)
        made["controls"][0]["passes"] = False
        assert called(made) == (None, None)
    assert some["called"] is None
    assert some["displacement"]["called"] is None


def test_zones_and_surroundings_together_are_called_by_the_same_rule(some):
    for low, high, word, told in (
        (-9.0, -1.0, "fewer", "counted together had fewer incidents"),
        (1.0, 9.0, "more", "counted together had more incidents"),
        (-9.0, 9.0, None, "neither fewer nor more incidents are shown"),
    ):
        made = copy.deepcopy(some)
        for found in [*made["controls"], *made["displacement"]["controls"]]:
            found["passes"] = True
        for found in made["displacement"]["controls"]:
            found["total"] |= {"low_widened": low, "high_widened": high}
        assert called(made)[1] == word
        assert told in " | ".join(verdict(made))


def test_series_add_up_to_the_periods(some):
    for name, of in [("treated", some["treated"]), ("displacement", some["displacement"])]:
        for period in ("before", "after"):
            steps = [step[name] for step in some["series"] if step["period"] == period]
            assert sum(steps) == of[period]
    for position, found in enumerate(some["controls"]):
        steps = [step["controls"][position] for step in some["series"]]
        assert sum(steps) == found["before"] + found["after"]


def test_areas_do_not_touch_zones_or_their_surroundings(some, small):
    database, run = small
    with database.session() as session:
        cells = evaluations(session, run.id)[0].cells
    where = {
        name: set(zip(part["col"], part["row"], strict=True))
        for name, part in cells.groupby("area")
    }
    for name, part in where.items():
        if name == "treated":
            assert len(part) == some["treated"]["cells"]
            continue
        assert not part & where["treated"], name
        if name != "displacement":
            assert not part & where["displacement"], name
            outline = shapely.union_all(run.zones.geometry.to_numpy())
            raster = run.grid.index_raster
            own = [raster[row, col] for col, row in part]
            assert not shapely.contains_xy(outline, run.grid.x[own], run.grid.y[own]).any()
    for found in some["displacement"]["controls"]:
        assert not where[found["name"]] & where[found["beside"]]


def test_totals_add_displacement_to_the_local_difference(some):
    moved = some["displacement"]
    assert moved["buffer_cells"] == 2  # a block of 200 m, cells of 100 m
    controls = {found["name"]: found for found in some["controls"]}
    assert moved["controls"]
    for found in moved["controls"]:
        local = controls[found["beside"]]
        assert found["total"]["wdd"] == pytest.approx(local["wdd"] + found["wdd"])
        assert found["total"]["se"] == pytest.approx(np.hypot(local["se"], found["se"]))
    assert moved["detectable_drop"] > some["detectable_drop"]


def test_areas_beside_the_surroundings_are_distinct_and_fewer_are_told(some, small):
    database, run = small
    with database.session() as session:
        cells = evaluations(session, run.id)[0].cells
    where = {
        name: set(zip(part["col"], part["row"], strict=True))
        for name, part in cells.groupby("area")
    }
    for kind in ("control", "displacement control"):
        names = [name for name in where if name.rpartition(" ")[0] == kind]
        for one, other in itertools.combinations(names, 2):
            least = min(len(where[one]), len(where[other]))
            assert len(where[one] & where[other]) <= least / 2, (one, other)
    made = copy.deepcopy(some)
    told = {"wanted": 3, "covered": (BEFORE[0], AFTER[1])}
    made["displacement"]["controls"] = [
        found | {"shared": 0.3} for found in made["displacement"]["controls"][:1]
    ]
    text = " | ".join(warnings_of(made, **told))
    assert f"compared with 1 of {len(made['controls'])} areas only" in text
    assert "share up to 30 % of their cells" in text
    made["displacement"]["controls"] = []
    assert "compared with 0 of 3 areas only" in " | ".join(warnings_of(made, **told))


def test_the_finding_is_kept_by_what_was_asked(small):
    database, run = small
    asked = ask(run, zones=(run.zones["id"][0],), buffer_cells=0, controls=1)
    first = evaluate(database, asked)
    assert evaluate(database, asked) == first
    assert first["displacement"] is None
    assert len(first["controls"]) == 1
    with database.session() as session:
        kept = run_analyses.list_findings(session, run.id, EVALUATION)
        assert [found.key for found in kept].count(first["key"]) == 1
        found = next(found for found in kept if found.key == first["key"])
        assert printed(document_of(found)) == first
    assert first["key"] == asked.key_on(None)
    other = dataclasses.replace(asked, alpha=0.1)
    assert other.key_on(None) != asked.key_on(None)


def test_each_edition_of_the_zones_has_its_own_finding(small):
    """The same is asked before and after a person dropped a zone: neither answer is lost."""
    database, run = small
    asked = ask(run, buffer_cells=0, controls=1)
    own = evaluate(database, asked)
    with database.session(write=True) as session:
        changed = change_zones(run, Drop(zone=run.zones["id"].iloc[0]), 1)
        zone_versions.add_edition(session, run, changed, "closed", "ana", WHEN, after=0)
        zone_versions.use_edition(session, run, 1, "agreed", "ana", WHEN)
    on_the_edition = evaluate(database, asked)
    with database.session(write=True) as session:
        zone_versions.use_edition(session, run, 0, "as it was", "ana", WHEN)
    again = evaluate(database, asked)
    assert own["key"] != on_the_edition["key"]
    assert again == own
    assert len(on_the_edition["treated"]["zones"]) == len(own["treated"]["zones"]) - 1
    assert own["edited"] is None
    assert on_the_edition["edited"] == {"edition": 1, "steps": 1, "on": "2026-03-04"}
    with database.session() as session:
        told = {
            found.key: changed_by(document_of(found))
            for found in evaluations(session, run.id)
            if found.key in (own["key"], on_the_edition["key"])
        }
    assert told == {
        own["key"]: "",
        on_the_edition["key"]: "changed by a person, step 1 of March 4, 2026",
    }


def test_periods_of_different_length_are_weighed(small):
    database, run = small
    asked = ask(
        run,
        zones=(run.zones["id"][0],),
        before=(dt.date(2024, 1, 1), dt.date(2024, 9, 1)),
        after=(dt.date(2024, 9, 1), dt.date(2025, 1, 1)),
        buffer_cells=0,
        controls=1,
    )
    document = evaluate(database, asked)
    assert document["time_weights"] == [2.0, 1.0]
    treated, (found,) = document["treated"], document["controls"]
    assert found["wdd"] == pytest.approx(
        (treated["after"] - treated["before"] / 2) - (found["after"] - found["before"] / 2)
    )
    assert found["se"] ** 2 == pytest.approx(
        treated["after"] + treated["before"] / 4 + found["after"] + found["before"] / 4
    )
    assert found["running"][-1]["wdd"] == pytest.approx(found["wdd"])
    assert any("as long as the one after" in text for text in document["verdict"])


def test_a_district_run_is_compared_within_the_whole_city(small):
    database, _ = small
    (run,) = fit(database, FitRequest(city="town", outcome="robbery", districts=("D1",)))
    document = evaluate(database, ask(run, zones=(run.zones["id"][0],)))
    rest = document["rest_of_city"]
    assert rest["before"] + rest["after"] > run.result.incidents
    assert document["controls"][0]["districts"] == ["D1"]  # the nearest


def test_zones_of_a_district(small):
    database, run = small
    document = evaluate(database, ask(run, district="D2", controls=1, buffer_cells=0))
    assert document["treated"]["zones"] == list(run.zones["id"][run.zones["district"] == "D2"])


def test_other_zones_can_be_compared_with_if_they_had_no_intervention(small):
    database, run = small
    of = {"zones": (run.zones["id"][0],), "buffer_cells": 0, "controls": 1}
    without = evaluate(database, ask(run, **of))
    with_them = evaluate(database, ask(run, **of, zones_compare=True))
    others = int(run.zones["n_cells"][1:].sum())
    rest = [found["rest_of_city"]["before"] for found in (without, with_them)]
    assert others > 0
    assert rest[1] > rest[0]


@pytest.mark.parametrize(
    ("changes", "error", "word"),
    [
        ({"run": "none"}, NotStoredError, "saferground runs"),
        ({"city": "nowhere"}, NotStoredError, "nowhere"),
        ({"outcome": "arson"}, DataError, "its outcomes are robbery"),
        ({"zones": ("zone-x",)}, DataError, "its zones are"),
        ({"district": "D9"}, DataError, "its districts are D1, D2"),
        ({"before": (BEFORE[0], BEFORE[0])}, OutcomeError, "is empty"),
        ({"before": (BEFORE[0], AFTER[1])}, OutcomeError, "on both sides"),
        (
            {
                "before": (dt.date(2030, 1, 1), dt.date(2030, 7, 1)),
                "after": (dt.date(2030, 7, 1), dt.date(2031, 1, 1)),
            },
            DataError,
            "no incident of robbery",
        ),
        (
            {"before": (dt.date(2020, 1, 1), dt.date(2021, 1, 1))},
            OutcomeError,
            "no incident in the period before",
        ),
        ({"buffer_cells": 50}, OutcomeError, "nothing to compare with"),
    ],
)
def test_what_cannot_be_evaluated_says_why(small, changes, error, word):
    database, run = small
    with pytest.raises(error, match=word):
        evaluate(database, ask(run, **changes))


@pytest.mark.parametrize("changes", [{"controls": 0}, {"buffer_cells": -1}, {"alpha": 1.0}])
def test_impossible_questions_are_refused(small, changes):
    with pytest.raises(DataError):
        ask(small[1], **changes)


# What is said of made-up figures: `say` changes a few of the document's own.


def made_up(document, *differences, passes=True, widened=5.0, ratios=None):
    widths = np.broadcast_to(widened, len(differences)).tolist()
    made = copy.deepcopy(document)
    made["displacement"] = None
    made["trained"] = {"from": "2023-01-01", "to": "2024-01-01"}
    made["controls"] = [
        made["controls"][0]
        | {
            "name": f"control {i + 1}",
            "wdd": value,
            "low": value - 4,
            "high": value + 4,
            "low_widened": value - widths[i],
            "high_widened": value + widths[i],
            "rate_ratio": 0.8,
            "rate_ratio_low": 0.7 if ratios is None else ratios[0],
            "rate_ratio_high": 0.9 if ratios is None else ratios[1],
            "passes": passes,
        }
        for i, value in enumerate(differences)
    ]
    return made


def say(document, *differences, **changes):
    return " | ".join(verdict(made_up(document, *differences, **changes)))


def test_a_drop_against_every_control_is_told_as_one(some):
    told = say(some, -10.0, -14.0, -8.0)
    assert "against each of the 3 control areas the treated area had fewer incidents" in told
    assert "by 8 to 14" in told
    assert "does not tell what made the difference" in told


def test_an_increase_is_told_too(some):
    assert "had more incidents than expected, by 12" in say(some, 12.0, 12.0, ratios=(1.1, 2.0))


def test_nothing_is_claimed_within_chance(some):
    told = say(some, -2.0, -3.0)
    assert "none of the control areas" in told
    assert "neither an effect nor its absence" in told
    assert "do not agree on the direction" in say(some, -2.0, 3.0)


def test_the_widened_interval_decides(some):
    assert "neither an effect nor its absence" in say(some, -4.5, -4.5)


def test_controls_that_disagree_are_told(some):
    told = say(some, -10.0, -2.0)
    assert "disagree: only against control 1" in told
    assert "do not claim an effect" in told
    assert "disagree even on the direction" in say(some, -10.0, 9.0)
    assert "against control 1, control 2 and control 4 is" in say(some, -9.0, -9.0, -2.0, -9.0)


def test_one_control_cannot_be_checked_by_another(some):
    assert "nothing can be cross-checked" in say(some, -10.0)


def test_controls_that_are_not_alike_allow_no_claim(some):
    told = say(some, -30.0, -30.0, passes=False)
    assert "these differences say little" in told
    assert "fewer incidents than expected" not in told


def test_scales_that_disagree_are_told(some):
    assert "on one scale" in say(some, -10.0, ratios=(0.7, 1.1))
    assert "on one scale" not in say(some, -10.0, ratios=(0.7, 0.9))


def test_zones_chosen_on_the_period_before_are_not_evidence_of_a_drop(some):
    told = " | ".join(some["verdict"])  # the run was fitted on the whole year
    assert "that test does not hold here" in told
    warned = " | ".join(some["warnings"])
    assert "so a drop is exaggerated" in warned
    assert "so an increase is exaggerated" in warned


def test_displacement_is_told(some):
    for low, high, words in (
        (1.0, 9.0, "displaced there"),
        (-9.0, -1.0, "fewer incidents than expected too"),
        (-9.0, 9.0, "neither shown nor ruled out"),
    ):
        made = copy.deepcopy(some)
        for found in made["displacement"]["controls"]:
            found |= {"low_widened": low, "high_widened": high}
        assert words in " | ".join(verdict(made))
    made["displacement"]["controls"] = []
    assert "no area like the surroundings" in " | ".join(verdict(made))
    made["displacement"]["before"] = 0
    assert "no incident before, so displacement cannot be told" in " | ".join(verdict(made))


def test_warnings_name_what_is_wrong_with_the_data(some):
    made = copy.deepcopy(some)
    made["detectable_drop"] = 1e6
    made["dispersion"] = 2.5
    made["steps_before"] = 3
    made["controls"] = [made["controls"][0] | {"passes": False, "rate_ratio": None, "shared": 0.4}]
    told = " | ".join(
        warnings_of(made, wanted=3, covered=(dt.date(2024, 3, 1), dt.date(2024, 11, 1)))
    )
    for words in (
        "68 to 76 %",
        "too few incidents",
        "2.5 times",
        "only 3 whole months",
        "no area passed",
        "only 1 of 3 control areas",
        "share up to 40 %",
        "no ratio",
        "no incident is stored before 2024-03-01",
        "no incident is stored after 2024-11-01",
        "different times of the year",
    ):
        assert words in told, words


def test_a_good_comparison_has_no_other_warnings_than_the_standing_ones(some):
    made = copy.deepcopy(some)
    made |= {
        "dispersion": 1.0,
        "before": {"from": "2023-01-01", "to": "2024-01-01"},
        "after": {"from": "2024-01-01", "to": "2025-01-01"},
        "trained": {"from": "2022-01-01", "to": "2023-01-01"},
        "steps_before": 12,
    }
    made["displacement"] = None
    for found in made["controls"]:
        found |= {"shared": 0.0, "passes": True, "rate_ratio": 1.0}
    told = warnings_of(made, wanted=3, covered=(dt.date(2023, 1, 2), dt.date(2024, 12, 31)))
    assert told[0] == sentence_of(Note("narrow"))
    assert len(told) == 2
    assert "half of the time" in told[1]


def test_every_code_has_a_sentence_and_only_those():
    """Codes are where conclusions are drawn; the words know each, with its parameters."""
    source = inspect.getsource(conclusions)
    codes = set(re.findall(r'Note\(\s*"(\w+)"', source)) | set(conclusions.AROUND.values())
    codes |= {"around_disagree", "chosen_before", "chosen_after"}  # chosen by a condition
    assert codes == set(SENTENCES)


@pytest.mark.parametrize("city", ["demo", "durham", "hartford"])
def test_an_evaluation_of_version_1_is_read_and_says_what_it_said(city):
    """What commands print is what version 1 stored: its sentences come back from the figures."""
    stored = json.loads((GOLDEN / city / "evaluate.json").read_text())
    document = read_evaluation(stored)
    assert printed(document) == stored
    assert read_evaluation(to_json(document)) == document


def test_what_version_1_told_in_words_alone_is_kept(some):
    few = {**some, "controls": some["controls"][:1], "series": []}
    first = dt.date(2024, 3, 1)
    told = warnings_of(few, wanted=4, covered=(first, AFTER[1]))
    again = printed(read_evaluation({**few, "warnings": told}))["warnings"]
    assert any("only 1 of 4 control areas" in text for text in again)
    assert any("no incident is stored before 2024-03-01" in text for text in again)
    assert again == told


def test_an_evaluation_of_before_drops_were_simulated_is_told_as_such(some):
    old = {name: value for name, value in some.items() if name not in ("power", "edited", "called")}
    old["displacement"] = {k: v for k, v in some["displacement"].items() if k != "called"}
    document = read_evaluation(old)
    assert [sentence_of(note) for note in document.warnings][:-1] == some["warnings"]
    assert document.warnings[-1] == Note("old_power")
    assert title_of(document) == "robbery in 2 zones"


def test_what_another_version_wrote_is_refused_with_the_remedy(some):
    broken = {**some, "treated": {"before": 3}}
    with pytest.raises(DataError, match=r"evaluation \w+ of run .*treated.*; ask for it again"):
        read_evaluation(broken)


def test_charts_draw_every_area_and_are_the_same_bytes_every_time(some):
    document = read_evaluation(some)
    series = draw(treated_and_controls, document)
    assert series == draw(treated_and_controls, document)
    running = draw(running_difference, document)
    for name in (found.name for found in document.controls):
        assert name.encode() in series
        assert name.encode() in running
    assert b"Incidents a month" in series
    assert f"{document.controls[0].wdd:+.0f}".encode() in running
    one = dataclasses.replace(document, controls=document.controls[:1])
    assert b"<svg" in draw(running_difference, one)


def command(database, run, *more, status=0):
    arguments = [
        *("evaluate", "town", "--run", run.id, "--outcome", "robbery"),
        *("--before", "2024-01-01/2024-07-01", "--after", "2024-07-01/2025-01-01"),
        *more,
        *("--database", database.engine.url.render_as_string(hide_password=False)),
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == status, (result.output, result.exception)
    return result


def test_the_command_prints_one_document(some, small):
    database, run = small
    zones = [part for zone in run.zones["id"][:2] for part in ("--zone", zone)]
    assert json.loads(command(database, run, *zones, "--json").stdout) == some


def test_the_command_prints_a_table_and_plain_words(some, small):
    database, run = small
    zones = [part for zone in run.zones["id"][:2] for part in ("--zone", zone)]
    result = command(database, run, *zones)
    for found in some["controls"]:
        assert f"{found['wdd']:+.1f}" in result.stdout
    assert "does not tell what made the difference" in result.stdout
    assert "the intervals are too narrow" in result.stderr


@pytest.mark.parametrize(
    ("more", "status", "word"),
    [
        (("--zone", "zone-x"), 1, "has no zone"),
        (("--after", "2024-06-01/2025-01-01"), 1, "on both sides"),
        (("--buffer", "99"), 1, "0 to 50 cells"),
        (("--controls", "0"), 1, "1 to 10"),
        (("--after", "2024-07-01"), 2, "write it as"),
        (("--after", "2024-07-01/soon"), 2, "not a date"),
    ],
)
def test_faults_are_told(small, more, status, word):
    result = command(*small, *more, status=status)
    assert word in result.stderr
    assert result.stdout == ""
