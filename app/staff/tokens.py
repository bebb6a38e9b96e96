"""One's own access tokens: for programs that ask the interface in one's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, url_for

from app.guard import desk, origin, require_visitor
from app.people import signing_in
from app.people.access import make_token
from app.people.errors import LockedError, SignInError
from app.staff.account import bp
from app.staff.forms import NewTokenForm
from app.staff.frame import say
from geodata.errors import PersonError
from geodata.roles import SCOPES
from geodata.store import access_tokens

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@bp.route("/tokens", methods=["GET", "POST"])
def tokens() -> ResponseReturnValue:
    """List one's tokens, and make one; it is shown once."""
    person = require_visitor().person
    form, status = NewTokenForm(), 200
    if not person.from_provider and form.validate_on_submit():
        try:
            signing_in.check_password(desk(), person, form.present.data, origin())
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
        theirs = access_tokens.list_tokens(opened, person.name)
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
        gone = access_tokens.revoke_token(
            opened, identity, person.name, desk().now(), of=person.name
        )
    say(f"The token {gone.label} lets nobody in any more.")
    return redirect(url_for("account.tokens"), 303)
