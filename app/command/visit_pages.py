"""Visits: logged on a telephone, with or without a connection, listed and corrected."""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, jsonify, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import Forbidden, NotFound
from wtforms import SelectChoice

from app import forms as addresses
from app.admin.layout import paging, say
from app.auth.guard import require_visitor, signed
from app.command.district import own_place, present, present_of, with_names, zone_label
from app.command.shifts import SOON_MS, plan_at, standing
from app.command.visit_forms import (
    LOCAL,
    CorrectionForm,
    VisitForm,
    WithdrawVisitForm,
    described_versions,
    facts_of,
    field_of,
    log_data,
    read_message,
    read_messages,
    version_of,
)
from app.extensions import workroom
from app.headers import allow_position, allow_workers
from geodata.errors import DataError, NotStoredError
from geodata.repositories import visits as store
from geodata.roles import COMMANDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response
    from flask.typing import ResponseReturnValue

    from app.command.district import DistrictPage, Present
    from app.command.visit_forms import Message
    from geodata.repositories.visits import VisitFacts, VisitQuery, VisitRecord
    from spatial.errors import SaferGroundError

bp = Blueprint("visits", __name__, url_prefix="/command/<city>/<district>")
PAGE, SHOWN = 25, 200
SHOWN_MS = 18 * 3_600_000  # visits that the log page lists
ONE_DAY = dt.timedelta(days=1)
ORDERS = ("up", "down")
MISTAKE = "begun by mistake"


@bp.route("/log", methods=["GET", "POST"])
def log(city: str, district: str) -> ResponseReturnValue:
    """Show the page on which visits are logged; take one that was made earlier."""
    place, there = _here(city, district)
    form, status = VisitForm(), 200
    _fill_choices(form, place, there)
    if form.validate_on_submit():
        try:
            _log(place, there.run or "", form.uuid.data or "", facts_of(form, place))
        except (DataError, NotStoredError) as error:
            _put_at_field(form, error)
            status = 422
        else:
            say("The visit is kept.")
            return redirect(place.url("visits.log"), 303)
    elif form.is_submitted():
        status = 422
    else:
        form.uuid.data = str(uuids.uuid4())
    return _log_page(place, there, form, status)


@bp.get("/log/worker.js")
def worker(city: str, district: str) -> ResponseReturnValue:
    """Give the script that keeps the log page for when there is no connection."""
    place = own_place(city, district)
    answer = current_app.send_static_file("log-worker.js")
    answer.headers["Service-Worker-Allowed"] = _scope(place)
    return answer


@bp.get("/log/manifest.webmanifest")
def web_manifest(city: str, district: str) -> ResponseReturnValue:
    """Give what a telephone needs to put the log on its home screen."""
    place = own_place(city, district)
    icon = url_for("static", filename="icon.svg")
    answer = jsonify(
        name=f"{place.name}, {place.city.name}: log",
        short_name="Log visits",
        start_url=place.url("visits.log"),
        scope=_scope(place),
        display="standalone",
        background_color="#ffffff",
        theme_color="#16233b",
        icons=[{"src": icon, "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    )
    answer.mimetype = "application/manifest+json"
    return answer


def _scope(place: DistrictPage) -> str:
    """Return the path below which pages of a district are kept on a telephone."""
    return place.url("visits.log").removesuffix("log")


@bp.get("/log/token")
def token(city: str, district: str) -> ResponseReturnValue:
    """Tell who is signed in, and the token that visits are sent with."""
    own_place(city, district)
    return jsonify(token=generate_csrf(), person=require_visitor().person.name)


@bp.post("/log/visits")
def take(city: str, district: str) -> ResponseReturnValue:
    """Take visits that a telephone kept, each once; tell of each what became of it."""
    place = own_place(city, district)
    try:
        messages = read_messages(request.get_json(silent=True))
    except DataError as error:
        return jsonify(ok=False, error=str(error)), 422
    taken: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for stated in messages:
        key = str(stated.get("id", ""))[:40] if isinstance(stated, dict) else ""
        try:
            message = read_message(stated)
            state = _drop(place, message) if message.dropped else _take(place, message)
        except (DataError, NotStoredError) as error:
            refused.append({"id": key, "why": str(error)})
        else:
            taken.append({"id": key, "state": state})
    return jsonify(taken=taken, refused=refused)


@bp.get("/visits")
def visits(city: str, district: str) -> ResponseReturnValue:
    """List the visits that were logged."""
    place, there = _here(city, district)
    query, kept = _requested(request.args, place, there)
    with workroom().database.session() as session:
        number = place.city.id
        count, _ = store.list_visits(session, number, place.code, query, start=0, size=0)
        pages = paging(request.args, count, PAGE, kept)
        _, found = store.list_visits(
            session, number, place.code, query, start=pages.start, size=PAGE
        )
        units = store.units_of(session, number, place.code)
        there = with_names(session, place.city, there, [(v.run, v.facts.zone) for v in found])
    return render_template(
        "command/visits.html",
        shell=place.shell,
        place=place,
        there=there,
        rows=found,
        pages=pages,
        units=units,
        zones=there.zones,
        label=zone_label,
        asked=kept,
    )


@bp.route("/visits/<uuid>", methods=["GET", "POST"])
def visit(city: str, district: str, uuid: str) -> ResponseReturnValue:
    """Show a visit with all that was said of it, and correct it."""
    place = own_place(city, district, "visits.visits")
    found = _visit(place, uuid)
    there = _of_visit(place, found)
    form, status = CorrectionForm(), 200
    if not form.is_submitted():
        form = CorrectionForm(data=_typed(place, found))
    _fill_choices(form, place, there, found.facts)
    if form.validate_on_submit():
        try:
            facts = facts_of(form, place, found.facts)
            _correct(place, found, facts, form.why.data or "", form.version.data)
        except (DataError, NotStoredError) as error:
            _put_at_field(form, error)
            status = 422
        else:
            say("The visit is corrected. What was said before is kept.")
            return redirect(place.url("visits.visit", uuid=found.uuid), 303)
    elif form.is_submitted():
        status = 422
    return _visit_page(place, there, found, form, WithdrawVisitForm(formdata=None), status)


@bp.post("/visits/<uuid>/withdraw")
def withdraw(city: str, district: str, uuid: str) -> ResponseReturnValue:
    """Let a visit no longer count, or count again."""
    place = own_place(city, district, "visits.visits")
    found = _visit(place, uuid)
    there = _of_visit(place, found)
    form = WithdrawVisitForm()
    if form.validate_on_submit():
        try:
            _correct(
                place,
                found,
                found.facts,
                form.why.data or "",
                form.version.data,
                withdrawn=not found.withdrawn,
            )
        except DataError as error:
            form.why.errors = [field_of(error)[1]]
        else:
            say("The visit counts again." if found.withdrawn else "The visit is withdrawn.")
            return redirect(place.url("visits.visit", uuid=found.uuid), 303)
    correction = CorrectionForm(formdata=None, data=_typed(place, found))
    _fill_choices(correction, place, there, found.facts)
    return _visit_page(place, there, found, correction, form, 422)


def _here(city: str, district: str, tab: str | None = None) -> tuple[DistrictPage, Present]:
    place = own_place(city, district, tab)
    with workroom().database.session() as session:
        plan = plan_at(standing(session, place), place.now_ms, SOON_MS)
        return place, present(session, place, plan)


def _of_visit(place: DistrictPage, found: VisitRecord) -> Present:
    """Return the zones of the run that a visit was made on: it stays in one of them."""
    with workroom().database.session() as session:
        return present_of(session, place, found.run)


def _take(place: DistrictPage, message: Message) -> str:
    return _log(place, message.run, message.uuid, message.facts)


def _drop(place: DistrictPage, message: Message) -> str:
    """Withdraw a visit that was begun by mistake; one that never came here is none."""
    with workroom().database.session() as session:
        try:
            found = store.get_visit(session, place.city.id, store.read_uuid(message.uuid))
        except NotStoredError:
            return "same"
    if found.withdrawn or found.facts.end_ms is not None:
        return "same"
    if found.district != place.code or found.logged_by != require_visitor().person.name:
        msg = "this visit was logged by somebody else; ask whoever did"
        raise DataError(msg, code="of_another_person")
    _correct(place, found, found.facts, MISTAKE, str(found.version), withdrawn=True)
    return "withdrawn"


def _log(place: DistrictPage, run: str, key: str, facts: VisitFacts) -> str:
    with workroom().database.session(write=True) as session:
        return store.log_visit(
            session,
            place.city,
            place.code,
            run,
            key,
            facts,
            **signed(),
            now_ms=place.now_ms,
        )


def _correct(
    place: DistrictPage,
    found: VisitRecord,
    facts: VisitFacts,
    why: str,
    version: str | None,
    *,
    withdrawn: bool = False,
) -> None:
    number = version_of(version)
    with workroom().database.session(write=True) as session:
        store.correct_visit(
            session,
            place.city,
            found.uuid,
            facts,
            why=why,
            version=number,
            **signed(),
            now_ms=place.now_ms,
            withdrawn=withdrawn,
        )


def _visit(place: DistrictPage, uuid: str) -> VisitRecord:
    """Return a visit of the district; officers change their own, commanders all."""
    try:
        key = store.read_uuid(uuid)
    except DataError as error:
        raise NotFound from error
    with workroom().database.session() as session:
        found = store.get_visit(session, place.city.id, key)
    if found.district != place.code:
        raise NotFound
    if request.method == "POST" and not _may_change(found):
        raise Forbidden
    return found


def _may_change(found: VisitRecord) -> bool:
    person = require_visitor().person
    return found.logged_by == person.name or person.may((COMMANDER,))


def _fill_choices(
    form: VisitForm, place: DistrictPage, there: Present, before: VisitFacts | None = None
) -> None:
    zones = [SelectChoice(zone.code, zone_label(zone)) for zone in there.zones]
    activities = list(place.city.activities)
    if before is not None and not there.rank(before.zone):
        zones.append(SelectChoice(before.zone, before.zone))
    if before is not None and before.activity not in activities:
        activities.append(before.activity)
    form.zone.choices = zones
    form.activity.choices = [SelectChoice(one, one) for one in activities]


def _put_at_field(form: VisitForm, error: SaferGroundError) -> None:
    name, result = field_of(error)
    field = form[name if name in form else "start"]
    field.errors = [*field.errors, result]


def _typed(place: DistrictPage, found: VisitRecord) -> dict[str, object]:
    facts = found.facts
    return {
        "unit": facts.unit,
        "zone": facts.zone,
        "start": f"{place.local(facts.start_ms):{LOCAL}}",
        "end": f"{place.local(facts.end_ms):{LOCAL}}" if facts.end_ms is not None else "",
        "activity": facts.activity,
        "note": facts.note,
        "version": found.version,
    }


def _requested(
    args: Mapping[str, str], place: DistrictPage, there: Present
) -> tuple[VisitQuery, dict[str, str]]:
    unit = args.get("unit", "").strip()[: store.LONGEST_UNIT]
    unit = "".join(sign for sign in unit if sign.isprintable())
    zone = addresses.choice(args, "zone", [one.code for one in there.zones])
    day = addresses.day(args, "day")
    sort = addresses.choice(args, "sort", store.SORTS) or "start"
    order = addresses.choice(args, "order", ORDERS) or "down"
    start = place.ms(dt.datetime.combine(day, dt.time())) if day else None
    ended = place.ms(dt.datetime.combine(day, dt.time()) + ONE_DAY) if day else None
    query = store.VisitQuery(
        unit=unit or None,
        zone=zone,
        from_ms=start,
        to_ms=ended,
        sort=sort,
        descending=order == "down",
    )
    document = {"unit": unit, "zone": zone or "", "day": day.isoformat() if day else ""}
    return query, {**document, "sort": sort, "order": order}


def _log_page(
    place: DistrictPage, there: Present, form: VisitForm, status: int
) -> ResponseReturnValue:
    query = store.VisitQuery(from_ms=place.now_ms - SHOWN_MS)
    with workroom().database.session() as session:
        _, recent = store.list_visits(
            session, place.city.id, place.code, query, start=0, size=SHOWN
        )
        there = with_names(session, place.city, there, [(v.run, v.facts.zone) for v in recent])
    data = log_data(
        place,
        there,
        require_visitor().person.name,
        recent,
        scope=_scope(place),
        token=place.url("visits.token"),
        take=place.url("visits.take"),
        worker=place.url("visits.worker"),
        sign_in=url_for("staff.sign_in", next=place.url("visits.log")),
    )
    page = render_template(
        "command/log.html",
        shell=place.shell,
        place=place,
        there=there,
        form=form,
        data=data,
        rows=recent[:PAGE],
    )
    answer: Response = current_app.make_response((page, status))
    allow_workers(answer)
    allow_position(answer)
    return answer


def _visit_page(
    place: DistrictPage,
    there: Present,
    found: VisitRecord,
    form: CorrectionForm,
    withdrawal: WithdrawVisitForm,
    status: int,
) -> ResponseReturnValue:
    with workroom().database.session() as session:
        versions = store.versions_of(session, place.city.id, found.uuid)
        mine = [(found.run, one.facts.zone) for one in versions]
        there = with_names(session, place.city, there, mine)
    withdrawal.version.data = form.version.data = str(found.version)
    page = render_template(
        "command/visit.html",
        shell=place.shell,
        place=place,
        there=there,
        row=found,
        versions=described_versions(place, there, versions),
        form=form,
        withdrawal=withdrawal,
        title=f"{there.zone_name(found.facts.zone)}, {place.clock(found.facts.start_ms)}",
        mine=_may_change(found),
    )
    return page, status
