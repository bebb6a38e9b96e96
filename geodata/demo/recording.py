"""Alerts, calls, visits and dirt bikes of the demonstration city as exports, with their faults.

A fault is what real exports hold: no coordinates, a place in another city, a time in the future, a
repeated id. How many rows an import should leave out, and why, is part of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.cityfile.measures import USUAL
from geodata.demo.city_files import to_degrees, write_layer
from geodata.demo.field_work import choose_spots, draw_visits
from geodata.demo.gunfire import stamps
from geodata.demo.pilots import draw_complaints, draw_totals
from geodata.demo.responses import FOUND, draw_gunfire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from geodata.demo.geography import Land
    from geodata.demo.responses import Gunfire
    from geodata.demo.streets import Network
    from spatial.grid import Grid

    Floats = NDArray[np.float64]

NO_PLACE, ELSEWHERE, AHEAD, UNDATED, TWICE = 4, 4, 3, 2, 3  # rows of each fault in a file
AWAY_LONGITUDE = "-38.100000"


@dataclass(frozen=True, kw_only=True, eq=False)
class Recorded:
    """What the city records besides incidents, as it is before it is written."""

    gunfire: Gunfire
    spots: pd.DataFrame
    visits: pd.DataFrame
    complaints: pd.DataFrame
    totals: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoiledMoments:
    """Where a file's moments stand, so that some can be spoiled, and how it writes one to come."""

    field: str = ""
    clock: str = ""
    ahead: str = ""


def draw_records(
    grid: Grid,
    expected: Mapping[str, Floats],
    robberies: Floats,
    network: Network,
    land: Land,
    rng: Generator,
) -> Recorded:
    """Draw everything that the city records besides incidents.

    ``robberies`` are the rates that robberies are drawn from, which officers go by.
    """
    gunfire = draw_gunfire(grid, expected, network, land, rng)
    spots = choose_spots(grid, robberies, gunfire.places)
    return Recorded(
        gunfire=gunfire,
        spots=spots,
        visits=draw_visits(spots, gunfire.places, rng),
        complaints=draw_complaints(gunfire.places, network, land, rng),
        totals=draw_totals(land, rng),
    )


def write_records(
    folder: Path, recorded: Recorded, rng: Generator
) -> dict[str, dict[str, int | dict[str, int]]]:
    """Write every file; give of each how many rows it holds, are good, and are faulty by reason."""
    gunfire = recorded.gunfire
    write_layer(folder / "coverage.geojson", [gunfire.coverage], {"name": ["Gunshot detection"]})
    accounts: dict[str, dict[str, int | dict[str, int]]] = {}
    for name, table, faults in (
        (
            "alerts.csv",
            _alerts(gunfire.alerts),
            SpoiledMoments(
                field="triggered", clock="triggered_at", ahead="2098-06-01T12:00:00.000"
            ),
        ),
        (
            "calls.csv",
            _calls(gunfire.calls),
            SpoiledMoments(field="received", clock="received_date", ahead="6/1/2098"),
        ),
        ("verified_gunfire.csv", _verified(gunfire.verified), None),
        (
            "visits.csv",
            _visits(recorded.visits),
            SpoiledMoments(field="start", clock="start", ahead="2098-06-01 12:00:00"),
        ),
        ("dirtbike_complaints.csv", _complaints(recorded.complaints), SpoiledMoments()),
        ("dirtbike_counts.csv", _totals(recorded.totals), None),
    ):
        whole, dirty = (table, {}) if faults is None else _add_faulty(table, faults, rng)
        whole.to_csv(folder / name, index=False, lineterminator="\n")
        accounts[name] = {"read": len(whole), "stored": len(table), "left_out": dirty}
    return accounts


def _degrees(table: pd.DataFrame) -> dict[str, list[str]]:
    degrees = shapely.get_coordinates(to_degrees(shapely.points(table[["x", "y"]].to_numpy())))
    return {
        "longitude": [f"{value:.6f}" for value in degrees[:, 0]],
        "latitude": [f"{value:.6f}" for value in degrees[:, 1]],
    }


def _iso(ms: pd.Series) -> pd.Series:
    """Write moments as 2025-01-31T22:05:07.123, nothing where there is none."""
    return _text(ms, "%Y-%m-%dT%H:%M:%S.%f").str.slice(0, 23)


def _plain(ms: pd.Series) -> pd.Series:
    """Write moments as 2025-01-31 22:05:07."""
    return _text(ms, "%Y-%m-%d %H:%M:%S")


def _dates(ms: pd.Series) -> pd.Series:
    """Write days as 1/31/2025."""
    return _text(ms, "%m/%d/%Y").str.replace(r"\b0", "", regex=True)


def _times(ms: pd.Series) -> pd.Series:
    return _text(ms, "%H:%M:%S")


def _text(ms: pd.Series, form: str) -> pd.Series:
    return pd.Series(stamps(ms.to_numpy()).strftime(form), index=ms.index).fillna("")


def _whole(values: pd.Series) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.0f}" for value in values]


def _alerts(alerts: pd.DataFrame) -> pd.DataFrame:
    clocks = ("triggered", "review_started", "published", "received", "dispatched", "arrived")
    return pd.DataFrame(
        {
            "alert_id": alerts["id"],
            **{f"{name}_at": _iso(alerts[name]) for name in clocks},
            "type": alerts["class"],
            "rounds": _whole(alerts["rounds"]),
            **_degrees(alerts),
            "disposition": alerts["disposition"],
            **{name: _whole(alerts[name]) for name in FOUND},
            "event_number": alerts["number"],
        }
    )


def _calls(calls: pd.DataFrame) -> pd.DataFrame:
    clocks = {
        f"{name}_{part}": write(calls[name])
        for name in ("received", "dispatched", "arrived")
        for part, write in (("date", _dates), ("time", _times))
    }
    return pd.DataFrame(
        {
            "call_id": calls["id"],
            **clocks,
            **_degrees(calls),
            "event_number": calls["number"],
            "result": calls["result"],
        }
    )


def _verified(verified: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": verified["id"],
            "occurred": _plain(verified["occurred"]),
            **_degrees(verified),
            "alert_id": verified["alert"],
        }
    )


def _visits(visits: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": visits["id"],
            "start": _plain(visits["start"]),
            "end": _plain(visits["end"]),
            "unit": visits["unit"],
            "activity": visits["activity"],
            **_degrees(visits),
        }
    )


def _complaints(complaints: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": complaints["id"],
            "date": complaints["date"].dt.strftime("%Y-%m-%d"),
            "vehicle": complaints["kind"],
            **_degrees(complaints),
        }
    )


def _totals(totals: pd.DataFrame) -> pd.DataFrame:
    table = totals.copy()
    for name in ("from", "to"):
        table[name] = table[name].dt.strftime("%Y-%m-%d")
    return table


def _add_faulty(
    table: pd.DataFrame, faults: SpoiledMoments, rng: Generator
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Add copies of rows, spoiled and under ids of their own, and rows that come twice."""
    dirty = {"no coordinates": NO_PLACE, "far from the city": ELSEWHERE}
    if faults.clock:
        dirty |= {"in the future": AHEAD, f"bad {faults.field} time": UNDATED}
    number = sum(dirty.values())
    fakes = table.iloc[rng.choice(len(table), number, replace=False)].reset_index(drop=True)
    fakes[table.columns[0]] = [f"X-{i:03d}" for i in range(1, number + 1)]
    blank, away, ahead, undated, _ = np.split(
        np.arange(number), np.cumsum([NO_PLACE, ELSEWHERE, AHEAD, UNDATED])
    )
    fakes.loc[blank, ["longitude", "latitude"]] = ""
    fakes.loc[away, "longitude"] = AWAY_LONGITUDE
    if faults.clock:
        fakes.loc[ahead, faults.clock] = faults.ahead
        fakes.loc[undated, faults.clock] = "unknown"
    twins = table.iloc[rng.choice(len(table), TWICE, replace=False)]
    return pd.concat([table, fakes, twins], ignore_index=True), {**dirty, "repeated id": TWICE}


SECTIONS = """
[addresses]
source = "addresses.csv"
x = "longitude"
y = "latitude"

[[alerts]]
source = "alerts.csv"
[alerts.fields]
id = "alert_id"
triggered = "triggered_at"
review_started = "review_started_at"
published = "published_at"
received = "received_at"
dispatched = "dispatched_at"
arrived = "arrived_at"
class = "type"
rounds = "rounds"
x = "longitude"
y = "latitude"
disposition = "disposition"
casings = "casings"
guns = "guns"
arrests = "arrests"
victims = "victims"
call = "event_number"
[alerts.dispositions]
"REPORT TAKEN" = "confirmed"
"NO REPORT" = "unconfirmed"
"FALSE" = "unfounded"

[[calls]]
source = "calls.csv"
[calls.fields]
id = "call_id"
received = ["received_date", "received_time"]
dispatched = ["dispatched_date", "dispatched_time"]
arrived = ["arrived_date", "arrived_time"]
x = "longitude"
y = "latitude"
event = "event_number"

[[verified]]
source = "verified_gunfire.csv"
[verified.fields]
id = "id"
occurred = "occurred"
x = "longitude"
y = "latitude"
alert = "alert_id"

[coverage]
source = "coverage.geojson"

[[visits]]
source = "visits.csv"
[visits.fields]
id = "id"
start = "start"
end = "end"
unit = "unit"
activity = "activity"
x = "longitude"
y = "latitude"

[[occurrences]]
source = "dirtbike_complaints.csv"
measure = "dirtbike.complaints"
[occurrences.fields]
id = "id"
date = "date"
kind = "vehicle"
x = "longitude"
y = "latitude"

[[counts]]
source = "dirtbike_counts.csv"
[counts.fields]
measure = "measure"
from = "from"
to = "to"
district = "district"
kind = "kind"
value = "value"
"""
SECTIONS += "\n" + USUAL.read_text(encoding="utf-8")  # the measures of dirt bikes
