"""Which run is in use, since when, by whose decision; names of runs; on both databases."""

import datetime as dt

import pytest
from run_documents import keep_earlier_run
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from geodata.db.tables import City
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit, cities, runs, runs_in_use

FIRST = dt.datetime(2026, 3, 1, 8)
DAY = dt.timedelta(days=1)
ROBBERY, NEWER, BURGLARY, DISTRICT = (letter * 12 for letter in "abcd")


@pytest.fixture
def town(database, make_city_record, make_run):
    """A town with two robbery runs, one of burglary and one of a district alone."""
    make_city_record(database, "town")
    made = {
        ROBBERY: {},
        NEWER: {},
        BURGLARY: {"outcome": "burglary"},
        DISTRICT: {"scope": "D1"},
    }
    with database.session(write=True) as session:
        for day, (run, change) in enumerate(made.items()):
            runs.save_run(session, make_run("town", run, created_at=FIRST + day * DAY, **change))
    return database


def use(database, run, day=0, why="the data are good", who="ana"):
    with database.session(write=True) as session:
        return runs_in_use.use_run(session, run, why, who, FIRST + day * DAY)


def now(database):
    with database.session() as session:
        city = cities.get_city(session, "town")
        return runs_in_use.runs_to_show(session, city), runs_in_use.id_in_use(session, city)


def test_nothing_is_in_use_until_somebody_says_so_and_then_it_is_kept_with_why_and_who(town):
    assert now(town) == ([], None)
    made, before = use(town, ROBBERY)
    assert before is None
    assert (made.run, made.outcome, made.used_by) == (ROBBERY, "robbery", "ana")
    assert (made.used_at, made.until) == (FIRST, None)
    assert now(town) == ([ROBBERY], ROBBERY)
    made, before = use(town, NEWER, 3, why="  with   the new stops ")
    assert (made.reason, before) == ("with the new stops", ROBBERY)
    with town.session() as session:
        city = cities.get_city(session, "town")
        listed = runs_in_use.list_uses(session, city.id)
        (entry,) = list(audit.entries(session, audit.AuditFilter(action="run.use")))[:1]
    assert [(one.run, one.until) for one in listed] == [
        (NEWER, None),
        (ROBBERY, FIRST + 3 * DAY),
    ]
    assert entry.object == NEWER
    assert entry.details == {
        "city": "town",
        "outcome": "robbery",
        "before": ROBBERY,
        "reason": "with the new stops",
    }


def test_each_outcome_has_a_run_in_use_and_the_one_put_to_use_last_is_shown(town):
    use(town, ROBBERY)
    use(town, BURGLARY, 1)
    assert now(town) == ([BURGLARY, ROBBERY], BURGLARY)
    use(town, ROBBERY, 2)  # it is in use already, and is to be shown again
    assert now(town) == ([ROBBERY, BURGLARY], ROBBERY)
    with town.session() as session:
        city = cities.get_city(session, "town")
        assert runs_in_use.uses_now(session, city.id)[ROBBERY].used_at == FIRST
    with pytest.raises(DataError, match="in use already"):
        use(town, ROBBERY, 3)


@pytest.mark.parametrize(
    ("run", "change", "told"),
    [
        (DISTRICT, {}, "of district D1 alone; a run of the whole city is needed"),
        (ROBBERY, {"why": "  "}, "say why"),
        (ROBBERY, {"why": "x" * 501}, "1 to 500 characters"),
        (ROBBERY, {"who": " "}, "--as NAME"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(town, run, change, told):
    with pytest.raises(DataError, match=told):
        use(town, run, **change)
    assert now(town) == ([], None)


def test_a_run_that_is_not_stored_has_no_zones_or_cannot_be_read_is_not_used(town, make_run):
    with pytest.raises(NotStoredError, match="saferground runs"):
        use(town, "nope")
    bare = make_run("town", "e" * 12)
    with town.session(write=True) as session:
        runs.save_run(session, make_run("town", "e" * 12, zones=bare.zones.iloc[:0]))
        keep_earlier_run(session, ROBBERY, "f" * 12)
    with pytest.raises(DataError, match="has no zones"):
        use(town, "e" * 12)
    with pytest.raises(DataError, match="earlier version"):
        use(town, "f" * 12)


def test_a_sensitive_outcome_is_neither_used_nor_shown_any_more(town):
    use(town, ROBBERY)
    use(town, BURGLARY, 1)
    with town.session(write=True) as session:
        session.query(City).one().sensitive_outcomes = ["burglary"]
    assert now(town) == ([ROBBERY], ROBBERY)
    with pytest.raises(DataError, match="sensitive in town"):
        use(town, BURGLARY, 2)


def test_a_draft_shows_the_run_in_use_else_the_newest_that_may_be_public(town):
    def choose(wanted=None, last_day=dt.date.max - 2 * DAY):
        with town.session() as session:
            return runs_in_use.run_to_draft(
                session, cities.get_city(session, "town"), wanted, last_day
            )

    with town.session() as session:
        ends = {run.id: run.period_to for run in runs.list_runs(session, "town")}
    assert choose() == (BURGLARY, True)  # the one of a district is newer still
    assert choose(BURGLARY, ends[BURGLARY] - DAY) == (BURGLARY, True)
    with pytest.raises(DataError, match=r"may tell of days through .* only; fit it on older days"):
        choose(BURGLARY, ends[BURGLARY] - 2 * DAY)
    with pytest.raises(DataError, match="saferground fit town --outcome burglary --to"):
        choose(None, min(ends.values()) - 2 * DAY)
    assert choose(ROBBERY) == (ROBBERY, True)
    assert now(town) == ([], None)  # a draft puts nothing to use
    use(town, ROBBERY)
    assert choose() == (ROBBERY, False)
    assert choose(NEWER) == (NEWER, False)
    with pytest.raises(DataError, match="of district D1 alone"):
        choose(DISTRICT)
    with pytest.raises(NotStoredError):
        choose("nope")


def test_uses_names_and_codes_are_only_added(town):
    use(town, ROBBERY)
    with town.session(write=True) as session:
        runs.name_run(session, ROBBERY, "Spring", "", "ana", FIRST)
    for table in ("run_use", "run_name", "zone_code"):
        removed = [f"DELETE FROM {table}"] if table == "run_use" else []  # others go with a run
        for sql in (f"UPDATE {table} SET id = id + 100", *removed):
            with (
                pytest.raises((DBAPIError, IntegrityError), match="never changed"),
                town.engine.begin() as connection,
            ):
                connection.execute(text(sql))


def test_a_run_has_a_name_and_a_note_that_can_be_changed(town):
    def name(name, note="", run=ROBBERY):
        with town.session(write=True) as session:
            runs.name_run(session, run, name, note, "ana", FIRST)

    def told():
        with town.session() as session:
            record = runs.get_run(session, ROBBERY)
            listed = {run.id: (run.name, run.note) for run in runs.list_runs(session, "town")}
            return (record.name, record.note), listed[ROBBERY], listed[NEWER]

    assert told() == (("", ""), ("", ""), ("", ""))
    name("  Spring,  new stops ", "with the stops of March\nand no bars")
    said = ("Spring, new stops", "with the stops of March\nand no bars")
    assert told() == (said, said, ("", ""))
    name("Spring, new stops", said[1])  # says nothing new
    name("Summer")
    assert told() == (("Summer", ""), ("Summer", ""), ("", ""))
    with town.session() as session:
        entries = list(audit.entries(session, audit.AuditFilter(action="run.name")))
    assert [entry.details["name"] for entry in entries] == ["Summer", "Spring, new stops"]
    for bad in ("x" * 81, "a\u202eb"):
        with pytest.raises(DataError, match="name: the name of a run"):
            name(bad)
    with pytest.raises(DataError, match="note: the note of a run"):
        name("x", "y" * 1001)
    with pytest.raises(NotStoredError):
        name("x", run="nope")
