"""How much a run hangs on choices that nobody can justify to the last digit: seed and block."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from app.runs.inputs import city_wide
from app.runs.workers import spread
from geodata.store import findings
from spatial.analysis import Analysis, Inputs, analyse_city
from spatial.terrain.certainty import top_cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from geodata.database import Database
    from geodata.store.runs import RunRecord
    from spatial.spec import RunSpec

    Progress = Callable[[str, int, int], None]

SENSITIVITY = "sensitivity"
OTHER_SEEDS = (1, 2, 3)  # added to the run's own
BLOCK_SHARES = (0.75, 1.25, 1.5)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Variants:
    """The fits to try; can be sent to another process."""

    inputs: Inputs
    specs: tuple[RunSpec, ...]

    def fit(self, number: int) -> Analysis:
        return analyse_city(self.inputs, self.specs[number])


def vary(
    database: Database,
    run_id: str,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit a city-wide run again with other seeds and other blocks, and keep what changes.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If the run is of one district, its data have changed, or a scheduler cannot be reached.
    """
    with database.session() as session:
        run, inputs, spec = city_wide(session, run_id)
    seeds = [
        (
            f"seed {spec.model.seed + step}",
            dataclasses.replace(
                spec, model=dataclasses.replace(spec.model, seed=spec.model.seed + step)
            ),
        )
        for step in OTHER_SEEDS
    ]
    block = spec.grid.block_units
    lengths = [
        (
            f"block {block * share:g} instead of {block:g}",
            dataclasses.replace(
                spec, grid=dataclasses.replace(spec.grid, block_units=block * share)
            ),
        )
        for share in BLOCK_SHARES
    ]
    names, specs = zip(*seeds, *lengths, strict=True)
    work = _Variants(inputs=inputs, specs=specs)
    answers = spread(
        work.fit,
        len(specs),
        workers=workers,
        scheduler=scheduler,
        stage="other settings",
        progress=progress,
    )
    document = {
        "run": run.id,
        "fits": [_told(name, run, fit) for name, fit in zip(names, answers, strict=True)],
    }
    with database.session(write=True) as session:
        findings.keep_finding(session, run.id, SENSITIVITY, "seed and block", document)
    return document


def _told(name: str, run: RunRecord, fit: Analysis) -> dict[str, Any]:
    """Describe a fit beside the run; a zone is kept where half of it is in a zone of the fit."""
    whole = fit.zones.geometry.union_all()
    kept = [zone.intersection(whole).area / zone.area >= 0.5 for zone in run.zones.geometry]
    share = run.spec["zones"]["area_share"]
    before = top_cells(run.cells["combined"].to_numpy(), share)
    after = top_cells(fit.combined.score, share)
    return {
        "changed": name,
        "family": fit.terrain.model.family,
        "bic": fit.terrain.model.fit.bic,
        "factors": [
            {
                "name": column.factor,
                "operation": column.operation,
                "distance": column.distance_units,
                "rrv": float(np.exp(coefficient)),
            }
            for column, coefficient in zip(
                fit.terrain.model.columns, fit.terrain.model.fit.beta[1:], strict=True
            )
        ],
        "zones_kept": float(np.mean(kept)) if kept else 1.0,
        "top_shared": float((before & after).sum() / before.sum()),
    }
