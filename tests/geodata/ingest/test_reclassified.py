"""An incident that is of another kind later leaves its earlier outcome, and never becomes two."""

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.clock import utc_now
from geodata.db.tables import Incident
from geodata.ingest.arrivals import store_source
from geodata.ingest.store import import_city
from geodata.repositories import import_log


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path, n=6)


@pytest.fixture
def bring(sqlite_database, town):
    def bring_in(kinds, *, stamps=None, arrive=False):
        """Import a file of these kinds by id, in order; an id may come several times."""
        ids = [one for one, _ in kinds]
        frame = town.incidents.iloc[[ord(one) - ord("a") for one in ids]].copy()
        frame["id"], frame["offense"] = ids, [kind for _, kind in kinds]
        frame["changed"] = stamps or "2024-01-01"
        frame.to_csv(town.folder / "incidents.csv", index=False)
        described = read_city_file(town.path)
        if arrive:
            return store_source(sqlite_database, described, described.incidents[0], "ana")
        result = import_city(sqlite_database, described, skip_unchanged=True)
        return next(one for one in result.sources if one.kind == "incidents")

    return bring_in


@pytest.fixture
def stored(sqlite_database):
    def rows():
        with sqlite_database.session() as session:
            found = session.execute(select(Incident.row_key, Incident.outcome))
            return sorted(tuple(row) for row in found)

    return rows


@pytest.mark.parametrize("arrive", [False, True])
def test_the_later_file_says_what_an_incident_is_and_undoing_brings_the_earlier_back(
    sqlite_database, bring, stored, arrive
):
    bring([("a", "ROBBERY"), ("b", "ROBBERY")])
    report = bring([("a", "BURGLARY"), ("b", "ROBBERY")], arrive=arrive)
    assert stored() == [("a", "burglary"), ("b", "robbery")]
    assert (report.read, report.stored) == (2, 1)
    assert any(note.startswith("1 incident is of another kind now") for note in report.notes)
    with sqlite_database.session(write=True) as session:
        newest = import_log.list_imports(session, "town")[0]
        import_log.undo_import(session, newest.id, "ana", utc_now())
    assert stored() == [("a", "robbery"), ("b", "robbery")]


def test_there_and_back_again(bring, stored):
    for kind in ("ROBBERY", "BURGLARY", "ROBBERY", "BURGLARY"):
        bring([("a", kind)])
        assert stored() == [("a", kind.lower())]


@pytest.mark.parametrize("arrive", [False, True])
def test_an_incident_of_a_kind_that_is_not_imported_goes(bring, stored, arrive):
    bring([("a", "ROBBERY"), ("b", "ROBBERY")])
    report = bring([("a", "NOISE"), ("b", "ROBBERY")], arrive=arrive)
    assert stored() == [("b", "robbery")]
    assert report.left_out["not a listed outcome"] == 1


def test_two_kinds_of_one_incident_in_one_file_are_both_kept(bring, stored):
    both = [("a", "ROBBERY"), ("a", "BURGLARY"), ("a", "NOISE")]
    bring(both)
    assert stored() == [("a", "burglary"), ("a", "robbery")]
    report = bring([*both, ("b", "ROBBERY")])
    assert stored() == [("a", "burglary"), ("a", "robbery"), ("b", "robbery")]
    assert not any("another kind" in note for note in report.notes)


def test_an_id_that_a_file_of_changes_repeats_takes_nothing_away(bring, stored):
    bring([("a", "ROBBERY"), ("a", "BURGLARY")])
    bring([("a", "BURGLARY")])
    assert stored() == [("a", "burglary"), ("a", "robbery")]


def test_two_sections_of_one_file_are_one_source(town, bring, stored):
    section = town.city[town.city.index("[[incidents]]") : town.city.index("[[factors]]")]
    first = section.replace(', "BURGLARY" = "burglary"', "")
    second = section.replace('"ROBBERY" = "robbery", ', "")
    town.change(section, first + second)
    bring([("a", "ROBBERY"), ("b", "BURGLARY")])
    assert stored() == [("a", "robbery"), ("b", "burglary")]
    bring([("a", "BURGLARY"), ("b", "ROBBERY")])
    assert stored() == [("a", "burglary"), ("b", "robbery")]


def test_an_outcome_that_the_city_file_lists_no_more_keeps_its_rows(town, bring, stored):
    bring([("a", "ROBBERY"), ("b", "BURGLARY")])
    town.change(', "BURGLARY" = "burglary"', "")
    bring([("a", "ROBBERY"), ("b", "BURGLARY")])
    assert stored() == [("a", "robbery"), ("b", "burglary")]


def test_a_correction_date_tells_which_kind_is_the_later(town, bring, stored):
    town.change('id = "id"', 'id = "id"\nupdated = "changed"')
    days = ["2024-03-01", "2024-02-01", "2024-02-01", "2024-03-01", "2024-02-01", "2024-02-01"]
    kinds = [("a", "ROBBERY"), ("a", "BURGLARY"), ("b", "ROBBERY"), ("b", "NOISE"),
             ("c", "ROBBERY"), ("c", "BURGLARY")]  # fmt: skip
    report = bring(kinds, stamps=days)
    assert stored() == [("a", "robbery"), ("c", "burglary"), ("c", "robbery")]
    assert report.left_out["of another kind later"] == 2
    bring([("a", "BURGLARY")], stamps=["2024-04-01"])
    assert stored() == [("a", "burglary"), ("c", "burglary"), ("c", "robbery")]


@settings(deadline=None, max_examples=15,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    weeks=st.lists(
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["ROBBERY", "BURGLARY", "NOISE"]),
                        min_size=1),
        min_size=1, max_size=4,
    ),
    arrive=st.booleans(),
)  # fmt: skip
def test_after_any_weeks_each_id_is_what_the_last_file_with_it_says(
    sqlite_database, bring, stored, weeks, arrive
):
    with sqlite_database.session(write=True) as session:
        session.query(Incident).delete()
    wanted = {}
    bring([("f", "ROBBERY")])
    for number, week in enumerate(weeks):
        bring([*week.items(), ("f", "ROBBERY")], arrive=arrive and number > 0)
        wanted |= week
    expected = {key: kind.lower() for key, kind in wanted.items() if kind != "NOISE"}
    assert stored() == sorted({**expected, "f": "robbery"}.items())
