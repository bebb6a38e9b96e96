import pytest
from published import publish
from town import Town

from app.pipeline import FitRequest, fit
from geodata.cityfile import read_city_file
from geodata.database import open_database, upgrade
from geodata.importing import import_city


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A town with one run, quick enough to be fitted dozens of times."""
    folder = tmp_path_factory.mktemp("small")
    url = f"sqlite:///{folder}/small.sqlite"
    upgrade(url)
    database = open_database(url)
    import_city(database, read_city_file(Town(folder, n=700).crowd(400).path))
    (run,) = fit(database, FitRequest(city="town", outcome="robbery"))
    yield database, run
    database.close()


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A town with an early release, a withdrawn one and the one that is shown."""
    return publish(tmp_path_factory.mktemp("published"))
