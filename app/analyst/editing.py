"""Zones changed by a person: step by step, each with its reason; which of them are in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import jsonify, redirect, render_template, url_for
from wtforms import SelectChoice

from app import words
from app.analyst.drawn_shapes import read_shape
from app.analyst.reading_forms import EditForm, ReasonForm
from app.analyst.reading_maps import zones_map
from app.analyst.reading_pages import zone_lines
from app.analyst.reading_room import RUNS_TAB, Opened, bp, is_analyst, open_run
from app.guard import signed
from app.runs.access import limited
from app.runs.view import run_context
from app.staff.city import shell
from app.staff.frame import say
from app.workroom import workroom
from geodata.errors import DataError, NotStoredError
from geodata.store import editions
from geodata.zone_editing import Drop, Merge, Redraw, Rename, Split, change_zones, go_back
from spatial.errors import ZoneEditError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from geodata.store.editions import EditionRecord
    from geodata.store.runs import RunRecord
    from geodata.zone_editing import Change, Changed

DONE = {
    "merge": "merged",
    "split": "split",
    "drop": "dropped",
    "rename": "renamed",
    "redraw": "redrawn",
}
MOST_NUMBER = 9  # digits of a step


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step in the history; ``used`` says whether its zones are in use."""

    number: int
    did: str
    reason: str
    who: str
    when: dt.datetime
    used: bool


@bp.get("/<city>/runs/<run>/zones")
def zones(city: str, run: str) -> ResponseReturnValue:
    """Show the zones as they stand, what was done to them, and forms that change them."""
    return _page(open_run(city, run))


@bp.get("/<city>/runs/<run>/zones/map.json")
def zones_map_(city: str, run: str) -> ResponseReturnValue:
    """Give the map on which zones are changed."""
    opened = open_run(city, run)
    return jsonify(zones_map(opened, _standing(opened)))


@bp.post("/<city>/runs/<run>/zones")
def edit(city: str, run: str) -> ResponseReturnValue:
    """Take one step."""
    opened = open_run(city, run)
    standing = _standing(opened)
    form = _edit_form(standing, opened.newest)
    if not form.validate_on_submit():
        return _page(opened, edit=form), 422
    try:
        change = _change(form, standing)
    except DataError as error:
        form.shape.errors = [str(error)]
        return _page(opened, edit=form), 422
    try:
        return _stored(opened, change_zones(standing, change, opened.newest + 1), form)
    except (DataError, ZoneEditError) as error:
        field = {"split": form.shape, "redraw": form.shape, "rename": form.name}
        field.get(form.action.data, form.zones).errors = [str(error)]
        return _page(opened, edit=form), 422


@bp.post("/<city>/runs/<run>/zones/back")
def back(city: str, run: str) -> ResponseReturnValue:
    """Go back to what zones were at an earlier step, by a new one."""
    opened = open_run(city, run)
    form = ReasonForm()
    if not form.validate_on_submit():
        return _page(opened, back=form), 422
    to = _number(form.number.data)
    if to >= opened.newest:
        msg = f"there is no step {to} before the newest to go back to"
        raise NotStoredError(msg)
    with workroom().database.session() as session:
        then = editions.with_edition(session, opened.own, to)
    try:
        return _stored(opened, go_back(then, to), form)
    except DataError as error:
        form.reason.errors = [str(error)]
        return _page(opened, back=form), 422


@bp.post("/<city>/runs/<run>/zones/use")
def use(city: str, run: str) -> ResponseReturnValue:
    """Put the zones of a step to use."""
    opened = open_run(city, run)
    form = ReasonForm()
    if not form.validate_on_submit():
        return _page(opened, use=form), 422
    number = _number(form.number.data)
    try:
        with workroom().database.session(write=True) as session:
            editions.use_edition(
                session,
                opened.own,
                number,
                form.reason.data,
                **signed(),
            )
    except DataError as error:
        form.reason.errors = [str(error)]
        return _page(opened, use=form), 422
    say(f"From now on {'zones of step ' + str(number) if number else 'the own zones'} are in use.")
    return redirect(_address(opened), 303)


def _stored(opened: Opened, changed: Changed, form: EditForm | ReasonForm) -> ResponseReturnValue:
    """Store a step that was worked out, and go back to the page."""
    with workroom().database.session(write=True) as session:
        number = editions.add_edition(
            session,
            opened.own,
            changed,
            form.reason.data,
            **signed(),
            after=_number(form.after.data or ""),
        )
    say(f"Step {number}: {_did(changed.action, changed.details)}. It is not in use yet.")
    return redirect(_address(opened), 303)


def _page(
    opened: Opened,
    *,
    edit: EditForm | None = None,
    back: ReasonForm | None = None,
    use: ReasonForm | None = None,
) -> str:
    """Write the page, a form that was sent as it was typed."""
    standing = _standing(opened)
    with workroom().database.session() as session:
        context = run_context(session, opened.city, opened.own.id)
        history = editions.list_editions(session, opened.own.id)
        uses = editions.list_uses(session, opened.own.id)
        where = editions.zone_districts(session, opened.own.id)
    return render_template(
        "analyst/zones.html",
        shell=shell(opened.city, RUNS_TAB),
        run=opened.own,
        title=words.plain(opened.own.outcome).capitalize(),
        period=words.period(
            words.day(opened.own.period_from), words.last_day(opened.own.period_to)
        ),
        zones=zone_lines(context, standing),
        steps=tuple(_step(one, opened, where) for one in history),
        newest=opened.newest,
        used=opened.used,
        used_since=uses[0] if uses else None,
        edit=edit or _edit_form(standing, opened.newest, fresh=True),
        back=back or ReasonForm(formdata=None),
        use=use or ReasonForm(formdata=None),
        can_edit=is_analyst(),
        address=_address(opened),
    )


def _standing(opened: Opened) -> RunRecord:
    """Give the run with the zones of its newest step, in use or not."""
    with workroom().database.session() as session:
        standing = editions.with_edition(session, opened.whole, opened.newest)
    return limited(standing, opened.districts)


def _edit_form(standing: RunRecord, newest: int, *, fresh: bool = False) -> EditForm:
    form = EditForm(formdata=None, after=str(newest)) if fresh else EditForm()
    form.zones.choices = [SelectChoice(zone, zone) for zone in standing.zones["id"]]
    return form


def _change(form: EditForm, standing: RunRecord) -> Change:
    """Read the step that a form asks for.

    Raises
    ------
    DataError
        If its shape cannot be read.
    """
    chosen, crs = form.zones.data, standing.zones.crs
    action = form.action.data
    if action == "merge":
        return Merge(zones=tuple(chosen))
    if action == "split":
        return Split(zone=chosen[0], line=read_shape(form.shape.data or "", "LineString", crs))
    if action == "redraw":
        return Redraw(zone=chosen[0], shape=read_shape(form.shape.data or "", "Polygon", crs))
    if action == "rename":
        return Rename(zone=chosen[0], name=form.name.data or "")
    return Drop(zone=chosen[0])


def _step(edition: EditionRecord, opened: Opened, where: Mapping[str, str]) -> Step:
    """Tell a step; of one in a district that the person does not read of, that there was one."""
    named = [*edition.details.get("before", ()), *edition.details.get("after", ())]
    own = opened.districts is None or all(where.get(zone) in opened.districts for zone in named)
    return Step(
        number=edition.number,
        did=_did(edition.action, edition.details) if own else "a change in another district",
        reason=edition.reason if own else "",
        who=edition.made_by,
        when=edition.made_at,
        used=edition.number == opened.used,
    )


def _did(action: str, details: dict[str, Any]) -> str:
    """Tell in words what a step did."""
    if action == "back":
        to = details["to"]
        return f"back to step {to}" if to else "back to the run's own zones"
    gone, made = words.listed(details["before"]), words.listed(details["after"])
    if action == "rename":
        name = details["name"]
        return f"{gone} called “{name}”" if name else f"the name of {gone} taken away"
    if action == "drop":
        return f"{gone} dropped"
    told = f"{gone} {DONE[action]} into {made}"
    left = [
        f"{words.number(details[key])} cells {where} left out"
        for key, where in (("elsewhere", "of another district"), ("taken", "of other zones"))
        if details.get(key)
    ]
    return "; ".join([told, *left])


def _number(text: str) -> int:
    """Read the number of a step.

    Raises
    ------
    NotStoredError
        If it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_NUMBER):
        msg = f"there is no step {text!r:.40}"
        raise NotStoredError(msg)
    return int(text)


def _address(opened: Opened) -> str:
    return url_for("reading.zones", city=opened.city.slug, run=opened.own.id)
