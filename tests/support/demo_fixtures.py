import datetime as dt
import fcntl
import json
import os
import pickle
import shutil

import pytest
from golden import printed

from app import create_app
from app.cli.demo_command import DRAFTER, FITTED_FROM, HELD_OUT, WHY_USED, publish_demo
from app.config import Settings
from app.maps.basemap import Ground
from geodata.cityfile.initiatives import read_initiatives
from geodata.db.engine import open_database
from geodata.demo import write_city
from geodata.demo.pilots import write_initiatives
from geodata.measures.registry import MEASURES
from geodata.releases.inputs import in_districts
from geodata.repositories.cities import get_city
from geodata.repositories.initiatives import record_initiatives
from geodata.repositories.layers import base_shapes
from geodata.repositories.runs_in_use import id_in_use
from geodata.repositories.zone_versions import get_run_in_use

CITY = "alder-falls"


def made_once(tmp_path_factory, name, make, start=None):
    """Make a folder once for all processes of a test run; each gets a copy of its own.

    ``start`` names the folder, made so before, whose copy it is made from.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    made, whole = base / f"{name}-made", base / f"{name}.whole"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the others wait, and use what the first has made
        if not whole.exists():
            shutil.rmtree(made, ignore_errors=True)
            if start is None:
                made.mkdir()
            else:
                shutil.copytree(base / f"{start}-made", made)
            make(made)
            whole.touch()
    return shutil.copytree(made, tmp_path_factory.mktemp(name) / "own")


def settings_in(folder):
    return Settings(
        database_url=f"sqlite:///{folder / 'saferground.sqlite'}",
        instance=folder / "instance",
    )


def import_demo(folder):
    """Draw the city and import it; what was drawn, and what the command printed, are kept."""
    truth = write_city(folder / "city")
    (folder / "truth.pickle").write_bytes(pickle.dumps(truth))
    printed(folder, "init")
    account = printed(folder, "import", folder / "city" / "city.toml", "--json")
    (folder / "printed.json").write_text(json.dumps({"import": account}))


def fit_demo(folder):
    """Fit the imported city, validate the run and put it to use."""
    write_initiatives(folder / "city")
    database = open_database(settings_in(folder).database_url)
    found = read_initiatives(folder / "city" / "initiatives.toml", MEASURES)
    with database.session(write=True) as session:
        record_initiatives(session, found, dt.datetime(2026, 1, 5, 12))
    database.close()
    documents = json.loads((folder / "printed.json").read_text())
    days = ("--from", FITTED_FROM, "--to", HELD_OUT[0])
    documents["fit"] = printed(folder, "fit", CITY, "--outcome", "robbery", *days, "--json")
    run, later = documents["fit"]["run"], ("--from", HELD_OUT[0], "--to", HELD_OUT[1])
    documents["validate"] = printed(folder, "validate", run, *later, "--json")
    printed(folder, "use", run, "--as", DRAFTER, "--why", WHY_USED)
    (folder / "printed.json").write_text(json.dumps(documents))


def publish_releases(folder):
    """Publish the fitted city twice."""
    settings = settings_in(folder)
    database = open_database(settings.database_url)
    publish_demo(database, settings.releases, CITY)
    database.close()


@pytest.fixture(scope="session")
def imported_demo(tmp_path_factory):
    """Folder of the demonstration city as it was drawn, and its database."""
    return made_once(tmp_path_factory, "imported-demo", import_demo)


@pytest.fixture(scope="session")
def demo_settings(tmp_path_factory, imported_demo):
    """The demonstration city, imported and fitted."""
    return settings_in(made_once(tmp_path_factory, "demo", fit_demo, "imported-demo"))


@pytest.fixture(scope="session")
def published_settings(tmp_path_factory, demo_settings):
    """The demonstration city with its two releases; nothing else is read of it."""
    return settings_in(made_once(tmp_path_factory, "published-demo", publish_releases, "demo"))


@pytest.fixture(scope="session")
def published_app(published_settings):
    return create_app(published_settings)


@pytest.fixture
def client(published_app):
    return published_app.test_client()


@pytest.fixture
def shown(published_app):
    return published_app.extensions["saferground.site"].shown()


@pytest.fixture(scope="session")
def drawn(demo_settings):
    """What the demonstration city's map is drawn from: its ground and the run in use, whole."""
    database = open_database(demo_settings.database_url)
    with database.session() as session:
        city = get_city(session, "alder-falls")
        ground = Ground(city=city, base=base_shapes(session, city.id))
        run = in_districts(get_run_in_use(session, id_in_use(session, city)), city.districts)
    database.close()
    return ground, run
