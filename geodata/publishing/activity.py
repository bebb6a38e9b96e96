"""What happened where and in which week, as the public may see it: alerts and complaints.

Places are the public sites of the masking rules, times are weeks from Monday, and nothing younger
than the delay is in.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.publishing.places import mask_rows, public_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.measures.ledger import Ledger
    from spatial.masking import PublicPlaces

LAYERS = {
    "alerts": ("Gunshot alerts", "alert", "alerts"),
    "complaints": ("Dirt-bike complaints", "complaint", "complaints"),
}
COMPLAINTS = "dirtbike.complaints"


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One kind of row by public site and week.

    Parameters
    ----------
    id, title, one, many
        What it is called.
    sites
        ``name``, ``x``, ``y``, ``radius_units``, ``rule`` and ``district`` of each site with rows.
    counts
        ``site`` (position in ``sites``), ``week`` (position in the weeks) and ``n``, a row a pair.
    """

    id: str
    title: str
    one: str
    many: str
    sites: pd.DataFrame
    counts: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """All layers over the same weeks; ``weeks`` are Mondays, ``through`` the newest day in them."""

    weeks: tuple[dt.date, ...]
    through: dt.date
    layers: tuple[Layer, ...]
    districts: tuple[str, ...]

    def by_district(self, layer: Layer, first: int, last: int) -> NDArray[np.int64]:
        """Count a layer's rows of some weeks by district, in the order of ``districts``."""
        counts = layer.counts[layer.counts["week"].between(first, last)]
        code = layer.sites["district"].to_numpy(dtype=object)[counts["site"]]
        found = counts["n"].groupby(code).sum()
        return np.array([int(found.get(code, 0)) for code in self.districts], dtype=np.int64)


def public_activity(session: Session, ledger: Ledger) -> Activity | None:
    """Mask and count the alerts and complaints of a city; nothing where it has neither.

    Parameters
    ----------
    session
        Open.
    ledger
        Rows of the city; its today decides what is old enough.
    """
    if not (ledger.has("alerts") or ledger.has("occurrences")):
        return None
    places = public_places(session, ledger.city)
    masked = dict(_masked(ledger, places))
    days = pd.concat([rows["day"] for rows in masked.values()])
    if len(days) == 0:
        return None
    first = _monday(days.min().date())
    number = (days.max().date() - first).days // 7 + 1
    codes = tuple(str(code) for code in ledger.city.districts["code"])
    return Activity(
        weeks=tuple(first + dt.timedelta(weeks=i) for i in range(number)),
        through=days.max().date(),
        layers=tuple(_layer(name, rows, places, first) for name, rows in masked.items()),
        districts=codes,
    )


def _masked(ledger: Ledger, places: PublicPlaces) -> Iterator[tuple[str, pd.DataFrame]]:
    wanted = ["x", "y", "district", "local"]
    if ledger.has("alerts"):
        yield "alerts", mask_rows(ledger.alerts[wanted], places, ledger.today)
    points = ledger.occurrences
    points = points[points["measure"] == COMPLAINTS]
    if len(points):
        rows = points.assign(local=points["day"])[[*wanted, "value"]]
        yield "complaints", mask_rows(rows, places, ledger.today)


def _layer(name: str, rows: pd.DataFrame, places: PublicPlaces, first: dt.date) -> Layer:
    week = (rows["day"] - pd.Timestamp(first)).dt.days.to_numpy() // 7
    used, site = np.unique(rows["site"].to_numpy(), return_inverse=True)
    weight = rows["value"].to_numpy() if "value" in rows else np.ones(len(rows))
    pairs = pd.DataFrame({"site": site, "week": week, "n": weight.astype(np.int64)})
    counts = pairs.groupby(["site", "week"])["n"].sum().reset_index()
    sites, title = places.sites, LAYERS[name]
    codes = np.array([*places.district_ids, ""], dtype=object)
    return Layer(
        id=name,
        title=title[0],
        one=title[1],
        many=title[2],
        sites=pd.DataFrame(
            {
                "name": sites.name[used],
                "x": sites.x[used],
                "y": sites.y[used],
                "radius_units": sites.radius_units[used],
                "rule": sites.rule[used],
                "district": codes[sites.district[used]],
            }
        ),
        counts=counts,
    )


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())
