"""One table: which error is which answer. The most specific class wins."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.auth.secrets import RateError, ScopeError, SignInError, TokenError
from app.config import SettingsError
from app.forms import AddressError
from app.i18n.language import N_, STAFF, translated
from app.links import UnknownHostError
from app.problems import BELOW, problem
from geodata.db.engine import DatabaseFailure
from geodata.errors import (
    BackupError,
    BrokenReleaseError,
    CancelledError,
    DataError,
    FaultyFileError,
    NotStoredError,
    PersonError,
    ReleaseError,
    StoreError,
)
from spatial.errors import (
    CrsError,
    DosageError,
    FitError,
    ForecastError,
    GridError,
    OutcomeError,
    SaferGroundError,
    SpecError,
    ZoneEditError,
)

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


STATUS: dict[type[SaferGroundError], int] = {
    SpecError: 400,
    NotStoredError: 404,
    DataError: 422,
    FaultyFileError: 422,
    CrsError: 422,
    GridError: 422,
    FitError: 422,
    ForecastError: 422,
    OutcomeError: 422,
    DosageError: 422,
    ZoneEditError: 422,
    ReleaseError: 422,
    BackupError: 422,
    PersonError: 422,
    SignInError: 403,
    TokenError: 401,
    RateError: 429,
    BrokenReleaseError: 503,
    CancelledError: 409,
    StoreError: 503,
    SettingsError: 500,
    SaferGroundError: 500,
}
ELSE = N_("Something went wrong on our side")
HEADINGS = {
    400: N_("This address asks for something that cannot be"),
    401: N_("This needs an access token"),
    403: N_("This is not open to you"),
    404: N_("There is nothing at this address"),
    405: N_("This address does not take that"),
    409: N_("This was cancelled"),
    413: N_("This is larger than can be taken"),
    415: N_("This is no JSON"),
    422: N_("The data do not allow this"),
    429: N_("This was asked for too often"),
    503: N_("The data cannot be reached at the moment"),
}


TOO_LONG = "Files may hold 200 MB and what is typed 256 kB. Send fewer rows or columns."


def status_of(error: SaferGroundError) -> int:
    """Return the HTTP status of a known error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def register(app: Flask) -> None:
    """Answer errors as pages, or as problem documents below ``/api``."""

    @app.errorhandler(SaferGroundError)
    def known(error: SaferGroundError) -> ResponseReturnValue:
        status = status_of(error)
        if status >= 500:
            app.logger.error("%s: %s", type(error).__name__, error)
        answer = make_response(
            _answer(
                status,
                str(error) if status < 500 else "",
                error.code,
                error.parameters if status < 500 else {},
                ours=isinstance(error, AddressError),
            )
        )
        if isinstance(error, RateError):
            answer.headers["Retry-After"] = str(error.wait_s)
        if isinstance(error, TokenError | ScopeError):
            answer.headers["WWW-Authenticate"] = _challenge(error)
        return answer

    @app.errorhandler(CSRFError)
    def stale(_error: CSRFError) -> ResponseReturnValue:
        return _answer(
            400, "this form is too old to be taken; go back, reload the page, send again", "csrf"
        )

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        name = HTTPStatus(error.code or 500).name.lower()
        answer = make_response(_answer(error.code or 500, _describe(error), name))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            answer.headers["Allow"] = ", ".join(error.valid_methods)
        return answer

    @app.errorhandler(DatabaseFailure)
    def database(error: DatabaseFailure) -> ResponseReturnValue:
        app.logger.error("the database gave way: %s", error)
        g.setdefault("visitor", None)  # the page of the error asks nothing of the database again
        return _answer(503, "", "database")

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> ResponseReturnValue:
        app.logger.exception("unexpected error", exc_info=error)
        return _answer(500, "", "internal_server_error")


def _describe(error: HTTPException) -> str:
    """Say what to do about an error of the request itself, where the heading does not."""
    if isinstance(error, UnknownHostError):
        return error.description
    staff = (request.endpoint or "").startswith(STAFF)
    return TOO_LONG if error.code == 413 and staff else ""


def _challenge(error: SaferGroundError) -> str:
    """Say what a program needs (RFC 6750)."""
    text = 'Bearer realm="Safer Ground"'
    if isinstance(error, ScopeError):
        return f'{text}, error="insufficient_scope"'
    return f'{text}, error="invalid_token"' if "Authorization" in request.headers else text


def _answer(
    status: int,
    message: str,
    code: str,
    parameters: dict[str, str | int | list[str]] | None = None,
    *,
    ours: bool = False,
) -> ResponseReturnValue:
    """Answer an error; ``ours`` says that its message is in the language of the answer."""
    if request.path.startswith(BELOW):
        return problem(status, HEADINGS.get(status, ELSE), message, code, parameters)
    heading = translated(HEADINGS.get(status, ELSE))
    if (request.endpoint or "").startswith(STAFF):
        return render_template("staff/error.html", heading=heading, message=message), status
    result = render_template("error.html", heading=heading, message=message, ours=ours)
    return result, status
