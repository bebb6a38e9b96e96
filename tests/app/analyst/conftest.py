import pytest
from staffing import Office
from town import Town

from app.pipeline import FitRequest, fit
from geodata.cityfile import read_city_file
from geodata.database import upgrade
from geodata.importing import import_city


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """An office with a town of two factors, one run of it, and people of four roles."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder}/desk.sqlite"
    upgrade(url)
    made = Town(folder, n=700).crowd(400)
    made.city += '[[factors]]\nname = "corner_shops"\nsource = "bars.geojson"\nmax_blocks = 2\n'
    made.save()
    office = Office(url, folder)
    import_city(office.database, read_city_file(made.path))
    office.run = fit(office.database, FitRequest(city="town", outcome="robbery"), who="ann")[0]
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
