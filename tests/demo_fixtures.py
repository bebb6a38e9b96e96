import dataclasses
import datetime as dt

import pytest

from app import create_app
from app.cli.demo import FITTED_FROM, HELD_OUT, publish_demo
from app.config import Settings
from app.runs.pipeline import FitRequest, fit
from app.runs.validation import validate
from geodata.cityfile.description import read_city_file
from geodata.database import open_database, upgrade
from geodata.demo import write_city
from geodata.demo.initiatives import write_initiatives
from geodata.importing import import_city
from geodata.initiatives import read_initiatives
from geodata.measures.registry import MEASURES
from geodata.store.initiatives import record_initiatives


@pytest.fixture(scope="session")
def demo_settings(tmp_path_factory):
    """The demonstration city, imported and fitted once for all tests of a session."""
    folder = tmp_path_factory.mktemp("demo")
    settings = Settings(
        database_url=f"sqlite:///{folder / 'saferground.sqlite'}",
        instance=folder / "instance",
        preview=True,
    )
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
    database.close()
    return settings


@pytest.fixture(scope="session")
def published_settings(demo_settings):
    """The demonstration city with its two releases; nothing else is read of it."""
    settings = dataclasses.replace(demo_settings, preview=False)
    database = open_database(settings.database_url)
    publish_demo(database, settings.releases, "alder-falls")
    database.close()
    return settings


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
