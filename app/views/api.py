"""Public figures and initiatives as JSON: what the pages show, in the form of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, request

from app import forms, periods
from app.views.doors import site
from geodata.errors import NotStoredError
from geodata.measures.registry import MEASURES

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.shown import Shown
    from geodata.measures.record import Scope

bp = Blueprint("api", __name__, url_prefix="/api/v1")


@bp.get("/measures")
def measures() -> ResponseReturnValue:
    """Give every measure of a city in a period, all days if none is named."""
    shown = _shown()
    scope = periods.choose(request.args, shown, default="all").scope
    found = site().figures(shown, scope)
    return jsonify(
        **_about(shown, scope), measures=[value.as_json() for value in found.values.values()]
    )


@bp.get("/measures/<identity>")
def measure(identity: str) -> ResponseReturnValue:
    """Give one measure of a city: its figure, its months or weeks, its districts, its year."""
    if identity not in MEASURES:
        msg = f"there is no measure {identity[:80]!r}; the ids are {', '.join(MEASURES)}"
        raise NotStoredError(msg)
    shown = _shown()
    scope = periods.choose(request.args, shown, default="all").scope
    by = forms.choice(request.args, "by", ["month", "week"])
    found = site().detail(shown, scope, identity, "week" if by == "week" else "month")
    return jsonify(
        **_about(shown, scope),
        by=found.by,
        measure=found.value.as_json(),
        series=[one.as_json() for one in found.series],
        districts=[one.as_json() for one in found.districts],
        year_to_date=[found.year.now.as_json(), found.year.before.as_json()] if found.year else [],
        kinds=[{"kind": kind, "value": value} for kind, value in found.kinds],
    )


@bp.get("/initiatives")
def initiatives() -> ResponseReturnValue:
    """Give what stands of every initiative of a city, retired ones last."""
    shown = _shown()
    return jsonify(
        city=shown.city.slug,
        initiatives=[
            {**record.initiative.as_json(), "listed": record.listed}
            for record in (*shown.initiatives, *shown.retired)
        ],
    )


def _shown() -> Shown:
    """Give the city that is asked for.

    Raises
    ------
    NotStoredError
        If there is none.
    """
    shown = site().shown(request.args.get("city"))
    if shown is None:
        msg = "no city is stored yet; import its city file first"
        raise NotStoredError(msg)
    return shown


def _about(shown: Shown, scope: Scope) -> dict[str, Any]:
    return {"city": shown.city.slug, **_days(scope), "district": scope.district}


def _days(scope: Scope) -> dict[str, str]:
    return {"from": scope.start.isoformat(), "to": scope.end.isoformat()}
