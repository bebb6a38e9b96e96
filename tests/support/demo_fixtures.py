import dataclasses
import datetime as dt
import fcntl
import os
import shutil

import pytest

from app import create_app
from app.cli.demo_command import FITTED_FROM, HELD_OUT, publish_demo, put_to_use
from app.config import Settings
from app.usecases.risk.fit import FitRequest, fit
from app.usecases.risk.validation import validate
from geodata.cityfile.description import read_city_file
from geodata.cityfile.initiatives import read_initiatives
from geodata.db.engine import open_database, upgrade
from geodata.demo import write_city
from geodata.demo.pilots import write_initiatives
from geodata.ingest.store import import_city
from geodata.measures.registry import MEASURES
from geodata.repositories.initiatives import record_initiatives


def made_once(tmp_path_factory, name, make):
    """Make a folder once for all processes of a test run; each gets a copy of its own."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    made, whole = base / f"{name}-made", base / f"{name}.whole"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the others wait, and use what the first has made
        if not whole.exists():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            make(made)
            whole.touch()
    return shutil.copytree(made, tmp_path_factory.mktemp(name) / "own")


def settings_in(folder):
    return Settings(
        database_url=f"sqlite:///{folder / 'saferground.sqlite'}",
        instance=folder / "instance",
        preview=True,
    )


def make_city(folder):
    settings = settings_in(folder)
    upgrade(settings.database_url)
    database = open_database(settings.database_url)
    write_city(folder / "city")
    result = import_city(database, read_city_file(folder / "city" / "city.toml"))
    write_initiatives(folder / "city")
    told = read_initiatives(folder / "city" / "initiatives.toml", MEASURES)
    with database.session(write=True) as session:
        record_initiatives(session, told, dt.datetime(2026, 1, 5, 12))
    asked = FitRequest(city=result.city, outcome="robbery", start=FITTED_FROM, end=HELD_OUT[0])
    (run,) = fit(database, asked)
    validate(database, run.id, *HELD_OUT)
    put_to_use(database, run)
    database.close()


@pytest.fixture(scope="session")
def demo_settings(tmp_path_factory):
    """The demonstration city, imported and fitted."""
    return settings_in(made_once(tmp_path_factory, "demo", make_city))


@pytest.fixture(scope="session")
def published_settings(tmp_path_factory, demo_settings):
    """The demonstration city with its two releases; nothing else is read of it."""

    def make_releases(folder):
        shutil.copytree(demo_settings.instance.parent, folder, dirs_exist_ok=True)
        settings = settings_in(folder)
        database = open_database(settings.database_url)
        publish_demo(database, settings.releases, "alder-falls")
        database.close()

    made = made_once(tmp_path_factory, "published-demo", make_releases)
    return dataclasses.replace(settings_in(made), preview=False)


@pytest.fixture(scope="session")
def published_app(published_settings):
    return create_app(published_settings)


@pytest.fixture(scope="session")
def demo_app(demo_settings):
    return create_app(demo_settings)


@pytest.fixture
def client(demo_app):
    return demo_app.test_client()


@pytest.fixture
def shown(demo_app):
    return demo_app.extensions["saferground.site"].shown()
