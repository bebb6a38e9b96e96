"""Every route with a part of its path that somebody else chose: nothing but what is served."""

import itertools

import pytest
from attacking import CANARY, lift_limits

PLANTED = ("canary.json", "canary.css")
UP = ("..", "%2e%2e", "%2E%2E%2F", "..%2f..%2f", "%252e%252e", "..%5c..", ".%2e%2fmaps")
NAMES = (*PLANTED, "secret_key", "secret_key%00.json", "current.json")
ALONE = (
    *UP,
    ".",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "C:%5cWindows%5cwin.ini",
    "..%2f..%2fsecret_key",
    "..%2fcanary.json",
    "%2e%2e%2f%2e%2e%2fcanary.json",
    "canary.json",
    "%00",
    "a%00b",
    "%ff%fe",
    "%F0%9F%9A%93",
    "e%CC%81%E2%80%AE",
    "%EF%BC%8E%EF%BC%8E",
    "{{7*7}}",
    "'%22%3E%3Cscript%3E",
    "x" * 5000,
    "9" * 400,
    "-1",
    "0",
    "%0d%0aSet-Cookie:x=1",
)


@pytest.fixture(autouse=True)
def planted(attacked, monkeypatch):
    """Lay out files that nobody may be sent, and let one person ask as often as a fuzzer does."""
    attacked.send("/map")  # the files of the map are made when they are first asked for
    attacked.plant(*PLANTED)
    lift_limits(monkeypatch)


def attacks(names, turn):
    """Give what to write into the parts of a path: each alone, and folders with files.

    The last part is written with every value. The parts before it, a city or a district, are read
    by what many routes share: each route has other values of them, by its ``turn``.
    """
    for value in ALONE if names else ():
        yield {names[-1]: value}
    for name in names[:-1]:
        for value in ALONE[turn % 4 :: 4]:
            yield {name: value}
    pairs = list(itertools.product(UP, NAMES))
    for first, second in itertools.pairwise(names):
        for value, file in pairs[turn % 4 :: 4]:
            yield {first: value, second: file}


def require_ours(answer, address):
    assert answer.status_code < 500, (address, answer.status_code)
    assert CANARY.encode() not in answer.data, address
    assert b"root:" not in answer.data, address
    assert not answer.data.startswith(b"SQLite format 3") or "gpkg" in address, address


def test_no_part_of_a_path_leads_out_of_what_is_served(attacked):
    tried = set()
    for turn, (rule, method, names) in enumerate(attacked.routes()):
        for values in attacks(names, turn):
            address = attacked.path(rule, values)
            program = rule.endpoint.startswith("staff_api.")
            require_ours(attacked.send(address, method, program=program), address)
            tried.add(rule.endpoint)
    assert len(tried) > 60


def test_every_file_of_the_instance_is_named_in_vain(attacked):
    """Ask for each file that is there, by each way out of the folder of maps and the static one."""
    inside = [path for path in attacked.instance.rglob("*") if path.is_file()]
    assert len(inside) > 50
    served = attacked.app.extensions["saferground.site"].serves_map
    for path in inside:
        name = path.relative_to(attacked.instance).as_posix()
        for address in (
            f"/maps/%2e%2e/{name}",
            f"/maps/..%2f{name}",
            f"/maps/{name.replace('/', '%2f')}",
            f"/maps/{path.parent.name}/{path.name}",
            f"/static/..%2f..%2f{name}",
            f"/static/{path}",
            f"/data/{name}",
            f"/data/..%2f{name}",
        ):
            answer = attacked.send(address)
            require_ours(answer, address)
            if address.startswith("/maps/") and answer.status_code == 200:
                assert path.parent.parent.name == "maps"
                assert served(path.parent.name)
