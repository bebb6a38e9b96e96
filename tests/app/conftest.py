import os

import pytest
from attacking import Attacked
from click.testing import CliRunner
from ready import make_ready
from town import Town
from using import put_to_use

from app.cli import main
from app.usecases.risk.fit import FitRequest, fit
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.ingest.store import import_city


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an instance of its own, with no setting of this machine."""
    for name in [name for name in os.environ if name.startswith("SAFERGROUND_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SAFERGROUND_INSTANCE", str(tmp_path / "instance"))

    def invoke(*arguments, status=0, typed=None):
        result = CliRunner().invoke(main, [str(a) for a in arguments], input=typed)
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A town with one run, quick enough to be fitted dozens of times."""
    folder = tmp_path_factory.mktemp("small")
    url = f"sqlite:///{folder}/small.sqlite"
    make_ready(url)
    database = open_database(url)
    import_city(database, read_city_file(Town(folder, n=700).crowd(400).path))
    (run,) = fit(database, FitRequest(city="town", outcome="robbery"))
    put_to_use(database, run)
    yield database, run
    database.close()


@pytest.fixture(scope="session")
def attacked(tmp_path_factory):
    """A published town with staff, whose every route is attacked."""
    made = Attacked(tmp_path_factory)
    made.office.add("ray", "viewer")
    yield made
    made.close()
