"""A stored run as pages and reports tell it: for staff, and for a release that is drafted."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from app.public.published_city import (
    ZONE_COLUMNS,
    PublicCity,
    PublicRun,
    PublishedResult,
    RunContext,
)
from geodata.analysis_documents import (
    BacktestDocument,
    CertaintyDocument,
    SensitivityDocument,
    ValidationDocument,
)
from geodata.repositories import import_log
from geodata.repositories.run_analyses import analyses_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord

RISK_CLASSES = 4
RESULT = tuple(
    field.name for field in dataclasses.fields(PublishedResult) if field.name != "warnings"
)


def run_context(session: Session, city: CityRecord, run: str) -> RunContext:
    """Return what is known about a run of a city, the newest findings first."""
    return RunContext(
        city=public_city(city),
        reports=import_log.latest_reports(session, city.id),
        validations=analyses_of(session, run, ValidationDocument),
        backtests=analyses_of(session, run, BacktestDocument),
        certainty=next(iter(analyses_of(session, run, CertaintyDocument)), None),
        sensitivity=next(iter(analyses_of(session, run, SensitivityDocument)), None),
    )


def public_city(city: CityRecord) -> PublicCity:
    """Return what pages know of a stored city."""
    return PublicCity(
        slug=city.slug,
        name=city.name,
        crs=city.crs,
        timezone=city.timezone,
        synthetic=city.synthetic,
        today=city.today,
        cell_units=city.cell_units,
        block_units=city.block_units,
        titles=city.titles,
        units=city.units,
        districts=city.districts[["code", "name", "geometry"]],
    )


def public_run(run: RunRecord) -> PublicRun:
    """Return what pages know of a stored run."""
    shares = run.cells["risk_class"].value_counts(normalize=True)
    lacking = {"code": "", "place_name": None}
    zones = run.zones.assign(**{k: v for k, v in lacking.items() if k not in run.zones})
    return PublicRun(
        id=run.id,
        outcome=run.outcome,
        period_from=run.period_from,
        period_to=run.period_to,
        seed=run.seed,
        spec=run.spec,
        data_sha256=run.data_sha256,
        code_version=run.code_version,
        result=PublishedResult(
            **{name: getattr(run.result, name) for name in RESULT}, warnings=run.result.notes
        ),
        zones=zones[list(ZONE_COLUMNS)],
        class_shares=tuple(float(shares.get(i, 0.0)) for i in range(RISK_CLASSES)),
        edited=(run.edited.on, run.edited.steps) if run.edited else None,
    )
