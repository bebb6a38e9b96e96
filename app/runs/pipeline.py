"""Load, fit, store: the one way a run is made, whoever asks for it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from app.documents import run_document, zone_id
from app.runs.inputs import (
    FactorChoice,
    digest_inputs,
    load_inputs,
    require_districts,
    require_outcome,
)
from geodata.errors import DataError
from geodata.geometry import geometry_faults
from geodata.store import audit, cities, incidents, runs
from geodata.store.runs import RunRecord
from spatial.analysis import CITY_SCOPE, Analysis, analyse_city, analyse_districts
from spatial.spec import GridSpec, HistorySpec, ModelSpec, RunSpec, ZoneSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from geodata.database import Database
    from geodata.store.cities import CityRecord
    from spatial.analysis import Inputs

    Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """What is asked of a fit.

    ``districts`` empty means the whole city in one model; ``factors`` empty all of the city's as
    its file has them. ``cell_units`` and ``block_units`` are the city's where they are left out.
    ``end`` is excluded. ``name`` and ``note`` are what the runs are called and what is said of
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
    asked: FitRequest,
    *,
    who: str = "",
    progress: Progress | None = None,
) -> list[RunRecord]:
    """Fit and store the runs that are asked for, or give back those that are stored already.

    A run's id is a digest of everything that decides it: the same data, settings and code give
    the same run, so it is fitted once. A run that is stored stands in the audit, with ``who``
    asked for it.

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
    runs.plain_naming(asked.name, asked.note)
    with database.session() as session:
        city = cities.get_city(session, asked.city)
        start, end = _period(session, city, asked)
        inputs = load_inputs(session, city, asked.outcome, start, end, factors=asked.factors)
    require_districts(city, asked.districts)
    spec = _spec(city, asked, inputs)
    data = digest_inputs(inputs)
    made = _Maker(city=city, outcome=asked.outcome, period=(start, end), spec=spec, data=data)
    scopes = asked.districts or (CITY_SCOPE,)
    with database.session() as session:
        stored = {scope: runs.find_run(session, made.run_id(scope)) for scope in scopes}
    missing = [scope for scope in scopes if stored[scope] is None]
    if missing == [CITY_SCOPE]:
        analyses = [analyse_city(inputs, spec, progress=progress)]
    else:
        analyses = analyse_districts(inputs, spec, missing, progress=progress) if missing else []
    fresh = {analysis.scope: made.record(analysis) for analysis in analyses}
    with database.session(write=True) as session:
        # others may have been asked the same, and have been quicker
        new = [run for run in fresh.values() if runs.find_run(session, run.id) is None]
        for run in new:
            runs.save_run(session, run)
        for run in new:
            audit.record(session, who, "run.fit", run.id, _told(run))
        ids = [made.run_id(scope) for scope in scopes]
        for run_id in ids if asked.name or asked.note else ():
            runs.name_run(session, run_id, asked.name, asked.note, who, _now())
        return [runs.get_run(session, run_id) for run_id in ids]


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
            spec=dataclasses.asdict(self.spec),
            data_sha256=self.data,
            code_version=code_version(),
            created_at=_now(),
            result=run_document(
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


def _now() -> dt.datetime:
    """Return the time, UTC, without a zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def code_version() -> str:
    """Give the version of the software that makes runs."""
    return version("saferground")


def _spec(city: CityRecord, asked: FitRequest, inputs: Inputs) -> RunSpec:
    """Put together what decides a run: what is asked, and the city's where nothing is."""
    cell, block = asked.cell_units, asked.block_units
    return RunSpec(
        grid=GridSpec(
            cell_units=city.cell_units if cell is None else cell,
            block_units=city.block_units if block is None else block,
        ),
        factors=tuple(inputs.layers),
        model=asked.model,
        history=asked.history,
        zones=asked.zones,
    )


def _told(record: RunRecord) -> dict[str, Any]:
    """Say for the audit what was asked: enough to know the run again, no place of it."""
    grid = record.spec["grid"]
    return {
        "city": record.city,
        "outcome": record.outcome,
        "scope": record.scope,
        "from": record.period_from.isoformat(),
        "to": record.period_to.isoformat(),
        "cell": grid["cell_units"],
        "block": grid["block_units"],
        "factors": [factor["name"] for factor in record.spec["factors"]],
        "seed": record.seed,
    }


def _period(session: Session, city: CityRecord, asked: FitRequest) -> tuple[dt.date, dt.date]:
    """Return the days of a fit, the end excluded: those of its outcome where none are asked for.

    Days that only other outcomes have incidents of would count as days without incidents.
    """
    require_outcome(city, asked.outcome)
    found = incidents.outcome_period(session, city.id, asked.outcome)
    if found is None:
        msg = f"{city.slug} has no incidents of {asked.outcome!r}; import some first"
        raise DataError(msg)
    start = asked.start or found[0]
    end = asked.end or found[1] + dt.timedelta(days=1)
    if start >= end:
        msg = f"the period from {start} to {end} is empty; --from is included, --to is not"
        raise DataError(msg)
    return start, end
