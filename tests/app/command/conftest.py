import pytest
from patrolling import make_district

from geodata.database import upgrade


@pytest.fixture
def district(tmp_path):
    """A district with zones, a plan that is on, and people; on SQLite."""
    url = f"sqlite:///{tmp_path}/district.sqlite"
    upgrade(url)
    made = make_district(url, tmp_path)
    yield made
    made.close()
