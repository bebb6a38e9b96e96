"""A stored run as pages and reports tell it: for staff, and for a release that is drafted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.public.published_city import ZONE_COLUMNS, PublicCity, PublicFinding, PublicRun, RunContext
from app.usecases.risk.analyses import CERTAINTY, SENSITIVITY
from app.usecases.risk.validation import BACKTEST, VALIDATION
from geodata.repositories import import_log, run_analyses

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord

RISK_CLASSES = 4
RESULT = (  # of what a run found, all that pages tell
    "incidents",
    "grid",
    "candidates",
    "screened",
    "dropped",
    "model",
    "alternatives",
    "score",
    "combined",
    "zones_from",
    "diagnostics",
    "districts",
    "warnings",
)


def run_context(session: Session, city: CityRecord, run: str) -> RunContext:
    """Return what is known about a run of a city, the newest findings first."""

    def documents(kind: str) -> list[PublicFinding]:
        found = run_analyses.list_findings(session, run, kind)
        return [PublicFinding(document=one.document) for one in found]

    return RunContext(
        city=public_city(city),
        reports=import_log.latest_reports(session, city.id),
        validations=documents(VALIDATION),
        backtests=documents(BACKTEST),
        certainty=next(iter(documents(CERTAINTY)), None),
        sensitivity=next(iter(documents(SENSITIVITY)), None),
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
        districts=city.districts[["code", "name", "geometry"]],
    )


def public_run(run: RunRecord) -> PublicRun:
    """Return what pages know of a stored run."""
    shares = run.cells["risk_class"].value_counts(normalize=True)
    zones = run.zones if "code" in run.zones else run.zones.assign(code="")
    return PublicRun(
        id=run.id,
        outcome=run.outcome,
        period_from=run.period_from,
        period_to=run.period_to,
        seed=run.seed,
        spec=run.spec,
        data_sha256=run.data_sha256,
        code_version=run.code_version,
        result={key: run.result[key] for key in RESULT},
        zones=zones[list(ZONE_COLUMNS)],
        class_shares=tuple(float(shares.get(i, 0.0)) for i in range(RISK_CLASSES)),
        edited=(run.edited.on, run.edited.steps) if run.edited else None,
    )
