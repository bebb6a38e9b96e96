import datetime as dt
import json
import pickle
import re

import pytest
from click.testing import CliRunner
from ready import make_ready
from staffing import Office

import app.cli
from app.auth.secrets import LockedError, RateError
from app.cli import city_commands, serve_commands  # noqa: F401 - defines further errors
from app.errors import STATUS, status_of
from geodata.errors import CityFileError, DataError, FaultyFileError, NotStoredError
from spatial.errors import CrsError, SaferGroundError, one_line

MADE = {  # errors that are made of something else than words
    "LockedError": lambda _: LockedError(dt.timedelta(seconds=30)),
    "RateError": lambda _: RateError(30),
}


def every_error(root=SaferGroundError):
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)


OURS = ("app", "geodata", "spatial")
KINDS = sorted(
    (
        kind
        for kind in set(every_error())
        if kind.__module__.startswith(("app", "geodata", "spatial"))
    ),
    key=lambda kind: kind.__name__,
)


def made(kind):
    """Make an error of a kind, with all that such errors hold."""
    if issubclass(kind, FaultyFileError):
        return kind("city.toml", ["no slug", "no districts"])
    return MADE.get(kind.__name__, kind)("what was wrong")


@pytest.mark.parametrize("kind", KINDS)
def test_every_known_error_has_a_status(kind):
    assert status_of(made(kind)) in (400, 401, 403, 404, 409, 422, 429, 500, 503)


def test_every_known_error_has_a_code_of_its_own():
    codes = [kind.kind for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", code) for code in codes)
    assert (NotStoredError.kind, CrsError.kind, SaferGroundError.kind) == (
        "not_stored",
        "crs",
        "fault",
    )


def test_parameters_are_what_an_error_holds_and_is_given():
    assert RateError(30).parameters == {"wait_s": 30}
    told = CityFileError("city.toml", ["no slug"])
    assert told.parameters == {"path": "city.toml", "faults": ["no slug"]}
    at_field = DataError.at("due: is empty", field="due")
    assert (str(at_field), at_field.what) == ("due: due: is empty", "due: is empty")
    assert at_field.parameters == {"field": "due"}
    assert NotStoredError("no such plan").what == "no such plan"
    given = NotStoredError("no plan 'x' is stored", plan="x", city=None)
    assert (str(given), given.parameters) == ("no plan 'x' is stored", {"plan": "x"})
    again = pickle.loads(pickle.dumps(given))  # noqa: S301 - our own
    assert (str(again), again.parameters) == (str(given), given.parameters)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    make_ready(f"sqlite:///{folder / 'saferground.sqlite'}")
    return Office(f"sqlite:///{folder / 'saferground.sqlite'}", folder)


@pytest.mark.parametrize("kind", KINDS)
def test_the_interface_answers_every_known_error_with_its_code(office, monkeypatch, kind):
    def fail(**_):
        raise made(kind)

    monkeypatch.setitem(office.app.view_functions, "api.city", fail)
    answer = office.program().get("/api/v1/city")
    error = made(kind)
    assert answer.status_code == status_of(error)
    document = answer.get_json()
    assert document["code"] == error.code
    hidden = answer.status_code >= 500  # what went wrong on our side is nobody else's
    assert document["parameters"] == ({} if hidden else error.parameters)
    assert (str(error) in document["detail"]) != hidden


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("get", "/api/v1/nothing", "not_found"),
        ("delete", "/api/v1/openapi.json", "method_not_allowed"),
    ],
)
def test_the_interface_has_a_code_for_what_no_view_answers(office, method, path, code):
    document = getattr(office.program(), method)(path).get_json()
    assert (document["code"], document["parameters"]) == (code, {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_answers_every_known_error_with_its_code(monkeypatch, kind):
    def fail(**_):
        raise made(kind)

    monkeypatch.setattr(city_commands.cities, "callback", fail)
    result = CliRunner().invoke(app.cli.main, ["cities", "--json"])
    error = made(kind)
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "error": one_line(error),
        "code": error.code,
        "parameters": error.parameters,
    }
    assert result.stderr == f"Error: {one_line(error)}\n"
    plain = CliRunner().invoke(app.cli.main, ["cities"])
    assert (plain.exit_code, plain.stdout) == (1, "")


def test_the_most_specific_class_wins():
    class NoRunError(NotStoredError):
        pass

    assert status_of(NoRunError("x")) == STATUS[NotStoredError] == 404


def test_a_database_that_gives_way_is_not_our_fault_and_not_a_secret(tmp_path):
    url = f"sqlite:///{tmp_path / 'saferground.sqlite'}"
    make_ready(url)
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
