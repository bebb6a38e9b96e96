"""Measures of dirt-bike mitigation, from dated points and from totals."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.measures.figures import in_reach
from geodata.measures.ids import TALLIED
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Scope, Unit

WORDS: dict[str, tuple[str, Unit, str]] = {
    "dirtbike.complaints": ("Dirt-bike complaints", "complaints", "Complaints and calls"),
    "dirtbike.ride_outs": ("Ride-outs", "ride-outs", "Group rides that police counted"),
    "dirtbike.seizures": ("Vehicles seized", "vehicles", "Dirt bikes and other vehicles seized"),
    "dirtbike.citations": ("Citations", "citations", "Citations written"),
    "dirtbike.arrests": ("Arrests", "arrests", "Arrests made"),
    "dirtbike.injury_crashes": ("Crashes with injury", "crashes", "Crashes with an injured person"),
    "dirtbike.contacts": ("Education contacts", "contacts", "Contacts to inform riders and others"),
}


def _sum(ledger: Ledger, scope: Scope, *, measure: str) -> Figure:
    """Add up totals whose days lie in the scope, and dated points on days without a total."""
    seen = any(in_reach(ledger, section, scope) for section in ("counts", "occurrences"))
    points = ledger.occurrences[ledger.occurrences["measure"] == measure]
    totals = ledger.counts[ledger.counts["measure"] == measure]
    if not seen or len(points) + len(totals) == 0:
        return Figure(value=None, n=0)
    start, end = np.datetime64(scope.start), np.datetime64(scope.end)
    whole = (totals["day"] >= start) & (totals["last"] < end)
    meets = (totals["last"] >= start) & (totals["day"] < end)
    if scope.district is not None:
        mine = totals["district"] == scope.district
        whole, meets = whole & mine, meets & (mine | totals["district"].isna())
        points = points[points["district"] == scope.district]
    inside = points[(points["day"] >= start) & (points["day"] < end)]
    told = _told_in_totals(inside, totals[whole])
    counted = int(whole.sum()) + int((~told).sum())
    missing = int((meets & ~whole).sum())
    value = float(totals.loc[whole, "value"].sum() + inside.loc[~told, "value"].sum())
    if counted == 0 and missing:
        return Figure(value=None, n=0, missing=missing)
    return Figure(value=value, n=counted, missing=missing)


def _told_in_totals(points: pd.DataFrame, totals: pd.DataFrame) -> pd.Series:
    """Mark points on a day and in a district that a total speaks for already."""
    told = np.zeros(len(points), dtype=bool)
    day, district = points["day"].to_numpy(), points["district"]
    columns = (totals["day"].to_numpy(), totals["last"].to_numpy(), totals["district"])
    for first, last, code in zip(*columns, strict=True):
        here = district == code if isinstance(code, str) else True
        told |= (day >= first) & (day <= last) & here
    return pd.Series(told, index=points.index)


def _measure(identity: str) -> Measure:
    title, unit, words = WORDS[identity]
    return Measure(
        id=identity,
        title=title,
        unit=unit,
        direction="neither",
        definition=f"{words} in connection with dirt bikes and other off-road vehicles on streets.",
        formula="sum of totals whose days lie in the period, and of dated points on other days",
        compute=partial(_sum, measure=identity),
        sources=("occurrences", "counts"),
        caveat="Riding is seasonal: compare with the same weeks of earlier years. A total that "
        "reaches beyond the period cannot be split; it is left out and counted as missing.",
        sensitive=identity in ("dirtbike.arrests", "dirtbike.injury_crashes"),
    )


MEASURES = tuple(_measure(identity) for identity in TALLIED)
