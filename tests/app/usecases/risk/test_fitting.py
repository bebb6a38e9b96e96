"""What may be asked of a fit: which factors, how far they reach, which cells; and who asked."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from ready import make_ready
from town import Town

from app.usecases.arguments import Arguments
from app.usecases.risk.fit import (
    FactorChoice,
    FitRequest,
    digest_inputs,
    fit,
    fit_arguments,
    inputs_of,
    read_fit,
)
from app.usecases.risk.validation import validate
from app.workbench.run_form import incidents_told
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.errors import DataError
from geodata.ingest.store import import_city
from geodata.repositories import audit
from geodata.repositories.cities import get_city
from spatial.errors import SpecError
from spatial.spec import GridSpec, HistorySpec, ModelSpec, RiskFactor, ZoneSpec

CHOICE = (
    FactorChoice(name="shops"),
    FactorChoice(name="bars", operation="proximity", max_blocks=2, step="whole"),
)
ASKED = FitRequest(
    city="town",
    outcome="robbery",
    end=dt.date(2024, 10, 1),
    factors=CHOICE,
    cell_units=80.0,
    block_units=160.0,
)


def described(folder):
    made = Town(folder, n=700).crowd(400)
    made.city += '[[factors]]\nname = "shops"\nsource = "bars.geojson"\noperation = "density"\n'
    made.save()
    return made


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town with two factors, and a run that takes both in its own way."""
    folder = tmp_path_factory.mktemp("two")
    url = f"sqlite:///{folder}/two.sqlite"
    make_ready(url)
    database = open_database(url)
    made = described(folder)
    import_city(database, read_city_file(made.path))
    (run,) = fit(database, ASKED, who="ann")
    yield database, run, made
    database.close()


def entries(database, action):
    with database.session() as session:
        return list(audit.entries(session, audit.AuditFilter(action=action)))


def test_a_run_carries_the_factors_and_the_lengths_that_were_chosen(town):
    _, run, _ = town
    assert run.spec.grid == GridSpec(cell_units=80.0, block_units=160.0)
    assert run.grid.cell_units == 80.0
    assert run.spec.factors == (
        RiskFactor(name="bars", operation="proximity", max_blocks=2, step="whole"),
        RiskFactor(name="shops", operation="density", max_blocks=3, step="half"),
    )
    assert run.result.candidates + len(run.result.dropped) == 2 + 6


@pytest.fixture
def several(tmp_path):
    """A town with three outcomes, each with incidents in days of its own."""
    made = Town(tmp_path, n=900).crowd(400)
    days = {"ROBBERY": range(1, 13), "BURGLARY": range(5, 7), "NOISE": range(2, 12)}
    kinds = np.array(list(days))[np.arange(900) % 3]
    made.incidents["offense"] = kinds
    made.incidents["date"] = [
        f"{days[kind][i % len(days[kind])]}/{1 + i % 28}/2024" for i, kind in enumerate(kinds)
    ]
    made.change('"burglary" }', '"burglary", "NOISE" = "noise" }')
    url = f"sqlite:///{tmp_path}/several.sqlite"
    make_ready(url)
    database = open_database(url)
    import_city(database, read_city_file(made.path))
    frame = made.incidents.assign(day=pd.to_datetime(made.incidents["date"]).dt.date)
    yield database, frame.groupby("offense")["day"].agg(["min", "max"])
    database.close()


def test_the_usual_period_of_a_run_is_that_of_its_own_outcome(several):
    database, days = several
    told = {}
    for outcome in ("robbery", "burglary", "noise"):
        first, last = days.loc[outcome.upper()]
        (run,) = fit(database, FitRequest(city="town", outcome=outcome))
        assert (run.period_from, run.period_to) == (first, last + dt.timedelta(days=1)), outcome
        weeks = (run.period_to - run.period_from).days / 7
        told[outcome] = run.cells["expected"].sum() / weeks
        assert told[outcome] == pytest.approx(300 / weeks, rel=0.05)
        with database.session() as session:
            city = get_city(session, "town")
            count, words = incidents_told(session, city, outcome, None, None)
        assert count == 300
        assert f"{first} to {last}" in words
    assert told["burglary"] > 5 * told["robbery"]
    # one end that is given stays, the other is the outcome's
    early = FitRequest(city="town", outcome="burglary", start=dt.date(2024, 6, 1))
    (run,) = fit(database, early)
    last = days.loc["BURGLARY", "max"]
    assert (run.period_from, run.period_to) == (early.start, last + dt.timedelta(days=1))


def test_an_outcome_whose_incidents_are_gone_is_refused(several):
    database, _ = several
    with pytest.raises(DataError, match="no outcome 'arson'; its outcomes are burglary"):
        fit(database, FitRequest(city="town", outcome="arson"))


def test_the_order_of_a_choice_decides_nothing_and_what_is_chosen_does(town):
    database, run, _ = town
    turned = FitRequest(
        **{name: getattr(ASKED, name) for name in ("city", "outcome", "end")},
        factors=CHOICE[::-1],
        cell_units=80.0,
        block_units=160.0,
    )
    assert fit(database, turned)[0].id == run.id
    alone = FitRequest(city="town", outcome="robbery", end=ASKED.end, factors=CHOICE[:1])
    whole = FitRequest(city="town", outcome="robbery", end=ASKED.end)
    usual = FitRequest(
        city="town",
        outcome="robbery",
        end=ASKED.end,
        factors=(FactorChoice(name="bars"), FactorChoice(name="shops")),
        cell_units=100.0,
        block_units=200.0,
    )
    runs = [fit(database, asked)[0] for asked in (alone, whole, usual)]
    assert [len(one.spec.factors) for one in runs] == [1, 2, 2]
    assert len({run.id, *(one.id for one in runs)}) == 3
    assert runs[1].id == runs[2].id  # what is chosen as the city has it is the city's


def test_a_run_is_read_again_as_it_was_made_whatever_the_city_says_now(town):
    database, run, made = town
    before, names = made.city, [factor.name for factor in run.spec.factors]
    made.change('name = "bars"\n', 'name = "bars"\noperation = "density"\nmax_blocks = 1\n')
    import_city(database, read_city_file(made.path))
    with database.session() as session:
        inputs, spec = inputs_of(session, run)
    assert [factor.name for factor in spec.factors] == names == [f.name for f in inputs.layers]
    assert (spec.factors[0].operation, spec.factors[0].max_blocks) == ("proximity", 2)
    assert digest_inputs(inputs) == run.data_sha256
    assert spec.grid.block_units == 160.0
    found = validate(database, run.id, dt.date(2024, 10, 1), dt.date(2024, 12, 31))
    assert found.levels[-1].cells == round(len(run.grid) * found.levels[-1].share)
    made.city = before.replace('[[factors]]\nname = "shops"', '[[factors]]\nname = "kiosks"')
    made.save()
    import_city(database, read_city_file(made.path))
    with database.session() as session, pytest.raises(DataError, match="no factor 'shops'"):
        inputs_of(session, run)
    made.city = before
    made.save()
    import_city(database, read_city_file(made.path))


@pytest.mark.parametrize(
    ("factors", "error", "told"),
    [
        ([{"name": "pubs"}], DataError, "no factor 'pubs'; its factors are bars, shops"),
        ([{"name": "bars"}, {"name": "bars"}], DataError, "named twice"),
        ([{"name": "bars", "max_blocks": 0}], SpecError, "max_blocks must be a whole number"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(town, factors, error, told):
    database = town[0]
    given = Arguments("fit", {"city": "town", "outcome": "robbery", "factors": factors})
    with pytest.raises(error, match=told):
        fit(database, read_fit(given))


def test_what_is_asked_is_written_and_read_again():
    plain = FitRequest(city="town", outcome="robbery")
    assert fit_arguments(plain) == {"city": "town", "outcome": "robbery"}
    other = FitRequest(
        city="town",
        outcome="robbery",
        start=dt.date(2024, 1, 1),
        end=dt.date(2024, 10, 1),
        districts=("D1",),
        factors=CHOICE,
        cell_units=80.0,
        block_units=160.0,
        model=ModelSpec(
            sign="protective",
            sharing="shared",
            seed=7,
            folds=5,
            mixing=0.25,
            lambda_rule="1se",
            families=("nb2",),
            min_incidents_district=20,
        ),
        history=HistorySpec(half_life_days=None),
        zones=ZoneSpec(source="rtm", area_share=0.05, min_cells=2, max_cells=9, max_zones=3),
    )
    for asked in (plain, other):
        told = json.loads(json.dumps(fit_arguments(asked)))
        assert read_fit(Arguments("fit", told)) == asked


def test_faults_of_a_factor_are_told_with_its_place_and_with_all_others():
    given = {
        "city": "town",
        "factors": [{"name": "bars"}, {"operation": "nearness", "reach": 2}],
        "cell": "wide",
    }
    with pytest.raises(SpecError) as caught:
        read_fit(Arguments("fit", given))
    for part in (
        "outcome is missing",
        "cell must be a number",
        "factors 2: name is missing",
        "factors 2: operation must be one of proximity, density, both",
        "unknown key 'reach'",
    ):
        assert part in str(caught.value)
    with pytest.raises(SpecError, match="factors must be a list of objects"):
        read_fit(Arguments("fit", {"city": "t", "outcome": "r", "factors": ["bars"]}))


def test_who_asked_for_a_run_is_in_the_audit_once(town):
    database, run, _ = town
    (entry,) = [one for one in entries(database, "run.fit") if one.object == run.id]
    assert entry.person == "ann"
    assert entry.details == {
        "city": "town",
        "outcome": "robbery",
        "scope": "city",
        "from": "2024-01-01",
        "to": "2024-10-01",
        "cell": 80.0,
        "block": 160.0,
        "factors": ["bars", "shops"],
        "seed": 1,
    }
    fit(database, ASKED, who="ben")  # it is stored already: nothing changes
    assert len([one for one in entries(database, "run.fit") if one.object == run.id]) == 1


def test_the_command_line_chooses_factors_and_is_in_the_audit(run, tmp_path):
    made = described(tmp_path)
    run("init")
    run("import", made.path)
    asked = ("fit", "town", "--outcome", "robbery", "--as", "ann", "--json")
    chosen = ("--factor", "bars,density,2,whole", "--cell", "80", "--half-life", "0")
    told = json.loads(run(*asked, *chosen).stdout)
    assert told["grid"]["cell"] == 80.0
    assert told["candidates"] + len(told["dropped"]) == 2
    shown = json.loads(run("audit", "show", "--action", "run", "--json").stdout)
    (entry,) = shown["entries"]
    assert (entry["person"], entry["action"], entry["object"]) == ("ann", "run.fit", told["run"])
    for wrong in ("bars,nearness", "bars,both,many", "bars,both,2,third", "bars,both,2,half,x", ""):
        refused = run(*asked, "--factor", wrong, status=2)
        assert "cannot be read" in refused.stderr
