"""The description of the interface: whole, valid, and what a page for people is made from."""

import re

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app.api.document import operations, path_of
from app.api.reference import described_addresses


@pytest.fixture(scope="module")
def document(town):
    return town.office.program().get("/api/v1/openapi.json").get_json()


def test_it_is_valid_openapi(document):
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []
    broken = {**document, "info": {}}
    assert not OPENAPI_31_VALIDATOR.is_valid(broken)


def test_every_reference_leads_somewhere(document):
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert names
    assert names <= document["components"]["schemas"].keys()


def test_every_route_is_described_and_every_description_is_a_route(town, document):
    routes = {
        (path_of(rule), method.lower())
        for rule in town.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}
    }
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert told == routes
    assert len(routes) >= 30


def test_what_a_path_names_is_a_parameter(document):
    for path, methods in document["paths"].items():
        for told in methods.values():
            named = {one["name"] for one in told["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path


def test_a_token_is_wanted_where_the_rule_says_so(town, document):
    from app.auth.permissions import RULES

    for rule, method, operation in operations(town.app):
        told = document["paths"][path_of(rule)][method.lower()]
        assert operation.scope == RULES[rule.endpoint].token
        assert bool(told["security"]) == (operation.scope is not None)


def test_the_page_tells_every_address_in_both_languages(town, document):
    client = town.app.test_client()
    told = [one for section in described_addresses(town.app).values() for one in section]
    assert len(told) == sum(len(methods) for methods in document["paths"].values())
    english = client.get("/api/").get_data(as_text=True)
    spanish = client.get("/api/?lang=es").get_data(as_text=True)
    for one in told:
        assert f'id="{one.id}"' in english
    for status in {status for methods in document["paths"].values() for one in methods.values()
                   for status in one["responses"] if status >= "400"}:  # fmt: skip
        assert f'id="fault-{status}"' in english
    assert "Interfaz para programas" in spanish
    assert 'href="/api/"' in client.get("/data/").get_data(as_text=True)
