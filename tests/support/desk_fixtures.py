"""A town with a run, visits and alerts, and the people of its two districts."""

import dataclasses
import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer
from staffing import Office
from town import CRS, Town
from using import put_to_use

from app.usecases.patrol.planning import PlanRequest, make_plan
from app.usecases.risk.fit import FitRequest, fit
from geodata.cityfile.description import read_city_file
from geodata.db.engine import upgrade
from geodata.ingest.store import import_city

TODAY = dt.date(2024, 12, 20)
D1 = "/command/town/D1"
RECORDS = """
[[visits]]
source = "visits.csv"
[visits.fields]
id = "id"
start = "start"
end = "end"
unit = "unit"
x = "lon"
y = "lat"
[[alerts]]
source = "alerts.csv"
[alerts.fields]
id = "id"
triggered = "at"
x = "lon"
y = "lat"
arrests = "arrests"
"""


@dataclasses.dataclass
class Desk:
    """The office with its town, and what tests need to know of both."""

    office: Office
    run: object
    before: object  # the plan of the night before, which is over

    def client(self, name="cora"):
        self.office.wait(minutes=2)  # no code counts twice
        return self.office.client(name)

    def plan(self, **changes):
        start = dt.datetime.combine(TODAY, dt.time(18))
        asked = {
            "city": "town",
            "district": "D1",
            "run": self.run.id,
            "shift": (start, start + dt.timedelta(hours=5)),
            "units": 2,
        } | changes
        return make_plan(self.office.database, PlanRequest(**asked), created_by="cora")


def words(answer):
    """Give the text of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def degrees(points):
    turn = Transformer.from_crs(CRS, 4326, always_xy=True)
    return turn.transform([p.x for p in points], [p.y for p in points])


def record_of(zones):
    """Make visits to the first two zones of D1 on 26 days, and alerts in them."""
    own = zones[zones["district"] == "D1"].sort_values("rank")
    spots = list(own.geometry.representative_point()[:2])
    rng = np.random.default_rng(5)
    rows, lon, lat = [], *degrees(spots)
    for day in pd.date_range("2024-11-24", "2024-12-19"):
        for hour in range(18, 23):
            for zone in (0, 1):
                if rng.random() < 0.4 + 0.3 * zone:
                    start = day + pd.Timedelta(hours=hour, minutes=5 * zone)
                    rows.append((start, start + pd.Timedelta(minutes=12), lon[zone], lat[zone]))
    visits = pd.DataFrame(rows, columns=["start", "end", "lon", "lat"])
    visits.insert(0, "id", [f"v{i}" for i in range(len(rows))])
    visits["unit"] = "A1"
    alerts = pd.DataFrame(
        {
            "id": ["a1", "a2", "a3"],
            "at": ["2024-12-20 03:00", "2024-12-16 03:00", "2024-11-01 03:00"],
            "lon": [lon[0], lon[1], lon[0]],
            "lat": [lat[0], lat[1], lat[0]],
            "arrests": [1, 0, 5],
        }
    )
    return visits, alerts


@pytest.fixture(scope="module")
def town_desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder}/desk.sqlite"
    upgrade(url)
    office = Office(url, folder)
    town = Town(folder, n=700).crowd(400)
    told = f'synthetic = true\ntoday = {TODAY}\ntimezone = "America/New_York"'
    town.change('timezone = "America/New_York"', told)
    import_city(office.database, read_city_file(town.path))
    told_until = TODAY - dt.timedelta(days=6)  # what is younger than the delay cannot be published
    (run,) = fit(office.database, FitRequest(city="town", outcome="robbery", end=told_until))
    put_to_use(office.database, run)
    visits, alerts = record_of(run.zones)
    visits.to_csv(folder / "visits.csv", index=False)
    alerts.to_csv(folder / "alerts.csv", index=False)
    town.city += RECORDS
    town.save()
    import_city(office.database, read_city_file(town.path))
    office.now = dt.datetime(2024, 12, 20, 15)  # ten in the morning there
    office.add("cora", "commander", districts=["town/D1"])
    office.add("dan", "commander", districts=["town/D2"])
    office.add("otto", "officer", districts=["town/D1"])
    office.add("ida", "commander", districts=["town/D1", "town/D2"])
    office.add("ana", "analyst")
    office.add("vi", "viewer")
    made = Desk(office=office, run=run, before=None)
    start = dt.datetime.combine(TODAY - dt.timedelta(days=1), dt.time(18))
    made.before = made.plan(shift=(start, start + dt.timedelta(hours=5)))
    yield made
    office.close()


@pytest.fixture(scope="module")
def cora(town_desk):
    return town_desk.client()
