"""Gunfire of the small town on disk: alerts, calls and verified gunfire whose truth is plain."""

import datetime as dt

import numpy as np
import pandas as pd
import shapely
from town import SIDE, SOUTH, WEST, Town, to_degrees, write_geojson

from spatial.measures.scopes import Scope

SPRING = Scope(start=dt.date(2024, 3, 1), end=dt.date(2024, 4, 1))
NOON = dt.datetime(2024, 3, 1, 12)
SECTIONS = """
[coverage]
source = "coverage.geojson"
[[alerts]]
source = "alerts.csv"
[alerts.fields]
id = "id"
triggered = "triggered"
review_started = "reviewed"
published = "published"
dispatched = "dispatched"
arrived = "arrived"
class = "type"
rounds = "rounds"
disposition = "result"
casings = "casings"
guns = "guns"
arrests = "arrests"
victims = "victims"
call = "number"
x = "lon"
y = "lat"
[alerts.dispositions]
"REPORT" = "confirmed"
[[calls]]
source = "calls.csv"
[calls.fields]
id = "id"
received = ["day", "clock"]
arrived = "arrived"
event = "number"
x = "lon"
y = "lat"
[[verified]]
source = "verified.csv"
[verified.fields]
id = "id"
occurred = "when"
alert = "alert"
x = "lon"
y = "lat"
"""


def degrees(x, y):
    """Longitude and latitude of metres east and north of the town's corner."""
    point = to_degrees(shapely.Point(WEST + x, SOUTH + y))
    return round(point.x, 8), round(point.y, 8)


def stamp(day, seconds):
    moment = NOON + dt.timedelta(days=day, seconds=seconds)
    return moment.isoformat(sep=" ", timespec="milliseconds")


class Gunfire(Town):
    """The town with one row a line; coverage is its western three quarters."""

    def __init__(self, folder):
        self.alert_rows, self.call_rows, self.verified_rows = [], [], []
        super().__init__(folder)
        self.city += SECTIONS
        write_geojson(
            folder / "coverage.geojson", [shapely.box(WEST, SOUTH, WEST + 3000, SOUTH + SIDE)]
        )

    def alert(self, day=0, at=0.0, x=1000.0, y=1000.0, **fields):
        """Add an alert; clocks are seconds after its trigger, ``at`` seconds after noon."""
        lon, lat = degrees(x, y)
        row = {
            "id": f"A{len(self.alert_rows)}",
            "lon": lon,
            "lat": lat,
            "triggered": stamp(day, at),
        }
        for clock in ("reviewed", "published", "dispatched", "arrived"):
            if clock in fields:
                row[clock] = stamp(day, at + fields.pop(clock))
        self.alert_rows.append({**row, **fields})
        return row["id"]

    def call(self, day=0, at=0.0, x=1000.0, y=1000.0, **fields):
        lon, lat = degrees(x, y)
        date, clock = stamp(day, at).split()
        row = {"id": f"C{len(self.call_rows)}", "lon": lon, "lat": lat, "day": date, "clock": clock}
        if "arrived" in fields:
            row["arrived"] = stamp(day, at + fields.pop("arrived"))
        self.call_rows.append({**row, **fields})
        return row["id"]

    def verify(self, day=0, at=0.0, x=1000.0, y=1000.0, alert=None):
        lon, lat = degrees(x, y)
        self.verified_rows.append(
            {
                "id": f"V{len(self.verified_rows)}",
                "when": stamp(day, at),
                "lon": lon,
                "lat": lat,
                "alert": alert,
            }
        )

    def save(self):
        super().save()
        for name, rows, columns in (
            (
                "alerts",
                self.alert_rows,
                "id triggered reviewed published dispatched arrived type rounds result casings "
                "guns arrests victims number lon lat",
            ),
            ("calls", self.call_rows, "id day clock arrived number lon lat"),
            ("verified", self.verified_rows, "id when alert lon lat"),
        ):
            frame = pd.DataFrame(rows, columns=columns.split()).replace({np.nan: None})
            frame.to_csv(self.folder / f"{name}.csv", index=False)


def with_streets_and_homes(town, per_corner=3):
    """Lay streets 400 m apart and a few homes at every corner."""
    steps = range(200, 4000, 400)
    corner = np.array([WEST, SOUTH])
    ways = [((x, 0), (x, 4000)) for x in steps] + [((0, y), (4000, y)) for y in steps]
    lines = [shapely.LineString(np.add(way, corner)) for way in ways]
    net = list(shapely.get_parts(shapely.node(shapely.union_all(lines))))
    write_geojson(town.folder / "streets.geojson", net)
    rng = np.random.default_rng(0)
    corners = np.array([(x, y) for x in steps for y in steps])
    homes = np.repeat(corners, per_corner, axis=0) + corner
    homes = homes + rng.normal(0, 40, homes.shape)
    write_geojson(town.folder / "homes.geojson", list(shapely.points(homes)))
    town.city += (
        '\n[[base]]\nkind = "street"\nsource = "streets.geojson"\n'
        '[addresses]\nsource = "homes.geojson"\n'
    )
