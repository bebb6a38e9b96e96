"""Who may what: one table. An endpoint that is not in it is refused, and a test names it."""

from __future__ import annotations

from dataclasses import dataclass

from app.usecases.photos import LARGEST
from geodata.repositories.sessions import CODE, ENROL, FULL
from geodata.roles import (
    ADMINISTRATOR,
    ANALYST,
    COMMANDER,
    OFFICER,
    PUBLISHER,
    READERS,
    VIEWER,
    WITH_DISTRICTS,
)
from geodata.uploads.intake import MOST_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may come to an endpoint.

    ``stages`` are the stages of sign-in that lead there, none where anybody may; ``roles`` those of
    which a person needs one, none where any person may. With a ``token`` the endpoint is for
    programs: it wants an access token of that scope, and a sign-in in a browser opens nothing. Only
    answers that are ``public`` may be kept by browsers and caches.
    """

    public: bool = False
    stages: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How often an endpoint may be asked by one person, or by one address before sign-in."""

    count: int
    window_s: int = 60
    methods: tuple[str, ...] = ("POST",)


EVERYBODY = Rule(public=True)
COMING_IN = Rule()  # anybody, but nothing of it is kept
WITH_PASSWORD = Rule(stages=frozenset({CODE}))
SETTING_UP = Rule(stages=frozenset({ENROL}))
ANY_STAGE = Rule(stages=frozenset({CODE, ENROL, FULL}))
SIGNED_IN = Rule(stages=frozenset({FULL}))


def only(*roles: str) -> Rule:
    """Make the rule of an endpoint for people with one of some roles."""
    return Rule(stages=frozenset({FULL}), roles=frozenset(roles))


def by_token(scope: str, *roles: str) -> Rule:
    """Make the rule of an endpoint for tokens of a scope, of people with one of some roles."""
    return Rule(token=scope, roles=frozenset(roles))


READING = only(*READERS)  # for staff pages that any role but an administrator alone may read
DECIDING = only(ANALYST, PUBLISHER)  # which run is in use: what patrols and the public go by
ADMINISTRATORS = only(ADMINISTRATOR)
ANALYSTS, PUBLISHERS = only(ANALYST), only(PUBLISHER)
COMMANDERS = only(COMMANDER)
EVALUATING = only(ANALYST, COMMANDER)
ASKING = (ANALYST, COMMANDER, PUBLISHER)  # roles that ask for long work
WORKING = only(*ASKING)
IN_DISTRICTS = only(*WITH_DISTRICTS)  # and there only in one's own
READING_BY_TOKEN = by_token("read", *READERS)
WORK_BY_TOKEN = by_token("read", ANALYST)
JOBS_BY_TOKEN = by_token("jobs", ANALYST)
ROWS_BY_TOKEN = by_token("rows", ANALYST)

RULES: dict[str, Rule] = {
    "static": EVERYBODY,
    "language.switch": EVERYBODY,
    "health.healthz": EVERYBODY,
    "health.readyz": EVERYBODY,
    "public.home": EVERYBODY,
    "public.map_": EVERYBODY,
    "public.map_file": EVERYBODY,
    "public.zones": EVERYBODY,
    "public.zone": EVERYBODY,
    "public.zone_picture": EVERYBODY,
    "public.methods": EVERYBODY,
    "public.validation": EVERYBODY,
    "public.chart": EVERYBODY,
    "measures.measures": EVERYBODY,
    "measures.measure": EVERYBODY,
    "measures.chart": EVERYBODY,
    "initiatives.initiatives": EVERYBODY,
    "initiatives.initiative": EVERYBODY,
    "explore.here": EVERYBODY,
    "explore.area": EVERYBODY,
    "explore.area_table": EVERYBODY,
    "explore.area_picture": EVERYBODY,
    "data.data": EVERYBODY,
    "data.release": EVERYBODY,
    "data.file": EVERYBODY,
    "data.release_file": EVERYBODY,
    "data.everything": EVERYBODY,
    "data.release_archive": EVERYBODY,
    "data.manifest": EVERYBODY,
    "data.release_manifest": EVERYBODY,
    "data.releases_feed": EVERYBODY,
    "open.accountability": EVERYBODY,
    "open.chart": EVERYBODY,
    "open.accessibility": EVERYBODY,
    "embed.zones": EVERYBODY,
    "embed.measure": EVERYBODY,
    "api.landing": EVERYBODY,
    "api.openapi": EVERYBODY,
    "api.conformance": EVERYBODY,
    "api.collections": EVERYBODY,
    "api.collection": EVERYBODY,
    "api.items": EVERYBODY,
    "api.item": EVERYBODY,
    "api.city": EVERYBODY,
    "api.releases": EVERYBODY,
    "api.release": EVERYBODY,
    "api.zones": EVERYBODY,
    "api.zones_csv": EVERYBODY,
    "api.districts": EVERYBODY,
    "api.districts_csv": EVERYBODY,
    "api.alerts": EVERYBODY,
    "api.alerts_csv": EVERYBODY,
    "api.complaints": EVERYBODY,
    "api.complaints_csv": EVERYBODY,
    "api.measures": EVERYBODY,
    "api.measure": EVERYBODY,
    "api.initiatives": EVERYBODY,
    "reference.page": EVERYBODY,
    "staff.sign_in": COMING_IN,
    "staff.provider": COMING_IN,
    "staff.provider_return": COMING_IN,
    "staff.setup": COMING_IN,
    "demonstration.come_in": COMING_IN,  # where `saferground demo` serves, and nowhere else
    "staff.code": WITH_PASSWORD,
    "staff.enrol": SETTING_UP,
    "staff.enrol_picture": SETTING_UP,
    "staff.sign_out": ANY_STAGE,
    "account.account": SIGNED_IN,
    "account.password": SIGNED_IN,
    "account.codes": SIGNED_IN,
    "account.new_codes": SIGNED_IN,
    "account.codes_picture": SIGNED_IN,
    "account.end_session": SIGNED_IN,
    "account.sign_out_everywhere": SIGNED_IN,
    "account.tokens": SIGNED_IN,
    "account.revoke_token": SIGNED_IN,
    "staff_api.runs": READING_BY_TOKEN,
    "staff_api.run": READING_BY_TOKEN,
    "staff_api.run_zones": READING_BY_TOKEN,
    "staff_api.run_cells": READING_BY_TOKEN,
    "staff_api.findings": READING_BY_TOKEN,
    "staff_api.jobs": WORK_BY_TOKEN,
    "staff_api.job": WORK_BY_TOKEN,
    "staff_api.ask_job": JOBS_BY_TOKEN,
    "staff_api.cancel_job": JOBS_BY_TOKEN,
    "staff_api.imports": WORK_BY_TOKEN,
    "staff_api.send_rows": ROWS_BY_TOKEN,
    "ground.base": READING,
    "ground.tiles": READING,
    "analyst.home": READING,
    "analyst.city": READING,
    "command.home": IN_DISTRICTS,
    "command.shortcut": IN_DISTRICTS,
    "command.district": IN_DISTRICTS,
    "command.district_picture": IN_DISTRICTS,
    "command.compliance": IN_DISTRICTS,
    "plans.plans": IN_DISTRICTS,
    "plans.new": COMMANDERS,
    "plans.plan": IN_DISTRICTS,
    "plans.change": COMMANDERS,
    "plans.map_": IN_DISTRICTS,
    "plans.sheet": IN_DISTRICTS,
    "plans.file": IN_DISTRICTS,
    "outcome.outcome": READING,
    "outcome.ask": EVALUATING,
    "outcome.power": READING,
    "outcome.dose": READING,
    "outcome.evaluation": READING,
    "outcome.areas": READING,
    "outcome.chart": READING,
    "sources.sources": READING,
    "sources.remove": ANALYSTS,
    "corrections.settings": ANALYSTS,
    "corrections.source": ANALYSTS,
    "sources.waiting": ANALYSTS,
    "sources.imports": READING,
    "sources.undo": ANALYSTS,
    "uploads.add": ANALYSTS,
    "uploads.newer": ANALYSTS,
    "uploads.check_newer": ANALYSTS,
    "uploads.fetching": ANALYSTS,
    "uploads.describe": ANALYSTS,
    "uploads.places": ANALYSTS,
    "uploads.check": ANALYSTS,
    "uploads.commit": ANALYSTS,
    "uploads.forget": ANALYSTS,
    "new_city.begin": ANALYSTS,
    "new_city.describe": ANALYSTS,
    "new_city.places": ANALYSTS,
    "runs.listed": READING,
    "runs.new": ANALYSTS,
    "runs.incidents": ANALYSTS,
    "runs.grid": ANALYSTS,
    "runs.budget": ANALYSTS,
    "work.listed": WORKING,
    "work.job": WORKING,
    "work.status": WORKING,
    "work.cancel": WORKING,
    "work.retry": WORKING,
    "drafts.listed": READING,
    "drafts.make": ANALYSTS,
    "drafts.make_round": ANALYSTS,
    "drafts.release": READING,
    "drafts.zones": READING,
    "drafts.file": READING,
    "previews.make": DECIDING,
    "previews.page": READING,
    "drafts.approve": PUBLISHERS,
    "drafts.give_back": PUBLISHERS,
    "drafts.withdraw": PUBLISHERS,
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
    "reading.ask": ANALYSTS,
    "reading.map_": READING,
    "reading.surface": READING,
    "reading.points": READING,
    "reading.chart": READING,
    "reading.export": READING,
    "reading.zones": READING,
    "reading.zones_map_": READING,
    "reading.edit": ANALYSTS,
    "reading.back": ANALYSTS,
    "reading.use": ANALYSTS,
    "reading.use_run": DECIDING,
    "reading.name": ANALYSTS,
    "reading.archive": ANALYSTS,
    "reading.compare": READING,
    "reading.compare_map": READING,
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
    "actions.feed": COMING_IN,  # whoever knows the secret address
    "admin.home": ADMINISTRATORS,
    "admin.people": ADMINISTRATORS,
    "admin.new_person": ADMINISTRATORS,
    "admin.person": ADMINISTRATORS,
    "admin.change_state": ADMINISTRATORS,
    "admin.change_email": ADMINISTRATORS,
    "admin.reset": ADMINISTRATORS,
    "admin.end_sessions": ADMINISTRATORS,
    "archive.listed": ADMINISTRATORS,
    "archive.city": ADMINISTRATORS,
    "archive.change_state": ADMINISTRATORS,
    "archive.remove": ADMINISTRATORS,
    "admin.audit": ADMINISTRATORS,
    "admin.audit_export": ADMINISTRATORS,
}

HOMES: dict[str, str] = {  # where a role's work begins; of several roles, the first one counts
    ADMINISTRATOR: "admin.people",
    ANALYST: "analyst.home",
    COMMANDER: "command.home",
    OFFICER: "command.home",
    PUBLISHER: "analyst.home",  # which lists the drafts that wait for them
    VIEWER: "analyst.home",
}

BY_THEMSELVES = frozenset(  # pages ask these again and again, nobody need be there
    {"work.status", "board.state", "board.map_", "visits.token"}
)
LONGEST_BATCH = 5_000_000  # bytes: 5,000 rows of a kilobyte
EACH_TOKEN = Limit(count=300)  # of all that is requested by one token
WRONG_TOKENS = Limit(count=60)  # from one address

LIMITS: dict[str, Limit] = {
    "staff.sign_in": Limit(count=30),
    "staff.code": Limit(count=30),
    "staff.enrol": Limit(count=30),
    "staff.setup": Limit(count=30, methods=("GET", "POST")),
    "staff.provider": Limit(count=30, methods=("GET",)),
    "demonstration.come_in": Limit(count=30, methods=("GET",)),
    "staff.provider_return": Limit(count=30, methods=("GET",)),
    "account.password": Limit(count=10),
    "account.tokens": Limit(count=10),
    "account.codes": Limit(count=10),
    "account.new_codes": Limit(count=10),
    "uploads.add": Limit(count=30),
    "uploads.newer": Limit(count=30),
    "new_city.begin": Limit(count=30),
    "visits.log": Limit(count=60),
    "visits.take": Limit(count=120),
    "actions.new": Limit(count=30),
    "actions.add_photo": Limit(count=20),
    "actions.comment": Limit(count=30),
    "actions.make_feed": Limit(count=6),
    "actions.feed": Limit(count=30, methods=("GET",)),
    "admin.new_person": Limit(count=30),
    "reading.ask": Limit(count=30),
    "reading.edit": Limit(count=60),
    "reading.export": Limit(count=30, methods=("GET",)),
    "plans.new": Limit(count=20),
    "plans.change": Limit(count=20),
    "plans.sheet": Limit(count=30, methods=("GET",)),
    "plans.file": Limit(count=30, methods=("GET",)),
    "outcome.ask": Limit(count=20),
    "outcome.power": Limit(count=60, methods=("GET",)),
    "outcome.dose": Limit(count=60, methods=("GET",)),
    "admin.audit_export": Limit(count=6, methods=("GET",)),
    "runs.new": Limit(count=30),
    "runs.grid": Limit(count=60, methods=("GET",)),
    "runs.budget": Limit(count=60, methods=("GET",)),
    "work.retry": Limit(count=30),
}

TAKES_JSON = frozenset({"visits.take"})  # pages that do; the rest of them take forms alone
BESIDE_A_FILE = 64 * 1024  # the other fields of a form that sends a file
BODIES: dict[str, int] = {  # what may be longer than a form, once it is known who sends it
    "staff_api.send_rows": LONGEST_BATCH,
    "actions.add_photo": LARGEST + BESIDE_A_FILE,
    "uploads.add": MOST_BYTES + BESIDE_A_FILE,
    "uploads.newer": MOST_BYTES + BESIDE_A_FILE,
    "new_city.begin": 3 * MOST_BYTES + BESIDE_A_FILE,
}
