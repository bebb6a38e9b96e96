"""What happened where and in which week, as the public may see it: alerts and complaints.

Places are the public sites of the masking rules, times are weeks from Monday. All of it is read
from the tables of a release: files only, no database.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyproj import CRS, Transformer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geodata.releases.folder import ReleaseFolder


LAYERS = {
    "alerts": ("Gunshot alerts", "alert", "alerts"),
    "complaints": ("Dirt-bike complaints", "complaint", "complaints"),
}
CLASSES = ("single", "multiple", "probable", "other")  # of alerts; other is also what is not told
HOURS = tuple(f"{hour:02d}-{hour + 4:02d}" for hour in range(0, 24, 4))  # as files tell them
COMPLAINTS = "dirtbike.complaints"
SITES = ["name", "x", "y", "radius_units", "rule", "district"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ActivityLayer:
    """One kind of row by public site, week and class.

    Parameters
    ----------
    id, title, one, many
        What it is called.
    classes
        What its rows are reported apart by; nothing for complaints.
    sites
        ``name``, ``x``, ``y``, ``radius_units``, ``rule`` and ``district`` of each site with rows,
        by name.
    counts
        ``site`` (position in ``sites``), ``day`` (days since the first Monday), ``week`` (position
        in the weeks), ``class`` (position in ``classes``, 0 where there are none), ``hours``
        (position in ``HOURS``, their number where none are told), ``weekday`` (0 is Monday),
        ``month`` (0 is January) and ``n``; a row for each that occurs.
    """

    id: str
    title: str
    one: str
    many: str
    classes: tuple[str, ...]
    sites: pd.DataFrame
    counts: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class ActivityChoice:
    """What of an activity is requested: weeks, both ends in; a district; classes of alerts.

    ``district`` is none for all of them; ``classes`` is empty for all of them, and says nothing
    of a layer that has none. ``hours``, ``weekdays`` and ``months`` are positions, as in the counts
    of a layer; each is empty for all, and rows without hours are in none of them.
    """

    first: int
    last: int
    district: str | None = None
    classes: tuple[str, ...] = ()
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """All layers over the same weeks; ``weeks`` are Mondays, ``through`` the newest day in them."""

    weeks: tuple[dt.date, ...]
    through: dt.date
    layers: tuple[ActivityLayer, ...]
    districts: tuple[str, ...]

    def chosen(self, layer: ActivityLayer, choice: ActivityChoice) -> pd.DataFrame:
        """Return the counts of a layer that a choice leaves."""
        counts = layer.counts
        keep = counts["week"].between(choice.first, choice.last)
        if choice.district is not None:
            inside = (layer.sites["district"] == choice.district).to_numpy(dtype=bool)
            keep &= inside[counts["site"]]
        if choice.classes and layer.classes:
            wanted = [i for i, name in enumerate(layer.classes) if name in choice.classes]
            keep &= counts["class"].isin(wanted)
        for column, among in (
            ("hours", choice.hours),
            ("weekday", choice.weekdays),
            ("month", choice.months),
        ):
            if among:
                keep &= counts[column].isin(among)
        return counts[keep]

    def by_site(self, layer: ActivityLayer, choice: ActivityChoice) -> NDArray[np.int64]:
        """Count what a choice leaves of a layer at each of its sites."""
        counts = self.chosen(layer, choice)
        found = np.zeros(len(layer.sites), dtype=np.int64)
        np.add.at(found, counts["site"].to_numpy(), counts["n"].to_numpy())
        return found

    def by_district(self, layer: ActivityLayer, choice: ActivityChoice) -> NDArray[np.int64]:
        """Count what a choice leaves of a layer by district, in the order of ``districts``."""
        numbers = self.by_site(layer, choice)
        code = layer.sites["district"].to_numpy(dtype=object)
        return np.array([numbers[code == one].sum() for one in self.districts], dtype=np.int64)


def count_activity(tables: Mapping[str, pd.DataFrame], districts: Sequence[str]) -> Activity | None:
    """Count masked rows by site, week and class; nothing where there is no row.

    Parameters
    ----------
    tables
        By layer: a row an alert or complaint, with ``day``, ``class`` (text, empty if it is not
        told), ``hours`` (as in ``HOURS``, if any are told), ``number``, and ``name``, ``x``, ``y``,
        ``radius_units``, ``rule`` and ``district`` of its site.
    districts
        Codes of the city.
    """
    days = pd.concat([rows["day"] for rows in tables.values()]) if tables else pd.Series()
    if len(days) == 0:
        return None
    first, last = days.min().date(), days.max().date()
    first -= dt.timedelta(days=first.weekday())
    return Activity(
        weeks=tuple(first + dt.timedelta(weeks=i) for i in range((last - first).days // 7 + 1)),
        through=last,
        layers=tuple(_layer(name, rows, first) for name, rows in tables.items()),
        districts=tuple(districts),
    )


def _layer(name: str, rows: pd.DataFrame, first: dt.date) -> ActivityLayer:
    classes = CLASSES if name == "alerts" else ()
    sites = rows[SITES].drop_duplicates("name").sort_values("name").reset_index(drop=True)
    cells = pd.DataFrame(
        {
            "site": pd.Index(sites["name"]).get_indexer(rows["name"]),
            "day": (rows["day"] - pd.Timestamp(first)).dt.days.to_numpy(),
            "class": _positions(rows["class"], classes),
            "hours": _band(rows),
            "n": rows["number"].to_numpy().astype(np.int64),
        }
    )
    counts = cells.groupby(["site", "day", "class", "hours"])["n"].sum().reset_index()
    counts.insert(2, "week", counts["day"] // 7)
    counts["weekday"] = counts["day"] % 7
    days = pd.Timestamp(first) + pd.to_timedelta(counts["day"], unit="D")
    counts["month"] = days.dt.month - 1
    title, one, many = LAYERS[name]
    return ActivityLayer(
        id=name, title=title, one=one, many=many, classes=classes, sites=sites, counts=counts
    )


def _band(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return the position of each row's hours, past the last where none are told."""
    if "hours" not in rows:
        return np.full(len(rows), len(HOURS))
    found = pd.Index(HOURS).get_indexer(pd.Index(rows["hours"].to_numpy(dtype=object)))
    return np.where(found < 0, len(HOURS), found)


def _positions(values: pd.Series, classes: tuple[str, ...]) -> NDArray[np.intp]:
    """Find each row's class, the last one where it is none of them."""
    if not classes:
        return np.zeros(len(values), dtype=np.intp)
    found = pd.Index(classes).get_indexer(pd.Index(values.to_numpy(dtype=object)))
    return np.where(found < 0, len(classes) - 1, found)


TEXTS = {"day": str, "site": str, "rule": str, "district": str, "class": str, "hours": str}


def released_activity(
    release: ReleaseFolder, crs: str, districts: Sequence[str]
) -> Activity | None:
    """Count the alerts and complaints of a release; nothing where it has neither.

    Parameters
    ----------
    release
        With ``data/alerts.csv``, ``data/complaints.csv``, both or none.
    crs
        Reference system of the city, in which places are given.
    districts
        Codes of the city, in its order.

    Raises
    ------
    ReleaseError
        If a file is not what was approved.
    """
    there = [name for name in LAYERS if f"data/{name}.csv" in release.files]
    tables = {name: _rows(release.read(f"data/{name}.csv"), crs) for name in there}
    return count_activity(tables, districts)


def _rows(content: bytes, crs: str) -> pd.DataFrame:
    table = pd.read_csv(io.BytesIO(content), dtype=TEXTS, keep_default_na=False)
    unit_m = float(CRS.from_user_input(crs).axis_info[0].unit_conversion_factor)
    into = Transformer.from_crs(4326, crs, always_xy=True)
    x, y = into.transform(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    return pd.DataFrame(
        {
            "day": pd.to_datetime(table["day"]),
            "class": table.get("class", ""),
            "hours": table.get("hours", ""),
            "number": table.get("number", 1),
            "name": table["site"],
            "x": x,
            "y": y,
            "radius_units": table["radius_m"] / unit_m,
            "rule": table["rule"],
            "district": table["district"],
        }
    )
