"""Every route with hostile JSON, fields and queries: refused or taken, never a fault of ours.

Which fields a route reads is seen by listening to it, so that a new field is tried without being
named here.
"""

import json
from typing import ClassVar

import pytest
from attacking import lift_limits
from flask import Request
from werkzeug.datastructures import ImmutableMultiDict

from app.strict_json import DEEPEST

VALUES = {
    "infinite": "1e999",
    "minus infinite": "-1e999",
    "no number": "nan",
    "digits": "9" * 5000,
    "int64": "9223372036854775808",
    "int32": "2147483648",
    "minus": "-1",
    "fraction": "0.5",
    "year 99999": "99999-01-01",
    "last day": "9999-12-31",
    "first day": "0001-01-01",
    "no day": "2024-02-30",
    "minute": "9999-12-31T23:59",
    "first minute": "0001-01-01T00:00",
    "other digits": "\u0663",
    "superscript": "\u00b2",
    "underscore": "1_000",
    "zero byte": "a\x00b",
    "half": "\ud83d",
    "long": "x" * 20_000,
    "brackets": "[" * 5000,
    "two numbers": "1e400,1e400",
    "interval": "9999-12-31/9999-12-31",
    "box": "-1e308,-1e308,1e308,1e308",
    "box of nothing": "nan,nan,nan,nan",
}
ALONE = ("infinite", "digits", "int64", "last day", "first day", "minute", "zero byte", "half")
BODIES = {
    "deep list": "[" * 100_000,
    "deep object": '{"a":' * 20_000,
    "closed": "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    "infinite": "1e999",
    "NaN": '{"kind": NaN}',
    "digits": "9" * 5000,
    "many digits": "9" * 50,
    "null": "null",
    "half": '{"kind": "\\ud800"}',
    "bytes": b"\xff\xfe\x00",
    "nothing": "",
    "list": "[]",
    "text": '"fit"',
}


class Listening(ImmutableMultiDict):
    """The fields of a request, which notes those that somebody asked for."""

    heard: ClassVar[set] = set()

    def __getitem__(self, key):
        self.heard.add(key)
        return super().__getitem__(key)

    def get(self, key, *more, **options):
        self.heard.add(key)
        return super().get(key, *more, **options)

    def getlist(self, key, *more, **options):
        self.heard.add(key)
        return super().getlist(key, *more, **options)

    def __contains__(self, key):
        self.heard.add(key)
        return super().__contains__(key)


@pytest.fixture(autouse=True)
def listening(attacked, monkeypatch):
    """Listen to which fields are asked for, and let one person ask as often as a fuzzer does."""
    heard = {"parameter_storage_class": Listening}
    monkeypatch.setattr(attacked.app, "request_class", type("Heard", (Request,), heard))
    lift_limits(monkeypatch)


def routes(attacked):
    """Give every route with an address at which something is: rule, method, address."""
    for rule, method, _ in attacked.routes():
        if rule.endpoint != "static" and method in ("GET", "POST"):
            yield rule.endpoint, method, attacked.path(rule, named(rule.endpoint, attacked))


def named(endpoint, attacked):
    family = endpoint.partition(".")[0]
    return {
        "admin": {"name": "ray"},
        "api": {"layer": "alerts", "collection": "alerts", "identity": "alerts"},
        "measures": {"identity": "alerts.reported"},
        "embed": {"identity": "alerts.reported"},
        "drafts": {"release": attacked.town.early.id},
        "reading": {"what": "zones", "ending": "csv", "kind": "validate"},
    }.get(family, {})


def send(attacked, endpoint, method, address, **options):
    program = endpoint.startswith("staff_api.")
    return attacked.send(address, method, program=program, **options)


def listen(attacked, endpoint, method, address, tried):
    """Ask once with fields that are right or absent; give the fields that were asked for."""
    Listening.heard = set()
    field = "query_string" if method == "GET" else "data"
    send(attacked, endpoint, method, address, **{field: tried})
    return {one for one in Listening.heard if isinstance(one, str)} - {"csrf_token"}


def tries(names):
    """Give which fields to send with which value: all of them with each, and each one alone.

    Alone a field has two values, other ones than the field beside it: what reads a field is shared
    by many.
    """
    for kind in VALUES if names else ():
        yield names, kind
    for at, name in enumerate(sorted(names) if len(names) > 1 else ()):
        for kind in ALONE[at % 4 :: 4]:
            yield {name}, kind


def test_every_field_of_every_route_takes_whatever_is_written_in_it(attacked):
    fields, failed = 0, []
    for endpoint, method, address in routes(attacked):
        names = listen(attacked, endpoint, method, address, {})
        names |= listen(attacked, endpoint, method, address, dict.fromkeys(names, "1"))
        fields += len(names)
        for some, kind in tries(names):
            value = VALUES[kind].encode("utf-8", "surrogatepass")
            field = "query_string" if method == "GET" else "data"
            told = dict.fromkeys(sorted(some), value)
            answer = send(attacked, endpoint, method, address, **{field: told})
            if answer.status_code >= 500:
                failed.append((endpoint, method, sorted(some), kind))
    assert failed == []
    assert fields > 200, "the fields have to be heard for this to say anything"


def test_every_route_takes_whatever_is_sent_as_json(attacked):
    failed = []
    for endpoint, method, address in routes(attacked):
        if method != "POST":
            continue
        for kind, body in BODIES.items():
            answer = send(
                attacked, endpoint, method, address, data=body, content_type="application/json"
            )
            if answer.status_code >= 500:
                failed.append((endpoint, address, kind))
    assert failed == []


HOSTILE = (10**30, -(10**30), 1e308, [], {}, "", "\x00", "9999-12-31", "99999-01-01", None, True)


def spoiled(document):
    """Give the document with each of its values, at any depth, replaced by hostile ones."""
    for key in document if isinstance(document, dict) else range(len(document)):
        for value in HOSTILE:
            changed = json.loads(json.dumps(document))
            changed[key] = value
            yield changed
        if isinstance(document[key], dict | list):
            for inner in spoiled(document[key]):
                changed = json.loads(json.dumps(document))
                changed[key] = inner
                yield changed


FIT = {
    "kind": "fit",
    "arguments": {
        "city": "town",
        "outcome": "robbery",
        "from": "2024-01-01",
        "to": "2024-04-01",
        "districts": ["D1"],
        "seed": 1,
        "area_share": 0.02,
        "cell": 200,
        "block": 400,
        "folds": 5,
        "max_zones": 4,
        "half_life_days": 10,
        "factors": [{"name": "bars", "operation": "density", "max_blocks": 2, "step": "half"}],
    },
}
VALIDATE = {
    "kind": "validate",
    "arguments": {"run": "a" * 12, "from": "2024-04-01", "to": "2024-05-01"},
}
VISITS = {
    "visits": [
        {
            "id": "0b9a6f9e-3c41-4a6e-9d59-8f1f5a6f5a11",
            "run": "a" * 12,
            "zone": "aaaaaaaa-d1-1",
            "unit": "1",
            "start_ms": 1_772_000_000_000,
            "end_ms": 1_772_000_600_000,
            "activity": "foot patrol",
            "note": "",
            "dropped": False,
        }
    ]
}


@pytest.mark.parametrize(
    ("address", "document"),
    [
        ("/api/v1/jobs", FIT),
        ("/api/v1/jobs", VALIDATE),
        ("/command/town/D1/log/visits", VISITS),
    ],
)
def test_every_value_of_a_document_may_be_hostile(attacked, address, document):
    tried, failed = 0, []
    for one in spoiled(document):
        program = address.startswith("/api")
        answer = attacked.send(address, "POST", program=program, json=one)
        if answer.status_code >= 500:
            failed.append(one)
        tried += 1
    assert failed == []
    assert tried > 40
