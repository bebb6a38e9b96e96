"""Lists of runs read columns: no document, no cells, and no statement more for more runs."""

import datetime as dt

import pytest
from earlier import before_run_lists
from run_documents import keep_earlier_run
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from statements import blobs_in, statements_of

from geodata.db.engine import upgrade
from geodata.repositories import runs
from geodata.repositories.runs import RunFilter


@pytest.fixture
def town(database, make_city_record, make_run):
    make_city_record(database, "town")

    def keep(letter, **change):
        with database.session(write=True) as session:
            runs.save_run(session, make_run("town", letter * 12, **change))

    keep("a")
    return keep


def test_lists_and_summaries_of_runs_read_no_document_and_no_cells(database, town):
    with statements_of(database) as sent, database.session() as session:
        (listed,) = runs.list_runs(session, "town", RunFilter(outcome="robbery"), order="period")
        assert runs.get_summary(session, "a" * 12) == listed
        assert runs.count_runs(session, "town") == 1
        assert runs.run_scopes(session, "town") == (["robbery"], ["city"])
    assert sent
    assert blobs_in(sent) == []
    with statements_of(database) as sent, database.session() as session:
        runs.get_run(session, "a" * 12)
    assert blobs_in(sent) == ["run.cells", "run.grid", "run.result", "run.spec"]


def test_sqlite_lists_runs_from_an_index_alone(sqlite_database):
    """In the table, what lists say stands behind documents and cells."""
    with statements_of(sqlite_database) as sent, sqlite_database.session() as session:
        runs.list_runs(session, "town")
    listing = next(one for one in sent if "run.family" in one).replace("LIMIT ? OFFSET ?", "")
    with sqlite_database.session() as session:
        plan = session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {listing}", ("town", "run")
        )
        assert "run USING COVERING INDEX ix_run_listed" in "\n".join(map(str, plan))


def test_more_runs_take_no_more_statements(database, town):
    def count():
        with statements_of(database) as sent, database.session() as session:
            runs.list_runs(session, "town")
        return len(sent)

    before = count()
    for number, letter in enumerate("bcdef"):
        town(letter, created_at=dt.datetime(2026, 2, 1 + number))
    assert count() == before


def test_the_upgrade_fills_what_lists_say_from_the_documents(database, database_url, town):
    earlier = {"incidents": 7, "model": {"family": "poisson", "factors": []}}
    with database.session() as session:
        keep_earlier_run(session, "a" * 12, "b" * 12, earlier)
        before = runs.list_runs(session, "town")
    with database.engine.begin() as connection:
        before_run_lists(connection)
    upgrade(database_url)
    with database.session() as session:
        assert runs.list_runs(session, "town") == before
    assert [(one.family, one.factors, one.incidents, one.readable) for one in before] == [
        ("nb2", 1, 12, True),
        ("poisson", 0, 7, False),
    ]
    with pytest.raises(DBAPIError, match="never changed"), database.session() as session:
        session.execute(text("UPDATE run SET family = 'poisson'"))
