"""Numbers and names in plain words; the only place that writes them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pyproj import CRS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ONE_DAY = dt.timedelta(days=1)

FOOT_M = 0.3048
ACRE_M2 = 4046.8564224
HECTARE_M2 = 10_000.0
CLASSES = (
    "At or below the average",
    "Above the average",
    "High: more than 1 standard deviation above it",
    "Highest: more than 2 standard deviations above it",
)
FAMILIES = {
    "poisson": "Poisson",
    "nb1": "negative binomial, variance linear in the mean (NB1)",
    "nb2": "negative binomial, variance quadratic in the mean (NB2)",
}


class Units:
    """Lengths and areas of one city, in the units its people use."""

    def __init__(self, crs: str) -> None:
        self.metres = float(CRS.from_user_input(crs).axis_info[0].unit_conversion_factor)
        self.feet = abs(self.metres - FOOT_M) < 1e-4

    def length(self, units: float) -> str:
        """Write a length given in units of the reference system."""
        return f"{units:,.0f} {'ft' if self.feet else 'm'}"

    def area(self, square_units: float) -> str:
        """Write an area given in square units of the reference system."""
        square_metres = square_units * self.metres**2
        if self.feet:
            return f"{square_metres / ACRE_M2:,.0f} acres"
        return f"{square_metres / HECTARE_M2:,.0f} hectares"


def plain(name: str) -> str:
    """Write a factor or outcome as people do.

    >>> plain("liquor_stores")
    'liquor stores'
    """
    return name.replace("_", " ").strip()


def where(factor: Mapping[str, Any], units: Units) -> str:
    """Tell where a factor acts."""
    reach = units.length(factor["distance"])
    if factor["operation"] == "proximity":
        return f"within {reach} of {plain(factor['name'])}"
    return f"where {plain(factor['name'])} gather closely (within {reach})"


def brief(factor: Mapping[str, Any], units: Units) -> str:
    """Name a factor with its operation and reach, for a label."""
    reach = units.length(factor["distance"])
    how = "near" if factor["operation"] == "proximity" else "dense"
    return f"{plain(factor['name'])}, {how} ({reach})"


def band(bands: Sequence[Mapping[str, Any]], units: Units) -> str:
    """Tell the band of a factor that was chosen most often."""
    if not bands:
        return "never chosen"
    first = bands[0]
    how = "near" if first["operation"] == "proximity" else "dense"
    return f"{how}, {units.length(first['distance'])} ({share(first['share'])})"


def sentence(text: str) -> str:
    """Write a note as a sentence.

    >>> sentence("the level is low")
    'The level is low.'
    """
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def listed(names: Sequence[str]) -> str:
    """Name things in a row.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def times(rrv: float) -> str:
    """Tell a relative risk value.

    >>> times(2.774)
    '2.8 times as frequent'
    """
    return f"{rrv:.1f} times as frequent"


def share(value: float) -> str:
    """Write a share as a percentage with as many decimals as it needs.

    >>> share(0.0274), share(0.31), share(0.0004)
    ('2.7 %', '31 %', 'less than 0.1 %')
    """
    if 0 < value < 0.001:
        return "less than 0.1 %"
    return f"{value * 100:.1f} %" if value < 0.1 else f"{value * 100:.0f} %"


def amount(value: float | None, unit: str) -> str:
    """Write a figure in its unit, as briefly as it can be read.

    >>> [amount(v, u) for v, u in ((0.9123, "share"), (57.04, "seconds"), (1447.0, "events"))]
    ['91.2 %', '57.0', '1,447']
    >>> amount(None, "guns")
    'no data'
    """
    if value is None:
        return "no data"
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:,.1f}" if unit in FRACTIONAL and abs(value) < 1000 else f"{value:,.0f}"


def between(low: float | None, high: float | None, unit: str) -> str:
    """Write an interval; nothing where there is none."""
    if low is None or high is None:
        return ""
    first, last = amount(low, unit), amount(high, unit)
    return f"{first.removesuffix(' %') if unit == 'share' else first} to {last}"


FRACTIONAL = ("seconds", "minutes", "per 100 events", "times chance")
SCORES = {
    "combined": "Combined risk",
    "rtm": "Risk terrain alone",
    "prior": "Prior counts",
    "kde": "Kernel density",
    "forest": "Random forest",
}
LIMITS = (
    "On small shares of an area the environment alone does not place later incidents better than "
    "last period's counts do; that is why zones follow environment and history together. Whether "
    "they did better is measured on later incidents only.",
    "Reported incidents are not all incidents, and addresses can be wrong.",
    "A factor that goes with incidents need not cause them. Layers may be incomplete or of another "
    "year.",
    "The intervals of the factor table do not account for the choice of factors and are too "
    "narrow; those of the bootstrap do, but are too narrow as well where something is at work that "
    "no layer describes.",
    "A zone is a place. It is no reason to suspect, stop or search anyone.",
)
SURFACES = {"rtm": "the risk terrain", "screened": "the wider environment"}


def component(part: Mapping[str, Any], units: Units) -> str:
    """Tell a component of the combined risk."""
    if part["kind"] == "base":
        return "the level common to all cells"
    place = SURFACES.get(part["environment"], "")
    if part["kind"] == "environment":
        return place
    past = f"incidents around, within about {units.length(2 * part['bandwidth_units'])}"
    return f"{past}, where {place} is high" if place else past


def extent(part: float) -> str:
    """Tell how much of a zone a factor reaches.

    >>> extent(1.0), extent(0.4)
    ('all of this zone', '40 % of this zone')
    """
    return "all of this zone" if part > 0.995 else f"{share(part)} of this zone"


def day(date: dt.date) -> str:
    """Write a day without a doubt about its month.

    >>> import datetime as dt
    >>> day(dt.date(2023, 1, 5))
    'January 5, 2023'
    """
    return f"{date:%B} {date.day}, {date.year}"


def about(number: float) -> str:
    """Write an expected count: one decimal below ten, none above."""
    return f"{number:.1f}" if number < 10 else f"{number:,.0f}"


def last_day(end: dt.date) -> str:
    """Write the last day of a half-open period.

    >>> import datetime as dt
    >>> last_day(dt.date(2024, 1, 1))
    'December 31, 2023'
    """
    return day(end - ONE_DAY)
