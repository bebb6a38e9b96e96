"""One's own account: password, one-time codes, sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, session, url_for
from werkzeug.exceptions import NotFound

from app.guard import desk, forgetting, origin, require_visitor
from app.people import codes as one_time
from app.people import passwords, signing_in
from app.people.errors import LockedError, SignInError
from app.people.passwords import PasswordError
from app.staff.coming_in import drawn_secret
from app.staff.forms import ChangePasswordForm, CodeForm, PresentPasswordForm
from app.staff.frame import say
from geodata.errors import PersonError
from geodata.roles import ROLES
from geodata.store import audit, credentials, sessions

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.people.signing_in import Visitor

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
            signing_in.check_password(desk(), person, form.present.data, origin())
            good = passwords.require_good(form.password.data, person.name, person.display)
        except SignInError as error:
            form.present.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        except PasswordError as error:
            form.password.errors, status = [str(error)], 422
        else:
            stored = passwords.digest(good)
            with desk().database.session(write=True) as opened:
                credentials.set_password(
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
            signing_in.check_password(desk(), found.person, form.present.data, origin())
        except SignInError as error:
            form.present.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        else:
            signing_in.offer_codes(desk(), found, anew=True)
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
            made, _ = signing_in.confirm_codes(desk(), found, form.code.data, origin())
        except (SignInError, PersonError) as error:
            form.code.errors = [str(error)]
            status = 429 if isinstance(error, LockedError) else 422
        else:
            session.pop(OFFERED, None)
            then = url_for("account.account")
            return render_template("staff/recovery_codes.html", codes=made, then=then)
    elif form.is_submitted():
        status = 422
    secret = signing_in.offer_codes(desk(), found)
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
    signing_in.sign_out(desk(), require_visitor(), everywhere=True)
    session.clear()
    say("You are signed out everywhere.")
    return forgetting(redirect(url_for("staff.sign_in"), 303))


def _with_password() -> Visitor:
    """Give who asks, if they have a password here."""
    found = require_visitor()
    if found.person.from_provider:
        raise NotFound
    return found


def _offered() -> bool:
    at = session.get(OFFERED)
    return isinstance(at, int) and 0 <= desk().now_s() - at <= OFFER_HOLDS_S
