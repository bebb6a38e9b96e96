"""The measure of these pages themselves: how old what they show is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.measures.figures import NOTHING
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Scope

WEEK_DAYS = 7.0


def _age(ledger: Ledger, scope: Scope) -> Figure:  # noqa: ARG001 - the same in every scope
    newest = ledger.newest_day
    if newest is None:
        return NOTHING
    return Figure(value=float((ledger.today - newest).days), n=1)


MEASURES = (
    Measure(
        id="site.data_age_days",
        title="Age of the newest data",
        unit="days",
        direction="down",
        definition="Days since the last day that any row shown here is about. The promise is an "
        "update at least weekly.",
        formula="today - last day of the newest source",
        compute=_age,
        sources=(),
        target=WEEK_DAYS,
        target_source="updated at least weekly",
        least_n=1,
    ),
)
