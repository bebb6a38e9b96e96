"""A year of weekly files as departments send them comes to the same as one import of everything.

Incidents come as files in a watched folder, calls are pushed, visits are a file that grows and is
read by the weekly import. Rows come late, are corrected and repeated; a week is missing, one file
is damaged, one has other columns, one is sent twice.
"""

import datetime as dt
import os

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.db.tables import Incident
from geodata.ingest.arrivals import store_batch
from geodata.ingest.store import import_city
from geodata.ingest.watched_folder import read_folder
from geodata.repositories.import_log import list_imports
from geodata.repositories.recorded import TABLES, content_columns

pytestmark = pytest.mark.slow
WEEKS = 52
MISSING, DAMAGED, RENAMED, TWICE, DEAD = 9, 17, 25, 33, 41
FIRST = dt.date(2024, 1, 1)
MORE = """
[[calls]]
source = "calls.csv"
[calls.fields]
id = "id"
received = "at"
x = "lon"
y = "lat"
[[visits]]
source = "visits.csv"
[visits.fields]
id = "id"
start = "start"
end = "end"
x = "lon"
y = "lat"
"""


class Year:
    """What happened, week by week, and what has been corrected since."""

    def __init__(self, town, seed=7):
        self.rng = np.random.default_rng(seed)
        self.places = town.incidents[["lon", "lat"]].to_numpy()
        self.incidents, self.calls, self.visits = {}, {}, {}
        self.late = []

    def week(self, number):
        """Return the incidents that the file of a week has, repeated and corrected ones too."""
        sent = []
        for i in range(12):
            key = f"I{number:02}-{i:02}"
            row = self._incident(key, number)
            if self.rng.random() < 0.15:
                self.late.append(row)  # written down now, exported next week
            else:
                sent.append(row)
        for row in self.late[:-2]:
            sent.append(row)
        self.late = self.late[-2:]
        for key in self.rng.permutation(sorted(self.incidents))[:3]:
            changed = {"date": self._day(number), "updated": self._export(number)}
            sent.append({**self.incidents[key], **self._place(), **changed})
        sent += [dict(sent[0]), dict(sent[3])]  # exports repeat rows
        self.incidents |= {row["id"]: row for row in sent}
        return sent

    def call(self, number, i):
        """Return a call of a week; its time may be corrected later."""
        key = f"C{number:02}-{i:02}"
        at = f"{self._day(number)} {self.rng.integers(24):02}:{self.rng.integers(60):02}"
        self.calls[key] = {"id": key, "at": at, **self._place()}
        return self.calls[key]

    def visit(self, number, i):
        """Add a visit of a week."""
        key, day = f"V{number:02}-{i:02}", self._day(number)
        hour = self.rng.integers(23)
        spoken = {"start": f"{day} {hour:02}:05", "end": f"{day} {hour:02}:19"}
        self.visits[key] = {"id": key, **spoken, **self._place()}

    def _incident(self, key, number):
        offense = str(self.rng.choice(["ROBBERY", "BURGLARY", "NOISE"]))
        if key in self.incidents:
            offense = self.incidents[key]["offense"]
        spoken = {"offense": offense, "date": self._day(number), "updated": self._export(number)}
        return {"id": key, **spoken, **self._place()}

    def _export(self, number):
        return str(FIRST + dt.timedelta(weeks=number + 1))

    def _day(self, number):
        return str(FIRST + dt.timedelta(weeks=number, days=int(self.rng.integers(7))))

    def _place(self):
        lon, lat = self.places[self.rng.integers(len(self.places))]
        return {"lon": lon, "lat": lat}


@pytest.fixture
def town(tmp_path):
    (tmp_path / "town").mkdir()
    made = Town(tmp_path / "town")
    made.change('date = "date"\n', 'date = "date"\nupdated = "updated"\n')
    made.city += MORE
    return made


def balanced(reports):
    for one in reports:
        assert one.read == one.stored + sum(one.left_out.values()), one
    return reports


def arrive(database, folder, name, rows):
    path = folder / name
    if isinstance(rows, bytes):
        path.write_bytes(rows)
    else:
        pd.DataFrame(rows).to_csv(path, index=False)
    os.utime(path, (0, 0))
    (found,) = read_folder(database, "town", folder, "dispatch")
    balanced(found.reports)
    assert not path.exists()
    return found


def everything(database):
    names = ("outcome", "row_key", "source", "occurred_on", "occurred_time")
    with database.session() as session:
        rows = session.execute(select(*(getattr(Incident, n) for n in names), Incident.geom))
        incidents = sorted((*row[:-1], row[-1].wkb_hex) for row in map(tuple, rows))
        others = []
        for section in ("calls", "visits"):
            table = TABLES[section]
            columns = [table.c[n] for n in ("row_key", "source", *content_columns(section))]
            others.append(sorted(map(repr, session.execute(select(*columns)))))
    return [list(map(repr, incidents)), *others]


def test_a_year_of_files_comes_to_the_same_as_one_import_of_all(town, tmp_path):
    url = f"sqlite:///{tmp_path}/year.sqlite"
    upgrade(url)
    database, year, folder = open_database(url), Year(town), tmp_path / "arriving"
    folder.mkdir()
    year.visit(0, 0)
    write(town, year, [year.incidents], first=True)
    balanced(import_city(database, read_city_file(town.path)).sources)
    unchanged = 0
    held_back = []
    for number in range(WEEKS):
        rows = held_back + year.week(number)
        held_back = []
        name = f"incidents_{FIRST + dt.timedelta(weeks=number)}.csv"
        if number == MISSING:
            held_back = rows  # the file never came; its rows are in the next one
        elif number == DAMAGED:
            assert "is a PDF" in arrive(database, folder, name, b"%PDF-1.4 oops").fault
            held_back = rows
        elif number == RENAMED:
            renamed = [{"case_no" if k == "id" else k: v for k, v in one.items()} for one in rows]
            assert "no column 'id'" in arrive(database, folder, name, renamed).fault
            assert arrive(database, folder, name, rows).fault == ""
        else:
            assert arrive(database, folder, name, rows).fault == ""
        if number == TWICE:
            before = everything(database)
            assert arrive(database, folder, name, rows).fault == ""
            assert everything(database) == before
        push(database, year, number)
        unchanged += weekly_import(database, town, year, number)
    if year.late:
        rest = year.late
        year.incidents |= {row["id"]: row for row in rest}
        arrive(database, folder, "incidents_2024-12-31.csv", rest)
    assert unchanged == WEEKS // 4, "a week without visits is not read again"
    write(town, year, year.incidents.values())
    other = f"sqlite:///{tmp_path}/at-once.sqlite"
    upgrade(other)
    at_once = open_database(other)
    balanced(import_city(at_once, read_city_file(town.path)).sources)
    assert everything(database) == everything(at_once)
    noise = sum(row["offense"] == "NOISE" for row in year.incidents.values())
    assert len(everything(database)[0]) == len(year.incidents) - noise
    with database.session() as session:
        assert len(list_imports(session, "town")) >= WEEKS


def push(database, year, number):
    calls = [year.call(number, i) for i in range(5)]
    if number:
        again = year.calls[f"C{number - 1:02}-02"]
        again["at"] = again["at"][:-2] + "59"
        calls.append(again)
    report = store_batch(database, "town", "calls", calls, "dispatch")
    repeated = store_batch(database, "town", "calls", calls[:3], "dispatch")
    balanced([report, repeated])
    assert report.stored >= 5
    assert repeated.stored == 0


def weekly_import(database, town, year, number):
    """Read all files as a round does; return whether visits were unchanged."""
    if number % 4 != 3:
        year.visit(number + 1, 0)
    pd.DataFrame(year.visits.values()).to_csv(town.folder / "visits.csv", index=False)
    whole = (town.folder / "visits.csv").read_bytes()
    if number == DEAD:
        (town.folder / "visits.csv").write_bytes(b"%PDF-1.4 oops")
    result = import_city(
        database, read_city_file(town.path), skip_unchanged=True, tolerant=True, who="round"
    )
    (town.folder / "visits.csv").write_bytes(whole)
    (visits,) = [one for one in balanced(result.sources) if one.kind == "visits"]
    assert [one.kind for one in result.sources if one.fault] == ["visits"] * (number == DEAD)
    if number == DEAD:
        assert "unchanged" not in visits.left_out
    return "unchanged" in visits.left_out


def write(town, year, incidents, *, first=False):
    """Write the files of the city: of the first day, or as everything would be exported."""
    if first:
        year.incidents |= {"I-first": year._incident("I-first", 0) | {"offense": "ROBBERY"}}
        year.call(0, 99)
        incidents = year.incidents.values()
    town.incidents = pd.DataFrame(incidents)
    town.save()
    pd.DataFrame(year.calls.values()).to_csv(town.folder / "calls.csv", index=False)
    pd.DataFrame(year.visits.values()).to_csv(town.folder / "visits.csv", index=False)
