"""The measure of these pages themselves: how old what they show is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.measures.figures import NOTHING
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    from geodata.measures.ledger import MeasureData
    from spatial.measures.scopes import Scopes

WEEK_DAYS = 7.0


def _age(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    newest, figure = ledger.newest_day, NOTHING
    if newest is not None:
        figure = Figure(value=float((ledger.today - newest).days), n=1)
    return [figure] * len(scopes)


MEASURES = (
    Measure(
        id="site.data_age_days",
        title="Age of the newest data",
        unit="days",
        direction="down",
        definition="Days since the last day that any row shown here is about. The promise is an "
        "update at least weekly.",
        formula="today - last day of the newest source",
        figures=_age,
        sources=(),
        target=WEEK_DAYS,
        target_source="updated at least weekly",
        least_n=1,
    ),
)
