"""The rule by which a change is called one: what every control area shows, and not chance alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FEWER, NEITHER, MORE = -1, 0, 1


def side(low: float, high: float) -> int:
    """Return on which side of no difference a whole interval lies, if on one."""
    if high < 0:
        return FEWER
    return MORE if low > 0 else NEITHER


def call(intervals: Iterable[tuple[float, float]]) -> int:
    """Return what is called: the side on which the intervals against all control areas lie.

    One test of the difference to the mean of the control areas would call more. At the same share
    of false calls it finds hardly more (``python -m benchmarks.bench_power``), and that share then
    depends on how unlike the trends of places are, which nobody knows.

    Parameters
    ----------
    intervals
        Lower and upper end of the widened interval against each control area.

    Examples
    --------
    >>> call([(-9.0, -1.0), (-12.0, -2.0)]), call([(-9.0, -1.0), (-12.0, 2.0)]), call([])
    (-1, 0, 0)
    """
    sides = {side(low, high) for low, high in intervals}
    return sides.pop() if len(sides) == 1 else NEITHER
