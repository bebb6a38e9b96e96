"""Measures of risk terrain zones: how many later incidents they held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.measures.figures import NOTHING, share
from geodata.measures.record import Figure, Measure
from spatial.grid import area_of

if TYPE_CHECKING:
    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Scope

SOURCES = ("incidents",)


def _hit_rate(ledger: Ledger, scope: Scope) -> Figure:
    run = ledger.run
    if run is None:
        return NOTHING
    later = ledger.later_incidents(run, scope)
    zones, area = run.zones, ledger.city.study_area
    if scope.district is not None:
        zones = zones[zones["district"] == scope.district]
        area = ledger.district_shape(scope.district)
    x, y = later.geometry.x.to_numpy(), later.geometry.y.to_numpy()
    inside = area_of(x, y, [area]) == 0
    hit = area_of(x[inside], y[inside], list(zones.geometry)) >= 0
    return share(float(hit.sum()), float(inside.sum()))


def _pai(ledger: Ledger, scope: Scope) -> Figure:
    rate, run = _hit_rate(ledger, scope), ledger.run
    if rate.value is None or run is None:
        return rate
    zones, of = run.zones, len(run.grid)
    if scope.district is not None:
        zones = zones[zones["district"] == scope.district]
        of = int((run.grid.district == run.grid.district_ids.index(scope.district)).sum())
    part = float(zones["n_cells"].sum()) / of if of else 0.0
    if part == 0.0 or rate.low is None or rate.high is None:
        return Figure(value=None, n=0, missing=rate.n)
    return Figure(
        value=rate.value / part,
        n=rate.n,
        numerator=rate.value,
        denominator=part,
        low=rate.low / part,
        high=rate.high / part,
    )


LATER = "Only incidents later than the period that the zones were drawn from count."

MEASURES = (
    Measure(
        id="zones.hit_rate",
        title="Later incidents inside zones",
        unit="share",
        direction="up",
        definition=f"Share of later incidents that happened inside the zones. {LATER}",
        formula="later incidents in zones / later incidents in the area",
        compute=_hit_rate,
        sources=SOURCES,
        numerator="later incidents inside zones",
        denominator="later incidents in the area",
        caveat="It falls where patrols prevent incidents in zones, and rises with their area; see "
        "the PAI beside it.",
    ),
    Measure(
        id="zones.pai",
        title="Prediction accuracy index of zones",
        unit="times chance",
        direction="up",
        definition="How many times as many later incidents the zones held as the same area drawn "
        f"at random would. {LATER}",
        formula="(later incidents in zones / later incidents) / (area of zones / area)",
        compute=_pai,
        sources=SOURCES,
        numerator="hit rate",
        denominator="share of the area",
        caveat="With few later incidents it is noise: read it with its interval.",
    ),
)
