"""Evaluate an intervention in a run's zones: before and after, beside areas that had none."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import numpy as np

from app.usecases.evaluation.conclusions import conclude
from app.usecases.evaluation.evaluation_document import EvaluationDocument
from app.usecases.evaluation.study import Study
from app.usecases.risk.fit import require_districts, require_outcome
from geodata.documents import from_json, to_json
from geodata.errors import DataError
from geodata.repositories import cities, incidents, run_analyses, zone_versions
from spatial.evaluation.design import Periods

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from app.usecases.evaluation.study import Question
    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.run_analyses import FindingRecord
    from geodata.repositories.runs import RunRecord

    Progress = Callable[[str, int, int], None]

EVALUATION = "evaluation"
# Of two warnings of version 1 the figures are in their sentences alone, which had these forms.
WANTED_1 = re.compile(r"only \d+ of (\d+) control areas were found that differ enough from .*")
COVERED_1 = re.compile(r"no incident is stored (before|after) (\d{4}-\d\d-\d\d): is the .*")


def evaluate(
    database: Database, request: Question, *, progress: Progress | None = None
) -> EvaluationDocument:
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
    key = request.key_on(run.edited)
    document, areas = study.report(progress, key=key)
    with database.session(write=True) as session:
        run_analyses.keep_finding(session, run.id, EVALUATION, key, to_json(document), areas)
    return document


def evaluations(session: Session, run_id: str) -> list[FindingRecord]:
    """Return the evaluations of a run, newest first.

    ``cells`` of each has one row for each cell of each area: ``area`` (treated, displacement or a
    control's name) and the cell's place in the city's lattice, ``col`` and ``row``.
    """
    return run_analyses.list_findings(session, run_id, EVALUATION)


def document_of(finding: FindingRecord) -> EvaluationDocument:
    """Return a stored evaluation.

    Raises
    ------
    DataError
        If another version wrote it; the remedy is to ask for it again.
    """
    return read_evaluation({"key": finding.key, **finding.document})


def read_evaluation(stored: Mapping[str, object]) -> EvaluationDocument:
    """Read a stored evaluation, of this version or of version 1.

    Raises
    ------
    DataError
        If another version wrote it.
    """
    content = dict(stored)
    earlier = "form" not in content
    warnings = content.pop("warnings", ()) if earlier else ()
    sentences = [str(one) for one in warnings] if isinstance(warnings, list | tuple) else []
    if earlier:
        content.pop("verdict", None)
    name = f"evaluation {stored.get('key')} of run {stored.get('run')}"
    document = from_json(EvaluationDocument, content, name, "ask for it again")
    return _with_codes(document, sentences) if earlier else document


def _with_codes(document: EvaluationDocument, sentences: Sequence[str]) -> EvaluationDocument:
    """Return an evaluation of version 1 with codes in the place of its sentences."""
    wanted, (first, last) = len(document.controls), (document.before[0], document.after[1])
    for text in sentences:
        if found := WANTED_1.fullmatch(text):
            wanted = int(found[1])
        if found := COVERED_1.fullmatch(text):
            day = dt.date.fromisoformat(found[2])
            first, last = (day, last) if found[1] == "before" else (first, day)
    return conclude(document, wanted=wanted, covered=(first, last))


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
        raise DataError(msg, code="run_of_another_city")


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
        raise DataError(msg, code="unknown_zone")
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
        raise DataError(msg, code="unknown_zone")
    return chosen
