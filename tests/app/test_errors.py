import pytest

import app.cli  # noqa: F401 - defines further errors
from app.errors import STATUS, status_of
from geodata.errors import FaultyFileError, NotStoredError
from spatial.errors import SaferGroundError


def every_error(root=SaferGroundError):
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)


@pytest.mark.parametrize("kind", sorted(set(every_error()), key=lambda kind: kind.__name__))
def test_every_known_error_has_a_status(kind):
    error = kind("x", ["y"]) if issubclass(kind, FaultyFileError) else kind("x")
    assert status_of(error) in (400, 404, 409, 422, 500, 503)


def test_the_most_specific_class_wins():
    class NoRunError(NotStoredError):
        pass

    assert status_of(NoRunError("x")) == STATUS[NotStoredError] == 404
