"""An outsider who knows every number of a release: what can he compute back?

Written over whole tables of counts and an integer program, apart from the code under test.
"""

import csv
import datetime as dt
import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from releasing import TODAY, Publisher
from scipy.optimize import Bounds, LinearConstraint, milp

from geodata.errors import ReleaseError
from geodata.measures.registry import steps
from geodata.releases.build import approve_release, draft_release, said_before
from geodata.releases.folder import ReleaseFolder
from geodata.releases.sensitive import CITY, CountDisclosure, SensitiveCounts, hide
from spatial.measures.scopes import Scope

MUCH = 100_000
FEWER, HELD, VEILED = 1, 2, 3
WORDS = {"": 0, "fewer than 5": FEWER, "held back": HELD, "not given": VEILED}
RESULTS = (
    "alerts.confirmed",
    "alerts.unconfirmed",
    "alerts.unfounded",
    "alerts.no_disposition",
)
COUNTS = ("alerts.guns", "alerts.arrests", "dirtbike.arrests")
MONTHS = tuple(steps(Scope(start=dt.date(2024, 1, 1), end=dt.date(2024, 5, 1)), "month"))


class Outsider:
    """Knows statements about sums of unknown counts: exact ones, and ranges.

    Unknown are the counts of each measure, place and month, from 0 up.
    """

    def __init__(self, measures, places, months):
        self.shape = (len(measures), len(places), len(months))
        self.axes = (list(measures), list(places), [(m.start, m.end) for m in months])
        self.rows, self.low, self.high = [], [], []
        self.knows_alerts = False

    def mask(self, measures, place, start, end):
        """Which of the unknown counts a statement is about."""
        names, places, months = self.axes
        inside = [start <= a and b <= end for a, b in months]
        assert start in {a for a, _ in months}
        assert end in {b for _, b in months}
        m = np.isin(names, measures)[:, None, None]
        p = (np.array([place in (CITY, other) for other in places]))[None, :, None]
        return (m & p & np.array(inside)[None, None, :]).ravel().astype(float)

    def learn(self, mask, low, high):
        self.rows.append(mask)
        self.low.append(low)
        self.high.append(high)

    def learn_alerts(self, size):
        """Every alert is public, so what all results add up to is known."""
        for (place, start, end), number in size.items():
            self.learn(self.mask(self.axes[0], place, start, end), number, number)

    def range_of(self, mask):
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * mask,
                integrality=np.ones(mask.size),
                bounds=Bounds(0, MUCH),
                constraints=LinearConstraint(np.array(self.rows), self.low, self.high),
            )
            assert found.success, found.message
            ends.append(sign * round(found.fun))
        return tuple(ends)


def learn_told(outsider, told, least_held):
    """Tell the outsider what a release says of each count, rules included."""
    for (measure, place, start, end), one in told.items():
        mask = outsider.mask([measure], place, start, end)
        of_alerts = measure in RESULTS and outsider.knows_alerts
        low, high = {
            0: (one.value, one.value),
            FEWER: (0 if of_alerts else 1, 4),
            HELD: (5 if of_alerts else least_held, np.inf),
            VEILED: (0, np.inf),
        }[one.label]
        outsider.learn(mask, low, high)


def least_of(told, truth):
    """The tightest true statement about all counts held back: the outsider may know it."""
    held = [truth[where] for where, one in told.items() if one.label == HELD]
    return 5 if all(value >= 5 for value in held) else 1


def require_hidden(outsider, told, truth):
    """Hold what the outsider can infer against the rule of suppression."""
    for where, one in told.items():
        value = truth[where]
        if one.label == 0:
            assert one.value == value
            assert not 1 <= value <= 4
            continue
        low, high = outsider.range_of(outsider.mask([where[0]], *where[1:]))
        assert low <= value <= high
        if where[0] in RESULTS and outsider.knows_alerts:
            assert high > low, where
        elif one.label == FEWER:
            assert (low, high) == (1, 4), where
        else:
            assert high - low >= 3, where


def sums_of(table, told):
    """The true value of every statement, and how many rows it is about."""
    places = np.array(table.places)
    starts = np.array([m.start for m in table.months])
    ends = np.array([m.end for m in table.months])
    truth, size = {}, {}
    for measure, place, start, end in told:
        inside = (starts >= start) & (ends <= end)
        own = np.ones(len(places), dtype=bool) if place == CITY else places == place
        block = table.counts[:, own][:, :, inside]
        truth[measure, place, start, end] = int(block[table.measures.index(measure)].sum())
        size[place, start, end] = int(block.sum())
    return truth, size


few = st.one_of(st.just(0), st.integers(0, 3), st.sampled_from([4, 5, 6]), st.integers(0, 40))


def tables(measures):
    shape = st.tuples(st.just(measures), st.integers(2, 3), st.integers(1, 4))
    return shape.flatmap(lambda size: hnp.arrays(np.int64, size, elements=few))


def make(counts, *, known):
    measures, places, months = counts.shape
    return SensitiveCounts(
        measures=RESULTS[:measures],
        places=(*(f"D{i}" for i in range(places - 1)), "(outside)"),
        months=MONTHS[:months],
        counts=counts,
        known=counts.sum(axis=0) if known else None,
    )


def spans_of(table):
    """The whole period, and the last two months."""
    end = table.months[-1].end
    return [(table.months[0].start, end), (table.months[-2:][0].start, end)]


def require_results_hidden(counts):
    """Hold what is told of the results of alerts against an outsider who knows every alert."""
    table = make(counts, known=True)
    told = hide(table, spans_of(table), {}).told
    truth, size = sums_of(table, told)
    outsider = Outsider(table.measures, table.places, table.months)
    outsider.knows_alerts = True
    learn_told(outsider, told, least_of(told, truth))
    outsider.learn_alerts(size)
    require_hidden(outsider, told, truth)


@settings(max_examples=40, deadline=None)
@given(tables(4))
def test_of_results_nothing_can_be_computed_back_beside_the_number_of_alerts(counts):
    require_results_hidden(counts)


@pytest.mark.parametrize("each", [1, 2, 4, 5])
@pytest.mark.parametrize("months", [1, 2, 4])
def test_results_that_leave_each_other_no_room_are_not_given(each, months):
    """Where all results are as frequent, "fewer than 5" can leave a group one possible value."""
    require_results_hidden(np.full((4, 2, months), each))


def require_releases_together_hidden(counts):
    """Hold what all releases of a growing table tell together against the rule."""
    whole = make(counts, known=False)
    outsider = Outsider(whole.measures, whole.places, whole.months)
    said, told = {}, {}
    for months in range(1, counts.shape[2] + 1):
        table = make(counts[:, :, :months], known=False)
        told = hide(table, spans_of(table), said).told
        learn_told(outsider, told, 1)
        for where, one in told.items():
            if where not in said or one.tells_more_than(said[where]):
                said[where] = one
    truth, _ = sums_of(whole, said)
    for where, one in said.items():  # what any of them ever hid
        if one.label == 0:
            continue
        low, high = outsider.range_of(outsider.mask([where[0]], *where[1:]))
        assert low <= truth[where] <= high
        assert high - low >= 3, where
    assert all(one.label for where, one in told.items() if truth[where] in range(1, 5))


@settings(max_examples=40, deadline=None)
@given(tables(1))
@example(np.array([[[4, 0, 1], [2, 1, 4]]]))  # held back after it was told to be fewer than 5
def test_releases_together_give_no_more_away_than_each(counts):
    """Each has a month more than the one before, and other sums of the same months."""
    if counts.shape[2] < 2:
        counts = np.repeat(counts, 2, axis=2)
    require_releases_together_hidden(counts)


@settings(max_examples=15, deadline=None)
@given(tables(4))
def test_the_same_counts_after_a_release_are_hidden_alike(counts):
    table = make(counts, known=True)
    first = hide(table, spans_of(table), {}).told
    assert hide(table, spans_of(table), first).told == first


def test_the_audit_finds_a_total_that_gives_a_count_away():
    counts = np.array([[[3, 9], [6, 7], [0, 0]]])
    table = make(counts, known=False)
    hidden = hide(table, spans_of(table), {})
    assert hidden.audit(hidden.told) == ()
    held = [where for where, one in hidden.told.items() if one.label == HELD]
    truth, _ = sums_of(table, hidden.told)
    worse = {where: CountDisclosure(label=0, value=truth[where]) for where in held}
    faults = hidden.audit({**hidden.told, **worse})
    assert any("narrowed to 3 to 3" in fault for fault in faults)


# -- a whole release ------------------------------------------------------------------------------


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def statements(folder):
    """Everything that a release says of sensitive counts, in whatever table, and all alerts."""
    told, alerts = {}, {}
    for name in ("data/measures.csv", "data/measures_monthly.csv"):
        for row in rows_of(folder.read(name)):
            start, end = (dt.date.fromisoformat(row[key]) for key in ("from", "to"))
            where = (row["measure"], row["district"], start, end)
            if row["measure"] in RESULTS:
                given = row["numerator"] or 0
                alerts[where[1:]] = int(float(row["denominator"] or 0))
            elif row["measure"] in COUNTS:
                given = row["value"] or 0
            else:
                continue
            label = WORDS[row["shown"]]
            value = round(float(given)) if label == 0 else None
            assert told.setdefault(where, CountDisclosure(label=label, value=value)).label == label
    return told, alerts


@pytest.fixture
def released(tmp_path, sqlite_database):
    Publisher(tmp_path).bring(sqlite_database)
    root = tmp_path / "releases"

    def make_release(today, approved=True):
        record = draft_release(sqlite_database, root, "town", "ana", today=today)
        if approved:
            approve_release(sqlite_database, root, record.id, "ben")
        return ReleaseFolder(path=root / "town" / record.id)

    return make_release


def truth_of(folder, database):
    """The true counts, from the rows themselves."""
    with database.session() as session:
        from geodata.measures.ledger import MeasureData
        from geodata.repositories.cities import get_city

        ledger = MeasureData(session, get_city(session, "town"), TODAY)
        return ledger.alerts, ledger.counts


@pytest.mark.parametrize("measure", ["results", *COUNTS])
def test_nothing_hidden_follows_from_all_tables_of_a_release(released, sqlite_database, measure):
    folder = released(TODAY)
    told, alerts = statements(folder)
    measures = RESULTS if measure == "results" else (measure,)
    mine = {where: one for where, one in told.items() if where[0] in measures}
    assert any(one.label for one in mine.values())
    rows, totals = truth_of(folder, sqlite_database)
    truth = {where: true_count(rows, totals, *where) for where in mine}
    months = sorted({w[2:] for w in mine if w[3] - w[2] <= dt.timedelta(days=31)})
    months = [Scope(start=start, end=end) for start, end in months]
    outsider = Outsider(measures, ["D1", "D2", "(outside)"], months)
    outsider.knows_alerts = measure == "results"
    learn_told(outsider, mine, least_of(mine, truth))
    if measure == "results":
        outsider.learn_alerts(alerts)
    require_hidden(outsider, mine, truth)


def true_count(rows, totals, measure, place, start, end):
    day = rows["day"].dt.date
    mine = rows[(day >= start) & (day < end) & (rows["district"].eq(place) | (place == ""))]
    if measure in RESULTS:
        word = measure.partition(".")[2].replace("_", " ")
        return int((mine["disposition"] == word).sum())
    if measure in ("alerts.guns", "alerts.arrests"):
        return int(mine[measure.partition(".")[2]].sum())
    first = totals["day"].dt.date
    own = totals[(first >= start) & (first < end)]
    return int(own.loc[own["district"].eq(place) | (place == ""), "value"].sum())


def test_what_an_earlier_release_showed_is_remembered(released):
    early = released(dt.date(2024, 5, 10))
    late = released(TODAY)
    before, after = statements(early)[0], statements(late)[0]
    same = before.keys() & after.keys()
    assert len(same) > 20
    for where in same:  # the rows have not changed, so neither does what was said
        if before[where].label:
            assert after[where].label, where
        else:
            assert after[where] == before[where]
    assert said_before([late, early]).keys() >= before.keys()


def test_counts_that_do_not_add_up_refuse_the_release(tmp_path, sqlite_database):
    town = Publisher(tmp_path, alerts=5)
    town.totals.append(("dirtbike.injury_crashes", "2024-03-01", "2024-04-01", "D1", 1.5))
    town.bring(sqlite_database)
    with pytest.raises(ReleaseError, match="no whole numbers"):
        draft_release(sqlite_database, tmp_path / "r", "town", "ana", today=TODAY)
