"""Coming in: name and password, code, setting up, and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from werkzeug.exceptions import NotFound

from app.admin.forms import CodeForm, NewPasswordForm, SignInForm
from app.admin.layout import say
from app.auth import provider as providers
from app.auth import secrets
from app.auth import sign_in as setting_up
from app.auth import sign_in as signing_in
from app.auth.guard import (
    NEXT,
    TOKEN,
    desk,
    forgetting,
    go_on,
    let_in,
    origin,
    require_visitor,
    visitor,
)
from app.auth.secrets import LockedError, PasswordError, SignInError
from app.i18n.language import is_ours
from app.links import whole_url
from geodata.errors import PersonError

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("staff", __name__)


@bp.route("/login", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for name and password."""
    found = visitor()
    if found is not None and found.signed_in:
        return go_on()
    form, status = SignInForm(), 200
    if form.validate_on_submit():
        try:
            token = signing_in.with_password(desk(), form.name.data, form.password.data, origin())
        except SignInError as error:
            form.password.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        else:
            _remember_next(request.form.get("next", ""))
            let_in(token)
            return go_on()
    elif form.is_submitted():
        status = 422
    then = request.values.get("next", "")
    return render_template(
        "staff/sign_in.html",
        form=form,
        then=then if is_ours(then) else "",
        provider=providers.label(),
    ), status


@bp.route("/login/code", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """Ask for the one-time code, or a recovery code."""
    form, status = CodeForm(), 200
    if form.validate_on_submit():
        try:
            let_in(signing_in.with_code(desk(), require_visitor(), form.code.data, origin()))
        except (SignInError, PersonError) as error:
            form.code.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        else:
            return go_on()
    elif form.is_submitted():
        status = 422
    recovery = request.args.get("with") == "recovery"
    return render_template("staff/code.html", form=form, recovery=recovery), status


@bp.route("/login/codes", methods=["GET", "POST"])
def enrol() -> ResponseReturnValue:
    """Set one-time codes up, the first time."""
    form, status = CodeForm(), 200
    if form.validate_on_submit():
        try:
            made, token = signing_in.confirm_codes(
                desk(), require_visitor(), form.code.data, origin()
            )
        except (SignInError, PersonError) as error:
            form.code.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        else:
            let_in(token or session[TOKEN])
            return render_template("staff/recovery_codes.html", codes=made, then=_after())
    elif form.is_submitted():
        status = 422
    secret = signing_in.offer_codes(desk(), require_visitor())
    return render_template(
        "staff/enrol.html",
        form=form,
        secret=secrets.grouped(secret),
        picture=url_for("staff.enrol_picture"),
    ), status


@bp.get("/login/codes/picture.svg")
def enrol_picture() -> ResponseReturnValue:
    """Draw the code that a telephone reads."""
    return drawn_secret()


def drawn_secret() -> Response:
    """Answer with the QR code of the secret that is offered to who asks."""
    found = require_visitor()
    secret = signing_in.offer_codes(desk(), found)
    return Response(secrets.picture(secret, found.person.name), mimetype="image/svg+xml")


@bp.route("/setup/<token>", methods=["GET", "POST"])
def setup(token: str) -> ResponseReturnValue:
    """Let a person choose the first password, with a link that holds for a day."""
    person = setting_up.find_setup(desk(), token)
    if person is None:
        return render_template("staff/setup_over.html"), 404
    form, status = NewPasswordForm(), 200
    if form.validate_on_submit():
        try:
            good = secrets.require_good(form.password.data, person.name, person.display)
        except PasswordError as error:
            form.password.errors, status = [str(error)], 422
        else:
            session_token = setting_up.use_setup(desk(), token, good, origin())
            if session_token is None:
                raise NotFound
            let_in(session_token)
            return go_on()
    elif form.is_submitted():
        status = 422
    return render_template("staff/setup.html", form=form, person=person), status


@bp.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End this session."""
    signing_in.sign_out(desk(), require_visitor())
    session.clear()
    say("You are signed out.")
    return forgetting(redirect(url_for("staff.sign_in"), 303))


@bp.get("/login/provider")
def provider() -> ResponseReturnValue:
    """Go to the provider that vouches for people."""
    _remember_next(request.args.get("next", ""))
    return providers.send_there(whole_url("staff.provider_return"))


@bp.get("/login/provider/return")
def provider_return() -> ResponseReturnValue:
    """Come back from the provider."""
    try:
        let_in(providers.come_back(desk(), origin()))
    except SignInError as error:
        return render_template("staff/refused.html", message=str(error)), 403
    return go_on()


def _remember_next(then: str) -> None:
    session.pop(NEXT, None)
    if is_ours(then):
        session[NEXT] = then


def _after() -> str:
    """Return where to go on after a page that is shown once."""
    then = session.get(NEXT)
    return then if isinstance(then, str) and is_ours(then) else url_for("staff.sign_in")
