"""People and the audit, for administrators."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from wtforms import SelectChoice

from app import forms as addresses
from app.admin.forms import ConfirmForm, EmailForm, NewPersonForm, RolesForm
from app.admin.layout import audit_rows, paging, say
from app.auth.guard import desk, require_visitor, signed
from app.auth.provider import label
from app.auth.sign_in import offer_setup
from app.links import whole_url
from geodata.errors import PersonError
from geodata.repositories import audit as audits
from geodata.repositories import people as store
from geodata.repositories import sessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask.typing import ResponseReturnValue

    from geodata.repositories.people import PersonRecord

bp = Blueprint("admin", __name__, url_prefix="/admin")
PAGE = 50
STATES = (store.ACTIVE, store.DISABLED)


@bp.get("/")
def home() -> ResponseReturnValue:
    """Go to the people."""
    return redirect(url_for("admin.people"), 303)


@bp.get("/people")
def people() -> ResponseReturnValue:
    """List everybody, or those with a state or a piece of a name."""
    state = addresses.choice(request.args, "state", STATES)
    piece = request.args.get("q", "").strip()[: addresses.LONGEST]
    with desk().database.session() as session:
        everybody = store.list_people(session)
    visible = [
        person
        for person in everybody
        if state in (None, person.state)
        and piece.casefold() in f"{person.name} {person.display}".casefold()
    ]
    pages = paging(request.args, len(visible), PAGE, {"state": state, "q": piece})
    return render_template(
        "staff/people.html",
        people=visible[pages.start : pages.start + PAGE],
        pages=pages,
        everybody=len(everybody),
        state=state,
        piece=piece,
        states=STATES,
    )


@bp.route("/people/new", methods=["GET", "POST"])
def new_person() -> ResponseReturnValue:
    """Let somebody in; the link to set a password up is shown once."""
    form, status = NewPersonForm(), 200
    form.districts.choices = _district_choices()
    if form.validate_on_submit():
        who = require_visitor().person.name
        provided = form.how.data == "provider" and label() is not None
        try:
            with desk().database.session(write=True) as session:
                person = store.add_person(
                    session,
                    form.name.data,
                    display=form.display.data or "",
                    roles=form.roles.data,
                    districts=form.districts.data or [],
                    from_provider=provided,
                    who=who,
                    when=desk().now(),
                )
                token = None if provided else offer_setup(session, person.name, who, desk().now())
        except PersonError as error:
            form.name.errors, status = [str(error)], 422
        else:
            return _link_page(person, token)
    elif form.is_submitted():
        status = 422
    return render_template("staff/new_person.html", form=form, provider=label()), status


@bp.route("/people/<name>", methods=["GET", "POST"])
def person(name: str) -> ResponseReturnValue:
    """Show a person, and change roles and districts."""
    found = _get(name)
    form, status = RolesForm(roles=found.roles, districts=found.districts), 200
    form.districts.choices = _district_choices()
    if form.validate_on_submit():
        try:
            with desk().database.session(write=True) as session:
                store.change_roles(
                    session,
                    name,
                    roles=form.roles.data,
                    districts=form.districts.data or [],
                    **signed(),
                )
        except PersonError as error:
            form.roles.errors, status = [str(error)], 422
        else:
            say(f"Roles and districts of {found.name} are kept.")
            return redirect(url_for("admin.person", name=name), 303)
    elif form.is_submitted():
        status = 422
    return _person_page(found, form, ConfirmForm(), status)


@bp.post("/people/<name>/state")
def change_state(name: str) -> ResponseReturnValue:
    """Disable a person, or let the person in again."""
    found = _get(name)
    wanted = addresses.choice(request.form, "state", STATES) or found.state
    form = ConfirmForm()
    if wanted == store.DISABLED and not form.validate_on_submit():
        return _person_page(found, _roles_form(found), form, 422)
    try:
        with desk().database.session(write=True) as session:
            who = require_visitor().person.name
            store.change_state(session, name, wanted, who, desk().now())
    except PersonError as error:
        form.sure.errors = [str(error)]
        return _person_page(found, _roles_form(found), form, 422)
    text = "is disabled; every session has ended" if wanted == store.DISABLED else "may sign in"
    say(f"{found.name} {text}.")
    return redirect(url_for("admin.person", name=name), 303)


@bp.post("/people/<name>/email")
def change_email(name: str) -> ResponseReturnValue:
    """Set where a person receives mail."""
    found, form = _get(name), EmailForm()
    if not form.validate_on_submit():
        return _person_page(found, _roles_form(found), ConfirmForm(formdata=None), 422, form)
    try:
        with desk().database.session(write=True) as session:
            who = require_visitor().person.name
            person = store.change_email(session, name, form.email.data or "", who)
    except PersonError as error:
        form.email.errors = [str(error)]
        return _person_page(found, _roles_form(found), ConfirmForm(formdata=None), 422, form)
    say(f"Mail for {person.name} goes to {person.email or 'nowhere'}.")
    return redirect(url_for("admin.person", name=name), 303)


@bp.post("/people/<name>/reset")
def reset(name: str) -> ResponseReturnValue:
    """Take password and codes from a person; the link to set them up is shown once."""
    found = _get(name)
    try:
        with desk().database.session(write=True) as session:
            token = offer_setup(session, name, require_visitor().person.name, desk().now())
    except PersonError as error:
        say(str(error).capitalize())
        return redirect(url_for("admin.person", name=name), 303)
    return _link_page(found, token)


@bp.post("/people/<name>/sessions/end")
def end_sessions(name: str) -> ResponseReturnValue:
    """End every session of a person."""
    found = _get(name)
    with desk().database.session(write=True) as session:
        ended = sessions.end_sessions(session, found.id, "ended by an administrator", desk().now())
        who = require_visitor().person.name
        audits.record(session, who, "person.sessions_ended", found.name, {"sessions": ended})
    say(f"Every session of {found.name} has ended.")
    return redirect(url_for("admin.person", name=name), 303)


@bp.get("/audit")
def audit() -> ResponseReturnValue:
    """Show the audit, the newest first."""
    only = _requested(request.args)
    with desk().database.session() as session:
        actions = audits.actions(session)
        count, _ = audits.page(session, only, start=0, size=0)
        kept = {name: request.args.get(name) for name in ("person", "action", "from", "to")}
        pages = paging(request.args, count, PAGE, kept)
        _, rows = audits.page(session, only, start=pages.start, size=PAGE)
    return render_template(
        "staff/audit.html", rows=audit_rows(rows), only=only, actions=actions, pages=pages
    )


@bp.get("/audit/export")
def audit_export() -> ResponseReturnValue:
    """Send the entries that were asked for, the oldest first, one JSON object a line."""
    only = _requested(request.args)
    database, who = desk().database, require_visitor().person.name
    with database.session(write=True) as session:
        document = {name: request.args.get(name) for name in ("person", "action", "from", "to")}
        audits.record(session, who, "audit.export", "", document)

    def lines() -> Iterator[str]:
        with (
            database.session() as session,
            closing(audits.entries(session, only, newest_first=False)) as found,
        ):
            for entry in found:
                yield json.dumps(entry.as_json(), ensure_ascii=False) + "\n"

    response = Response(lines(), mimetype="application/x-ndjson")
    response.headers["Content-Disposition"] = "attachment; filename=audit.jsonl"
    return response


def _requested(args: Mapping[str, str]) -> audits.AuditFilter:
    return audits.AuditFilter(
        person=_plain(args.get("person", "")) or None,
        action=_plain(args.get("action", "")) or None,
        from_=addresses.day(args, "from"),
        to=addresses.day(args, "to"),
    )


def _plain(text: str) -> str:
    """Return a text that a database can be asked about."""
    return "".join(sign for sign in text.strip() if sign.isprintable())[: addresses.LONGEST]


def _get(name: str) -> PersonRecord:
    with desk().database.session() as session:
        found = store.find_person(session, name)
    if found is None:
        raise NotFound
    return found


def _district_choices() -> list[SelectChoice]:
    with desk().database.session() as session:
        return [SelectChoice(code, result) for code, result in store.all_districts(session)]


def _roles_form(found: PersonRecord) -> RolesForm:
    form = RolesForm(formdata=None, roles=found.roles, districts=found.districts)
    form.districts.choices = _district_choices()
    return form


def _person_page(
    found: PersonRecord,
    form: RolesForm,
    sure: ConfirmForm,
    status: int,
    mail: EmailForm | None = None,
) -> ResponseReturnValue:
    since = desk().now() - desk().idle
    with desk().database.session() as session:
        theirs = sessions.open_sessions(session, found.id, since)
        _, rows = audits.page(session, audits.AuditFilter(person=found.name), start=0, size=10)
    page = render_template(
        "staff/person.html",
        person=found,
        form=form,
        sure=sure,
        mail=mail or EmailForm(formdata=None, email=found.email),
        sessions=theirs,
        rows=audit_rows(rows),
        needs_districts=store.needs_districts(found),
    )
    return page, status


def _link_page(found: PersonRecord, token: str | None) -> ResponseReturnValue:
    link = whole_url("staff.setup", token=token) if token else None
    return render_template("staff/link.html", person=found, link=link)
