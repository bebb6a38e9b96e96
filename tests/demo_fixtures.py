import pytest

from app import create_app
from app.cli.demo import HELD_OUT
from app.config import Settings
from app.pipeline import FitRequest, fit
from app.validation import validate
from geodata.cityfile import read_city_file
from geodata.database import open_database, upgrade
from geodata.demo import write_city
from geodata.importing import import_city


@pytest.fixture(scope="session")
def demo_settings(tmp_path_factory):
    """The demonstration city, imported and fitted once for all tests of a session."""
    folder = tmp_path_factory.mktemp("demo")
    settings = Settings(
        database_url=f"sqlite:///{folder / 'saferground.sqlite'}", instance=folder / "instance"
    )
    upgrade(settings.database_url)
    database = open_database(settings.database_url)
    write_city(folder / "city")
    result = import_city(database, read_city_file(folder / "city" / "city.toml"))
    (run,) = fit(database, FitRequest(city=result.city, outcome="robbery", end=HELD_OUT[0]))
    validate(database, run.id, *HELD_OUT)
    database.close()
    return settings


@pytest.fixture(scope="session")
def demo_app(demo_settings):
    return create_app(demo_settings)


@pytest.fixture
def client(demo_app):
    return demo_app.test_client()


@pytest.fixture
def shown(demo_app):
    return demo_app.extensions["saferground.site"].shown()
