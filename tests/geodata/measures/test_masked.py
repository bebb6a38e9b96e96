import datetime as dt
import itertools

import numpy as np
import pytest
from gunfire_town import GunfireTown

from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.measures.ledger import Ledger
from geodata.measures.masked import DISPOSED, MONTHS_ONLY, NONE, PART, SMALL, Masks
from geodata.measures.record import Scope
from geodata.measures.registry import MEASURES
from geodata.repositories.cities import get_city

TODAY = dt.date(2026, 3, 3)
GUNS, CONFIRMED = MEASURES["alerts.guns"], MEASURES["alerts.confirmed"]


def days(start, end, district=None):
    return Scope(
        start=dt.date.fromisoformat(start), end=dt.date.fromisoformat(end), district=district
    )


YEAR = days("2025-01-01", "2026-01-01")


@pytest.fixture
def ledger_of(sqlite_database, tmp_path):
    """Import the town, its alerts changed by a function, and open its ledger."""
    opened = []

    def open_ledger(today=TODAY, **numbers):
        town = GunfireTown(tmp_path, today="2026-12-31", **numbers)
        import_city(sqlite_database, read_city_file(town.path))
        opened.append(sqlite_database.session())
        session = opened[-1].__enter__()
        return Ledger(session, get_city(session, "town"), today)

    yield open_ledger
    for session in opened:
        session.__exit__(None, None, None)


def test_small_months_are_not_told_and_a_year_that_is_over_is(ledger_of):
    ledger, masks = ledger_of(), Masks()
    month = masks.tell(ledger, days("2025-02-01", "2025-03-01"), GUNS)
    assert (month.figure, month.withheld) == (None, SMALL)
    year = masks.tell(ledger, YEAR, GUNS)
    assert (year.figure.value, year.scope) == (24.0, YEAR)
    confirmed = masks.tell(ledger, YEAR, CONFIRMED).figure
    assert (confirmed.numerator, confirmed.denominator) == (24.0, 144.0)
    assert masks.tell(ledger, days("2025-02-01", "2025-08-01"), GUNS).withheld == PART


def test_a_long_period_is_told_by_the_last_year_that_is_over(ledger_of):
    ledger, masks = ledger_of(), Masks()
    for asked in (days("2025-03-01", "2026-03-01"), days("2024-01-01", "2026-03-04")):
        told = masks.tell(ledger, asked, GUNS)
        assert (told.figure.value, told.scope) == (24.0, YEAR)
    short = masks.tell(ledger, days("2025-09-01", "2026-02-01"), GUNS)
    assert short.figure is None


def test_the_year_that_goes_on_has_no_total(ledger_of):
    """Else the next month would be the difference of two totals."""
    ledger = ledger_of(today=dt.date(2025, 11, 15))
    told = Masks().tell(ledger, days("2025-01-01", "2025-11-01"), GUNS)
    assert (told.figure, told.withheld) == (None, PART)


def test_days_that_are_no_whole_months_are_not_told(ledger_of):
    ledger, masks = ledger_of(guns=5), Masks()
    assert masks.tell(ledger, days("2025-06-02", "2025-07-01"), GUNS).withheld == MONTHS_ONLY
    cut = masks.tell(ledger, days("2025-06-01", "2025-08-15"), GUNS)
    assert (cut.figure.value, cut.scope) == (20.0, days("2025-06-01", "2025-08-01"))


def test_a_month_is_told_when_it_is_over(ledger_of):
    month = days("2026-01-01", "2026-02-01")
    early, late = (
        Masks().tell(ledger_of(today=day, guns=5), month, GUNS)
        for day in (dt.date(2026, 1, 31), dt.date(2026, 2, 1))
    )
    assert (early.figure, early.withheld) == (None, MONTHS_ONLY)
    assert late.figure.value == 10.0
    february = days("2026-02-01", "2026-03-01")  # the last alert is of the 27th
    assert Masks().tell(ledger_of(guns=5), february, GUNS).withheld == MONTHS_ONLY


def test_large_months_are_told_and_added_up(ledger_of):
    ledger, masks = ledger_of(guns=5), Masks()
    assert masks.tell(ledger, days("2025-02-01", "2025-03-01"), GUNS).figure.value == 10.0
    assert masks.tell(ledger, days("2025-02-01", "2025-05-01", "D1"), GUNS).figure.value == 30.0
    none = masks.tell(ledger, days("2025-02-01", "2025-05-01", "D2"), GUNS)
    assert none.figure.value == 0.0  # a known zero is shown


def test_rates_and_shares_are_told_as_their_counts_are(ledger_of):
    ledger, masks = ledger_of(), Masks()
    rate = MEASURES["alerts.guns_per_100"]
    assert masks.tell(ledger, days("2025-02-01", "2025-03-01"), rate).withheld == SMALL
    assert masks.tell(ledger, YEAR, rate).figure.numerator == 24.0
    located = MEASURES["alerts.located_25m"]
    assert masks.tell(ledger, days("2025-02-01", "2025-03-01"), located).figure is None


def test_what_rows_do_not_tell_is_not_masked(ledger_of):
    told = Masks().tell(ledger_of(), YEAR, MEASURES["alerts.casings"])
    assert (told.figure, told.withheld) == (None, NONE)


def test_nobody_computes_a_small_count_from_two_periods_or_two_districts(ledger_of):
    """Every pair of periods that differ by months, and the city less a district."""
    rng = np.random.default_rng(4)
    ledger, masks = ledger_of(guns=rng.integers(0, 9, 168)), Masks()
    edges = [dt.date(2025 + i // 12, i % 12 + 1, 1) for i in range(14)]
    for measure in (GUNS, *(MEASURES[identity] for identity in DISPOSED)):
        told = {}
        for (a, start), (b, end) in itertools.combinations(enumerate(edges), 2):
            for district in (None, "D1", "D2"):
                scope = Scope(start=start, end=end, district=district)
                found = masks.tell(ledger, scope, measure)
                if found.figure is not None and found.scope == scope:
                    told[a, b, district] = _count(found.figure)
                    assert told[a, b, district] == _count(measure.compute(ledger, scope))
        assert told, measure.id
        assert not [key for key, count in told.items() if 1 <= count <= 4]
        for (a, b, district), (c, d, other) in itertools.permutations(told, 2):
            if district == other and a == c and d < b:
                assert (told[a, b, district] - told[c, d, other]) not in range(1, 5)
            if district is None and other is not None and (a, b) == (c, d):
                assert (told[a, b, None] - told[c, d, other]) not in range(1, 5)


def _count(figure):
    return (figure.value if figure.numerator is None else figure.numerator) or 0.0
