"""Evaluate an intervention in a run's zones: before and after, beside areas that had none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app.usecases.evaluation.study import Study
from app.usecases.risk.fit import require_districts, require_outcome
from geodata.errors import DataError
from geodata.repositories import cities, incidents, run_analyses, zone_versions
from spatial.evaluation.design import Periods

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from app.usecases.evaluation.study import Question
    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.run_analyses import FindingRecord
    from geodata.repositories.runs import RunRecord

    Progress = Callable[[str, int, int], None]

EVALUATION = "evaluation"


def evaluate(
    database: Database, request: Question, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Evaluate, and keep the result as a finding of the run with the cells of its areas.

    The zones are those in use. What was found on another edition of them is kept beside it.

    Raises
    ------
    NotStoredError
        If the city or the run is not stored.
    DataError
        If the run is another city's, the outcome, a zone or the district is not theirs, or there
        is no incident in either period.
    OutcomeError
        If the periods are empty or overlap, or there is nothing to compare with.
    """
    periods = Periods(before=request.before, after=request.after)
    with database.session() as session:
        city = cities.get_city(session, request.city)
        run = zone_versions.get_run_in_use(session, request.run)
        require_same_city(run, city)
        require_outcome(city, request.outcome)
        treated = treated_zones(run, city, request)
        points = incidents.incident_points(
            session, city.id, request.outcome, request.before[0], request.after[1]
        )
    study = Study.lay(run, city, treated, request, periods, points)
    document, areas = study.report(progress)
    document["key"] = request.key_on(run.edited)
    with database.session(write=True) as session:
        run_analyses.keep_finding(session, run.id, EVALUATION, document["key"], document, areas)
    return document


def evaluations(session: Session, run_id: str) -> list[FindingRecord]:
    """Return the evaluations of a run, newest first.

    ``cells`` of each has one row for each cell of each area: ``area`` (treated, displacement or a
    control's name) and the cell's place in the city's lattice, ``col`` and ``row``.
    """
    return run_analyses.list_findings(session, run_id, EVALUATION)


def require_same_city(run: RunRecord, city: CityRecord) -> None:
    """Refuse a run of another city.

    Raises
    ------
    DataError
        If it is another's.
    """
    if run.city != city.slug:
        msg = (
            f"run {run.id} is of {run.city}, not of {city.slug}; list the runs of a city with: "
            f"saferground runs {city.slug}"
        )
        raise DataError(msg)


def treated_zones(run: RunRecord, city: CityRecord, request: Question) -> NDArray[np.bool_]:
    """Tell which of the run's zones are treated.

    Raises
    ------
    DataError
        If a zone or the district is not theirs, or none is treated.
    """
    zones = run.zones
    unknown = [zone for zone in request.zones if zone not in set(zones["id"])]
    if unknown:
        known = ", ".join(zones["id"]) or "none"
        msg = f"run {run.id} has no zone {', '.join(map(repr, unknown))}; its zones are {known}"
        raise DataError(msg)
    if request.district is not None:
        require_districts(city, [request.district])
    chosen = np.array(
        [
            (not request.zones or zone.id in request.zones)
            and request.district in (None, zone.district)
            for zone in zones.itertuples()
        ],
        dtype=bool,
    )
    if not chosen.any():
        where = f" in district {request.district}" if request.district else ""
        msg = (
            f"run {run.id} has no such zone{where}; its zones are in "
            f"{', '.join(sorted(set(zones['district']))) or 'no district: it has none'}"
        )
        raise DataError(msg)
    return chosen
