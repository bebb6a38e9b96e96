import shutil

import pytest
from patrolling import make_district
from ready import make_ready
from staffing import Office


@pytest.fixture(scope="session")
def first_district(tmp_path_factory):
    """A district that is made once; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("district")
    url = f"sqlite:///{folder}/district.sqlite"
    make_ready(url)
    made = make_district(url, folder)
    made.close()
    return folder / "district.sqlite", made.secrets


@pytest.fixture
def district(first_district, tmp_path):
    """A district with zones, a plan that is on, and people; on SQLite."""
    file, secrets = first_district
    shutil.copy(file, tmp_path / "district.sqlite")
    made = Office(f"sqlite:///{tmp_path}/district.sqlite", tmp_path)
    made.secrets = dict(secrets)
    yield made
    made.close()
