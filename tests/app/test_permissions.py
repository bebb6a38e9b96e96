"""Every route against every role: what the table says is what happens."""

import pytest
from staffing import Office
from werkzeug.routing import IntegerConverter

from app.permissions import LIMITS, RULES
from geodata.roles import ROLES
from geodata.store.sessions import FULL


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    from geodata.database import upgrade

    folder = tmp_path_factory.mktemp("office")
    url = f"sqlite:///{folder}/office.sqlite"
    upgrade(url)
    made = Office(url, folder)
    for role in ROLES:
        made.add(role, role)
    yield made
    made.close()


@pytest.fixture(scope="module")
def browsers(office):
    found = {role: office.client(role) for role in ROLES}
    found["half-way"] = office.client("viewer", stage="code")
    found["nobody"] = office.client()
    return found


def guarded(office):
    """Give each rule of the application that is not public: endpoint, address, method."""
    adapter = office.app.url_map.bind("localhost")
    for rule in office.app.url_map.iter_rules():
        if rule.endpoint in RULES and not RULES[rule.endpoint].public:
            values = {
                name: 1 if isinstance(rule._converters[name], IntegerConverter) else "viewer"
                for name in rule.arguments
            }
            for method in sorted(rule.methods & {"GET", "POST"}):
                yield rule.endpoint, adapter.build(rule.endpoint, values, method=method), method


def test_the_table_names_every_route_and_no_other(office):
    there = {rule.endpoint for rule in office.app.url_map.iter_rules()}
    assert there - RULES.keys() == set(), "a route without a rule is refused to everybody"
    assert RULES.keys() - there == set(), "a rule without a route"
    assert LIMITS.keys() <= RULES.keys()


def test_a_route_that_is_not_in_the_table_is_refused(tmp_path):
    from geodata.database import upgrade

    url = f"sqlite:///{tmp_path}/x.sqlite"
    upgrade(url)
    made = Office(url, tmp_path)
    made.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = made.client().get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text
    made.close()


def test_people_and_audit_are_for_administrators_alone(office):
    mine = [name for name in RULES if name.startswith("admin.")]
    assert len(mine) >= 9
    assert all(RULES[name].roles == {"administrator"} for name in mine)
    own = [name for name in RULES if name.startswith("account.")]
    assert all(RULES[name].stages == {FULL} and not RULES[name].public for name in own)


@pytest.mark.parametrize("who", [*ROLES, "half-way", "nobody"])
def test_every_guarded_route_lets_in_whom_its_rule_names(office, browsers, who):
    tried = 0
    for endpoint, address, method in guarded(office):
        rule = RULES[endpoint]
        if endpoint == "staff.sign_out" or not rule.stages:
            continue  # signing out is tested where it ends the session; coming in is for anybody
        answer = browsers[who].client.open(address, method=method)
        allowed = who in ROLES and FULL in rule.stages and (not rule.roles or who in rule.roles)
        half = who == "half-way" and "code" in rule.stages
        turned_away = answer.status_code == 403 or (
            answer.status_code == 303 and "/login" in answer.location
        )
        if allowed or half:
            # A POST without the token of its form is refused for that reason, and says so.
            assert method == "POST" or not turned_away, (who, endpoint, answer.status_code)
        else:
            assert turned_away or answer.status_code == 303, (who, endpoint, answer.status_code)
        assert answer.headers.get("Cache-Control") == "no-store", (who, endpoint)
        tried += 1
    assert tried > 15


def test_public_pages_ask_nobody_who_they_are(office):
    answer = office.client().get("/")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
