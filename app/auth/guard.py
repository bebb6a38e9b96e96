"""What stands before every page: who asks, whether they may, how often. One table decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from flask import current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import BadRequest, Forbidden

from app.auth import permissions, programs, sign_in
from app.auth.locks import network
from app.auth.permissions import BODIES, BY_THEMSELVES, HOMES, LIMITS, RULES, TAKES_JSON
from app.auth.secrets import RateError, ScopeError, TokenError
from app.auth.sign_in import Origin
from app.i18n.language import is_ours
from geodata.repositories import audit, limits
from geodata.repositories.sessions import CODE, ENROL

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from flask import Flask, Response
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response as BaseResponse

    from app.auth.permissions import Limit, Rule
    from app.auth.programs import Bearer
    from app.auth.sign_in import Desk, Visitor
    from geodata.repositories.people import PersonRecord

TOKEN, NEXT = "token", "next"
BY_ITSELF = "X-By-Itself"  # header of what a page asks without anybody being there


class SessionCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, bound to this host and to https where the request came by https."""

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 - as Flask calls it
        """Give the name; browsers take ``__Host-`` only as secure, of this host, for all paths."""
        return "__Host-saferground" if request.is_secure else "saferground"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - as Flask calls it
        """Return whether the cookie goes back by https only."""
        return request.is_secure


def register(app: Flask) -> None:
    """Refuse what the table does not allow, on the public side as on the staff's."""
    app.session_interface = SessionCookie()
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"

    @app.before_request
    def check() -> ResponseReturnValue | None:
        if request.endpoint is None:
            return None  # there is no such address, or it does not take that: reported as such
        rule = RULES.get(request.endpoint)
        if rule is None:
            app.logger.error("%s is in no table of permissions; refused", request.endpoint)
            raise Forbidden
        if rule.public:
            return None
        if rule.token is None:
            return _admit(rule)
        _admit_program(rule, rule.token)
        if request.endpoint in BODIES:  # by then it is known whose program sends it
            request.max_content_length = BODIES[request.endpoint]
        return None

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        rule = RULES.get(request.endpoint or "")
        if rule is not None and not rule.public:
            response.headers["Cache-Control"] = "no-store"
        return response


def desk() -> Desk:
    """Return what signing in needs."""
    found: Desk = current_app.extensions["saferground.desk"]
    return found


def visitor() -> Visitor | None:
    """Return who asks, if somebody who has begun to sign in; looked up once for a request."""
    if "visitor" not in g:
        token = session.get(TOKEN)
        present = request.endpoint not in BY_THEMSELVES and BY_ITSELF not in request.headers
        g.visitor = (
            sign_in.find_visitor(desk(), token, present=present) if isinstance(token, str) else None
        )
    found: Visitor | None = g.visitor
    return found


def require_visitor() -> Visitor:
    """Return who asks, on pages that the table keeps for people who have begun to sign in."""
    found = visitor()
    if found is None:
        raise Forbidden
    return found


class Signature(TypedDict):
    """Who changes something, and when in UTC, as what stores a change takes both."""

    who: str
    when: dt.datetime


def signed() -> Signature:
    """Sign a change with whoever asks."""
    return Signature(who=require_visitor().person.name, when=desk().now())


def require_bearer() -> Bearer:
    """Return who asks by a token, on addresses that the table keeps for programs."""
    found: Bearer | None = g.get("bearer")
    if found is None:
        raise Forbidden
    return found


def reader() -> PersonRecord:
    """Return the person who asks, by a sign-in in a browser or by a token."""
    bearer: Bearer | None = g.get("bearer")
    return bearer.person if bearer is not None else require_visitor().person


def origin() -> Origin:
    """Tell where the request comes from."""
    return Origin(address=request.remote_addr or "unknown", agent=request.user_agent.string)


def forgetting(response: BaseResponse) -> BaseResponse:
    """Let the browser drop what it keeps of pages; visits that wait to be sent stay in it."""
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def let_in(token: str) -> None:
    """Put a new token in a new cookie; nothing of the old one stays but where to go on."""
    then = session.get(NEXT)
    session.clear()
    session[TOKEN] = token
    if then:
        session[NEXT] = then


def go_on() -> ResponseReturnValue:
    """Go where the sign-in stands: to the code, to setting codes up, or to where one wanted to."""
    g.pop("visitor", None)
    found = visitor()
    if found is None:
        return redirect(url_for("staff.sign_in"), 303)
    if found.session.stage == CODE:
        return redirect(url_for("staff.code"), 303)
    if found.session.stage == ENROL:
        return redirect(url_for("staff.enrol"), 303)
    then = session.pop(NEXT, None)
    if isinstance(then, str) and is_ours(then):
        return redirect(then, 303)
    return redirect(url_for(home_of(found.person.roles)), 303)


def home_of(roles: Collection[str]) -> str:
    """Return the endpoint where somebody's work begins."""
    return next((home for role, home in HOMES.items() if role in roles), "account.account")


def _admit(rule: Rule) -> ResponseReturnValue | None:
    found = visitor() if rule.stages else None
    if rule.stages and found is None:
        return _to_sign_in()
    _count(found)
    if found is None:
        _require_form()
        return None
    if found.session.stage not in rule.stages:
        return go_on()
    if rule.roles and not found.person.may(rule.roles):
        _note_refusal(found.person.name)
        raise Forbidden
    _require_form()
    if request.endpoint in BODIES and request.mimetype == "multipart/form-data":
        request.max_content_length = BODIES[request.endpoint]
    return None


def _require_form() -> None:
    """Refuse JSON where a form is taken.

    Raises
    ------
    BadRequest
        If there is some.
    """
    if request.is_json and request.endpoint not in TAKES_JSON:
        raise BadRequest


def _admit_program(rule: Rule, scope: str) -> None:
    """Let a token in that reaches as far as the rule; cookies are not looked at.

    Raises
    ------
    TokenError, ScopeError
        If there is none, or it does not.
    RateError
        If the token, or wrong ones of this address, are used too often.
    """
    try:
        found = programs.find_bearer(desk(), request.headers.get("Authorization"))
    except TokenError:
        if "Authorization" in request.headers:  # without one, nothing was looked up
            under = f"wrong token address {network(origin().address)}"
            _count_under(under, permissions.WRONG_TOKENS)
        raise
    _count_under(f"token {found.token.id}", permissions.EACH_TOKEN)
    if scope not in found.token.scopes:
        msg = f"this token does not have the scope {scope}; make one that has it"
        raise ScopeError(msg, code="token_scope")
    if not found.person.may(rule.roles):
        _note_refusal(found.person.name, token=found.token.id)
        msg = f"this is for {' or '.join(sorted(rule.roles))}; {found.person.name} is none of them"
        raise ScopeError(msg, code="role")
    g.bearer = found


def _note_refusal(name: str, **more: Any) -> None:
    document = {"endpoint": request.endpoint, "address": origin().address, **more}
    with desk().database.session(write=True) as opened:
        audit.record(opened, name, "access.refused", request.path, document)


def _to_sign_in() -> ResponseReturnValue:
    """Ask to sign in, and remember the page that was requested."""
    wanted = None
    if request.method == "GET" and request.endpoint != "staff.sign_out":
        wanted = request.full_path if request.query_string else request.path
    return redirect(url_for("staff.sign_in", next=wanted), 303)


def _count(found: Visitor | None) -> None:
    """Refuse what is requested too often, whichever process the requests come to.

    Raises
    ------
    RateError
        If the limit of the endpoint is passed.
    """
    limit = LIMITS.get(request.endpoint or "")
    if limit is None or request.method not in limit.methods:
        return
    who = f"person {found.person.id}" if found else f"address {network(origin().address)}"
    _count_under(f"{request.endpoint} {who}", limit)


def _count_under(key: str, limit: Limit) -> None:
    now_s = desk().now_s()
    with desk().database.session(write=True) as opened:
        count = limits.count_request(opened, key, limit.window_s, now_s)
    if count > limit.count:
        raise RateError(limit.window_s - now_s % limit.window_s)
