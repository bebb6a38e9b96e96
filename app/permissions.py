"""Who may what: one table. An endpoint that is not in it is refused, and a test names it."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.roles import ADMINISTRATOR, READERS, WITH_DISTRICTS
from geodata.store.sessions import CODE, ENROL, FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may come to an endpoint.

    ``stages`` are the stages of sign-in that lead there, none where anybody may; ``roles`` those of
    which a person needs one, none where any person may. Only answers that are ``public`` may be
    kept by browsers and caches.
    """

    public: bool = False
    stages: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


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


READING = only(*READERS)  # for staff pages that any role but an administrator alone may read
ADMINISTRATORS = only(ADMINISTRATOR)
IN_DISTRICTS = only(*WITH_DISTRICTS)  # and there only in one's own

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
    "api.measures": EVERYBODY,
    "api.measure": EVERYBODY,
    "api.initiatives": EVERYBODY,
    "staff.sign_in": COMING_IN,
    "staff.provider": COMING_IN,
    "staff.provider_return": COMING_IN,
    "staff.setup": COMING_IN,
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
    "actions.feed": COMING_IN,  # whoever knows the secret address
    "admin.home": ADMINISTRATORS,
    "admin.people": ADMINISTRATORS,
    "admin.new_person": ADMINISTRATORS,
    "admin.person": ADMINISTRATORS,
    "admin.change_state": ADMINISTRATORS,
    "admin.reset": ADMINISTRATORS,
    "admin.end_sessions": ADMINISTRATORS,
    "admin.audit": ADMINISTRATORS,
    "admin.audit_export": ADMINISTRATORS,
}

LIMITS: dict[str, Limit] = {
    "staff.sign_in": Limit(count=30),
    "staff.code": Limit(count=30),
    "staff.enrol": Limit(count=30),
    "staff.setup": Limit(count=30, methods=("GET", "POST")),
    "staff.provider": Limit(count=30, methods=("GET",)),
    "staff.provider_return": Limit(count=30, methods=("GET",)),
    "account.password": Limit(count=10),
    "account.codes": Limit(count=10),
    "account.new_codes": Limit(count=10),
    "visits.log": Limit(count=60),
    "visits.take": Limit(count=120),
    "actions.new": Limit(count=30),
    "actions.add_photo": Limit(count=20),
    "actions.comment": Limit(count=30),
    "actions.make_feed": Limit(count=6),
    "actions.feed": Limit(count=30, methods=("GET",)),
    "admin.new_person": Limit(count=30),
    "admin.audit_export": Limit(count=6, methods=("GET",)),
}
