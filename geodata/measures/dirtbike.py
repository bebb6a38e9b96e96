"""Measures of dirt-bike mitigation, from dated points and from totals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.measures.figures import NOTHING, in_reach
from geodata.measures.ids import TALLIED
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    import datetime as dt

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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Counted:
    """Totals and dated points that count in a scope, and how many totals reach beyond it."""

    totals: pd.DataFrame
    points: pd.DataFrame
    missing: int

    def __len__(self) -> int:
        return len(self.totals) + len(self.points)


def data_through(ledger: Ledger, identity: str) -> dt.date | None:
    """Give the last day of the section that a measure is told in, of the later one of two.

    It is the section's day and not that of the measure's own last row: where rides are recorded to
    the end of March and the last arrest was in January, arrests are known to the end of March.
    """
    frames = {"occurrences": ledger.occurrences, "counts": ledger.counts}
    ends = [
        extent[1]
        for section, frame in frames.items()
        if (frame["measure"] == identity).any() and (extent := ledger.extent(section))
    ]
    return max(ends, default=None)


def has_totals(ledger: Ledger, identity: str) -> bool:
    """Tell whether a measure is told in totals, which no period may cut."""
    return bool((ledger.counts["measure"] == identity).any())


def by_kind(ledger: Ledger, scope: Scope, identity: str) -> dict[str | None, float]:
    """Split a measure by the kind that its rows tell, the largest first; they add up to it.

    Kind ``None`` is what rows count that tell no kind. Empty where the measure has no figure.
    """
    counted = _counted(ledger, scope, identity)
    if counted is None or len(counted) == 0:
        return {}
    found: dict[str | None, float] = {}
    rows = [
        *zip(counted.totals["kind"], counted.totals["value"], strict=True),
        *zip(counted.points["kind"], counted.points["value"], strict=True),
    ]
    for kind, value in rows:
        key = kind if isinstance(kind, str) else None
        found[key] = found.get(key, 0.0) + float(value)
    return dict(sorted(found.items(), key=lambda item: (item[0] is None, -item[1], item[0])))


def _sum(ledger: Ledger, scope: Scope, *, measure: str) -> Figure:
    """Add up totals whose days lie in the scope, and dated points on days without a total."""
    counted = _counted(ledger, scope, measure)
    if counted is None:
        return NOTHING
    if len(counted) == 0 and counted.missing:
        return Figure(value=None, n=0, missing=counted.missing)
    value = float(counted.totals["value"].sum() + counted.points["value"].sum())
    return Figure(value=value, n=len(counted), missing=counted.missing)


def _counted(ledger: Ledger, scope: Scope, measure: str) -> _Counted | None:
    """Choose the rows of a measure that count in a scope; nothing where nobody looked."""
    seen = any(in_reach(ledger, section, scope) for section in ("counts", "occurrences"))
    points = ledger.occurrences[ledger.occurrences["measure"] == measure]
    totals = ledger.counts[ledger.counts["measure"] == measure]
    if not seen or len(points) + len(totals) == 0:
        return None
    start, end = np.datetime64(scope.start), np.datetime64(scope.end)
    whole = (totals["day"] >= start) & (totals["last"] < end)
    meets = (totals["last"] >= start) & (totals["day"] < end)
    if scope.district is not None:
        mine = totals["district"] == scope.district
        whole, meets = whole & mine, meets & (mine | totals["district"].isna())
        points = points[points["district"] == scope.district]
    inside = points[(points["day"] >= start) & (points["day"] < end)]
    told = _told_in_totals(inside, totals[whole])
    return _Counted(totals=totals[whole], points=inside[~told], missing=int((meets & ~whole).sum()))


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
