"""An outside reader of all releases kept: what follows from the published files alone?

Reads nothing but the files, and shares no code with what hides the counts. Everything a reader
knows becomes a row of one integer program: counts that are given, words that stand for counts,
shares whose numerator is given or follows, denominators, the places of alerts one by one, and
that districts, months and results add up. For every hidden count it is then asked how low and how
high it can be.
"""

import csv
import datetime as dt
import io
import json
import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from ortools.sat.python import cp_model

CITY, ELSEWHERE = "", "elsewhere"
RESULTS = (
    "alerts.confirmed",
    "alerts.unconfirmed",
    "alerts.unfounded",
    "alerts.no_disposition",
)
COUNTS = (
    "alerts.guns",
    "alerts.arrests",
    "alerts.casings",
    "alerts.victims",
    "dirtbike.arrests",
    "dirtbike.injury_crashes",
)
HITS = "zones.hit_rate"
PER_100 = {"alerts.guns_per_100": "alerts.guns", "alerts.arrests_per_100": "alerts.arrests"}
FEWER, HELD, NOTHING = "fewer than 5", "held back", "not given"
MUCH = 100_000
LONGEST_S, MANY = 20.0, 16


@dataclass
class Knowledge:
    """Unknown counts by name, and rows ``low <= sum of some <= high`` that are known of them."""

    index: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)  # of what: low, high, and who says so
    hidden: dict = field(default_factory=dict)  # of what: what it is called
    small: list = field(default_factory=list)  # counts of 1 to 4 that are given

    def unknown(self, name):
        return self.index.setdefault(name, len(self.index))

    def learn(self, names, low, high):
        what = frozenset(self.unknown(name) for name in names)
        old = self.rows.get(what, (0, MUCH))
        self.rows[what] = (max(low, old[0]), min(high, old[1]))

    def hide(self, names, called):
        what = frozenset(self.unknown(name) for name in names)
        if what:
            self.hidden.setdefault(what, called)

    def ranges(self):
        """Give the least and the greatest of each hidden count: ``{called: (low, high)}``.

        Only whether a second value is possible is looked for where ``ranges`` would take long:
        a range that is given is at least as wide as it says.
        """
        return _Ranges(self).found()


class _Ranges:
    def __init__(self, knowledge):
        self.hidden = list(knowledge.hidden)
        self.called = [knowledge.hidden[what] for what in self.hidden]
        self.model = cp_model.CpModel()
        self.unknown = [self.model.new_int_var(0, MUCH, "") for _ in knowledge.index]
        for what, (low, high) in knowledge.rows.items():
            self.model.add_linear_constraint(self._sum(what), low, high)
        self.sums = [self._sum(what) for what in self.hidden]

    def _sum(self, what):
        return sum(self.unknown[one] for one in what)

    def solve(self, cost):
        """Give every hidden count in a world that agrees with all that is known."""
        self.model.maximize(sum(c * one for c, one in zip(cost, self.sums, strict=True) if c))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_time_in_seconds = LONGEST_S
        state = solver.solve(self.model)
        assert state in (cp_model.OPTIMAL, cp_model.FEASIBLE), solver.status_name(state)
        self.sure = state == cp_model.OPTIMAL
        return np.array([solver.value(one) for one in self.sums])

    def found(self):
        if not self.hidden:
            return {}
        rng = np.random.default_rng(1)
        low = high = self.solve(np.zeros(len(self.hidden), dtype=int))
        for _ in range(MANY):  # cheap: each moves many counts at once
            still = low == high
            if not still.any():
                break
            value = self.solve(np.where(still, rng.choice([-1, 1], len(still)), 0))
            low, high = np.minimum(low, value), np.maximum(high, value)
        for one in np.flatnonzero(low == high):
            for sign in (1, -1):
                if low[one] < high[one]:
                    break
                value = self.solve([sign * (place == one) for place in range(len(low))])
                assert self.sure or value[one] != low[one], "the solver gave up"
                low, high = np.minimum(low, value), np.maximum(high, value)
        return {name: (int(a), int(b)) for name, a, b in zip(self.called, low, high, strict=True)}


# -- what the files say ---------------------------------------------------------------------------


def table(folder, name):
    path = folder / name
    return list(csv.DictReader(io.StringIO(path.read_text()))) if path.exists() else []


def _manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def days_of(row):
    return dt.date.fromisoformat(row["from"]), dt.date.fromisoformat(row["to"])


def count_of(row):
    """Give the count that a row of measures gives or implies; none where it gives none."""
    if row["numerator"]:
        return float(row["numerator"])
    if row["value"] and row["denominator"]:
        times = 100.0 if row["measure"] in PER_100 else 1.0
        return float(row["value"]) * float(row["denominator"]) / times
    return float(row["value"]) if row["value"] else None


def whole(number):
    assert abs(number - round(number)) < 1e-3, number
    return round(number)


class Reader:
    """Reads every release of a city that is kept, given as folders, and adds up what they say."""

    def __init__(self, folders):
        self.folders = list(folders)
        self.places = [
            *sorted({row["district"] for f in folders for row in table(f, "data/districts.csv")}),
            ELSEWHERE,
        ]
        names = ("data/measures.csv", "data/measures_monthly.csv", "data/measures_weekly.csv")
        self.rows = [(f, row) for f in folders for name in names for row in table(f, name)]

    def results(self):
        """What is known of the results of alerts."""
        mine = [(f, row) for f, row in self.rows if row["measure"] in RESULTS]
        know, cells = Knowledge(), cells_of([days_of(row) for _, row in mine])
        for _, row in mine:
            parts = self._parts(row, cells, row["measure"])
            state(know, parts, row, low_of_fewer=0, low_of_held=5)
            every = [name for one in RESULTS for name in self._parts(row, cells, one)]
            number = whole(float(row["denominator"] or row["n"] or 0))
            know.learn(every, number, number)
        for folder in self.folders:  # each alert has one result at most
            found = table(folder, "data/alerts.csv")
            last = _manifest(folder)["through"]
            for place in self.places[:-1]:
                days = [row["day"] for row in found if row["district"] == place]
                for start, end in cells if found else ():
                    if end.isoformat() > last:
                        continue
                    most = sum(start.isoformat() <= day < end.isoformat() for day in days)
                    know.learn([(one, place, start, end) for one in RESULTS], 0, most)
        return know

    def counts(self, measure):
        """What is known of a count such as guns."""
        mine = [
            (f, row)
            for f, row in self.rows
            if PER_100.get(row["measure"], row["measure"]) == measure
        ]
        know, cells = Knowledge(), cells_of([days_of(row) for _, row in mine])
        for _, row in mine:
            state(know, self._parts(row, cells, measure), row, low_of_fewer=1, low_of_held=1)
        return know

    def hits(self):
        """What is known of incidents inside each set of zones that any release showed."""
        zones = {folder: _manifest(folder)["run"] for folder in self.folders}
        zones = {folder: run["sha256"] for folder, run in zones.items() if run}
        by_name = {folder.name: key for folder, key in zones.items()}
        said = []
        for folder, row in self.rows:
            if row["measure"] == HITS:
                said.append((zones[folder], row, row["denominator"] or row["n"]))
            elif row["measure"] == "zones.pai" and row["numerator"]:  # its numerator is a share
                hits = str(float(row["numerator"]) * float(row["n"]))
                said.append((zones[folder], {**row, "numerator": hits}, row["n"]))
        for folder in self.folders:
            for row in table(folder, "data/zones_accountability.csv"):
                of = {"district": CITY, "measure": HITS, "value": "", "numerator": row["hits"]}
                said.append((by_name[row["release"]], {**row, **of}, row["n"]))
            for found in self._validations(folder):
                given = found["zones"].get("hits")
                assert "by_zone" not in found["zones"], "hits of single zones"
                of = {"district": CITY, "measure": HITS, "value": "", "numerator": given}
                days = {"from": found["from"], "to": found["to"], "shown": ""}
                if given is not None:
                    said.append((zones[folder], {**of, **days}, found["incidents"]))
        know, cells = Knowledge(), cells_of([days_of(row) for _, row, _ in said])
        without = self._without_zones()
        for key, row, most in said:
            parts = self._parts(row, cells, key)
            shown = {**row, "value": ""} if row["numerator"] else row
            state(know, parts, shown, low_of_fewer=0, low_of_held=5)
            know.learn(parts, 0, whole(float(most or 0)))
            nowhere = [one for one in parts if one[1] in without[key]]
            if nowhere:
                know.learn(nowhere, 0, 0)
        return know

    def _without_zones(self):
        """Name the places that everybody sees to have no zones, by the zones' digest."""
        found = {}
        for folder in self.folders:
            run = _manifest(folder)["run"]
            having = {row["district"] for row in table(folder, "data/zones.csv")}
            if run:
                found[run["sha256"]] = set(self.places) - having
        return found

    @staticmethod
    def _validations(folder):
        path = folder / "site/run.json"
        return json.loads(path.read_text())["validations"] if path.exists() else []

    def incidents(self):
        """What is known of the incidents of every outcome, by whatever file tells of them."""
        rows = [
            *self._sensitive_incidents(),
            *((self._outcome(row), row) for _, row in self.rows if self._outcome(row)),
        ]
        hits, known = self._incidents_at_zones(), self._incidents_of_city()
        spans = [days_of(row) for _, row in rows]
        spans += [(start, end) for _, _, start, end, *_ in (*hits, *known)]
        know, cells = Knowledge(), cells_of(spans)
        for outcome, row in rows:
            state(know, self._parts(row, cells, outcome), row, low_of_fewer=1, low_of_held=1)
        for outcome, place, start, end, low, high in (*hits, *known):
            row = {"district": place, "from": start.isoformat(), "to": end.isoformat()}
            know.learn(self._parts(row, cells, outcome), low, high)
            if low == high and place != CITY and low in range(1, 5):
                know.small.append(f"{outcome} of {place}, {start} to {end}: {low}")
        return know

    @staticmethod
    def _outcome(row):
        group, _, outcome = row["measure"].partition(".")
        return outcome if group == "incidents" else ""

    def _sensitive_incidents(self):
        """Read the kinds of incidents that the city calls sensitive, as rows of measures."""
        for folder in self.folders:
            rows = table(folder, "data/incidents_monthly.csv")
            for row in rows:
                mine = {r["month"] for r in rows if r["outcome"] == row["outcome"]} - {""}
                own = [row["month"]] if row["month"] else sorted(mine)
                last = dt.date.fromisoformat(f"{own[-1]}-28") + dt.timedelta(days=7)
                days = {"from": f"{own[0]}-01", "to": last.replace(day=1).isoformat()}
                given = {"numerator": "", "denominator": "", "value": row["number"]}
                yield row["outcome"], {**row, **given, **days, "measure": row["outcome"]}

    def _incidents_at_zones(self):
        """Yield what figures of zones tell of all incidents: outcome, place, days, low and high."""
        for folder, row in self.rows:
            run = _manifest(folder)["run"]
            if row["measure"] not in (HITS, "zones.pai") or not run or not row["n"]:
                continue
            start, end = days_of(row)
            start = max(start, dt.date.fromisoformat(run["to"]))
            if start < end:
                number = whole(float(row["n"]))
                yield run["outcome"], row["district"], start, end, number, number
                if row["measure"] == HITS and row["shown"] in ("", HELD):
                    least = whole(float(row["numerator"] or 0)) if row["shown"] == "" else 5
                    yield run["outcome"], row["district"], start, end, least, MUCH

    def _incidents_of_city(self):
        """Yield what is told of all incidents of the city, and of the districts' shares of them."""
        by_name = {folder.name: _manifest(folder)["run"] for folder in self.folders}
        for folder in self.folders:
            run = by_name[folder.name]
            for row in table(folder, "data/zones_accountability.csv"):
                number = whole(float(row["n"]))
                yield by_name[row["release"]]["outcome"], CITY, *days_of(row), number, number
            if not run:
                continue
            document = json.loads((folder / "site/run.json").read_text())
            assert all(row["incidents"] is None for row in document["result"]["districts"])
            trained = dt.date.fromisoformat(run["from"]), dt.date.fromisoformat(run["to"])
            total = document["result"]["incidents"]
            scored = [
                *document["validations"],
                *(window for one in document["backtests"] for window in one["origins"]),
            ]
            told = [(*trained, total), *((*days_of(one), one["incidents"]) for one in scored)]
            for start, end, number in told:
                yield run["outcome"], CITY, start, end, number, number
            for place, low, high in self._shares(folder, total):
                yield run["outcome"], place, *trained, low, high

    @staticmethod
    def _shares(folder, total):
        """Yield how many incidents each district has by its share, at the widest step that fits."""
        rows = [row for row in table(folder, "data/districts.csv") if row["incidents_share"]]
        shares = [float(row["incidents_share"]) for row in rows]
        steps = [
            s for s in (0.2, 0.1, 0.05, 0.02, 0.01) if all(round(x / s, 6) % 1 == 0 for x in shares)
        ]
        for row, share in zip(rows, shares, strict=True) if len(rows) > 1 else ():
            low, high = total * (share - steps[0] / 2), total * (share + steps[0] / 2)
            yield row["district"], max(math.ceil(low - 1e-9), 0), math.floor(high + 1e-9)

    def _parts(self, row, cells, measure):
        start, end = days_of(row)
        places = self.places if row["district"] == CITY else [row["district"]]
        return [
            (measure, place, a, b) for place in places for a, b in cells if start <= a and b <= end
        ]


def cells_of(spans):
    """Cut all days that periods are about where any of them begins or ends."""
    cuts = sorted({day for span in spans for day in span})
    return list(pairwise(cuts))


def state(know, parts, row, *, low_of_fewer, low_of_held):
    """Learn what a row says of the sum of its parts."""
    called = f"{row['measure']} of {row['district'] or 'the city'}, {row['from']} to {row['to']}"
    shown = row.get("shown") or ""
    if shown == "":
        number = whole(count_of(row) or 0)
        know.learn(parts, number, number)
        if number in range(1, 5):
            know.small.append(f"{called}: {number}")
        return
    assert count_of({**row, "denominator": ""}) is None, called
    bounds = {FEWER: (low_of_fewer, 4), HELD: (low_of_held, MUCH), NOTHING: (0, MUCH)}
    know.learn(parts, *bounds[shown])
    know.hide(parts, called)


def exact(ranges):
    """Give the hidden counts that follow exactly."""
    return {name: low for name, (low, high) in ranges.items() if low == high}
