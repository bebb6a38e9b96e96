"""City settings and sources are corrected on pages, compared first, and undone."""

import html
import re

import pytest

from geodata.repositories.cities import list_cities

SETTINGS, CORRECT = "/analyst/town/settings", "/analyst/town/sources/correct"
INCIDENTS, BARS = f"{CORRECT}?section=incidents&number=1", f"{CORRECT}?section=factors&number=1"


def fields(bench, page):
    """Give the fields of the page's form as they stand."""
    text = bench.browser.get(page).text
    main = text[text.index("<main") :]
    found = dict(
        re.findall(r'<input type="hidden" name="(version|section|number)" value="(.*?)"', main)
    )
    for name, value in re.findall(
        r'<input id="[^"]*" name="([^"]*)" type="text" value="(.*?)"', main
    ):
        found[name] = value
    for name, value in re.findall(
        r'<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>', main, re.S
    ):
        found[name] = value
    return {name: html.unescape(value) for name, value in found.items()}


def send(bench, page, before=None, **changed):
    address = page.partition("?")[0]
    typed = {**(before or fields(bench, page)), **changed}
    return bench.browser.send(address, page=page, **typed)


def incidents(bench):
    return bench.browser.get("/analyst/town/").text


def test_settings_are_compared_imported_audited_and_undone(bench):
    changed = {"city.name": "New Town", "grid.cell": "120", "schedule.round": "Mon 05:00"}
    checked = send(bench, SETTINGS, **changed)
    assert checked.status_code == 200
    table = checked.text[checked.text.index("What changes") : checked.text.index("Import it so")]
    assert table.count("<tr>") == 4
    for told in ("City: name", "&#34;New Town&#34;", "100", "120", "not set", "Mon 05:00"):
        assert told in table
    assert bench.work() == [], "nothing is asked for before it is confirmed"
    answer = send(bench, SETTINGS, sure="y", **changed)
    assert answer.status_code == 303, answer.text
    bench.work()
    city = bench.city()
    assert (city.name, city.cell_units, city.block_units) == ("New Town", 120, 200)
    assert bench.toml()["schedule"] == {"round": "Mon 05:00"}
    (entry,) = bench.office.entries("city.settings")
    assert entry.person == "ann"
    assert entry.details["changes"]["grid.cell"] == ["100", "120"]
    bench.undo()
    city = bench.city()
    assert (city.name, city.cell_units) == ("Town", 100)
    assert fields(bench, SETTINGS)["schedule.round"] == ""


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"grid.cell": "wide"}, "a number such as 200"),
        ({"grid.cell": "-5"}, "cell"),
        ({"city.name": ""}, "name"),
        ({"city.timezone": "Mars/Base"}, "Mars/Base"),
        ({"schedule.round": "sometimes"}, "is no time"),
        ({"contact.email": "<script>"}, "contact"),
        ({"publish.sensitive_outcomes": '["murder"]'}, "murder"),
        ({}, "nothing is changed"),
        ({"version": "99", "city.name": "New"}, "changed meanwhile"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_stored(bench, typed, told):
    answer = send(bench, SETTINGS, sure="y", **typed)
    assert answer.status_code == 422
    assert told in answer.text
    assert "<script>" not in answer.text
    assert bench.work() == []


def test_a_source_is_corrected_with_its_rows_and_comes_back(bench):
    stored = len(bench.town.incidents)
    robberies = int((bench.town.incidents["offense"] == "ROBBERY").sum())
    burglaries = int((bench.town.incidents["offense"] == "BURGLARY").sum())
    assert 0 < robberies < stored
    assert burglaries
    assert f'<td class="n">{burglaries}</td>' in incidents(bench)
    changed = {"incidents.outcomes": '{ "ROBBERY" = "robbery" }'}
    checked = send(bench, INCIDENTS, **changed)
    assert checked.status_code == 200, checked.text
    assert "BURGLARY" in checked.text[checked.text.index("What changes") :]
    assert send(bench, INCIDENTS, sure="y", **changed).status_code == 303
    bench.work()
    assert bench.toml()["incidents"][0]["outcomes"] == {"ROBBERY": "robbery"}
    page = incidents(bench)
    assert f'<td class="n">{robberies}</td>' in page
    assert "burglary" not in page, "rows of the corrected source are those that it has now"
    (entry,) = bench.office.entries("source.correct")
    assert entry.details["source"] == "incidents.csv"
    bench.undo()
    assert f'<td class="n">{burglaries}</td>' in incidents(bench)


def test_a_correction_that_cannot_be_read_stores_nothing(bench):
    def stored():
        with bench.office.database.session() as session:
            return list_cities(session)

    before = stored()
    assert send(bench, INCIDENTS, sure="y", **{"incidents.date": "no such"}).status_code == 303
    (fault,) = bench.work()
    assert "no such" in fault
    assert stored() == before
    assert fields(bench, INCIDENTS)["incidents.date"] == "date"


def test_a_factor_gets_a_filter_and_a_number(bench):
    changed = {"factors.where": '{ name = ["y"] }', "factors.max_blocks": "2"}
    assert send(bench, BARS, sure="y", **changed).status_code == 303
    bench.work()
    factor = bench.toml()["factors"][0]
    assert (factor["where"], factor["max_blocks"]) == ({"name": ["y"]}, 2)
    refused = send(bench, BARS, sure="y", **{"factors.where": "{ name = "})
    assert refused.status_code == 422
    assert "not a value of a city file" in refused.text


def test_a_file_cannot_become_another_path(bench):
    assert "factors.source" not in fields(bench, BARS)
    answer = send(bench, BARS, sure="y", **{"factors.source": "/etc/passwd"})
    assert answer.status_code == 422
    assert "nothing is changed" in answer.text
    assert bench.browser.get(f"{CORRECT}?section=factors&number=7").status_code == 404
    assert bench.browser.get(f"{CORRECT}?section=files").status_code == 404


def test_options_of_addresses_that_are_no_text_are_corrected(bench):
    homes = "no,street,lon,lat\n101,N Elm St,-79.87,36.15\n"
    listed = bench.hand_in(homes, "homes.csv").location
    bench.send(listed, kind="addresses", look="y")
    bench.commit(listed, **{"column-0": "number", "column-1": "street"})
    page = f"{CORRECT}?section=addresses"
    changed = {"addresses.spelling": "1", "addresses.street_only": "true",
               "addresses.street": '["street"]'}  # fmt: skip
    assert send(bench, page, sure="y", **changed).status_code == 303
    bench.work()
    told = bench.toml()["addresses"]
    assert (told["spelling"], told["street_only"], told["street"]) == (1, True, ["street"])
