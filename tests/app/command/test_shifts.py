from types import SimpleNamespace

import pytest

from app.command.shifts import SOON_MS, plan_at

HOUR = 3_600_000


def shift(begins, ends):
    return SimpleNamespace(shift_start_ms=begins * HOUR, shift_end_ms=ends * HOUR)


EVENING, NIGHT, MORNING = shift(18, 26), shift(22, 30), shift(30, 38)


@pytest.mark.parametrize(
    ("hour", "plan"),
    [
        (15.9, None),  # more than two hours before
        (16, EVENING),
        (18, EVENING),
        (22, NIGHT),  # both are on: the last to begin
        (29.9, NIGHT),
        (30, MORNING),
        (38, None),
    ],
)
def test_the_plan_of_a_moment(hour, plan):
    assert plan_at([EVENING, NIGHT, MORNING], hour * HOUR, SOON_MS) is plan
