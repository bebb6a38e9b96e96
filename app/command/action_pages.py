"""Actions on places and with owners: listed, made, changed, with comments and photos; reminders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app import forms as addresses
from app.admin.forms import ConfirmForm
from app.admin.layout import paging, say
from app.auth.guard import desk, require_visitor, signed
from app.charts.calendars import write_calendar
from app.command.action_forms import (
    MOST_REMINDERS,
    OWNERS,
    ActionForm,
    CommentForm,
    PhotoForm,
    described_events,
    facts_of,
    fill_choices,
    put_at_field,
    reminders_of,
    typed,
)
from app.command.district import (
    Present,
    own_place,
    present,
    present_of,
    with_names,
    zone_label,
    zone_names,
)
from app.command.visit_forms import plain_text, version_of
from app.extensions import workroom
from app.links import whole_url
from app.usecases import photos
from geodata.errors import DataError
from geodata.repositories import actions as store
from geodata.repositories import cities, limits
from geodata.roles import WITH_DISTRICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from app.command.district import DistrictPage
    from geodata.repositories.actions import ActionQuery, ActionRecord
    from geodata.repositories.people import PersonRecord

bp = Blueprint("actions", __name__, url_prefix="/command")
PAGE = 25
ORDERS = ("up", "down")
SHOWN = {"open": store.STILL_OPEN, "closed": (store.DONE, store.DROPPED)}


@bp.get("/<city>/<district>/actions")
def actions(city: str, district: str) -> ResponseReturnValue:
    """List the actions of a district, and how those of each owner stand."""
    place, there = _here(city, district)
    with workroom().database.session() as session:
        sums = store.owner_sums(session, place.city.id, place.code, place.now.date())
        query, kept = _requested(request.args, there, [one.owner for one in sums])
        count, _ = _listed(session, place, query, 0, 0)
        pages = paging(request.args, count, PAGE, kept)
        _, found = _listed(session, place, query, pages.start, PAGE)
        there = with_names(session, place.city, there, [(a.run, a.facts.zone) for a in found])
    return render_template(
        "command/actions.html",
        shell=place.shell,
        place=place,
        there=there,
        rows=found,
        pages=pages,
        sums=sums,
        zones=there.zones,
        label=zone_label,
        kinds=store.KINDS,
        states=(*SHOWN, *store.STATES[1:]),
        asked=kept,
    )


@bp.route("/<city>/<district>/actions/new", methods=["GET", "POST"])
def new(city: str, district: str) -> ResponseReturnValue:
    """Make an action."""
    place, there = _here(city, district)
    form, status = ActionForm(), 200
    if not form.is_submitted():
        form.zone.data = request.args.get("zone", "")
    fill_choices(form, there.zones, None)
    if form.validate_on_submit():
        try:
            with workroom().database.session(write=True) as session:
                number = store.add_action(
                    session,
                    place.city,
                    place.code,
                    there.run or "",
                    facts_of(form),
                    **signed(),
                    today=place.now.date(),
                )
        except DataError as error:
            put_at_field(form, error, "what")
            status = 422
        else:
            say("The action is kept. Add photos of the place as it is, if there are any.")
            return redirect(_address(place, number), 303)
    elif form.is_submitted():
        status = 422
    page = render_template(
        "command/action_new.html",
        shell=place.shell,
        place=place,
        there=there,
        form=form,
        owners=_owners(place),
    )
    return page, status


@bp.route("/<city>/<district>/actions/<int:number>", methods=["GET", "POST"])
def action(city: str, district: str, number: int) -> ResponseReturnValue:
    """Show an action with all that happened to it, and change it."""
    place, there, found = _action(city, district, number)
    form, status = ActionForm(), 200
    if not form.is_submitted():
        form = _form(found)
    fill_choices(form, there.zones, found.facts)
    if form.validate_on_submit():
        try:
            with workroom().database.session(write=True) as session:
                store.change_action(
                    session,
                    place.city,
                    number,
                    facts_of(form),
                    version=version_of(form.version.data),
                    **signed(),
                    today=place.now.date(),
                )
        except DataError as error:
            put_at_field(form, error, "what")
            status = 422
        else:
            say("The change is kept.")
            return redirect(_address(place, number), 303)
    elif form.is_submitted():
        status = 422
    return _action_page(place, there, found, form=form, status=status)


@bp.post("/<city>/<district>/actions/<int:number>/comments")
def comment(city: str, district: str, number: int) -> ResponseReturnValue:
    """Add a comment."""
    place, there, found = _action(city, district, number)
    form = CommentForm()
    if form.validate_on_submit():
        try:
            with workroom().database.session(write=True) as session:
                store.add_comment(
                    session,
                    place.city,
                    number,
                    plain_text(form.comment.data or ""),
                    **signed(),
                )
        except DataError as error:
            put_at_field(form, error, "comment")
        else:
            return redirect(_address(place, number) + "#happened", 303)
    return _action_page(place, there, found, comment=form, status=422)


@bp.post("/<city>/<district>/actions/<int:number>/photos")
def add_photo(city: str, district: str, number: int) -> ResponseReturnValue:
    """Add a photo."""
    place, there, found = _action(city, district, number)
    form = PhotoForm()
    if form.validate_on_submit():
        try:
            _keep_photo(place, number, form)
        except DataError as error:
            put_at_field(form, error, "photo")
        else:
            say("The photo is kept, without what the camera wrote into it.")
            return redirect(_address(place, number) + "#photos", 303)
    return _action_page(place, there, found, photo=form, status=422)


@bp.get("/<city>/<district>/actions/<int:number>/photos/<int:photo>.jpg")
def photo(city: str, district: str, number: int, photo: int) -> ResponseReturnValue:
    """Show a photo; that it was seen is in the audit."""
    place, _, _ = _action(city, district, number)
    with workroom().database.session(write=True) as session:
        who = require_visitor().person.name
        found = store.see_photo(session, place.city, number, photo, who)
    content = photos.read(workroom().settings.photos, found.file)
    if content is None:
        raise NotFound
    answer = Response(content, mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f"inline; filename=action-{number}-{photo}.jpg"
    return answer


@bp.post("/<city>/<district>/actions/<int:number>/photos/<int:photo>/remove")
def remove_photo(city: str, district: str, number: int, photo: int) -> ResponseReturnValue:
    """Remove a photo for good."""
    place, there, found = _action(city, district, number)
    if not ConfirmForm().validate_on_submit():
        return _action_page(place, there, found, unsure=photo, status=422)
    with workroom().database.session(write=True) as session:
        file = store.remove_photo(
            session,
            place.city,
            number,
            photo,
            **signed(),
        )
    photos.forget(workroom().settings.photos, file)
    say("The photo is removed.")
    return redirect(_address(place, number) + "#photos", 303)


@bp.get("/reminders")
def reminders_page() -> ResponseReturnValue:
    """Tell whether one's reminders have a secret address, and offer one."""
    return _reminders_page(None)


@bp.post("/reminders/make")
def make_feed() -> ResponseReturnValue:
    """Give one's reminders a secret address; it is shown once."""
    with workroom().database.session(write=True) as session:
        token = limits.make_feed(session, require_visitor().person, desk().now())
    return _reminders_page(whole_url("actions.feed", token=token))


@bp.post("/reminders/end")
def end_feed() -> ResponseReturnValue:
    """Take the secret address back."""
    with workroom().database.session(write=True) as session:
        limits.end_feed(session, require_visitor().person)
    say("The address no longer holds.")
    return redirect(url_for("actions.reminders_page"), 303)


@bp.get("/reminders/<token>.ics")
def feed(token: str) -> ResponseReturnValue:
    """Give the reminders of whoever knows the secret address, as a calendar."""
    with workroom().database.session() as session:
        person = limits.person_of_feed(session, token)
        if person is None or not person.may(WITH_DISTRICTS):
            raise NotFound
        found = [one for slug in _cities_of(person) for one in _due(session, person, slug)]
    made = write_calendar("Safer Ground: actions due", "Reminders", found)
    return Response(made, mimetype="text/calendar")


def _here(city: str, district: str) -> tuple[DistrictPage, Present]:
    place = own_place(city, district, "actions.actions")
    with workroom().database.session() as session:
        return place, present(session, place, None)


def _action(city: str, district: str, number: int) -> tuple[DistrictPage, Present, ActionRecord]:
    """Return an action of the district, with the zones of the run that it was made on."""
    place = own_place(city, district, "actions.actions")
    with workroom().database.session() as session:
        found = store.get_action(session, place.city.id, number)
        if found.district != place.code:
            raise NotFound
        there = present_of(session, place, found.run)
        there = with_names(session, place.city, there, [(found.run, found.facts.zone)])
    return place, there, found


def _address(place: DistrictPage, number: int) -> str:
    return place.url("actions.action", number=number)


def _form(found: ActionRecord) -> ActionForm:
    return ActionForm(formdata=None, data={**typed(found.facts), "version": found.version})


def _owners(place: DistrictPage) -> list[str]:
    """Return owners to choose from: those of the district, then usual ones."""
    with workroom().database.session() as session:
        sums = store.owner_sums(session, place.city.id, place.code, place.city.this_day())
    return list(dict.fromkeys([*(one.owner for one in sums), *OWNERS]))


def _listed(
    session: Session, place: DistrictPage, query: ActionQuery, start: int, size: int
) -> tuple[int, list[ActionRecord]]:
    return store.list_actions(session, place.city.id, [place.code], query, start=start, size=size)


def _requested(
    args: Mapping[str, str], there: Present, owners: list[str]
) -> tuple[ActionQuery, dict[str, str]]:
    state = addresses.choice(args, "state", (*SHOWN, *store.STATES, "any")) or "open"
    owner = addresses.choice(args, "owner", owners)
    kind = addresses.choice(args, "kind", store.KINDS)
    zone = addresses.choice(args, "zone", [one.code for one in there.zones])
    sort = addresses.choice(args, "sort", store.SORTS) or "due"
    order = addresses.choice(args, "order", ORDERS) or "up"
    query = store.ActionQuery(
        states=None if state == "any" else SHOWN.get(state, (state,)),
        owner=owner,
        kind=kind,
        zone=zone,
        sort=sort,
        descending=order == "down",
    )
    document = {"state": state, "owner": owner or "", "kind": kind or "", "zone": zone or ""}
    return query, {**document, "sort": sort, "order": order}


def _keep_photo(place: DistrictPage, number: int, form: PhotoForm) -> None:
    """Keep a photo: its file first, which is deleted again if the database does not take it."""
    folder = workroom().settings.photos
    made = photos.redraw(form.photo.data.read(photos.LARGEST + 1))
    name = photos.keep(folder, made)
    try:
        with workroom().database.session(write=True) as session:
            store.add_photo(
                session,
                place.city,
                number,
                stage=form.stage.data or "",
                file=name,
                text=" ".join(plain_text(form.told.data or "").split()),
                width=made.width,
                height=made.height,
                size=len(made.content),
                **signed(),
            )
    except BaseException:
        photos.forget(folder, name)
        raise


def _action_page(
    place: DistrictPage,
    there: Present,
    found: ActionRecord,
    *,
    form: ActionForm | None = None,
    comment: CommentForm | None = None,
    photo: PhotoForm | None = None,
    unsure: int | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    if form is None:
        form = _form(found)
        fill_choices(form, there.zones, found.facts)
    form.version.data = str(found.version)
    with workroom().database.session() as session:
        events = store.history_of(session, found.id)
        pictures = store.photos_of(session, found.id)
    page = render_template(
        "command/action.html",
        shell=place.shell,
        place=place,
        action=found,
        there=there,
        events=described_events(there, events),
        photos=pictures,
        form=form,
        comment=comment or CommentForm(formdata=None),
        photo=photo or PhotoForm(formdata=None),
        unsure=unsure,
        owners=_owners(place),
    )
    return page, status


def _reminders_page(link: str | None) -> ResponseReturnValue:
    person = require_visitor().person
    with workroom().database.session() as session:
        since = limits.feed_since(session, person)
    return render_template("command/reminders.html", since=since, link=link)


def _cities_of(person: PersonRecord) -> list[str]:
    return sorted({one.partition("/")[0] for one in person.districts})


def _due(session: Session, person: PersonRecord, slug: str) -> list[list[str]]:
    city = cities.get_city(session, slug)
    query = store.ActionQuery(states=store.STILL_OPEN)
    districts = person.districts_of(slug)
    _, found = store.list_actions(session, city.id, districts, query, start=0, size=MOST_REMINDERS)
    names = zone_names(session, city, [(one.run, one.facts.zone) for one in found])

    def address(one: ActionRecord) -> str:
        return whole_url("actions.action", city=slug, district=one.district, number=one.id)

    return reminders_of(slug, found, names, address, desk().now())
