"""What an evaluation could find, told before the pilot starts: by length of the pilot and drop."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from app.usecases.evaluation.evaluate import require_same_city, treated_zones
from app.usecases.evaluation.study import HALF, LIKELY, Question, Study
from app.usecases.risk.fit import require_outcome
from geodata.errors import DataError
from geodata.repositories import cities, incidents, zone_versions
from spatial.evaluation.design import Comparison, Periods, months_later
from spatial.evaluation.estimates import dispersion

if TYPE_CHECKING:
    import datetime as dt

    from geodata.db.engine import Database

LENGTHS = (3, 6, 9, 12, 18, 24)  # months
DROPS = (0.1, 0.2, 0.3, 0.4, 0.5)  # shares of the expected incidents
MOST_MONTHS = 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class PowerAsk:
    """What is requested: as of an evaluation (``Question``), and ``months`` of the pilot."""

    city: str
    run: str
    outcome: str
    before: tuple[dt.date, dt.date]
    months: int
    zones: tuple[str, ...] = ()
    district: str | None = None
    buffer_cells: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.months <= MOST_MONTHS:
            msg = f"a pilot of 1 to {MOST_MONTHS} months can be looked at, not of {self.months}"
            raise DataError(msg, code="months_range")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PowerAt:
    """What a pilot of so many months could find; drops are in incidents.

    ``half`` is found half of the time, ``likely`` in 80 of 100 cases; ``with_around`` is like
    ``half`` where the surroundings are counted too. ``chances`` belong to :data:`DROPS`.
    """

    months: int
    expected: float
    half: float
    likely: float
    with_around: float | None
    chances: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Power:
    """What a pilot in some zones could find; ``at`` first holds the length that was requested."""

    zones: int
    before: int
    around: int
    months_before: float
    dispersion: float
    controls: int
    at: tuple[PowerAt, ...]


def foresee(database: Database, request: PowerAsk) -> Power:
    """Tell what a pilot could find, from the incidents of a period before it.

    Raises
    ------
    NotStoredError
        If the city or the run is not stored.
    DataError
        If the run is another city's, the outcome, a zone or the district is not theirs, or the
        zones had no incident in the period.
    OutcomeError
        If the period is empty.
    """
    start, end = request.before
    after = (end, months_later(end, request.months))
    periods = Periods(before=request.before, after=after)
    question = Question(
        city=request.city,
        run=request.run,
        outcome=request.outcome,
        before=request.before,
        after=after,
        zones=request.zones,
        district=request.district,
        buffer_cells=request.buffer_cells,
    )
    with database.session() as session:
        city = cities.get_city(session, request.city)
        run = zone_versions.get_run_in_use(session, request.run)
        require_same_city(run, city)
        require_outcome(city, request.outcome)
        treated = treated_zones(run, city, question)
        points = incidents.incident_points(session, city.id, request.outcome, start, end)
    study = Study.lay(run, city, treated, question, periods, points)
    before = int(study.totals[study.treated, 0].sum())
    around = int(study.totals[study.around, 0].sum())
    if before == 0:
        msg = (
            f"these zones had no incident of {request.outcome} from {start} to {end}; no drop from "
            "nothing can be found: choose a longer period or more zones"
        )
        raise DataError(msg, code="no_incident")
    series = study.steps[study.treated].sum(axis=0)[: len(periods.steps_before)]
    spread = dispersion(series)
    lengths = dict.fromkeys((request.months, *LENGTHS))
    return Power(
        zones=len(study.zones),
        before=before,
        around=around,
        months_before=round((end - start).days / 30.4375, 1),
        dispersion=spread,
        controls=question.controls,
        at=tuple(_at(question, months, before, around, spread) for months in lengths),
    )


def _at(question: Question, months: int, before: int, around: int, spread: float) -> PowerAt:
    """Simulate an evaluation as it will be requested, against areas as large as the treated one.

    Which areas there will be is not looked at: looking takes longer than a page may.
    """
    period = question.before
    after = (period[1], months_later(period[1], months))
    weight = Periods(before=period, after=after).time_weights[0]

    def against(surroundings: int) -> Comparison:
        return Comparison.alike(
            before,
            question.controls,
            surroundings=surroundings,
            before=weight,
            dispersion=spread,
            alpha=question.alpha,
        )

    found = against(0)
    return PowerAt(
        months=months,
        expected=found.expected,
        half=found.drop(HALF),
        likely=found.drop(LIKELY),
        with_around=against(around).drop(HALF) if around else None,
        chances=tuple(found.chance(drop * found.expected) for drop in DROPS),
    )
