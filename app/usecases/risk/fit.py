"""From the database to the engine: what an analysis reads, and a digest of it.

Load, fit, store: the one way a run is made, whoever asks for it.

What may be asked of a fit, as plain values with names: of a job, a form, the command line.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from app.usecases.risk import settings
from geodata.clock import utc_now
from geodata.db.geometry import geometry_faults
from geodata.errors import DataError
from geodata.repositories import audit, cities, incidents, layers, runs
from geodata.repositories.runs import RunRecord
from geodata.run_document import describe_run, zone_id
from spatial.analysis import CITY_SCOPE, Analysis, Inputs, analyse_city, analyse_districts
from spatial.spec import GridSpec, HistorySpec, ModelSpec, RiskFactor, RunSpec, ZoneSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from app.usecases.arguments import Arguments
    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord
    from spatial.spec import Operations, Step

DAYS_OF_YEAR = 365.25


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FactorChoice:
    """A factor of the city that a run takes; what is left out stays as the city's file has it."""

    name: str
    operation: Operations | None = None
    max_blocks: int | None = None
    step: Step | None = None

    def applied_to(self, factor: RiskFactor) -> RiskFactor:
        """Return the city's factor as the run takes it.

        Raises
        ------
        SpecError
            If what is chosen is out of bounds.
        """
        document = {
            name: value for name, value in dataclasses.asdict(self).items() if value is not None
        }
        return dataclasses.replace(factor, **document)


def load_inputs(
    session: Session,
    city: CityRecord,
    outcome: str,
    start: dt.date,
    end: dt.date,
    *,
    factors: Sequence[FactorChoice] = (),
    barriers: bool = True,
) -> Inputs:
    """Read the incidents of one outcome and period, and the environment of their city.

    Parameters
    ----------
    session, city
        Where they are read from.
    outcome, start, end
        Which incidents; the end is excluded.
    factors
        The factors to take; every factor of the city as its file has it where none is named.
    barriers
        Whether water and motorways of the base map are kept apart.

    Raises
    ------
    DataError
        If a factor is named that the city does not have, or one is named twice.
    SpecError
        If what is chosen for a factor is out of bounds.
    """
    points = incidents.incident_points(session, city.id, outcome, start, end)
    found = layers.factor_layers(session, city.id)
    if factors:
        found = _chosen(city.slug, found, factors)
    return Inputs(
        study_area=city.study_area,
        districts=dict(zip(city.districts["code"], city.districts.geometry, strict=True)),
        incidents=points.geometry,
        age_days=days_before(points["occurred_on"], end),
        layers={factor: frame.geometry for factor, frame in found.items()},
        years=(end - start).days / DAYS_OF_YEAR,
        barriers=layers.barriers(session, city.id) if barriers else (),
    )


def inputs_of(session: Session, run: RunRecord) -> tuple[Inputs, RunSpec]:
    """Read again what a run was made from, and how: its own factors, whatever the city has now.

    Raises
    ------
    DataError
        If the city no longer has a factor of the run.
    """
    city = cities.get_city(session, run.city)
    taken = [FactorChoice(**dataclasses.asdict(factor)) for factor in run.spec.factors]
    inputs = load_inputs(
        session,
        city,
        run.outcome,
        run.period_from,
        run.period_to,
        factors=taken,
        barriers=run.spec.zones.barriers == "kept",
    )
    return inputs, dataclasses.replace(run.spec, factors=tuple(inputs.layers))


def city_wide(session: Session, run_id: str) -> tuple[RunRecord, Inputs, RunSpec]:
    """Read a run of the whole city with what it was made from, unchanged since.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If it is a run of one district, or the stored data are no longer those it was made from.
    """
    run = runs.get_run(session, run_id)
    if run.scope != CITY_SCOPE:
        msg = f"run {run.id} is of district {run.scope}; this is worked out city-wide only"
        raise DataError(msg, code="run_of_district")
    inputs, spec = inputs_of(session, run)
    if digest_inputs(inputs) != run.data_sha256:
        msg = f"the stored data are no longer those of run {run.id}; fit it again first"
        raise DataError(msg, code="data_changed")
    return run, inputs, spec


def require_outcome(city: CityRecord, outcome: str) -> None:
    """Refuse an outcome that the city has no incidents of.

    Raises
    ------
    DataError
        If it is not one of the city's.
    """
    if outcome not in city.outcomes:
        known = ", ".join(city.outcomes) or "none: import incidents first"
        msg = f"{city.slug} has no outcome {outcome!r}; its outcomes are {known}"
        raise DataError(msg, code="unknown_outcome")


def require_districts(city: CityRecord, wanted: Iterable[str]) -> None:
    """Refuse districts that the city does not have.

    Raises
    ------
    DataError
        If one is not the city's.
    """
    known = list(city.districts["code"])
    unknown = [name for name in wanted if name not in known]
    if unknown:
        msg = (
            f"{city.slug} has no district {', '.join(map(repr, unknown))}; its districts are "
            f"{', '.join(known)}"
        )
        raise DataError(msg, code="unknown_district")


def _chosen(
    slug: str, found: Mapping[RiskFactor, gpd.GeoDataFrame], factors: Sequence[FactorChoice]
) -> dict[RiskFactor, gpd.GeoDataFrame]:
    """Take some of a city's layers, in the city's order: the order of a choice decides nothing."""
    choices = {choice.name: choice for choice in factors}
    if len(choices) < len(factors):
        msg = "a factor is named twice; name each that the run is to take once"
        raise DataError(msg, code="factor_twice")
    known = [factor.name for factor in found]
    unknown = [name for name in choices if name not in known]
    if unknown:
        msg = (
            f"{slug} has no factor {', '.join(map(repr, unknown))}; its factors are "
            f"{', '.join(known) or 'none: name some in its city file'}"
        )
        raise DataError(msg, code="unknown_factor")
    return {
        choices[factor.name].applied_to(factor): layer
        for factor, layer in found.items()
        if factor.name in choices
    }


def days_before(days: Iterable[dt.date], end: dt.date) -> NDArray[np.float64]:
    """Count the days from each incident to the end of a period."""
    return np.array([(end - day).days for day in days], dtype=np.float64)


def digest_inputs(inputs: Inputs) -> str:
    """Digest everything that decides a run; the order of rows does not matter."""
    digest = hashlib.sha256()
    parts: list[tuple[str, Any]] = [
        ("study area", [inputs.study_area]),
        *(("district " + name, [shape]) for name, shape in inputs.districts.items()),
        *((f"factor {factor.name}", shapes.array) for factor, shapes in inputs.layers.items()),
        *([("barriers", inputs.barriers)] if inputs.barriers else []),
    ]
    for label, shapes in parts:
        digest.update(label.encode())
        for wkb in sorted(shapely.to_wkb(list(shapes))):
            digest.update(wkb)
    ages = inputs.age_days if inputs.age_days is not None else [0] * len(inputs.incidents)
    dated = zip(shapely.to_wkb(inputs.incidents.array), ages, strict=True)
    for wkb, age in sorted((wkb, int(age)) for wkb, age in dated):
        digest.update(wkb + age.to_bytes(4, "little"))
    return digest.hexdigest()


if TYPE_CHECKING:
    Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """What is asked of a fit.

    ``districts`` empty means the whole city in one model; ``factors`` empty all of the city's as
    its file has them. ``cell_units`` and ``block_units`` are the city's where they are left out.
    ``end`` is excluded. ``name`` and ``note`` are what the runs are called and what is stated of
    them; they decide nothing.
    """

    city: str
    outcome: str
    start: dt.date | None = None
    end: dt.date | None = None
    districts: tuple[str, ...] = ()
    factors: tuple[FactorChoice, ...] = ()
    cell_units: float | None = None
    block_units: float | None = None
    model: ModelSpec = dataclasses.field(default_factory=ModelSpec)
    history: HistorySpec = dataclasses.field(default_factory=HistorySpec)
    zones: ZoneSpec = dataclasses.field(default_factory=ZoneSpec)
    name: str = ""
    note: str = ""


@geometry_faults("the fit")
def fit(
    database: Database,
    request: FitRequest,
    *,
    who: str = "",
    progress: Progress | None = None,
) -> list[RunRecord]:
    """Fit and store the runs that are requested, or give back those that are stored already.

    A run's id is a digest of everything that decides it: the same data, settings and code give
    the same run, so it is fitted once. A run that is stored stands in the audit, with ``who``
    requested it.

    Raises
    ------
    NotStoredError
        If the city is not in the database.
    DataError
        If the outcome, a district, a factor or the period is not the city's, or the name or the
        note is too long.
    SpecError
        If a length or what is chosen for a factor is out of bounds.
    FitError, GridError
        If the engine cannot fit these data.
    """
    runs.plain_naming(request.name, request.note)
    with database.session() as session:
        city = cities.get_city(session, request.city)
        start, end = _period(session, city, request)
        inputs = load_inputs(
            session,
            city,
            request.outcome,
            start,
            end,
            factors=request.factors,
            barriers=request.zones.barriers == "kept",
        )
    require_districts(city, request.districts)
    spec = _spec(city, request, inputs)
    data = digest_inputs(inputs)
    made = _Maker(city=city, outcome=request.outcome, period=(start, end), spec=spec, data=data)
    scopes = request.districts or (CITY_SCOPE,)
    with database.session() as session:
        stored = {scope: runs.find_run(session, made.run_id(scope)) for scope in scopes}
    missing = [scope for scope in scopes if stored[scope] is None]
    if missing == [CITY_SCOPE]:
        analyses = [analyse_city(inputs, spec, progress=progress)]
    else:
        analyses = analyse_districts(inputs, spec, missing, progress=progress) if missing else []
    fresh = [made.record(analysis) for analysis in analyses]
    with database.session(write=True) as session:
        ids = [made.run_id(scope) for scope in scopes]
        _keep(session, fresh, who)
        for run_id in ids if request.name or request.note else ():
            runs.name_run(session, run_id, request.name, request.note, who, utc_now())
        return [runs.get_run(session, run_id) for run_id in ids]


def _keep(session: Session, fresh: Sequence[RunRecord], who: str) -> None:
    """Store runs but those that others requested as well, and had sooner."""
    new = [run for run in fresh if runs.find_run(session, run.id) is None]
    for run in new:
        runs.save_run(session, run)
    for run in new:
        audit.record(session, who, "run.fit", run.id, _describe(run))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Maker:
    """Turns analyses into records that carry everything needed to repeat them."""

    city: CityRecord
    outcome: str
    period: tuple[dt.date, dt.date]
    spec: RunSpec
    data: str

    def run_id(self, scope: str) -> str:
        decisive = {
            "city": self.city.slug,
            "outcome": self.outcome,
            "period": [day.isoformat() for day in self.period],
            "scope": scope,
            "spec": dataclasses.asdict(self.spec),
            "data": self.data,
            "code": code_version(),
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:12]

    def record(self, analysis: Analysis) -> RunRecord:
        run = self.run_id(analysis.scope)
        zones = analysis.zones.set_crs(self.city.crs)
        zones.insert(
            0, "id", [zone_id(run, z.district, z.rank) for z in analysis.zones.itertuples()]
        )
        return RunRecord(
            id=run,
            city=self.city.slug,
            outcome=self.outcome,
            scope=analysis.scope,
            period_from=self.period[0],
            period_to=self.period[1],
            seed=self.spec.model.seed,
            spec=self.spec,
            data_sha256=self.data,
            code_version=code_version(),
            created_at=utc_now(),
            result=describe_run(
                analysis,
                run=run,
                city=self.city.slug,
                crs=self.city.crs,
                outcome=self.outcome,
                period=self.period,
                seed=self.spec.model.seed,
                zones_from=self.spec.zones.source,
            ),
            grid=analysis.grid,
            cells=analysis.cells,
            zones=zones,
        )


def code_version() -> str:
    """Return the version of the software that makes runs."""
    return version("saferground")


def _spec(city: CityRecord, request: FitRequest, inputs: Inputs) -> RunSpec:
    """Put together what decides a run: what is requested, and the city's where nothing is."""
    cell, block = request.cell_units, request.block_units
    return RunSpec(
        grid=GridSpec(
            cell_units=city.cell_units if cell is None else cell,
            block_units=city.block_units if block is None else block,
        ),
        factors=tuple(inputs.layers),
        model=request.model,
        history=request.history,
        zones=request.zones,
    )


def _describe(record: RunRecord) -> dict[str, object]:
    """Say for the audit what was requested: enough to know the run again, no place of it."""
    spec = record.spec
    return {
        "city": record.city,
        "outcome": record.outcome,
        "scope": record.scope,
        "from": record.period_from.isoformat(),
        "to": record.period_to.isoformat(),
        "cell": spec.grid.cell_units,
        "block": spec.grid.block_units,
        "factors": [factor.name for factor in spec.factors],
        "seed": record.seed,
    }


def _period(session: Session, city: CityRecord, request: FitRequest) -> tuple[dt.date, dt.date]:
    """Return the days of a fit, the end excluded: those of its outcome where none are requested.

    Days that only other outcomes have incidents of would count as days without incidents.
    """
    require_outcome(city, request.outcome)
    found = incidents.outcome_period(session, city.id, request.outcome)
    if found is None:
        msg = f"{city.slug} has no incidents of {request.outcome!r}; import some first"
        raise DataError(msg, code="no_incident")
    start = request.start or found[0]
    end = request.end or found[1] + dt.timedelta(days=1)
    if start >= end:
        msg = f"the period from {start} to {end} is empty; --from is included, --to is not"
        raise DataError(msg, code="period_empty")
    return start, end


OPERATIONS = ("proximity", "density", "both")
STEPS = ("whole", "half")


def read_fit(arguments: Arguments) -> FitRequest:
    """Read what is asked of a fit.

    Raises
    ------
    SpecError
        If something is missing, unknown or out of bounds.
    """
    city, outcome = arguments.text("city"), arguments.text("outcome")
    start, end = arguments.day_or_none("from"), arguments.day_or_none("to")
    districts = arguments.texts("districts")
    cell, block = arguments.number_or_none("cell"), arguments.number_or_none("block")
    name, note = arguments.text("name", required=False), arguments.text("note", required=False)
    factors = tuple(_read_factor(one) for one in arguments.objects("factors"))
    values = {setting.name: setting.read(arguments) for setting in settings.SETTINGS}
    arguments.check()
    return FitRequest(
        city=city,
        outcome=outcome,
        start=start,
        end=end,
        districts=districts,
        factors=factors,
        cell_units=cell,
        block_units=block,
        name=name,
        note=note,
        **settings.parts_of(values),
    )


def fit_arguments(request: FitRequest) -> dict[str, object]:
    """Write what is asked of a fit as a job is given it; what is as usual is left out."""
    document: dict[str, object] = {
        "from": _day(request.start),
        "to": _day(request.end),
        "districts": list(request.districts) or None,
        "factors": [_told_factor(one) for one in request.factors] or None,
        "cell": request.cell_units,
        "block": request.block_units,
        "name": request.name or None,
        "note": request.note or None,
        **settings.written(
            {"model": request.model, "history": request.history, "zones": request.zones}
        ),
    }
    return {
        "city": request.city,
        "outcome": request.outcome,
        **{name: value for name, value in document.items() if value is not None},
    }


def _read_factor(arguments: Arguments) -> FactorChoice:
    return FactorChoice(
        name=arguments.text("name"),
        operation=arguments.choice_or_none("operation", OPERATIONS),
        max_blocks=arguments.whole_or_none("max_blocks"),
        step=arguments.choice_or_none("step", STEPS),
    )


def _told_factor(choice: FactorChoice) -> Mapping[str, object]:
    document = {
        "name": choice.name,
        "operation": choice.operation,
        "max_blocks": choice.max_blocks,
        "step": choice.step,
    }
    return {name: value for name, value in document.items() if value is not None}


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
