import shutil
from contextlib import closing

import pytest
from sqlalchemy import func, select, text, update

from geodata.db.copying import contents, copy_database, snapshot
from geodata.db.engine import open_database, upgrade
from geodata.db.staff_tables import AuditEntry
from geodata.db.tables import Base, Incident
from geodata.errors import StoreError
from geodata.repositories import audit


def copied(source_url, target_url):
    with (
        closing(open_database(source_url)) as source,
        closing(open_database(target_url)) as target,
        snapshot(source) as connection,
    ):
        return copy_database(connection, target)


@pytest.fixture(scope="module")
def whole_url(published_settings, tmp_path_factory):
    """The database of the demonstration city: runs, releases, plans, people's entries, shapes."""
    path = tmp_path_factory.mktemp("whole") / "saferground.sqlite"
    shutil.copy(published_settings.database_url.removeprefix("sqlite:///"), path)
    return f"sqlite:///{path}"


@pytest.mark.slow
@pytest.mark.postgres
def test_a_whole_database_goes_to_postgres_and_back_unchanged(
    whole_url, postgres_cluster, sqlite_url
):
    there = postgres_cluster.fresh_database()
    upgrade(sqlite_url)
    before = copied(whole_url, there)
    after = copied(there, sqlite_url)

    assert before == after
    filled = {name for name, one in before.items() if one.rows}
    assert filled >= {"incident", "district", "run", "zone", "release", "alert", "visit", "audit"}
    with closing(open_database(sqlite_url)) as database, database.session(write=True) as session:
        assert audit.verify(session).fault is None


@pytest.mark.postgres
def test_rows_added_after_a_copy_are_numbered_on(
    sqlite_database, sqlite_url, postgres_cluster, make_city_record
):
    make_city_record(sqlite_database, "aspen")
    there = postgres_cluster.fresh_database()
    copied(sqlite_url, there)
    with closing(open_database(there)) as database:
        make_city_record(database, "birch")
        with database.session(write=True) as session:
            assert audit.record(session, "ana", "town.add").seq == 1
            assert session.scalar(text("SELECT count(*) FROM city")) == 2


def test_a_database_with_rows_is_not_overwritten(
    sqlite_database, sqlite_url, make_city_record, tmp_path
):
    make_city_record(sqlite_database, "aspen")
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    upgrade(other)
    with closing(open_database(other)) as database:
        make_city_record(database, "birch")
    with pytest.raises(StoreError) as caught:
        copied(sqlite_url, other)
    assert caught.value.code == "store.not_empty"
    assert caught.value.parameters == {"table": "city"}


@pytest.mark.parametrize("change", ["UPDATE city SET name = name || '.'", "DELETE FROM district"])
def test_a_copy_that_lost_something_is_taken_back(
    sqlite_database, sqlite_url, make_city_record, tmp_path, change
):
    """A trigger of the target stands for whatever a database could do to what it is given."""
    make_city_record(sqlite_database, "aspen")
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    upgrade(other)
    with closing(open_database(other)) as database:
        with database.session(write=True) as session:
            session.execute(
                text(f"CREATE TRIGGER worm AFTER INSERT ON district BEGIN {change}; END")
            )
        with pytest.raises(StoreError, match="nothing was copied"):
            copied(sqlite_url, other)
        with database.session() as session:
            assert session.scalar(text("SELECT count(*) FROM city")) == 0


def test_contents_differ_where_one_value_differs(whole_url):
    with closing(open_database(whole_url)) as database, snapshot(database) as connection:
        before = contents(connection)
        for one in Base.metadata.sorted_tables:
            rows = connection.scalar(select(func.count()).select_from(one))
            assert before[one.name].rows == rows
    with closing(open_database(whole_url)) as database:
        with database.session(write=True) as session:
            first = select(func.min(Incident.id)).scalar_subquery()
            session.execute(update(Incident).where(Incident.id == first).values(row_key="another"))
        with snapshot(database) as connection:
            after = contents(connection)
    assert {name for name in before if before[name] != after[name]} == {"incident"}


def test_a_snapshot_does_not_see_what_is_written_later(database):
    with snapshot(database) as connection:
        with database.session(write=True) as session:
            audit.record(session, "ana", "town.add")
        assert connection.scalar(select(func.count()).select_from(AuditEntry)) == 0
