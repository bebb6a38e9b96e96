import pytest
from services import Service

from geodata.remote import Fetching
from geodata.remote.http import FetchLimits, Web


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def fetching(tmp_path, pauses):
    """What fetches from loopback, within small limits and without real pauses."""
    limits = FetchLimits(read_s=1.0, whole_s=2.0, most_bytes=2_000_000, most_json_bytes=1_000_000)
    web = Web(allow_private=True, limits=limits, pause=pauses.append)
    return Fetching(folder=tmp_path / "sources", web=web, socrata_token="tok")
