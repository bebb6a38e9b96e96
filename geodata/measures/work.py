"""Measures of work on places: what was done, and how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.measures.figures import NOTHING, quantile
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    from geodata.measures.ledger import MeasureData
    from spatial.measures.scopes import Scopes


def _done(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    """Count what was done; missing, and not 0, where nothing was ever recorded as done."""
    sizes = ledger.slices("actions", scopes).sizes.tolist()
    if ledger.actions.empty:
        return [NOTHING] * len(scopes)
    return [Figure(value=float(n), n=n) for n in sizes]


def _days_to_close(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    return quantile(ledger.slices("actions", scopes), ledger.actions["days"], 0.5)


MEASURES = (
    Measure(
        id="actions.done",
        title="Work on places that was done",
        unit="actions",
        direction="up",
        definition="Pieces of work on a place, or with who owns it, that were done in the period: "
        "lighting, clean-up, boarding-up, contact with owners and the like.",
        formula="number of actions whose state is done and that were closed in the period",
        figures=_done,
        sources=(),
        caveat="Work that was dropped does not count.",
    ),
    Measure(
        id="actions.days_to_close.p50",
        title="Days until work was done (median)",
        unit="days",
        direction="down",
        definition="Half of the work that was done in the period took no longer than this, from "
        "the day it was noted.",
        formula="median of day closed - day noted, over actions done in the period",
        figures=_days_to_close,
        sources=(),
        caveat="What is still open does not count, so a backlog does not show here.",
    ),
)
