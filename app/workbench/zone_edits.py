"""What somebody drew on a map or typed as GeoJSON -> a checked shape in a city's system.

Zones changed by a person: step by step, each with its reason; which of them are in use.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from flask import jsonify, redirect, render_template, url_for
from pyproj import Transformer
from wtforms import SelectChoice

from app.admin.city import shell
from app.admin.layout import say
from app.auth.guard import signed
from app.extensions import workroom
from app.i18n import numbers
from app.run_view import run_context
from app.usecases.risk.run_access import limited
from app.workbench.results_forms import EditForm, ReasonForm
from app.workbench.results_maps import RUNS_TAB, OpenedRun, bp, is_analyst, open_run, zones_map
from app.workbench.results_pages import zone_lines
from geodata.errors import DataError, NotStoredError
from geodata.repositories import zone_versions
from geodata.repositories.zone_editing import (
    Drop,
    Merge,
    Redraw,
    Rename,
    SplitZone,
    change_zones,
    go_back,
)
from spatial.errors import ZoneEditError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from geodata.db.json_columns import ZoneStep
    from geodata.db.tables import ZoneEdition
    from geodata.repositories.runs import RunRecord
    from geodata.repositories.zone_editing import Change, Changed


MOST_CORNERS = 2_000
REMEDY = "draw it on the map, or copy the example"


def read_shape(text: str, wanted: str, crs: Any) -> Any:
    """Read a shape in degrees and give it in a projected system.

    Parameters
    ----------
    text
        GeoJSON (RFC 7946): a geometry, a feature, or a collection of one feature.
    wanted
        ``Polygon`` or ``LineString``.
    crs
        The system to give it in.

    Raises
    ------
    DataError
        If it is no such shape, lies nowhere on earth, or has too many corners.
    """
    geometry = _geometry(_parsed(text))
    kind = geometry.get("type")
    if kind != wanted:
        msg = f"this step takes a {wanted}, not a {kind!r:.40}; {REMEDY}"
        raise DataError(msg, code="shape_kind")
    points = geometry.get("coordinates")
    rings = points if wanted == "Polygon" else [points]
    if not isinstance(rings, list) or not rings:
        msg = f"the shape has no coordinates; {REMEDY}"
        raise DataError(msg, code="no_coordinates")
    turn = Transformer.from_crs(4326, crs, always_xy=True)
    turned = [_turned(ring, turn) for ring in rings]
    try:
        if wanted == "LineString":
            return shapely.LineString(turned[0])
        return shapely.Polygon(turned[0], turned[1:])
    except ValueError as error:
        msg = f"a {wanted} cannot be made of these corners ({error}); {REMEDY}"
        raise DataError(msg, code="corners") from error


def _parsed(text: str) -> Any:
    if not text.strip():
        msg = "nothing is drawn yet: draw on the map, or type the shape as GeoJSON"
        raise DataError(msg, code="nothing_drawn")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"this is no GeoJSON; {REMEDY}"
        raise DataError(msg, code="no_geojson") from error


def _geometry(result: Any) -> dict[str, object]:
    """Find the one geometry."""
    if isinstance(result, dict) and result.get("type") == "FeatureCollection":
        features = result.get("features")
        if not isinstance(features, list) or len(features) != 1:
            msg = f"one shape is wanted, not a collection of several; {REMEDY}"
            raise DataError(msg, code="several_shapes")
        result = features[0]
    if isinstance(result, dict) and result.get("type") == "Feature":
        result = result.get("geometry")
    if not isinstance(result, dict):
        msg = f"this is no GeoJSON geometry; {REMEDY}"
        raise DataError(msg, code="no_geometry")
    return result


def _turned(ring: Any, turn: Transformer) -> Any:
    if not isinstance(ring, list) or not 2 <= len(ring) <= MOST_CORNERS:
        msg = f"a shape has 2 to {MOST_CORNERS:,} corners; {REMEDY}"
        raise DataError(msg, code="corners_range")
    corners = np.array([_corner(corner) for corner in ring], dtype=np.float64)
    x, y = turn.transform(corners[:, 0], corners[:, 1])
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        msg = "the shape lies where the city's reference system cannot be used; draw it in the city"
        raise DataError(msg, code="outside_reference_system")
    return np.column_stack([x, y])


def _corner(corner: Any) -> tuple[float, float]:
    good = isinstance(corner, list) and len(corner) >= 2
    pair = corner[:2] if good else []
    if good and all(isinstance(v, int | float) and not isinstance(v, bool) for v in pair):
        lon, lat = pair
        if abs(lon) <= 180 and abs(lat) <= 90 and math.isfinite(lon) and math.isfinite(lat):
            return float(lon), float(lat)
    msg = f"corners are pairs of degrees, longitude first, not {corner!r:.60}"
    raise DataError(msg, code="corner_form")


DONE = {
    "merge": "merged",
    "split": "split",
    "drop": "dropped",
    "rename": "renamed",
    "redraw": "redrawn",
}
MOST_NUMBER = 9  # digits of a step


@dataclass(frozen=True, kw_only=True)
class EditStep:
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
        raise NotStoredError(msg, code="no_step")
    with workroom().database.session() as session:
        then = zone_versions.with_edition(session, opened.own, to)
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
            zone_versions.use_edition(
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


def _stored(
    opened: OpenedRun, changed: Changed, form: EditForm | ReasonForm
) -> ResponseReturnValue:
    """Store a step that was worked out, and go back to the page."""
    with workroom().database.session(write=True) as session:
        number = zone_versions.add_edition(
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
    opened: OpenedRun,
    *,
    edit: EditForm | None = None,
    back: ReasonForm | None = None,
    use: ReasonForm | None = None,
) -> str:
    """Write the page, a form that was sent as it was typed."""
    standing = _standing(opened)
    with workroom().database.session() as session:
        context = run_context(session, opened.city, opened.own.id)
        history = zone_versions.list_editions(session, opened.own.id)
        uses = zone_versions.list_uses(session, opened.own.id)
        where = zone_versions.zone_districts(session, opened.own.id)
    return render_template(
        "analyst/zones.html",
        shell=shell(opened.city, RUNS_TAB),
        run=opened.own,
        title=numbers.plain(opened.own.outcome).capitalize(),
        period=numbers.period(
            numbers.day(opened.own.period_from), numbers.last_day(opened.own.period_to)
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


def _standing(opened: OpenedRun) -> RunRecord:
    """Return the run with the zones of its newest step, in use or not."""
    with workroom().database.session() as session:
        standing = zone_versions.with_edition(session, opened.whole, opened.newest)
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
        return SplitZone(zone=chosen[0], line=read_shape(form.shape.data or "", "LineString", crs))
    if action == "redraw":
        return Redraw(zone=chosen[0], shape=read_shape(form.shape.data or "", "Polygon", crs))
    if action == "rename":
        return Rename(zone=chosen[0], name=form.name.data or "")
    return Drop(zone=chosen[0])


def _step(edition: ZoneEdition, opened: OpenedRun, where: Mapping[str, str]) -> EditStep:
    """Tell a step; of one in a district that the person does not read of, that there was one."""
    named = [*(edition.details.before or ()), *(edition.details.after or ())]
    own = opened.districts is None or all(where.get(zone) in opened.districts for zone in named)
    return EditStep(
        number=edition.number,
        did=_did(edition.action, edition.details) if own else "a change in another district",
        reason=edition.reason if own else "",
        who=edition.made_by,
        when=edition.made_at,
        used=edition.number == opened.used,
    )


def _did(action: str, step: ZoneStep) -> str:
    """Tell in words what a step did."""
    if action == "back":
        return f"back to step {step.to}" if step.to else "back to the run's own zones"
    gone, made = numbers.listed(step.before or ()), numbers.listed(step.after or ())
    if action == "rename":
        return f"{gone} called “{step.name}”" if step.name else f"the name of {gone} taken away"
    if action == "drop":
        return f"{gone} dropped"
    text = f"{gone} {DONE[action]} into {made}"
    left = [
        f"{numbers.number(cells)} cells {where} left out"
        for cells, where in (
            (step.elsewhere, "of another district"),
            (step.taken, "of other zones"),
        )
        if cells
    ]
    return "; ".join([text, *left])


def _number(text: str) -> int:
    """Read the number of a step.

    Raises
    ------
    NotStoredError
        If it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_NUMBER):
        msg = f"there is no step {text!r:.40}"
        raise NotStoredError(msg, code="no_step")
    return int(text)


def _address(opened: OpenedRun) -> str:
    return url_for("reading.zones", city=opened.city.slug, run=opened.own.id)
