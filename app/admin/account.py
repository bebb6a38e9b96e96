"""One's own account: password, one-time codes, sessions.

One's own access tokens: for programs that ask the interface in one's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, session, url_for
from werkzeug.exceptions import NotFound

from app.admin.forms import ChangePasswordForm, CodeForm, NewTokenForm, PresentPasswordForm
from app.admin.layout import say
from app.admin.login import drawn_secret
from app.auth import secrets, sign_in
from app.auth import secrets as one_time
from app.auth.guard import desk, forgetting, origin, require_visitor
from app.auth.programs import make_token
from app.auth.secrets import LockedError, PasswordError, SignInError
from geodata.errors import PersonError
from geodata.repositories import audit, people, sessions
from geodata.roles import ROLES, SCOPES

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.auth.sign_in import Visitor


bp = Blueprint("account", __name__, url_prefix="/account")
OFFERED, OFFER_HOLDS_S = "codes_offered", 600


@bp.get("")
def account() -> ResponseReturnValue:
    """Show who one is here, and where one is signed in."""
    found = require_visitor()
    since = desk().now() - desk().idle
    with desk().database.session() as opened:
        theirs = sessions.open_sessions(opened, found.person.id, since)
    roles = [(role, ROLES[role]) for role in found.person.roles]
    return render_template(
        "staff/account.html",
        person=found.person,
        roles=roles,
        sessions=theirs,
        this=found.session.id,
    )


@bp.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Change one's password; other sessions end."""
    found = _with_password()
    form, status = ChangePasswordForm(), 200
    if form.validate_on_submit():
        person = found.person
        try:
            sign_in.check_password(desk(), person, form.present.data, origin())
            good = secrets.require_good(form.password.data, person.name, person.display)
        except SignInError as error:
            form.present.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        except PasswordError as error:
            form.password.errors, status = [str(error)], 422
        else:
            stored = secrets.digest(good)
            with desk().database.session(write=True) as opened:
                people.set_password(
                    opened,
                    person.name,
                    stored,
                    who=person.name,
                    when=desk().now(),
                    keep=found.session.id,
                )
            say("Your password is changed. Other sessions of yours have ended.")
            return redirect(url_for("account.account"), 303)
    elif form.is_submitted():
        status = 422
    return render_template("staff/password.html", form=form, person=found.person), status


@bp.route("/codes", methods=["GET", "POST"])
def codes() -> ResponseReturnValue:
    """Ask for the password before codes are set up anew."""
    found = _with_password()
    form, status = PresentPasswordForm(), 200
    if form.validate_on_submit():
        try:
            sign_in.check_password(desk(), found.person, form.present.data, origin())
        except SignInError as error:
            form.present.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        else:
            sign_in.offer_codes(desk(), found, anew=True)
            session[OFFERED] = desk().now_s()
            return redirect(url_for("account.new_codes"), 303)
    elif form.is_submitted():
        status = 422
    return render_template("staff/codes.html", form=form), status


@bp.route("/codes/new", methods=["GET", "POST"])
def new_codes() -> ResponseReturnValue:
    """Set codes up anew; the old ones hold until the first new one is right."""
    if not _offered():
        return redirect(url_for("account.codes"), 303)
    found = _with_password()
    form, status = CodeForm(), 200
    if form.validate_on_submit():
        try:
            made, _ = sign_in.confirm_codes(desk(), found, form.code.data, origin())
        except (SignInError, PersonError) as error:
            form.code.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        else:
            session.pop(OFFERED, None)
            then = url_for("account.account")
            return render_template("staff/recovery_codes.html", codes=made, then=then)
    elif form.is_submitted():
        status = 422
    secret = sign_in.offer_codes(desk(), found)
    return render_template(
        "staff/enrol.html",
        form=form,
        secret=one_time.grouped(secret),
        picture=url_for("account.codes_picture"),
    ), status


@bp.get("/codes/picture.svg")
def codes_picture() -> ResponseReturnValue:
    """Draw the new codes for a telephone."""
    if not _offered():
        raise NotFound
    return drawn_secret()


@bp.post("/sessions/<int:identity>/end")
def end_session(identity: int) -> ResponseReturnValue:
    """End one of one's own sessions."""
    found = require_visitor()
    since = desk().now() - desk().idle
    with desk().database.session(write=True) as opened:
        theirs = sessions.open_sessions(opened, found.person.id, since)
        if identity not in [one.id for one in theirs]:
            raise NotFound
        sessions.end_session(opened, identity, "signed out", desk().now())
        audit.record(opened, found.person.name, "sign_out.other", found.person.name)
    say("That session has ended.")
    return redirect(url_for("account.account"), 303)


@bp.post("/sessions/end")
def sign_out_everywhere() -> ResponseReturnValue:
    """End all of one's sessions, this one too."""
    sign_in.sign_out(desk(), require_visitor(), everywhere=True)
    session.clear()
    say("You are signed out everywhere.")
    return forgetting(redirect(url_for("staff.sign_in"), 303))


def _with_password() -> Visitor:
    """Return who asks, if they have a password here."""
    found = require_visitor()
    if found.person.from_provider:
        raise NotFound
    return found


def _offered() -> bool:
    at = session.get(OFFERED)
    return isinstance(at, int) and 0 <= desk().now_s() - at <= OFFER_HOLDS_S


@bp.route("/tokens", methods=["GET", "POST"])
def tokens() -> ResponseReturnValue:
    """List one's tokens, and make one; it is shown once."""
    person = require_visitor().person
    form, status = NewTokenForm(), 200
    if not person.from_provider and form.validate_on_submit():
        try:
            sign_in.check_password(desk(), person, form.present.data, origin())
            with desk().database.session(write=True) as opened:
                token, made = make_token(
                    opened,
                    person.name,
                    label=form.label.data,
                    scopes=form.scopes.data,
                    days=form.days.data,
                    who=person.name,
                    when=desk().now(),
                )
        except SignInError as error:
            form.present.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        except PersonError as error:
            form.label.errors, status = [str(error)], 422
        else:
            return render_template("staff/new_token.html", token=token, made=made)
    elif form.is_submitted():
        status = 422
    with desk().database.session() as opened:
        theirs = sessions.list_tokens(opened, person.name)
    now = desk().now()
    return render_template(
        "staff/tokens.html",
        form=form,
        person=person,
        scopes=SCOPES,
        tokens=[(one, one.state(now)) for one in theirs],
    ), status


@bp.post("/tokens/<int:identity>/revoke")
def revoke_token(identity: int) -> ResponseReturnValue:
    """Let one of one's own tokens in no more."""
    person = require_visitor().person
    with desk().database.session(write=True) as opened:
        gone = sessions.revoke_token(opened, identity, person.name, desk().now(), of=person.name)
    say(f"The token {gone.label} lets nobody in any more.")
    return redirect(url_for("account.tokens"), 303)
