"""Databases for tests: a fresh SQLite file, and a real PostgreSQL with PostGIS."""

import os
from pathlib import Path

import pytest
from cluster import Cluster, ClusterError
from ready import make_ready

from geodata.db.engine import open_database

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
SLOW_FIXTURES = {"drawn", "imported_demo", "demo_settings", "published_settings"}


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the real data sets, which are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def postgres_cluster():
    """A PostgreSQL server of our own on a loopback port, gone when the tests are."""
    try:
        cluster = Cluster()
    except ClusterError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield cluster
    cluster.stop()


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'saferground.sqlite'}"


@pytest.fixture
def sqlite_database(sqlite_url):
    make_ready(sqlite_url)
    database = open_database(sqlite_url)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request):
    """An upgraded, empty database of either kind."""
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite_url")
        make_ready(url)
    else:
        url = request.getfixturevalue("postgres_cluster").fresh_database()
    return url


@pytest.fixture
def database(database_url):
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what waits for the demonstration city or a browser as slow; its files begin first.

    A long file that begins last is waited for by all others.
    """
    for item in items:
        if item.get_closest_marker("browser") or SLOW_FIXTURES & {
            *getattr(item, "fixturenames", ())
        }:
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


pytest_plugins = ["staffing", "demo_fixtures", "desk_fixtures", "published"]
