"""What helps a person to ask for a run: what the data have, what a grid would cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from app import words
from app.analyst.work_words import duration
from geodata.store import incidents, jobs, layers, runs
from spatial.analysis import CITY_SCOPE
from spatial.errors import GridError
from spatial.grid import Grid, lay_grid
from spatial.neighbours import nearest_neighbours
from spatial.spec import MAX_CELLS
from spatial.zone_budget import budget_caution
from spatial.zones import cut_zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geodata.store.cities import CityRecord
    from geodata.store.incidents import OutcomeDays
    from geodata.store.runs import RunRecord
    from spatial.spec import RiskFactor, ZoneSpec

FEWEST_TESTED = 10  # of fewer points a nearest-neighbour test says nothing
POINT_TYPES = (0, 4)  # shapely's numbers of points and multipoints
BYTES_BEFORE = 560e6  # of a fit: measured on 9,329 to 475,892 cells, see docs/workbench.md
BYTES_PER_CELL = 450.0
BYTES_PER_CANDIDATE = 1.0  # of each cell
HEAVY_BYTES = 1e9
MOST_RECUT = 200_000  # cells; 80,000 take half a second (one core of 2026)
MOST_LOOKED_AT = 10  # runs, the newest first
FITTED = "stepwise"  # a stage that only a fit has


@dataclass(frozen=True, kw_only=True)
class FactorHint:
    """A factor of the city as a form shows it."""

    factor: RiskFactor
    places: str
    hint: str
    suggested: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Offer:
    """What a city has to fit a run from."""

    city: CityRecord
    outcomes: tuple[OutcomeDays, ...]
    factors: tuple[FactorHint, ...]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a grid would cost, in words; ``warning`` is empty where there is nothing to warn of."""

    cells: int
    told: str
    warning: str


def read_offer(session: Session, city: CityRecord) -> Offer:
    """Read what a city has to fit a run from."""
    return Offer(
        city=city,
        outcomes=tuple(incidents.outcome_days(session, city.id)),
        factors=tuple(
            factor_hint(factor, layer, city)
            for factor, layer in layers.factor_layers(session, city.id).items()
        ),
    )


def factor_hint(factor: RiskFactor, layer: gpd.GeoDataFrame, city: CityRecord) -> FactorHint:
    """Say what the nearest-neighbour test suggests for a factor, and why."""
    kinds = set(np.unique(shapely.get_type_id(layer.geometry.to_numpy())))
    points = kinds <= set(POINT_TYPES)
    what = "place" if points else "shape"
    count = f"{len(layer):,} {what}{'' if len(layer) == 1 else 's'}"
    if not points:
        told = "lines or areas; the nearest-neighbour test is for points"
        return FactorHint(factor=factor, places=count, hint=told, suggested="")
    if len(layer) < FEWEST_TESTED:
        told = "too few for a nearest-neighbour test"
        return FactorHint(factor=factor, places=count, hint=told, suggested="")
    units = words.Units(city.crs)
    at = layer.geometry.centroid
    test = nearest_neighbours(at.x, at.y, city.study_area.area)
    suggested = test.suggests(factor.max_blocks * city.block_units)
    pattern = {"random": "neither clustered nor dispersed"}.get(test.pattern, test.pattern)
    told = (
        f"{pattern}: the nearest other is {units.length(round(test.mean_units))} away, at random "
        f"it would be {units.length(round(test.expected_units))} (z {test.z:.1f}); suggests "
        f"{suggested}"
    )
    return FactorHint(factor=factor, places=count, hint=told, suggested=suggested)


def incidents_told(
    session: Session, city: CityRecord, outcome: str, first: dt.date | None, last: dt.date | None
) -> tuple[int, str]:
    """Count the incidents of a period, both days included, and say so."""
    period = incidents.outcome_period(session, city.id, outcome)
    if period is None:
        return 0, f"There are no incidents of {words.plain(outcome)}."
    start, end = first or period[0], (last or period[1]) + dt.timedelta(days=1)
    count = incidents.count_incidents(session, city.id, outcome, start, end)
    days = f"{start} to {end - dt.timedelta(days=1)}"
    noun = "incident" if count == 1 else "incidents"
    return count, f"{count:,} {noun} of {words.plain(outcome)}, {days}."


def budget_told(
    session: Session, city: CityRecord, outcome: str, cell_units: float, asked: ZoneSpec
) -> str:
    """Say how much of the budget zones would take, as the newest run of the outcome has it.

    Its scores are cut again with what is asked for. Where no run of the city has cells of this
    size, or too many of them to cut while a page waits, only what the limits allow is told.
    """
    which = runs.RunFilter(outcome=outcome, scope=CITY_SCOPE)
    for listed in runs.list_runs(session, city.slug, which, most=MOST_LOOKED_AT):
        document = runs.find_document(session, listed.id) or {}
        cells = document.get("grid", {})
        if listed.readable and cells["cell"] == cell_units and cells["cells"] <= MOST_RECUT:
            return _as_cut(runs.get_run(session, listed.id), asked)
    districts = len(city.districts)
    most = districts * asked.max_zones * asked.max_cells * cell_units**2 / city.study_area.area
    if most >= asked.area_share:
        return ""
    zones = "1 zone" if asked.max_zones == 1 else f"{asked.max_zones} zones"
    return (
        f"{zones} a district, each of up to {asked.max_cells} cells, can hold {words.share(most)} "
        "of the area at most."
    )


def _as_cut(run: RunRecord, asked: ZoneSpec) -> str:
    """Cut the scores of a run as it is asked for, and say what is left of the budget."""
    followed = "combined" if asked.source == "combined" else "score"
    score, expected = (run.cells[name].to_numpy(dtype=float) for name in (followed, "expected"))
    held = [
        (zone.district, len(zone.cells)) for zone in cut_zones(run.grid, score, expected, asked)
    ]
    caution = budget_caution(run.grid, score, expected, asked, held)
    if caution is None:
        return ""
    return f"By the scores of run {run.id}, {caution.text}."


def weigh(grid: Grid, candidates: int, before: str, length: str) -> Cost:
    """Say what a grid would cost.

    How long a fit takes hangs on the data more than on the cells (halving the cell of one city
    took 2.6 times as long, quartering it no longer than before), so the last fit is told as it was.

    Parameters
    ----------
    grid
        The cells.
    candidates
        Columns to be tried: operations times distances, of all factors.
    before
        What the last fit here took, in words; empty where there was none.
    length
        The side of a cell, in words.
    """
    cells = len(grid)
    size = BYTES_BEFORE + cells * (BYTES_PER_CELL + BYTES_PER_CANDIDATE * candidates)
    told = (
        f"{cells:,} cells of {length}, {candidates} candidates; about {size / 1e9:.1f} GB of "
        f"memory. {before or 'How long it takes is not known: nothing was fitted here yet.'}"
    )
    warning = ""
    if size > HEAVY_BYTES:
        warning = (
            f"This is a heavy run: about {size / 1e9:.1f} GB of memory for as long as it lasts, "
            "and other work waits behind it. A cell twice as wide makes a quarter of the cells."
        )
    return Cost(cells=cells, told=told, warning=warning)


def lay(city: CityRecord, cell_units: float) -> Grid:
    """Lay the grid of a city with cells of some size.

    Raises
    ------
    GridError
        If it would hold no cell, or more than can be fitted.
    """
    districts = dict(zip(city.districts["code"], city.districts.geometry, strict=True))
    most = city.study_area.area / MAX_CELLS
    if cell_units > 0 and cell_units**2 < most:
        units = words.Units(city.crs)
        least = units.length(np.ceil(most**0.5))
        expected = city.study_area.area / cell_units**2
        msg = (
            f"it would make about {expected:,.0f} cells, more than the {MAX_CELLS:,} that can be "
            f"fitted; take {least} at least"
        )
        raise GridError(msg)
    return lay_grid(city.study_area, districts, cell_units)


def candidates_of(factors: Iterable[RiskFactor]) -> int:
    """Count the columns that factors make: operations times distances."""
    return sum(len(one.operations) * len(one.distances_units(1.0)) for one in factors)


def last_fit(session: Session, city: str) -> str:
    """Say what the last job here took that fitted one run; nothing where there was none."""
    for job in jobs.list_jobs(session, city, state=jobs.DONE, kind="fit", most=jobs.USUAL_OF):
        made = (job.result or {}).get("runs", [])
        run = runs.find_document(session, made[0]) if len(made) == 1 else None
        if run is not None and FITTED in job.timings:  # else the run was there already
            tried = run["candidates"] + len(run["dropped"])
            return (
                f"The last fit here, {run['grid']['cells']:,} cells and {tried} candidates, took "
                f"{duration(sum(job.timings.values()))}."
            )
    return ""


def choices_of(offer: Offer) -> Mapping[str, RiskFactor]:
    """Give the factors of an offer by name."""
    return {hint.factor.name: hint.factor for hint in offer.factors}
