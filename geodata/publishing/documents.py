"""Files of a release that are neither places, zones nor measures."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.measures.record import Scope
from geodata.measures.registry import steps
from geodata.publishing.dictionary import names
from geodata.publishing.formats import csv_bytes, json_bytes
from geodata.publishing.rules import OUTSIDE, SHOWN_WORDS
from geodata.publishing.sensitive import CITY, CountTable, Hidden, Told, hide
from geodata.publishing.tables import LABELS, read_csv
from geodata.store.incidents import incident_points
from spatial.grid import area_of
from spatial.masking.linked import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geodata.publishing.material import Material
    from geodata.publishing.sensitive import Where

INCIDENTS = "data/incidents_monthly.csv"


def initiative_files(material: Material) -> dict[str, bytes]:
    """Write the initiatives as they stand, if the city has any."""
    if not material.initiatives:
        return {}
    stated = [record.initiative.as_json() for record in material.initiatives]
    document = {"city": material.city.slug, "initiatives": stated}
    return {"data/initiatives.json": json_bytes(document)}


def incident_files(
    material: Material, earlier: Mapping[Where, Told]
) -> tuple[dict[str, bytes], list[Hidden]]:
    """Count sensitive incidents by district and whole month, small counts hidden.

    Returns
    -------
    The file, if there are any, and the tables that its counts were hidden in.
    """
    rows: list[dict[str, Any]] = []
    tables = []
    for outcome in material.city.sensitive_outcomes:
        table = _table(material, outcome)
        if table is None:
            continue
        whole = (table.months[0].start, table.months[-1].end)
        hidden = hide(table, [whole], earlier)
        tables.append(hidden)
        spans = [(f"{month.start:%Y-%m}", month.start, month.end) for month in table.months]
        for name, start, end in [*spans, ("", *whole)]:
            for place in (CITY, *table.places[:-1]):
                rows.append(_row(outcome, place, name, hidden.told[outcome, place, start, end]))
    return ({INCIDENTS: csv_bytes(names(INCIDENTS), rows)} if rows else {}), tables


def told_incidents(content: bytes) -> Iterator[tuple[Where, Told]]:
    """Read what a file says of sensitive incidents; a row without a month is all of them."""
    rows = read_csv(content)
    months: dict[str, set[str]] = {}
    for row in rows:
        if row["month"]:
            months.setdefault(row["outcome"], set()).add(row["month"])
    for row in rows:
        own = [row["month"]] if row["month"] else sorted(months.get(row["outcome"], ()))
        if not own:
            continue
        label = LABELS[row["shown"]]
        count = int(row["number"]) if label == SHOWN else None
        where = row["outcome"], row["district"], _first(own[0]), _after(own[-1])
        yield where, Told(label=label, value=count)


def _row(outcome: str, place: str, month: str, told: Told) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "month": month,
        "district": place,
        "number": told.value,
        "shown": SHOWN_WORDS[told.label],
    }


def _table(material: Material, outcome: str) -> CountTable | None:
    city = material.city
    end = material.end.replace(day=1)
    points = incident_points(material.session, city.id, outcome, dt.date.min, end)
    if len(points) == 0:
        return None
    first = min(points["occurred_on"]).replace(day=1)
    months = steps(Scope(start=first, end=end), "month")
    shapes = list(city.districts.geometry)
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    place = area_of(x, y, shapes).astype(np.int64)
    place[place < 0] = len(shapes)
    days = points["occurred_on"]
    month = np.array([(day.year - first.year) * 12 + day.month - first.month for day in days])
    counts = np.zeros((1, len(shapes) + 1, len(months)), dtype=np.int64)
    np.add.at(counts[0], (place, month), 1)
    return CountTable(
        measures=(outcome,),
        places=(*map(str, city.districts["code"]), OUTSIDE),
        months=tuple(months),
        counts=counts,
    )


def _first(month: str) -> dt.date:
    return dt.date.fromisoformat(f"{month}-01")


def _after(month: str) -> dt.date:
    return (_first(month) + dt.timedelta(days=31)).replace(day=1)
