"""The measures of dirt bikes are a declaration of two cities, and of every city that has none."""

from pathlib import Path

import pytest

from geodata.cityfile.description import read_city_file
from geodata.cityfile.measures import (
    USUAL,
    measures_as_json,
    measures_of_json,
    usual_measures,
)
from geodata.demo.recording import SECTIONS
from geodata.measures.registry import groups_of, measures_of, work_out
from geodata.repositories.cities import get_city

DURHAM = Path(__file__).parents[3] / "examples" / "durham" / "city.toml"
STOPS = """
[[measures]]
id = "speeding.citations"
title = "Speeding citations"
unit = "citations"
better = "neither"
sensitive = false
counts = "citations"
[[measures]]
id = "speeding.stops"
title = "Stops"
unit = "stops"
better = "neither"
sensitive = false
counts = "calls"
"""


def test_durham_and_the_demonstration_city_declare_the_measures_of_dirt_bikes():
    assert read_city_file(DURHAM).measures == usual_measures()
    assert "[[measures]]" in DURHAM.read_text()
    assert USUAL.read_text() in SECTIONS


def test_a_file_without_measures_has_those_of_earlier_versions(town, ledger_of):
    ledger = ledger_of()
    assert ledger.city.measures == usual_measures()
    assert next(one.id for one in usual_measures()) == "dirtbike.complaints"


def test_declarations_are_kept_as_they_were_read(town, sqlite_database, ledger_of):
    town.city += STOPS
    ledger = ledger_of()
    with sqlite_database.session() as session:
        kept = get_city(session, "town").measures
    assert kept == read_city_file(town.path).measures
    assert measures_of_json(measures_as_json(kept)) == kept
    assert groups_of(measures_of(kept))["speeding"].title == "Speeding"
    assert "dirtbike.arrests" not in measures_of(ledger.city.measures)


def test_a_measure_may_count_the_rows_of_a_section(town, ledger_of):
    from gunfire import SPRING

    town.city += STOPS
    for day in (0, 1, 1, 40):
        town.call(day=day)
    stops, citations = work_out(ledger_of(), SPRING, ["speeding.stops", "speeding.citations"])
    assert (stops.figure.value, stops.measure.sources) == (3, ("calls",))
    assert citations.figure.value is None


@pytest.mark.parametrize("words", ["citations", "speeding.citations"])
def test_rows_call_a_measure_what_its_declaration_says(town, ledger_of, words):
    from gunfire import SPRING

    town.city += STOPS
    town.city += """
[[counts]]
source = "totals.csv"
[counts.fields]
measure = "what"
from = "from"
to = "to"
value = "n"
"""
    (town.folder / "totals.csv").write_text(f"what,from,to,n\n{words},2024-03-01,2024-04-01,9\n")
    (value,) = work_out(ledger_of(), SPRING, ["speeding.citations"])
    assert value.figure.value == 9
