"""What the pages of measures tell beside the tables: link windows, kinds, and the year before.

Only measures that are published as they are have such figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geodata.measures.dirtbike import by_kind, has_totals
from geodata.measures.events import link_windows
from geodata.measures.registry import MEASURES, data_through, work_out_one, year_scopes
from geodata.releases.encoding import json_bytes, number
from geodata.releases.rules import PLAIN

if TYPE_CHECKING:
    from geodata.measures.record import Figure, MeasureValue
    from geodata.measures.registry import Step
    from geodata.releases.figures import Figures
    from geodata.releases.inputs import Material

COURSE = "site/figures.json"
BY_KIND = ("dirtbike.seizures",)
FIGURE = ("value", "n", "missing", "numerator", "denominator", "low", "high")


def course_file(material: Material, figures: Figures) -> dict[str, bytes]:
    """Write the figures that stand beside the published ones, by period and district."""
    places = [None, *map(str, material.city.districts["code"])]
    windows, kinds = [], []
    for when, scope in figures.periods.items():
        for district in places:
            where = {"period": when, "district": district or ""}
            own = replace(scope, district=district)
            windows += [
                {
                    **where,
                    "minutes": one.minutes,
                    "metres": one.metres,
                    "used": one.used,
                    "both": figure_list(one.both),
                }
                for one in link_windows(material.ledger, own)
            ]
            kinds += [
                {**where, "measure": identity, "kind": kind, "value": number(value)}
                for identity in BY_KIND
                for kind, value in by_kind(material.ledger, own, identity).items()
            ]
    years = [
        year
        for identity in PLAIN
        for district in places
        if (year := _year(material, identity, district)) is not None
    ]
    return {COURSE: json_bytes({"windows": windows, "kinds": kinds, "years": years})}


def figure_list(figure: Figure) -> list[Any]:
    """Give a figure as a list, in the order of :data:`FIGURE`."""
    return [number(getattr(figure, name)) for name in FIGURE]


def _year(material: Material, identity: str, district: str | None) -> dict[str, Any] | None:
    """Give the year so far and the like of the year before."""
    measure, ledger = MEASURES[identity], material.ledger
    through = data_through(ledger, measure)
    if not measure.sources or through is None:
        return None
    by: Step = "month" if has_totals(ledger, identity) else "week"
    scopes = year_scopes(min(through, material.last_day), by, district)
    now, before = (work_out_one(ledger, scope, measure, {}) for scope in scopes)
    if now.figure.value is None and before.figure.value is None:
        return None
    where = {"measure": identity, "district": district or "", "by": by}
    return {**where, "now": _dated(now), "before": _dated(before)}


def _dated(value: MeasureValue) -> dict[str, Any]:
    scope = value.scope
    return {
        "from": scope.start.isoformat(),
        "to": scope.end.isoformat(),
        "figure": figure_list(value.figure),
    }
