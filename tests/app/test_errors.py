import datetime as dt

import pytest
from staffing import Office

import app.cli  # noqa: F401 - defines further errors
from app.auth.secrets import LockedError, RateError
from app.errors import STATUS, status_of
from geodata.db.engine import upgrade
from geodata.errors import FaultyFileError, NotStoredError
from spatial.errors import SaferGroundError

MADE = {  # errors that are made of something else than words
    "LockedError": lambda _: LockedError(dt.timedelta(seconds=30)),
    "RateError": lambda _: RateError(30),
}


def every_error(root=SaferGroundError):
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)


@pytest.mark.parametrize("kind", sorted(set(every_error()), key=lambda kind: kind.__name__))
def test_every_known_error_has_a_status(kind):
    error = (
        MADE.get(kind.__name__, kind)("x")
        if not issubclass(kind, FaultyFileError)
        else kind("x", ["y"])
    )
    assert status_of(error) in (400, 401, 403, 404, 409, 422, 429, 500, 503)


def test_the_most_specific_class_wins():
    class NoRunError(NotStoredError):
        pass

    assert status_of(NoRunError("x")) == STATUS[NotStoredError] == 404


def test_a_database_that_gives_way_is_not_our_fault_and_not_a_secret(tmp_path):
    url = f"sqlite:///{tmp_path / 'saferground.sqlite'}"
    upgrade(url)
    office = Office(url, tmp_path)
    office.add("ann", "analyst")
    client, program = office.client("ann"), office.program(office.token("ann"))
    assert client.get("/analyst/").status_code == 200
    office.close()
    (tmp_path / "saferground.sqlite").write_bytes(b"")
    for response in (client.get("/analyst/"), program.get("/api/v1/cities/town/runs")):
        assert response.status_code == 503
        assert "saferground.sqlite" not in response.text
        assert "no such table" not in response.text
