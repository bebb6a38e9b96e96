"""Measures of risk terrain zones: how many later incidents they kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.measures.figures import NOTHING, shares
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    from geodata.measures.ledger import MeasureData
    from geodata.repositories.runs import RunRecord
    from spatial.measures.scopes import Scopes

SOURCES = ("incidents",)


def _hit_rate(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    if ledger.run is None:
        return [NOTHING] * len(scopes)
    later, hit = ledger.later
    rows = ledger.cut(later, scopes)
    return shares(rows.counts(hit), rows.sizes, [0] * len(scopes))


def _pai(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    run = ledger.run
    if run is None:
        return [NOTHING] * len(scopes)
    parts = {district: _part(run, district) for district in {scope.district for scope in scopes}}
    return [
        _over_chance(rate, parts[scope.district])
        for rate, scope in zip(_hit_rate(ledger, scopes), scopes, strict=True)
    ]


def _part(run: RunRecord, district: str | None) -> float:
    """Return the share of a district, or of the city, that zones cover."""
    zones, grid, of = run.zones, run.grid, len(run.grid)
    if district is not None:
        zones = zones[zones["district"] == district]
        known = district in grid.district_ids
        of = int((grid.district == grid.district_ids.index(district)).sum()) if known else 0
    return float(zones["n_cells"].sum()) / of if of else 0.0


def _over_chance(rate: Figure, part: float) -> Figure:
    if rate.value is None:
        return rate
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
        figures=_hit_rate,
        sources=SOURCES,
        disclosure="hits",
        key=5,
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
        figures=_pai,
        sources=SOURCES,
        disclosure="hits",
        numerator="hit rate",
        denominator="share of the area",
        caveat="With few later incidents it is noise: read it with its interval.",
    ),
)
