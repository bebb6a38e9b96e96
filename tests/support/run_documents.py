"""Documents of runs that were made without a fit."""

import datetime as dt

from sqlalchemy import insert, select
from town import CRS

from geodata.analysis_documents import ValidationDocument, ZoneScore
from geodata.db.tables import Run
from geodata.run_document import (
    CombinedDocument,
    DiagnosticsDocument,
    DistrictEffect,
    FactorDiagnostic,
    FactorEffect,
    GridDocument,
    ModelDocument,
    RunDocument,
    ScoreDocument,
    ZoneDocument,
)
from spatial.combined import Component
from spatial.spec import GridSpec, RiskFactor, RunSpec
from spatial.terrain.diagnostics import Moran
from spatial.zones.describe import ZoneFactor

BARS = {"name": "bars", "operation": "density", "distance": 200.0}
EFFECT = FactorEffect(**BARS, coefficient=0.9, se=0.2, rrv=2.5, rrv_low=1.7, rrv_high=3.6)
BARS_OF_ZONE = ZoneFactor(**BARS, rrv=2.5, share=1.0, covers=0.1)


def run_spec(cell_units=200.0, block_units=400.0):
    """How a run of one factor was made."""
    lengths = GridSpec(cell_units=cell_units, block_units=block_units)
    return RunSpec(grid=lengths, factors=(RiskFactor(name="bars"),))


def run_document(identity, zones=None, **change):
    """What a fit of one factor tells, with the zones of a frame."""
    rows = () if zones is None else zones.itertuples(index=False)
    fields = {
        "run": identity,
        "city": "town",
        "outcome": "robbery",
        "start": dt.date(2024, 1, 1),
        "end": dt.date(2024, 4, 1),
        "scope": "city",
        "seed": 1,
        "incidents": 12,
        "grid": GridDocument(cells=400, cell=200.0, crs=CRS),
        "candidates": 6,
        "screened": 2,
        "dropped": (),
        "model": ModelDocument(
            family="nb2", bic=10.5, intercept=-2.0, dispersion=1.5, factors=(EFFECT,)
        ),
        "alternatives": (
            ModelDocument(
                family="poisson", bic=12.5, intercept=-2.0, dispersion=None, factors=(EFFECT,)
            ),
        ),
        "score": ScoreDocument(max=2.5, mean=1.1, sd=0.4, share_above_2sd=0.04),
        "combined": CombinedDocument(
            max=3.0,
            environment_share=0.6,
            history_share=0.4,
            components=(
                Component(kind="environment", environment="rtm", bandwidth_units=None, weight=1.0),
            ),
            record=None,
        ),
        "districts": (),
        "diagnostics": DiagnosticsDocument(
            dispersion=1.1,
            moran=Moran(i=0.1, expected=0.0, p=0.05),
            factors=(FactorDiagnostic(**BARS, variance_inflation=1.0, covers=0.1),),
        ),
        "zones_from": "combined",
        "zones": tuple(
            ZoneDocument(
                id=row.id,
                district=row.district,
                rank=row.rank,
                area=row.area,
                cells=row.n_cells,
                expected=row.expected,
                past=row.past,
                environment_share=row.environment_share,
                factors=row.factors,
            )
            for row in rows
        ),
        "warnings": (),
    }
    return RunDocument(**{**fields, **change})


def district_effect(district):
    """What the factor does in a district that shares strength with the city."""
    return DistrictEffect(
        **BARS,
        district=district,
        incidents=3,
        city_rrv=2.5,
        rrv=2.4,
        rrv_low=1.5,
        rrv_high=3.5,
        own_share=0.2,
        differs=False,
    )


def validation(run, start, end, **change):
    """A run scored on a later period."""
    fields = {
        "trained_from": dt.date(2024, 1, 1),
        "trained_to": dt.date(2024, 4, 1),
        "incidents": 7,
        "kde_bandwidth": 200.0,
        "levels": (),
        "under_curve": {},
        "curves": {},
        "zones": ZoneScore(
            hits=3,
            area_share=0.02,
            hit_rate=3 / 7,
            hit_rate_low=0.2,
            hit_rate_high=0.7,
            pai=21.4,
            by_zone={},
        ),
        "warnings": (),
    }
    return ValidationDocument(**{"run": run, "start": start, "end": end, **fields, **change})


def keep_earlier_run(session, like, identity, result=None):
    """Store a run as an earlier version left it, without a combined risk, else like another."""
    row = dict(session.execute(select(Run.__table__).where(Run.id == like)).mappings().one())
    document = result or {key: row["result"][key] for key in ("incidents", "model")}
    listed = {
        "family": document["model"]["family"],
        "n_factors": len(document["model"]["factors"]),
        "n_incidents": document["incidents"],
        "readable": False,
    }
    session.execute(
        insert(Run.__table__).values({**row, **listed, "id": identity, "result": document})
    )
