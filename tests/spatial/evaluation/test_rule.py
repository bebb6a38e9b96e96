import pytest

from spatial.evaluation.design import FEWER, MORE, NEITHER, call, side


@pytest.mark.parametrize(
    ("interval", "told"),
    [((-5, -1), FEWER), ((1, 5), MORE), ((-1, 5), NEITHER), ((-5, 0), NEITHER), ((0, 5), NEITHER)],
)
def test_a_side_is_where_the_whole_interval_lies(interval, told):
    assert side(*interval) == told


def test_all_intervals_must_lie_on_one_side():
    assert call([(-5, -1), (-9, -2)]) == FEWER
    assert call([(1, 5), (2, 9)]) == MORE
    assert call([(-5, -1), (-9, 2)]) == NEITHER
    assert call([(-5, -1), (1, 2)]) == NEITHER
    assert call([(-5, 1), (-3, 2)]) == NEITHER
    assert call([]) == NEITHER
