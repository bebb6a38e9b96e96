"""A town with alerts, calls, verified gunfire and dirt-bike records of known numbers.

Fourteen months from January 2025, each with twelve alerts two days apart from the 5th on: alert
``i`` of a month is published after 40 seconds, every fourth after 80; those of May 2025 tell no
publication. Alerts 0 and 6 are confirmed, with a gun each; 1 and 7 are unfounded; 2, 3 and 8
unconfirmed. Every second alert has a 911 call, and each month has three calls that no alert is
near. Two of three alerts are in the east (D2).
"""

import datetime as dt

import numpy as np
import pandas as pd
import shapely
from town import SIDE, SOUTH, WEST, Town, to_degrees, write_geojson

from spatial.measures.scopes import Scope

FIRST = dt.date(2025, 1, 1)
MONTHS = [(2025, month) for month in range(1, 13)] + [(2026, 1), (2026, 2)]
SILENT = (2025, 5)
FOUND = {"confirmed": (0, 6), "unfounded": (1, 7), "unconfirmed": (2, 3, 8)}
DISPOSITIONS = {i: word for word, mine in FOUND.items() for i in mine}
LAST_YEAR = Scope(start=dt.date(2025, 3, 1), end=dt.date(2026, 3, 1))
RECORDS = """
[[alerts]]
source = "alerts.csv"
[alerts.fields]
id = "id"
triggered = "triggered"
published = "published"
arrived = "arrived"
x = "lon"
y = "lat"
disposition = "disposition"
guns = "guns"
arrests = "arrests"
[[calls]]
source = "calls.csv"
[calls.fields]
id = "id"
received = "received"
arrived = "arrived"
x = "lon"
y = "lat"
[[verified]]
source = "verified.csv"
[verified.fields]
id = "id"
occurred = "occurred"
x = "lon"
y = "lat"
alert = "alert"
[[occurrences]]
source = "complaints.csv"
measure = "dirtbike.complaints"
[occurrences.fields]
id = "id"
date = "date"
x = "lon"
y = "lat"
[[counts]]
source = "counts.csv"
[counts.fields]
measure = "measure"
from = "from"
to = "to"
district = "district"
kind = "kind"
value = "value"
[coverage]
source = "coverage.geojson"
"""


class GunfireTown(Town):
    """The town of :class:`Town` with records of everything that measures need but visits."""

    def __init__(self, folder, today="2026-03-03", guns=1):
        super().__init__(folder, n=400)
        self.guns = np.broadcast_to(guns, 14 * 12)  # of each alert; one number: of alerts 0 and 6
        self.every = np.ndim(guns) > 0
        head = f'timezone = "America/New_York"\nsynthetic = true\ntoday = {today}'
        self.city = self.city.replace('timezone = "America/New_York"', head) + RECORDS
        box = shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)
        write_geojson(folder / "coverage.geojson", [box], name=["all"])
        self._alerts()
        self._dirt_bikes()
        self.save()

    def _alerts(self):
        alerts, calls, verified = [], [], []
        for number, (year, month) in enumerate(MONTHS):
            for i in range(12):
                moment = dt.datetime(year, month, 5 + 2 * i, 12, 0)
                x, y = WEST + (500 if i % 3 == 0 else 2_500) + 10 * i, SOUTH + 300 + 250 * i
                key = f"a{number:02d}-{i:02d}"
                delay = 80 if i % 4 == 0 else 40
                published = "" if (year, month) == SILENT else _clock(moment, delay)
                alerts.append(
                    {
                        "id": key,
                        "triggered": _clock(moment),
                        "published": published,
                        "arrived": _clock(moment, 300),
                        "disposition": DISPOSITIONS.get(i, ""),
                        "guns": int(self.guns[12 * number + i] * (self.every or i % 6 == 0)),
                        "arrests": int(i == 0),
                        **_place(x, y),
                    }
                )
                if i % 2 == 0:
                    calls.append(_call(f"c{key}", moment, 90, x, y))
                if i % 6 == 0:
                    verified.append(_verified(f"v{key}", moment, x + 10, y, key))
            for i in range(3):
                moment = dt.datetime(year, month, 2 + 2 * i, 3, 0)
                calls.append(_call(f"d{number:02d}-{i}", moment, 0, WEST + 3_700, SOUTH + 200))
            alone = dt.datetime(year, month, 28, 3, 0)
            verified.append(_verified(f"w{number:02d}", alone, WEST + 200, SOUTH + 3_700, ""))
        for name, rows in (("alerts", alerts), ("calls", calls), ("verified", verified)):
            pd.DataFrame(rows).to_csv(self.folder / f"{name}.csv", index=False)

    def _dirt_bikes(self):
        complaints, counts = [], []
        for number, (year, month) in enumerate(MONTHS):
            first = dt.date(year, month, 1)
            after = dt.date(year + month // 12, month % 12 + 1, 1)
            for i in range(4 + month % 5):
                day = dt.date(year, month, 1 + i)
                key = f"b{number:02d}-{i}"
                complaints.append(
                    {"id": key, "date": day, **_place(WEST + 900, SOUTH + 90 * i + 9)}
                )
            for district in ("D1", "D2"):
                for kind, value in (("dirt bike", 2), ("all-terrain vehicle", 1)):
                    row = {"measure": "dirtbike.seizures", "from": first, "to": after}
                    counts.append({**row, "district": district, "kind": kind, "value": value})
        pd.DataFrame(complaints).to_csv(self.folder / "complaints.csv", index=False)
        pd.DataFrame(counts).to_csv(self.folder / "counts.csv", index=False)


def _clock(moment, seconds=0):
    return f"{moment + dt.timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"


def _place(x, y):
    (point,) = shapely.get_coordinates(to_degrees(shapely.Point(x, y)))
    return {"lon": f"{point[0]:.7f}", "lat": f"{point[1]:.7f}"}


def _call(key, moment, seconds, x, y):
    return {
        "id": key,
        "received": _clock(moment, seconds),
        "arrived": _clock(moment, seconds + 420),
        **_place(x, y),
    }


def _verified(key, moment, x, y, alert):
    return {"id": key, "occurred": _clock(moment), "alert": alert, **_place(x, y)}
