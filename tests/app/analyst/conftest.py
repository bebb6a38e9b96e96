import pytest
from town import Town
from workbench import Workbench

from geodata.cityfile import read_city_file
from geodata.database import upgrade
from geodata.importing import import_city


@pytest.fixture
def bench(tmp_path):
    """A workbench whose city was imported from a folder by command."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    upgrade(url)
    (tmp_path / "town").mkdir()
    (tmp_path / "instance").mkdir()
    made = Workbench(url, tmp_path / "instance")
    made.town = Town(tmp_path / "town")
    import_city(made.office.database, read_city_file(made.town.path), who="root")
    yield made
    made.office.close()
