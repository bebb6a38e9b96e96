"""What pages about asking for runs show, as typed values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import url_for

from app import words
from spatial.analysis import CITY_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.analyst.run_form import RunForm
    from app.analyst.run_hints import Cost, FactorHint, Offer
    from geodata.store.cities import CityRecord
    from geodata.store.runs import RunSummary
    from geodata.store.uses import RunUseRecord

DAY = dt.timedelta(days=1)
FAMILIES = {"poisson": "Poisson", "nb1": "NB1", "nb2": "NB2"}


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run in a list; ``last`` is its last day, included."""

    id: str
    name: str
    note: str
    used_since: dt.datetime | None
    outcome: str
    scope: str
    first: dt.date
    last: dt.date
    incidents: int
    family: str
    factors: int
    zones: int
    made_at: dt.datetime
    readable: bool
    address: str


@dataclass(frozen=True, kw_only=True)
class OfferPage:
    """What stands around the form that asks for a run.

    ``factors`` are the entries of the form, each with what is known of the factor. ``open_parts``
    are the folded parts that hold a fault, and are therefore open.
    """

    first: dt.date
    last: dt.date
    unit: str
    cell: str
    block: str
    factors: tuple[tuple[Any, FactorHint | None], ...]
    factor_faults: tuple[str, ...]
    cost: Cost | None
    period_told: str
    budget_told: str
    faults: int
    open_parts: tuple[str, ...]
    grid_address: str
    budget_address: str
    incidents_address: str


PARTS = {
    "zones": ("min_cells", "max_cells", "max_zones"),
    "model": (
        "sharing",
        "min_incidents_district",
        "half_life_days",
        "families",
        "folds",
        "mixing",
        "lambda_rule",
        "seed",
    ),
}


def run_lines(
    found: Sequence[RunSummary], city: CityRecord, used: Mapping[str, RunUseRecord]
) -> list[RunLine]:
    """Describe runs for a list; ``used`` are those in use by their ids."""
    return [
        RunLine(
            id=run.id,
            name=run.name,
            note=run.note,
            used_since=used[run.id].used_at if run.id in used else None,
            outcome=words.plain(run.outcome),
            scope=scope_words(run.scope, city),
            first=run.period_from,
            last=run.period_to - DAY,
            incidents=run.incidents,
            family=FAMILIES.get(run.family, run.family),
            factors=run.factors,
            zones=run.zones,
            made_at=run.created_at,
            readable=run.readable,
            address=url_for("reading.run", city=city.slug, run=run.id),
        )
        for run in found
    ]


def scope_words(scope: str, city: CityRecord) -> str:
    """Name what a run is of; a city that is only an outline has one district, called the same."""
    codes = set(city.districts["code"])
    if scope == CITY_SCOPE and (scope not in codes or len(codes) == 1):
        return "whole city"
    return f"district {scope}"


def offer_page(
    offered: Offer, form: RunForm, cost: Cost | None, period_told: str, budget_told: str
) -> OfferPage:
    """Describe what stands around the form."""
    city, units = offered.city, words.Units(offered.city.crs)
    known = {hint.factor.name: hint for hint in offered.factors}
    entries = tuple((entry.form, known.get(entry.form.name.data)) for entry in form.factors)
    return OfferPage(
        first=min(days.first for days in offered.outcomes),
        last=max(days.last for days in offered.outcomes),
        unit="feet" if units.feet else "metres",
        cell=units.length(city.cell_units),
        block=units.length(city.block_units),
        factors=entries,
        factor_faults=tuple(told for told in form.factors.errors if isinstance(told, str)),
        cost=cost,
        period_told=period_told,
        budget_told=budget_told,
        faults=len(form.errors),
        open_parts=tuple(
            part for part, names in PARTS.items() if any(form[name].errors for name in names)
        ),
        grid_address=url_for("runs.grid", city=city.slug),
        budget_address=url_for("runs.budget", city=city.slug),
        incidents_address=url_for("runs.incidents", city=city.slug),
    )
