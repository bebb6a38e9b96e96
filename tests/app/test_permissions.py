"""Every route against every role: what the table says is what happens."""

import pytest
from staffing import Office
from werkzeug.routing import IntegerConverter

from app.permissions import LIMITS, RULES
from geodata.roles import ROLES
from geodata.store.sessions import FULL

SIGNED_IN = set(ROLES)
ADMIN = {"administrator"}
READING = SIGNED_IN - ADMIN
IN_DISTRICTS = {"officer", "commander"}
GUARDED = {  # by hand, so that a slip in the table of the pages does not go unseen
    "staff.code": {"half-way"},
    "staff.enrol": set(),
    "staff.enrol_picture": set(),
    "staff.sign_out": {"half-way", *ROLES},
    "account.account": SIGNED_IN,
    "account.password": SIGNED_IN,
    "account.codes": SIGNED_IN,
    "account.new_codes": SIGNED_IN,
    "account.codes_picture": SIGNED_IN,
    "account.end_session": SIGNED_IN,
    "account.sign_out_everywhere": SIGNED_IN,
    "ground.base": READING,
    "analyst.home": READING,
    "analyst.city": READING,
    "visits.log": IN_DISTRICTS,
    "visits.worker": IN_DISTRICTS,
    "visits.token": IN_DISTRICTS,
    "visits.take": IN_DISTRICTS,
    "visits.visits": IN_DISTRICTS,
    "visits.visit": IN_DISTRICTS,
    "visits.withdraw": IN_DISTRICTS,
    "board.board": IN_DISTRICTS,
    "board.state": IN_DISTRICTS,
    "board.map_": IN_DISTRICTS,
    "actions.actions": IN_DISTRICTS,
    "actions.new": IN_DISTRICTS,
    "actions.action": IN_DISTRICTS,
    "actions.comment": IN_DISTRICTS,
    "actions.add_photo": IN_DISTRICTS,
    "actions.photo": IN_DISTRICTS,
    "actions.remove_photo": IN_DISTRICTS,
    "actions.reminders_page": IN_DISTRICTS,
    "actions.make_feed": IN_DISTRICTS,
    "actions.end_feed": IN_DISTRICTS,
    "admin.home": ADMIN,
    "admin.people": ADMIN,
    "admin.new_person": ADMIN,
    "admin.person": ADMIN,
    "admin.change_state": ADMIN,
    "admin.reset": ADMIN,
    "admin.end_sessions": ADMIN,
    "admin.audit": ADMIN,
    "admin.audit_export": ADMIN,
}
FOR_ANOTHER_STAGE = {"staff.code", "staff.enrol", "staff.enrol_picture"}
BACK = {  # where those go on who come to a step of the sign-in that is not theirs
    **dict.fromkeys(ROLES, "/account"),
    "administrator": "/admin/people",
    "half-way": "/login/code",
    "nobody": "/login",
}
FOR_ANYBODY = {
    "staff.sign_in",
    "staff.provider",
    "staff.provider_return",
    "staff.setup",
    "actions.feed",
}


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
    named = {name for name, rule in RULES.items() if not rule.public}
    assert named == GUARDED.keys() | FOR_ANYBODY, "say by hand who may come to a new route"


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
        if endpoint == "staff.sign_out" or endpoint in FOR_ANYBODY:
            continue  # signing out is tested where it ends the session; coming in is for anybody
        answer = browsers[who].client.open(address, method=method, buffered=True)
        allowed = who in GUARDED[endpoint]
        sent_back = answer.status_code == 303 and answer.location.split("?")[0] == BACK[who]
        if allowed:
            # A POST without the token of its form is refused for that reason: 400.
            assert answer.status_code in {200, 303, 400, 404}, (who, endpoint, answer.status_code)
            assert not answer.headers.get("Location", "").startswith("/login"), (who, endpoint)
        elif endpoint in FOR_ANOTHER_STAGE or who not in ROLES:
            assert sent_back, (who, endpoint, answer.status_code, answer.headers.get("Location"))
        else:
            assert answer.status_code == 403, (who, endpoint, answer.status_code)
        assert answer.headers.get("Cache-Control") == "no-store", (who, endpoint)
        tried += 1
    assert tried > 15


def test_public_pages_ask_nobody_who_they_are(office):
    answer = office.client().get("/")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
