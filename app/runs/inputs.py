"""From the database to the engine: what an analysis reads, and a digest of it."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata.errors import DataError
from geodata.store import cities, incidents, layers, runs
from spatial.analysis import CITY_SCOPE, Inputs
from spatial.spec import GridSpec, HistorySpec, ModelSpec, RiskFactor, RunSpec, ZoneSpec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.store.cities import CityRecord
    from geodata.store.runs import RunRecord
    from spatial.spec import Operations, Step


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FactorChoice:
    """A factor of the city that a run takes; what is left out stays as the city's file has it."""

    name: str
    operation: Operations | None = None
    max_blocks: int | None = None
    step: Step | None = None

    def applied_to(self, factor: RiskFactor) -> RiskFactor:
        """Give the city's factor as the run takes it.

        Raises
        ------
        SpecError
            If what is chosen is out of bounds.
        """
        told = {
            name: value for name, value in dataclasses.asdict(self).items() if value is not None
        }
        return dataclasses.replace(factor, **told)


def load_inputs(
    session: Session,
    city: CityRecord,
    outcome: str,
    start: dt.date,
    end: dt.date,
    *,
    factors: Sequence[FactorChoice] = (),
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
    )


def inputs_of(session: Session, run: RunRecord) -> tuple[Inputs, RunSpec]:
    """Read again what a run was made from, and how: its own factors, whatever the city has now.

    Raises
    ------
    DataError
        If the city no longer has a factor of the run.
    """
    city = cities.get_city(session, run.city)
    taken = [FactorChoice(**factor) for factor in run.spec["factors"]]
    inputs = load_inputs(session, city, run.outcome, run.period_from, run.period_to, factors=taken)
    spec = RunSpec(
        grid=GridSpec(**run.spec["grid"]),
        factors=tuple(inputs.layers),
        model=ModelSpec(**{**run.spec["model"], "families": tuple(run.spec["model"]["families"])}),
        history=HistorySpec(
            half_life_days=run.spec["history"]["half_life_days"],
            bandwidths_cells=tuple(run.spec["history"]["bandwidths_cells"]),
        ),
        zones=ZoneSpec(**run.spec["zones"]),
    )
    return inputs, spec


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
        raise DataError(msg)
    inputs, spec = inputs_of(session, run)
    if digest_inputs(inputs) != run.data_sha256:
        msg = f"the stored data are no longer those of run {run.id}; fit it again first"
        raise DataError(msg)
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
        raise DataError(msg)


def require_districts(city: CityRecord, asked: Iterable[str]) -> None:
    """Refuse districts that the city does not have.

    Raises
    ------
    DataError
        If one is not the city's.
    """
    known = list(city.districts["code"])
    unknown = [name for name in asked if name not in known]
    if unknown:
        msg = (
            f"{city.slug} has no district {', '.join(map(repr, unknown))}; its districts are "
            f"{', '.join(known)}"
        )
        raise DataError(msg)


def _chosen(
    slug: str, found: Mapping[RiskFactor, gpd.GeoDataFrame], factors: Sequence[FactorChoice]
) -> dict[RiskFactor, gpd.GeoDataFrame]:
    """Take some of a city's layers, in the city's order: the order of a choice decides nothing."""
    choices = {choice.name: choice for choice in factors}
    if len(choices) < len(factors):
        msg = "a factor is named twice; name each that the run is to take once"
        raise DataError(msg)
    known = [factor.name for factor in found]
    unknown = [name for name in choices if name not in known]
    if unknown:
        msg = (
            f"{slug} has no factor {', '.join(map(repr, unknown))}; its factors are "
            f"{', '.join(known) or 'none: name some in its city file'}"
        )
        raise DataError(msg)
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
