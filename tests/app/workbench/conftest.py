import pytest
from ready import make_ready
from staffing import Office
from town import Town
from using import put_to_use
from workbench import Workbench

from app.usecases.risk.fit import FitRequest, fit
from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city


@pytest.fixture
def bench(tmp_path):
    """A workbench whose city was imported from a folder by command."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    make_ready(url)
    (tmp_path / "town").mkdir()
    (tmp_path / "instance").mkdir()
    made = Workbench(url, tmp_path / "instance")
    made.town = Town(tmp_path / "town")
    import_city(made.office.database, read_city_file(made.town.path), who="root")
    yield made
    made.office.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """An office with a town of two factors, one run of it, and people of four roles."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder}/desk.sqlite"
    make_ready(url)
    made = Town(folder, n=700).crowd(400)
    made.city += '[[factors]]\nname = "corner_shops"\nsource = "bars.geojson"\nmax_blocks = 2\n'
    made.save()
    office = Office(url, folder)
    import_city(office.database, read_city_file(made.path))
    office.run = fit(office.database, FitRequest(city="town", outcome="robbery"), who="ann")[0]
    put_to_use(office.database, office.run)
    for role in ("viewer", "analyst", "commander", "publisher"):
        office.add(role, role, display=role.title(), districts=["town/D1"])
    yield office
    office.close()


@pytest.fixture(scope="module")
def ann(desk):
    """The analyst's browser."""
    return desk.client("analyst")


@pytest.fixture(scope="module")
def vera(desk):
    """The viewer's browser."""
    return desk.client("viewer")
