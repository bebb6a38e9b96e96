"""Every route against every role: what the table says is what happens."""

import pytest
from ready import make_ready
from staffing import Office
from werkzeug.routing import AnyConverter, IntegerConverter

from app.auth.permissions import LIMITS, RULES
from geodata.repositories.sessions import FULL
from geodata.roles import ROLES, SCOPES

SIGNED_IN = set(ROLES)
ADMIN = {"administrator"}
READING = SIGNED_IN - ADMIN
ANALYST = {"analyst"}
ASKING = {"analyst", "commander", "publisher"}
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
    "account.tokens": SIGNED_IN,
    "account.revoke_token": SIGNED_IN,
    "ground.base": READING,
    "ground.tiles": READING,
    "analyst.home": READING,
    "analyst.city": READING,
    "runs.listed": READING,
    "runs.new": {"analyst"},
    "runs.budget": {"analyst"},
    "runs.incidents": {"analyst"},
    "runs.grid": {"analyst"},
    "work.listed": ASKING,
    "work.job": ASKING,
    "work.status": ASKING,
    "work.cancel": ASKING,
    "work.retry": ASKING,
    "drafts.listed": READING,
    "drafts.make": {"analyst"},
    "drafts.make_round": {"analyst"},
    "drafts.release": READING,
    "drafts.zones": READING,
    "drafts.file": READING,
    "previews.make": {"analyst", "publisher"},
    "previews.page": READING,
    "drafts.approve": {"publisher"},
    "drafts.give_back": {"publisher"},
    "drafts.withdraw": {"publisher"},
    "visits.log": IN_DISTRICTS,
    "visits.worker": IN_DISTRICTS,
    "visits.web_manifest": IN_DISTRICTS,
    "visits.token": IN_DISTRICTS,
    "visits.take": IN_DISTRICTS,
    "visits.visits": IN_DISTRICTS,
    "visits.visit": IN_DISTRICTS,
    "visits.withdraw": IN_DISTRICTS,
    "board.board": IN_DISTRICTS,
    "board.state": IN_DISTRICTS,
    "board.map_": IN_DISTRICTS,
    "reading.run": READING,
    "reading.name": {"analyst"},
    "reading.archive": {"analyst"},
    "reading.use_run": {"analyst", "publisher"},
    "reading.ask": {"analyst"},
    "reading.map_": READING,
    "reading.surface": READING,
    "reading.points": READING,
    "reading.chart": READING,
    "reading.export": READING,
    "reading.zones": READING,
    "reading.zones_map_": READING,
    "reading.edit": {"analyst"},
    "reading.back": {"analyst"},
    "reading.use": {"analyst"},
    "reading.compare": READING,
    "reading.compare_map": READING,
    "sources.sources": READING,
    "sources.remove": ANALYST,
    "corrections.settings": ANALYST,
    "corrections.source": ANALYST,
    "sources.waiting": ANALYST,
    "sources.imports": READING,
    "sources.undo": ANALYST,
    "uploads.add": ANALYST,
    "uploads.newer": ANALYST,
    "uploads.check_newer": ANALYST,
    "uploads.fetching": ANALYST,
    "uploads.describe": ANALYST,
    "uploads.places": ANALYST,
    "uploads.check": ANALYST,
    "uploads.commit": ANALYST,
    "uploads.forget": ANALYST,
    "new_city.begin": ANALYST,
    "new_city.describe": ANALYST,
    "new_city.places": ANALYST,
    "command.home": IN_DISTRICTS,
    "command.shortcut": IN_DISTRICTS,
    "command.district": IN_DISTRICTS,
    "command.district_picture": IN_DISTRICTS,
    "command.compliance": IN_DISTRICTS,
    "plans.plans": IN_DISTRICTS,
    "plans.new": {"commander"},
    "plans.plan": IN_DISTRICTS,
    "plans.change": {"commander"},
    "plans.map_": IN_DISTRICTS,
    "plans.sheet": IN_DISTRICTS,
    "plans.file": IN_DISTRICTS,
    "outcome.outcome": READING,
    "outcome.ask": {"analyst", "commander"},
    "outcome.power": READING,
    "outcome.dose": READING,
    "outcome.evaluation": READING,
    "outcome.areas": READING,
    "outcome.chart": READING,
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
    "admin.change_email": ADMIN,
    "admin.reset": ADMIN,
    "archive.listed": ADMIN,
    "archive.city": ADMIN,
    "archive.change_state": ADMIN,
    "archive.remove": ADMIN,
    "admin.end_sessions": ADMIN,
    "admin.audit": ADMIN,
    "admin.audit_export": ADMIN,
}
FOR_TOKENS = {  # by hand too: scope of the token, and roles of which its person needs one
    "staff_api.runs": ("read", READING),
    "staff_api.run": ("read", READING),
    "staff_api.run_zones": ("read", READING),
    "staff_api.run_cells": ("read", READING),
    "staff_api.findings": ("read", READING),
    "staff_api.jobs": ("read", {"analyst"}),
    "staff_api.job": ("read", {"analyst"}),
    "staff_api.imports": ("read", {"analyst"}),
    "staff_api.ask_job": ("jobs", {"analyst"}),
    "staff_api.cancel_job": ("jobs", {"analyst"}),
    "staff_api.send_rows": ("rows", {"analyst"}),
}
FOR_ANOTHER_STAGE = {"staff.code", "staff.enrol", "staff.enrol_picture"}
BACK = {  # where those go on who come to a step of the sign-in that is not theirs
    "viewer": "/analyst/",
    "officer": "/command/",
    "analyst": "/analyst/",
    "commander": "/command/",
    "publisher": "/analyst/",
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
    "demonstration.come_in",
}
OF_A_DEMONSTRATION = {"demonstration.come_in"}  # a real instance has no such route


@pytest.fixture(scope="module")
def office(tmp_path_factory):

    folder = tmp_path_factory.mktemp("office")
    url = f"sqlite:///{folder}/office.sqlite"
    make_ready(url)
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


def some_value(converter):
    """Give a value that a part of an address takes."""
    if isinstance(converter, IntegerConverter):
        return 1
    return "alerts" if isinstance(converter, AnyConverter) else "viewer"


def guarded(office):
    """Give each rule of the application that is not public: endpoint, address, method."""
    adapter = office.app.url_map.bind("localhost")
    for rule in office.app.url_map.iter_rules():
        if rule.endpoint in RULES and not RULES[rule.endpoint].public:
            values = {name: some_value(rule._converters.get(name)) for name in rule.arguments}
            for method in sorted(rule.methods & {"GET", "POST"}):
                yield rule.endpoint, adapter.build(rule.endpoint, values, method=method), method


def test_the_table_names_every_route_and_no_other(office):
    there = {rule.endpoint for rule in office.app.url_map.iter_rules()}
    assert there - RULES.keys() == set(), "a route without a rule is refused to everybody"
    assert RULES.keys() - there == OF_A_DEMONSTRATION, "a rule without a route"
    assert LIMITS.keys() <= RULES.keys()
    named = {name for name, rule in RULES.items() if not rule.public}
    assert named == GUARDED.keys() | FOR_TOKENS.keys() | FOR_ANYBODY, (
        "say by hand who may come to a new route"
    )


def test_a_route_that_is_not_in_the_table_is_refused(tmp_path):

    url = f"sqlite:///{tmp_path}/x.sqlite"
    make_ready(url)
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
        if endpoint == "staff.sign_out" or endpoint in FOR_ANYBODY | FOR_TOKENS.keys():
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


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scope", SCOPES)
def test_every_route_for_programs_lets_in_the_tokens_that_its_rule_names(office, role, scope):
    token = office.token(role, scope)
    tried = 0
    for endpoint, address, method in guarded(office):
        if endpoint not in FOR_TOKENS:
            continue
        wanted, roles = FOR_TOKENS[endpoint]
        answer = office.program(token).open(address, method=method)
        if scope == wanted and role in roles:
            assert answer.status_code in {400, 404, 415}, (endpoint, answer.status_code)
        else:
            assert answer.status_code == 403, (role, scope, endpoint, answer.status_code)
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        tried += 1
    assert tried == len(FOR_TOKENS)


@pytest.mark.parametrize("who", [*ROLES, "nobody"])
def test_a_sign_in_in_a_browser_opens_nothing_that_is_for_programs(office, browsers, who):
    for endpoint, address, method in guarded(office):
        if endpoint in FOR_TOKENS:
            answer = browsers[who].client.open(address, method=method)
            assert answer.status_code == 401, (who, endpoint)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_public_pages_ask_nobody_who_they_are(office):
    answer = office.client().get("/")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
