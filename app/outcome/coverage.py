"""How often intervals of evaluations held the truth where it was known, as measured.

The figures are what ``python -m benchmarks.bench_outcome 200`` printed on the day named: 200
generated cities in each of 16 settings, with no effect and with a true drop of a fifth, one of the
hottest blocks treated, control areas chosen by the engine. ``docs/evaluation.md`` has all rows. Run
it again and change both when the estimates, or the way control areas are chosen, change.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app import words

CITIES, SETTINGS = 200, 16
MEASURED_ON = dt.date(2026, 11, 25)
COMMAND = "python -m benchmarks.bench_outcome 200"
POWER_CITIES, POWER_MEASURED_ON = 120, dt.date(2026, 11, 30)
POWER_COMMAND = "python -m benchmarks.bench_power"
# Lowest and highest share, over six settings each, of years after in which the drop that is said to
# be found half of the time was called, as POWER_COMMAND printed it: trends smooth over the city, or
# also local.
FOUND_SMOOTH, FOUND_LOCAL = (0.39, 0.47), (0.26, 0.39)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Lowest and highest share of cities, over the settings, whose interval held the truth.

    ``plain`` is of the interval as the formula gives it, ``widened`` of the one that the words go
    by, ``synthetic`` of the widened one around the synthetic control; all say 95 %.
    """

    plain: tuple[float, float]
    widened: tuple[float, float]
    synthetic: tuple[float, float]


SMOOTH = Coverage(plain=(0.785, 0.950), widened=(0.845, 0.965), synthetic=(0.675, 0.940))
LOCAL = Coverage(plain=(0.620, 0.785), widened=(0.715, 0.805), synthetic=(0.455, 0.740))


def range_of(shares: tuple[float, float]) -> str:
    """Write two shares in whole percent.

    >>> range_of((0.845, 0.965))
    '84 to 96 %'
    """
    low, high = (words.percent(value, 0) for value in shares)
    return words.interval(low.removesuffix(" %"), high)


def coverage_words() -> list[str]:
    """Tell how often intervals that say 95 % held the truth."""
    return [
        f"In {CITIES} generated cities in each of {SETTINGS} settings, intervals that say 95 % and "
        f"are widened as here held the true effect in {range_of(SMOOTH.widened)} of the cities "
        f"where trends were smooth over the city, and in {range_of(LOCAL.widened)} where they were "
        "local",
        f"As the formula alone gives them they held it in {range_of(SMOOTH.plain)} and in "
        f"{range_of(LOCAL.plain)}; those of the synthetic control, widened, in "
        f"{range_of(SMOOTH.synthetic)} and in {range_of(LOCAL.synthetic)}",
        found_words(),
        "Nobody knows which of the two a real city is; take the lower figures",
    ]


def found_words() -> str:
    """Tell how often a drop said to be found half of the time was called where it was made."""
    return (
        f"In {POWER_CITIES} generated cities in each of 12 settings, a drop that is said to be "
        f"found half of the time was called in {range_of(FOUND_SMOOTH)} of cases where trends were "
        f"smooth over the city, and in {range_of(FOUND_LOCAL)} where they were local"
    )
