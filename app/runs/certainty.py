"""How sure a run is: bootstrap its whole selection, and keep what the replicates say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from app.runs.inputs import city_wide
from app.runs.workers import spread
from geodata.errors import DataError
from geodata.store import findings
from spatial.combined import Component
from spatial.forest import forest_table
from spatial.history import lay_past
from spatial.records import Record
from spatial.terrain.candidates import build_design
from spatial.terrain.certainty import prepare, summarise
from spatial.zones import cells_within

if TYPE_CHECKING:
    from collections.abc import Callable

    from geodata.database import Database
    from geodata.store.runs import RunRecord
    from spatial.terrain.certainty import Certainty

    Progress = Callable[[str, int, int], None]

CERTAINTY = "certainty"
FEWEST, MOST = 10, 2_000


def bootstrap(
    database: Database,
    run_id: str,
    *,
    replicates: int = 100,
    seed: int = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Bootstrap a city-wide run and keep the result.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If the run is of one district, the number of replicates is out of bounds, the stored data
        are no longer the run's, or a scheduler cannot be reached.
    CancelledError
        If it was cancelled; nothing is stored then.
    """
    if not FEWEST <= replicates <= MOST:
        msg = f"ask for {FEWEST} to {MOST:,} replicates, not {replicates}"
        raise DataError(msg)
    with database.session() as session:
        run, inputs, spec = city_wide(session, run_id)
    resampling = prepare(
        run.grid,
        build_design(
            run.grid,
            inputs.layers,
            spec.grid.block_units,
            min_ones=spec.model.min_ones,
            progress=progress,
        ),
        lay_past(run.grid, inputs.incidents.x, inputs.incidents.y, inputs.age_days),
        [Component(**part) for part in run.result["combined"]["components"]],
        _record(run),
        forest_table(run.grid, inputs.layers, spec.grid.block_units),
        spec,
        seed,
    )
    found = summarise(
        spread(
            resampling.replicate,
            replicates,
            workers=workers,
            scheduler=scheduler,
            stage="bootstrap",
            progress=progress,
            cancelled=cancelled,
        ),
        [factor.name for factor in spec.factors],
        cells_within(run.grid, run.zones.geometry),
        len(run.grid),
    )
    document = _document(run, found, seed, int(resampling.block_of.max()) + 1)
    with database.session(write=True) as session:
        findings.keep_finding(
            session,
            run.id,
            CERTAINTY,
            f"{replicates}/{seed}",
            document,
            pd.DataFrame({"top_share": found.on_top.astype(np.float32)}),
        )
    return document


def _record(run: RunRecord) -> Record | None:
    found = run.result["combined"]["record"]
    if found is None:
        return None
    return Record(
        factors=tuple(found["factors"]), shares=tuple(found["shares"]), scale=found["scale"]
    )


def _document(run: RunRecord, found: Certainty, seed: int, n_blocks: int) -> dict[str, Any]:
    model = {factor["name"]: factor for factor in run.result["model"]["factors"]}
    return {
        "run": run.id,
        "replicates": found.replicates,
        "seed": seed,
        "blocks": n_blocks,
        "top_share": run.spec["zones"]["area_share"],
        "families": found.families,
        "factors": [
            {
                "name": factor.name,
                "in_model": factor.name in model,
                "chosen": factor.chosen,
                "bands": [
                    {"operation": operation, "distance": distance, "share": share}
                    for operation, distance, share in factor.bands
                ],
                "rrv": model[factor.name]["rrv"] if factor.name in model else None,
                "rrv_median": factor.rrv_median,
                "rrv_low": factor.rrv_low,
                "rrv_high": factor.rrv_high,
            }
            for factor in found.factors
        ],
        "zones": [
            {"id": zone, "stability": stability}
            for zone, stability in zip(run.zones["id"], found.zones, strict=True)
        ],
    }
