"""Warnings of fits and validations are codes; sentences are made in the reader's language."""

import ast
import datetime as dt
import html
import json
import re
from pathlib import Path

import pytest
from ready import make_ready
from releasing import TODAY, Publisher, keep_run, town_run
from run_documents import run_document, validation

from app import create_app
from app.config import Settings
from app.i18n import run_words
from app.i18n.language import speaking
from app.i18n.run_words import SENTENCES, printed, printed_analysis, sentence_of
from app.site_documents import site_files
from geodata.analysis_documents import ValidationDocument
from geodata.db.engine import open_database
from geodata.documents import from_json
from geodata.releases.build import approve_release, draft_release
from geodata.run_document import read_run_document
from geodata.stored_documents import EARLIER
from spatial.notes import Note
from spatial.zones import cut

ROOT = Path(__file__).parents[3]
COLUMN = {"name": "bars", "operation": "density", "distance": 200.0}
BUDGET = {"area_share": 0.2, "held_share": 0.017}
CAPPED = {**BUDGET, "max_zones": 8, "max_zones_needed": 59, "share_without_limit": 0.15}
PARAMETERS = {  # two of each that differ in every value
    "incidents.outside": [{"incidents": 2}, {"incidents": 1}],
    "district.city_factors": [
        {"district": "D1", "incidents": 18, "least": 50},
        {"district": "D2", "incidents": 17, "least": 40},
    ],
    "district.shared": [
        {"district": "D1", "own_share": 0.25},
        {"district": "D2", "own_share": 0.5},
    ],
    "model.few_incidents": [{"incidents": 65}, {"incidents": 66}],
    "model.no_column": [{}],
    "model.path_unsettled": [{}],
    "model.not_converged": [{"family": "nb2"}, {"family": "nb1"}],
    "model.flat": [{}],
    "model.populated_land": [
        {**COLUMN, "share": 0.51},
        {"name": "parks", "operation": "proximity", "distance": 400.0, "share": 0.6},
    ],
    "model.inflation": [
        {**COLUMN, "inflation": 5.1},
        {"name": "parks", "operation": "proximity", "distance": 400.0, "inflation": 7.0},
    ],
    "model.pattern_left": [{"i": 0.07}, {"i": 0.2}],
    "zones.none": [{"districts": ("D1", "D2")}, {"districts": ("D3",)}],
    "zones.budget_unused": [BUDGET, {"area_share": 0.3, "held_share": 0.02}],
    "zones.budget_capped": [
        {**CAPPED, "reaches_budget": False},
        {
            "area_share": 0.3,
            "held_share": 0.02,
            "max_zones": 9,
            "max_zones_needed": 60,
            "share_without_limit": 0.16,
            "reaches_budget": True,
        },
    ],
    "zones.city_capped": [
        {**BUDGET, "city_zones": 1},
        {"area_share": 0.3, "held_share": 0.02, "city_zones": 7},
    ],
    "zones.too_quiet": [
        {"zones": 1, "least": 0.2, "districts": ()},
        {"zones": 3, "least": 0.5, "districts": ("D2", "D3")},
    ],
    "validation.incidents_changed": [
        {"trained_on": 120, "stored": 118},
        {"trained_on": 121, "stored": 119},
    ],
    "validation.few_incidents": [{"incidents": 7}, {"incidents": 8}],
    EARLIER: [{"text": "the level is low"}, {"text": "the level is high"}],
}
FIXED = {name: getattr(cut, name) for name in ("CAPPED", "CITY_CAPPED", "QUIET", "UNUSED")}


def codes_of(path):
    """Return the codes of the notes that a module makes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note":
            code = node.args[0]
            yield code.value if isinstance(code, ast.Constant) else FIXED[code.id]


def made_codes():
    folders = (ROOT / "spatial", ROOT / "app/usecases/risk")
    return {code for folder in folders for path in folder.rglob("*.py") for code in codes_of(path)}


def test_every_code_of_a_fit_or_validation_has_words():
    assert made_codes() | {EARLIER} == set(SENTENCES) == set(PARAMETERS)


@pytest.mark.parametrize("code", sorted(PARAMETERS))
def test_every_sentence_is_in_both_languages_and_uses_every_parameter(code):
    first, *other = PARAMETERS[code]
    english = sentence_of(Note(code, first))
    with speaking("es"):
        spanish = sentence_of(Note(code, first))
        assert (spanish == english) == (code == EARLIER)
        for name in first if other else ():
            assert sentence_of(Note(code, first | {name: other[0][name]})) != spanish
    for name in first if other else ():
        assert sentence_of(Note(code, first | {name: other[0][name]})) != english


def test_scripts_read_the_sentence_beside_its_code():
    notes = (Note("model.few_incidents", {"incidents": 65}), Note("model.flat"))
    line = "only 65 incidents: the factors chosen and their values are uncertain"
    parts = [
        printed(run_document("r", warnings=notes)),
        printed_analysis(validation("r", dt.date(2024, 4, 1), dt.date(2024, 5, 1), warnings=notes)),
    ]
    for part in parts:
        assert part["warnings"][0] == line
        assert part["warning_codes"][0] == {
            "code": "model.few_incidents",
            "parameters": {"incidents": 65},
            "warning": line,
        }
        assert len(part["warnings"]) == len(part["warning_codes"]) == 2
        json.dumps(part)


# What a run of an earlier version stored, word by word.
FEW = "only 65 incidents: the factors chosen and their values are uncertain"
ALLOWED = (
    "zones hold 1.7 % of the area, 20 % was the budget: 8 zones a district were allowed; to use "
    "all of it, allow 59"
)
CODED = {"code": "zones.budget_capped", "parameters": CAPPED, "warning": ALLOWED}
STORED = {"warnings": [FEW, ALLOWED], "warning_codes": [CODED]}


def of_earlier_version():
    return {**run_document("r").as_json(), **STORED}


def test_a_run_of_an_earlier_version_is_read_and_written_as_it_was():
    stored = of_earlier_version()
    document = read_run_document(stored)
    assert document.as_json() == stored  # the digest of a published run does not change
    assert document.notes == (
        Note(EARLIER, {"text": FEW}),
        Note("zones.budget_capped", {**CAPPED, "reaches_budget": True}),
    )
    assert printed(document)["warnings"] == [FEW, ALLOWED]
    without = {**stored, "warnings": [FEW]}
    del without["warning_codes"]  # as versions before that one stored it
    assert read_run_document(without).as_json() == without
    assert read_run_document(without).notes == (Note(EARLIER, {"text": FEW}),)


def test_a_validation_of_an_earlier_version_is_read_and_written_as_it_was():
    stored = validation("r", dt.date(2024, 4, 1), dt.date(2024, 5, 1)).as_json()
    stored["warnings"] = ["only 7 incidents in the test period: a few of them decide every figure"]
    document = from_json(ValidationDocument, stored, "it", "do it again")
    assert document.as_json() == stored
    assert printed_analysis(document)["warnings"] == stored["warnings"]


def test_what_a_run_stores_has_no_sentence():
    note = Note("model.few_incidents", {"incidents": 65})
    document = run_document("r", warnings=(note,))
    assert document.as_json()["warnings"] == [
        {"code": "model.few_incidents", "parameters": {"incidents": 65}}
    ]
    assert read_run_document(json.loads(json.dumps(document.as_json()))) == document


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The pages of a town whose published run is of an earlier version."""
    folder = tmp_path_factory.mktemp("earlier")
    url = f"sqlite:///{folder / 'town.sqlite'}"
    settings = Settings(database_url=url, instance=folder / "instance")
    make_ready(url)
    database = open_database(url)
    Publisher(folder).bring(database)
    run = town_run()
    keep_run(database, result=read_run_document({**run.result.as_json(), **STORED}))
    drafted = draft_release(
        database, settings.releases, "town", "ana", pages=site_files, today=TODAY
    )
    approve_release(database, settings.releases, drafted.id, "ben")
    database.close()
    return create_app(settings).test_client()


def test_a_spanish_reader_of_an_old_run_reads_what_language_its_warnings_are_in(client):
    page = html.unescape(client.get("/methods/?lang=es").text)
    (section,) = re.findall(r'<section class="note" aria-labelledby="warn">.*?</section>', page)
    assert f'De una versión anterior, en inglés: <span lang="en">{FEW[0].upper()}' in section
    assert "Las zonas ocupan 1.7 % del área y el presupuesto era 20 %" in section
    assert "to use all of it" not in section
    english = html.unescape(client.get("/methods/").text)
    assert f"<li>{FEW[0].upper()}{FEW[1:]}.</li>" in english
    assert ALLOWED[1:] in english
    assert "De una" not in english


def test_words_of_a_stored_sentence_are_no_markup():
    note = Note(EARLIER, {"text": "<script>"})
    with speaking("es"):
        (line,) = run_words.sentences((note,))
    assert "<script>" not in line
