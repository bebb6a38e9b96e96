"""A sentence for each case: rise, fall, tie, few, none, missing, another coverage, held back."""

import datetime as dt

import numpy as np
import pytest
from flask_babel import force_locale

from app.i18n.titles import use_titles
from app.public.headlines import headline_of
from app.public.released_figures import PART, SMALL, MeasureDetail, PublicValue
from geodata.measures.outcomes import measures_of
from geodata.measures.record import Figure, MeasureValue
from spatial.intervals import dispersion_of_pairs, ratio_of_counts
from spatial.measures.scopes import Scope

YEAR = Scope(start=dt.date(2025, 1, 1), end=dt.date(2026, 1, 1))
ROBBERY = measures_of(["robbery"], {})[0]
CHANCE = "Chance alone could make this difference, so no rise or fall is claimed."
SELDOM = "Chance alone would seldom make such a difference."
DAYS = "January 1 to December 31, 2025"


@pytest.fixture(autouse=True)
def titles():
    """The town calls its outcome otherwise than its name."""
    use_titles({"robbery": "street robbery"})
    yield
    use_titles({})


def counted(now, before=None, withheld="", scope=YEAR):
    value = MeasureValue(
        measure=ROBBERY,
        scope=scope,
        figure=Figure(value=now, n=None, year_before=before),
        target=None,
        target_source="",
        status=None,
        data_through=None,
        computed_at=dt.datetime(2026, 1, 8),
    )
    return PublicValue(value=value, withheld=withheld)


def detail(now, before=None, withheld="", months=()):
    found = MeasureDetail(
        value=counted(now, before, withheld),
        by="month",
        span=None,
        cut=False,
        series=tuple(counted(*pair) for pair in months),
        districts=(),
        year=None,
        kinds=(),
    )
    return headline_of(found)


CASES = {
    "rise": ((412.0, 349.0), f"412 from {DAYS}, 18 % more than", f"{SELDOM} The rise may be"),
    "fall": ((300.0, 400.0), f"300 from {DAYS}, 25 % fewer", f"{SELDOM} The fall may be"),
    "tie": ((58.0, 60.0), f"58 from {DAYS}; 60 in the same days", CHANCE),
    "few": ((5.0, 4.0), f"5 from {DAYS}; 4 in the same", "These are too few to tell"),
    "none now": ((0.0, 30.0), f"0 from {DAYS}, 100 % fewer", SELDOM),
    "none before": ((30.0, 0.0), f"30 from {DAYS}; none in the same days", SELDOM),
    "another coverage": ((30.0,), f"30 from {DAYS}.", ""),
    "small": ((None, None, SMALL), f"Fewer than 5 from {DAYS}.", ""),
    "held back": ((None, None, PART), f"Not told for {DAYS}.", "a small count away"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_case_has_its_sentence(case):
    said, sentence, how_sure = CASES[case]
    found = detail(*said)
    assert found.title == "Street robbery"
    assert found.sentence.startswith(sentence)
    assert how_sure in found.how_sure
    assert bool(how_sure) == bool(found.how_sure)
    assert found.compared == (case != "another coverage")


def test_nothing_is_said_of_rows_that_a_release_does_not_have():
    assert detail(None) is None


def test_no_direction_is_told_where_the_interval_holds_none():
    for now in range(40, 160):
        low, high = ratio_of_counts(now, 90)
        found = detail(float(now), 90.0)
        assert ("more" in found.sentence, "fewer" in found.sentence) == (low > 1, high < 1)


def test_the_size_of_a_change_is_told_from_its_lesser_end_to_its_greater():
    fall = detail(300.0, 400.0).how_sure
    low, high = ratio_of_counts(300, 400)
    assert f"from {100 * (1 - high):.0f} % to {100 * (1 - low):.0f} %" in fall
    rise = detail(412.0, 349.0).how_sure
    low, high = ratio_of_counts(412, 349)
    assert f"from {100 * (low - 1):.0f} % to {100 * (high - 1):.0f} %" in rise


def test_months_that_scatter_more_than_chance_widen_the_interval():
    """A rise that is all one month's series is no rise that can be claimed."""
    even = [(34.0, 29.0)] * 12
    series = [(29.0, 29.0)] * 11 + [(89.0, 29.0)]
    assert "more" in detail(408.0, 348.0, months=even).sentence
    assert detail(408.0, 348.0, months=series).how_sure == CHANCE
    now, before = np.array(series).T
    assert dispersion_of_pairs(now, before) > 2


def test_the_interval_covers_a_ratio_as_often_as_it_says():
    rng = np.random.default_rng(3)
    now, before = rng.poisson(45, 4000), rng.poisson(30, 4000)
    ends = [ratio_of_counts(a, b) for a, b in zip(now, before, strict=True)]
    covered = np.mean([low <= 1.5 <= high for low, high in ends])
    assert covered >= 0.95  # the exact interval errs to the safe side
    assert np.mean([low > 1.0 for low, _ in ends]) > 0.3  # and it is no interval that says nothing


def test_a_spanish_reader_reads_spanish(published):
    with published.app.test_request_context(), force_locale("es"):
        found = detail(58.0, 60.0)
    assert "chance" not in found.how_sure.lower()
    assert "azar" in found.how_sure
