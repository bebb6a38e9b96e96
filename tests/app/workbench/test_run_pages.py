"""Pages of runs: the list, and the form that asks for one and forgets nothing."""

import datetime as dt
import re

import pytest
from statements import blobs_in, statements_of

from app.jobs import jobs as work
from app.usecases.arguments import Arguments
from app.usecases.risk.fit import FactorChoice, FitRequest, fit, read_fit
from geodata.repositories import job_queue
from spatial.spec import HistorySpec, ModelSpec, ZoneSpec

RUNS, NEW = "/analyst/town/runs", "/analyst/town/runs/new"
NAMES = ("bars", "corner_shops")


def filled(**changed):
    """Give what a form says that was not touched, but for what is changed."""
    said = {
        "outcome": "robbery",
        "first": "",
        "last": "",
        "scope": "city",
        "cell": "100.0",
        "block": "200.0",
        "area_share": "2.0",
        "zones_from": "combined",
        "sign": "aggravating",
        "sharing": "own",
        "min_incidents_district": "50",
        "seed": "1",
        "allotment": "city",
        "min_cells": "2",
        "max_cells": "40",
        "max_zones": "24",
        "city_zones": "0",
        "least_compactness": "0.3",
        "least_expected": "0.2",
        "barriers": "kept",
        "half_life_days": "730",
        "families": ["poisson", "nb1", "nb2"],
        "folds": "10",
        "mixing": "0.5",
        "lambda_rule": "min",
    }
    for place, (name, blocks) in enumerate(zip(NAMES, ("3", "2"), strict=True)):
        told = {"name": name, "taken": "y", "operation": "both", "max_blocks": blocks}
        said |= {
            f"factors-{place}-{key}": value for key, value in (told | {"step": "half"}).items()
        }
    said |= changed
    return {name: value for name, value in said.items() if value is not None}


def asked(desk):
    """Give what the newest job asks for, and forget the job."""
    (job,) = work.statuses(desk.database, "town", open_only=True)
    work.cancel(desk.database, job.job.id, "test")
    return read_fit(Arguments("fit", job.job.arguments))


def fault_at(page, name):
    """Give the fault that stands at a field."""
    found = re.search(
        rf'<p class="fault" id="{name}-fault"><strong>Not taken:</strong> ([^<]*)', page
    )
    return found[1] if found else None


def test_a_form_that_was_not_touched_asks_for_the_citys_own_run(desk, ann):
    page = ann.get(NEW).text
    for name, value in filled().items():
        if isinstance(value, str) and value and name not in ("outcome",):
            assert f'name="{name}"' in page, name
    answer = ann.send(NEW, **filled())
    assert answer.status_code == 303
    assert re.fullmatch(r"/analyst/town/jobs/\d+", answer.location)
    assert asked(desk) == FitRequest(city="town", outcome="robbery")


def test_everything_of_the_form_is_asked_for(desk, ann):
    answer = ann.send(
        NEW,
        **filled(
            first="2024-02-01",
            last="2024-09-30",
            scope="chosen",
            districts=["D2"],
            cell="80",
            block="150.5",
            area_share="7",
            zones_from="rtm",
            sign="protective",
            sharing="shared",
            min_incidents_district="20",
            seed="9",
            allotment="even",
            min_cells="3",
            max_cells="30",
            max_zones="5",
            city_zones="12",
            least_compactness="0",
            least_expected="1.5",
            barriers="crossed",
            half_life_days="0",
            families=["nb2"],
            folds="5",
            mixing="0.25",
            lambda_rule="1se",
        )
        | {
            "factors-0-taken": "",
            "factors-1-operation": "density",
            "factors-1-max_blocks": "4",
            "factors-1-step": "whole",
        },
    )
    assert answer.status_code == 303, answer.text
    assert (
        asked(desk)
        == FitRequest(
            city="town",
            outcome="robbery",
            start=dt.date(2024, 2, 1),
            end=dt.date(2024, 10, 1),  # the last day is included
            districts=("D2",),
            factors=(
                FactorChoice(name="bars", operation="both", max_blocks=3, step="half"),
                FactorChoice(name="corner_shops", operation="density", max_blocks=4, step="whole"),
            )[1:],
            cell_units=80.0,
            block_units=150.5,
            model=ModelSpec(
                sign="protective",
                sharing="shared",
                min_incidents_district=20,
                seed=9,
                families=("nb2",),
                folds=5,
                mixing=0.25,
                lambda_rule="1se",
            ),
            history=HistorySpec(half_life_days=None),
            zones=ZoneSpec(
                source="rtm",
                area_share=0.07,
                allotment="even",
                min_cells=3,
                max_cells=30,
                max_zones=5,
                city_zones=12,
                least_compactness=0.0,
                least_expected=1.5,
                barriers="crossed",
            ),
        )
    )


def test_each_district_is_asked_for_by_name(desk, ann):
    assert ann.send(NEW, **filled(scope="each")).status_code == 303
    assert asked(desk).districts == ("D1", "D2")


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"first": "2024-05-05", "last": "2024-05-01"}, "last", "must not lie before"),
        ({"first": "2024-13-01"}, "first", "Not a valid date value"),
        ({"last": "1700-01-01"}, "last", "give a day from 1900-01-01"),
        ({"first": "2025-06-01"}, "last", "no incident of this outcome in the period"),
        ({"outcome": "arson"}, "outcome", "Not a valid choice"),
        ({"scope": "chosen"}, "districts", "tick a district at least"),
        (
            {"scope": "chosen", "districts": ["D9"]},
            "districts",
            "is not a valid choice for this field",
        ),
        ({"cell": "wide"}, "cell", "Not a valid float value"),
        ({"cell": "nan"}, "cell", "give a number from"),
        ({"cell": "-1"}, "cell", "give a number from"),
        ({"cell": "0.5"}, "cell", "more than the 2,000,000 that can be fitted; take 3 m at least"),
        ({"cell": "90000"}, "cell", "has its centre inside the study area"),
        ({"block": ""}, "block", "give a number from"),
        ({"area_share": "51"}, "area_share", "give a number from 0.01 to 50"),
        ({"seed": "1.5"}, "seed", "Not a valid integer value"),
        ({"min_cells": "50"}, "max_cells", "fewer cells at most than at least"),
        ({"families": None}, "families", "tick one at least"),
        ({"folds": "2"}, "folds", "give a number from 3 to 100"),
        ({"factors-0-max_blocks": "21"}, "factors-0-max_blocks", "from 1 to 20"),
    ],
)
def test_a_fault_is_told_at_its_field_and_what_was_typed_stays(desk, ann, changed, field, told):
    answer = ann.send(NEW, **filled(mixing="0.125", **{"factors-1-max_blocks": "7"}) | changed)
    assert answer.status_code == 422
    assert re.search(told, fault_at(answer.text, field) or ""), fault_at(answer.text, field)
    assert 'value="0.125"' in answer.text
    assert re.search(r'name="factors-1-max_blocks"[^>]*value="7"', answer.text)
    for name, value in changed.items():
        if isinstance(value, str) and name not in ("outcome", "scope"):
            assert re.search(rf'name="{name}"[^>]* value="{re.escape(value)}"', answer.text), name
    assert work.statuses(desk.database, "town", open_only=True) == []


def test_no_factor_or_one_that_is_not_the_citys_is_refused(desk, ann):
    none = ann.send(NEW, **filled(**{"factors-0-taken": "", "factors-1-taken": ""}))
    assert none.status_code == 422
    assert "take one factor at least" in none.text
    other = ann.send(NEW, **filled(**{"factors-0-name": "<b>pubs</b>"}))
    assert other.status_code == 422
    assert "have changed; reload the page" in other.text
    assert "<b>pubs" not in other.text


def test_the_grid_is_told_without_asking_for_the_run(desk, ann):
    answer = ann.send(NEW, **filled(cell="80", preview="yes"))
    assert answer.status_code == 200
    assert "2,500 cells of 80 m, 20 candidates; about 0.6 GB of memory" in answer.text
    assert re.search(r"\d+ incidents of robbery, 2024-01-01 to 2024-12-28", answer.text)
    heavy = ann.send(NEW, **filled(cell="3", preview="yes"))
    assert "This is a heavy run" in heavy.text
    assert work.statuses(desk.database, "town", open_only=True) == []


def test_the_map_of_the_grid_draws_every_edge_and_what_a_block_is(ann):
    answer = ann.get(f"{RUNS}/grid.json?cell=200&block=400&blocks=2&candidates=8")
    drawn = answer.get_json()
    cells, districts, scale = drawn["layers"]
    assert len(cells["shapes"]["features"]) == 2 * 21
    assert [one["properties"]["label"] for one in districts["shapes"]["features"]] == ["D1", "D2"]
    assert scale["keys"][0]["label"] == "One block, 400 m"
    assert "800 m" in scale["keys"][1]["label"]
    assert drawn["told"].startswith("400 cells of 200 m, 8 candidates")
    assert drawn["base"] == "/staff/town/ground.json"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("grid.json?cell=nan", 400),
        ("grid.json?cell=0", 400),
        ("grid.json?cell=inf", 400),
        ("grid.json?block=<script>", 400),
        ("grid.json?cell=0.1", 422),
        ("grid.json?cell=90000", 422),
        ("incidents.json?outcome=arson", 400),
        ("incidents.json?outcome=robbery&last=9999-12-31", 400),
        ("incidents.json?outcome=robbery&first=soon", 400),
        ("incidents.json", 200),
        ("budget.json", 200),
        ("budget.json?area_share=NaN", 400),
        ("budget.json?outcome=arson", 400),
    ],
)
def test_addresses_that_ask_for_what_cannot_be_are_no_fault_of_ours(ann, address, status):
    answer = ann.get(f"{RUNS}/{address}")
    assert answer.status_code == status
    assert "<script>" not in answer.text


def test_incidents_of_a_period_are_counted_both_days_included(desk, ann):
    told = ann.get(f"{RUNS}/incidents.json?outcome=robbery").get_json()
    assert told["count"] == 700
    one = ann.get(f"{RUNS}/incidents.json?outcome=robbery&first=2024-03-03&last=2024-03-03")
    with desk.database.session() as session:
        from geodata.repositories import cities, incidents

        city = cities.get_city(session, "town")
        day = dt.date(2024, 3, 3)
        there = len(
            incidents.incident_points(session, city.id, "robbery", day, day + dt.timedelta(1))
        )
    assert one.get_json()["count"] == there > 0


def test_the_form_says_how_much_of_the_budget_zones_would_take(desk, ann):
    """By cutting the scores of the run that there is; what it says would honour it does."""
    limits = "min_cells=4&max_cells=40"

    def told(share, most):
        asked = f"outcome=robbery&area_share={share}&max_zones={most}&{limits}"
        return ann.get(f"{RUNS}/budget.json?{asked}").get_json()["told"]

    capped = told(15, 2)
    assert capped.startswith(f"By the scores of run {desk.run.id}, zones hold ")
    assert "15 % was the budget: 2 zones a district were allowed" in capped
    needed = re.search(r"(?:allow|with) (\d+)", capped)[1]
    assert "zones a district were allowed" not in told(15, needed)
    assert told(2, 100) == ""
    assert told(15, "") == told("", 2) == told(90, 2) == ""  # the fields say what is wrong
    other = ann.get(f"{RUNS}/budget.json?cell=50&area_share=20&max_zones=1&{limits}").get_json()
    assert other["told"] == (
        "1 zone a district, each of up to 40 cells, can hold 1.2 % of the area at most."
    )
    page = ann.send(NEW, **filled(area_share="15", max_zones="2", preview="yes")).text
    part = re.search(r'data-part="budget"[^>]*>([^<]*)<', page)
    assert part[1] == capped
    assert (
        'data-part="budget" role="status" hidden'
        in ann.send(NEW, **filled(area_share="2", max_zones="100", preview="yes")).text
    )


def test_a_run_is_named_where_it_is_asked_for(desk, ann):
    assert ann.send(NEW, **filled(name="Spring", note="new stops", seed="31")).status_code == 303
    found = asked(desk)
    assert (found.name, found.note) == ("Spring", "new stops")
    assert ann.send(NEW, **filled(name="x" * 81)).status_code == 422


def test_the_form_hints_at_operations_by_the_nearest_neighbour_test(ann):
    page = ann.get(NEW).text
    assert re.search(r"15 places; [^;]*: the nearest other is [\d,]+ m away, at random", page)
    assert re.search(r"suggests (proximity|density)", page)


def test_a_job_is_the_start_of_another_question(desk, ann):
    desk.wait(minutes=2)  # what the tests before asked for is past
    assert ann.send(NEW, **filled(cell="80", seed="77")).status_code == 303
    number = work.statuses(desk.database, "town", open_only=True)[0].job.id
    asked(desk)
    page = ann.get(f"{NEW}?job={number}").text
    assert re.search(r'name="cell"[^>]*value="80"', page)
    assert re.search(r'name="seed"[^>]*value="77"', page)
    assert ann.get(f"{NEW}?job=99999").status_code == 200
    assert ann.get(f"{NEW}?job=x").status_code == 200


def test_runs_are_listed_sorted_narrowed_and_lead_on(desk, ann, vera):
    (district,) = fit(desk.database, FitRequest(city="town", outcome="robbery", districts=("D1",)))
    early = FitRequest(city="town", outcome="robbery", end=dt.date(2024, 4, 1))
    (first,) = fit(desk.database, early)
    page = ann.get(RUNS).text
    assert [page.index(run.id) for run in (first, district, desk.run)] == sorted(
        page.index(run.id) for run in (first, district, desk.run)
    )  # the newest first
    assert f'href="/analyst/town/runs/{first.id}"' in page
    by_period = ann.get(f"{RUNS}?order=period").text
    assert by_period.index(desk.run.id) < by_period.index(first.id)
    of_district = ann.get(f"{RUNS}?scope=D1").text
    assert district.id in of_district
    assert desk.run.id not in of_district
    late = ann.get(f"{RUNS}?from=2024-06-01").text
    assert desk.run.id in late
    assert first.id not in late
    before = ann.get(f"{RUNS}?to=2024-01-01").text
    assert "No run is like that" in before
    assert "New run" in page
    seen = vera.get(RUNS).text
    assert first.id in seen
    assert "New run" not in seen


@pytest.mark.parametrize(
    "query", ["order=size", "scope=D9", "outcome=arson", "from=soon", "page=0", "page=x"]
)
def test_a_list_that_cannot_be_is_a_bad_request(ann, query):
    assert ann.get(f"{RUNS}?{query}").status_code == 400


def test_what_is_being_fitted_is_shown_with_the_runs(desk, ann, vera):
    job = work.ask(
        desk.database,
        "fit",
        {"city": "town", "outcome": "robbery", "seed": 5},
        "ann",
    )
    try:
        page = ann.get(RUNS).text
        assert "Being fitted now" in page
        assert f"/analyst/town/jobs/{job.id}" in page
        assert "Being fitted now" not in vera.get(RUNS).text
    finally:
        with desk.database.session(write=True) as session:
            job_queue.ask_cancel(session, job.id, "test")


def test_a_city_without_data_says_what_a_run_needs(desk, ann):
    from staffing import keep_city

    keep_city(desk.database, "ghost")
    page = ann.get("/analyst/ghost/runs/new")
    assert page.status_code == 200
    assert "has no incidents and no factors" in page.text
    assert "Nothing was fitted here yet" in ann.get("/analyst/ghost/runs").text
    assert ann.get("/analyst/nowhere/runs").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        RUNS,
        f"{RUNS}?order=period&outcome=robbery",
        "/analyst/town/releases",
        "/analyst/town/compare",
    ],
)
def test_pages_that_list_runs_read_no_document_of_a_run(desk, ann, address):
    with statements_of(desk.app.extensions["saferground.workroom"].database) as sent:
        assert ann.get(address).status_code == 200
    assert sent
    assert blobs_in(sent) == []
