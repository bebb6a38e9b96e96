"""What was stored in English is read in Spanish: codes and figures are stored, no sentences."""

import dataclasses
import datetime as dt
import json
import re

import pytest
from desk_fixtures import D1, TODAY, words
from golden import GOLDEN
from sqlalchemy import select

from app.usecases.evaluation.evaluate import EVALUATION, evaluate
from app.usecases.evaluation.study import Question
from geodata.db.tables import Finding, Plan
from geodata.documents import to_json
from geodata.repositories import run_analyses

BEFORE = (dt.date(2024, 1, 1), dt.date(2024, 7, 1))
AFTER = (dt.date(2024, 7, 1), dt.date(2025, 1, 1))
# Words of the sentences that were stored, and of what stands around them on the pages.
ENGLISH = re.compile(
    r"\b(the|and|of|with|incidents|visits|zones?|before|after|than|expected|waits?|unit|shift)\b"
)


def english(text):
    """Return the English words of a page; what a city or the software calls itself is none."""
    text = re.sub(r"Safer Ground|python -m \S+(?: \d+)?", " ", text)
    return sorted({found.group() for found in ENGLISH.finditer(text)})


def of_version_1(name, run, zone):
    """Return what an earlier version stored, with a zone of the run at hand."""
    document = json.loads((GOLDEN / "durham" / f"{name}.json").read_text())
    document |= {"run": run.id, "city": "town"}
    if name == "evaluate":
        document |= {"outcome": "robbery", "key": "0123456789abcdef"}
        document["treated"]["zones"] = [zone]
    return document


@pytest.fixture(scope="module")
def zone(town_desk):
    zones = town_desk.run.zones
    return zones["id"][zones["district"] == "D1"].iloc[0]


@pytest.fixture(scope="module")
def made(town_desk, zone):
    """An evaluation that was asked for by somebody who reads English; its address."""
    run = town_desk.run.id
    asked = Question(
        city="town", run=run, outcome="robbery", before=BEFORE, after=AFTER, zones=(zone,)
    )
    evaluate(town_desk.office.database, asked)
    with town_desk.office.database.session() as session:
        key = run_analyses.list_findings(session, run, EVALUATION)[0].key
    return f"{D1}/outcome/{run}/{key}"


@pytest.fixture(scope="module")
def earlier(town_desk, zone):
    """An evaluation that an earlier version stored, with its English sentences; its address."""
    run = town_desk.run
    document = of_version_1("evaluate", run, zone)
    with town_desk.office.database.session(write=True) as session:
        run_analyses.keep_finding(session, run.id, EVALUATION, document["key"], document)
    return f"{D1}/outcome/{run.id}/{document['key']}"


@pytest.fixture
def spanish(town_desk):
    """A commander whose browser asks for Spanish."""
    client = town_desk.client()
    client.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "es"
    return client


@pytest.mark.parametrize("stored", ["made", "earlier"])
def test_a_spanish_reader_of_an_old_evaluation_reads_spanish(request, spanish, stored):
    address = request.getfixturevalue(stored)
    answer = spanish.get(address)
    assert answer.status_code == 200
    assert '<html lang="es">' in answer.text
    assert answer.headers["Content-Language"] == "es"
    page = words(answer)
    assert english(page) == []
    assert "los intervalos son demasiado estrechos" in page.lower()
    assert "una evaluación compara lugares" in page.lower()
    for chart in ("series", "running"):
        drawn = spanish.get(f"{address}/{chart}.svg").text
        assert english(" ".join(re.findall(r"<!-- (.*?) -->", drawn))) == []
    titles = [layer["title"] for layer in spanish.get(f"{address}/areas.json").json["layers"]]
    assert english(" ".join(titles).lower()) == []


@pytest.mark.parametrize("stored", ["made", "earlier"])
def test_an_english_reader_reads_the_same_evaluation_in_english(request, cora, stored):
    page = words(cora.get(request.getfixturevalue(stored))).lower()
    assert "the intervals are too narrow" in page
    assert "an evaluation compares places" in page


def test_no_sentence_of_an_evaluation_is_stored(town_desk, made):
    with town_desk.office.database.session() as session:
        row = session.scalars(select(Finding).where(Finding.key == made.rsplit("/", 1)[1])).one()
        texts = list(_texts(row.document))
    assert texts
    assert [text for text in texts if len(text.split()) > 3] == []


@pytest.fixture(scope="module")
def hard(town_desk):
    """A plan in which zones give way, of one unit with long visits."""
    start = dt.datetime.combine(TODAY, dt.time(12))
    shift = (start, start + dt.timedelta(hours=9))
    return town_desk.plan(units=1, minutes=60, seed=5, shift=shift)


@pytest.fixture(scope="module")
def old_plan(town_desk):
    """A plan that an earlier version stored, with its English sentences."""
    plan = dataclasses.replace(town_desk.plan(units=1, minutes=60, seed=6), id="0123456789ab")
    stored = to_json(plan.document)
    for name in ("form", "synthetic"):
        del stored[name]
    stored["gave_way"] = [
        {"kind": one.code, "zones": one.parameters["zones"], "words": f"zone {number} gave way"}
        for number, one in enumerate(plan.document.gave_way)
    ]
    stored["warnings"] = [
        "Synthetic data: this city does not exist.",
        "no street joins the zones: travel is taken along straight lines times 1.3",
    ]
    with town_desk.office.database.session(write=True) as session:
        row = session.scalars(select(Plan).where(Plan.seed == 6)).one()
        columns = {column.name: getattr(row, column.name) for column in Plan.__table__.columns}
        session.add(Plan(**columns | {"id": plan.id, "document": stored}))
    return plan


@pytest.mark.parametrize("stored", ["hard", "old_plan"])
def test_a_spanish_reader_of_an_old_plan_reads_spanish(request, spanish, stored):
    plan = request.getfixturevalue(stored)
    address = f"{D1}/plans/{plan.id}"
    page = words(spanish.get(address))
    assert english(page) == []
    assert "ninguna calle une las zonas" in page.lower()
    assert re.search(
        r"zona \d+ (espera|recibe|no recibe)|zonas? .* (esperan|reciben)", page.lower()
    )
    assert english(words(spanish.get(f"{address}/sheet"))) == []
    kept = re.sub(r"<style>.*?</style>", "", spanish.get(f"{address}/plan.html").text, flags=re.S)
    assert '<html lang="es">' in kept
    assert english(re.sub(r"<[^>]+>", " ", kept)) == []
    assert english(spanish.get(f"{address}/plan.ics").text.replace("\r\n ", "")) == []
    assert english(spanish.get(f"{address}/plan.gpx").text) == []
    assert spanish.get(f"{address}/plan.pdf").data.startswith(b"%PDF")
    tips = json.dumps(spanish.get(f"{address}/map.json").json["layers"])
    assert english(" ".join(re.findall(r'"(?:title|tip|label)": "([^"]*)"', tips))) == []


def test_no_sentence_of_a_plan_is_stored(town_desk, hard):
    with town_desk.office.database.session() as session:
        texts = list(_texts(session.get(Plan, hard.id).document))
    assert texts
    assert [text for text in texts if len(text.split()) > 3] == []


def _texts(document):
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            yield from _texts(value)
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value)
