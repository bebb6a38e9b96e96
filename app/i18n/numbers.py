"""Numbers and names in plain words, in the language of the answer; the only place that writes them.

Outside of an answer (reports, commands, files) that is English.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from flask_babel import gettext as _
from pyproj import CRS

from app.i18n.language import N_, locale, translated
from app.i18n.titles import chosen_units, title
from spatial.zones.name_words import FOOT_M, MILE_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geodata.analysis_documents import ChosenBand
    from geodata.run_document import DistrictEffect
    from spatial.combined import Component
    from spatial.terrain.factors import ModelColumn

ONE_DAY = dt.timedelta(days=1)

COUNTRY = "United States"  # its reference systems are named after it, and those of its states too
ACRE_M2 = 4046.8564224
HECTARE_M2 = 10_000.0
CLASSES = (
    N_("At or below the average"),
    N_("Above the average"),
    N_("High: more than 1 standard deviation above it"),
    N_("Highest: more than 2 standard deviations above it"),
)
FAMILIES = {
    "poisson": "Poisson",
    "nb1": N_("negative binomial, variance linear in the mean (NB1)"),
    "nb2": N_("negative binomial, variance quadratic in the mean (NB2)"),
}
# Names that city files often give to factors and outcomes; any other stays as the file has it.
KNOWN = (
    N_("bars"),
    N_("bar"),
    N_("night clubs"),
    N_("night club"),
    N_("restaurants"),
    N_("restaurant"),
    N_("liquor stores"),
    N_("liquor store"),
    N_("convenience stores"),
    N_("convenience store"),
    N_("convenience fuel"),
    N_("gas stations"),
    N_("gas station"),
    N_("groceries"),
    N_("grocery stores"),
    N_("food stands"),
    N_("fast food"),
    N_("pharmacies"),
    N_("pharmacy"),
    N_("banks"),
    N_("banks atms"),
    N_("lodging"),
    N_("hotels"),
    N_("hotel"),
    N_("pawn shops"),
    N_("laundromats"),
    N_("barber shops"),
    N_("parking lots"),
    N_("schools"),
    N_("school buildings"),
    N_("child care"),
    N_("residential care"),
    N_("parks"),
    N_("trails"),
    N_("bus stops"),
    N_("transit stops"),
    N_("rail stations"),
    N_("rail stops"),
    N_("railroads"),
    N_("vacant homes"),
    N_("vacant lots"),
    N_("vacant buildings"),
    N_("vacant properties"),
    N_("foreclosures"),
    N_("public housing"),
    N_("homeless shelters"),
    N_("shootings"),
    N_("shooting"),
    N_("robberies"),
    N_("robbery"),
    N_("burglaries"),
    N_("burglary"),
    N_("assaults"),
    N_("assault"),
    N_("homicides"),
    N_("thefts"),
    N_("dirt bike"),
    N_("ATV"),
    N_("moped"),
    N_("motorcycle"),
    N_("other"),
)


def number(value: float, decimals: int = 0) -> str:
    """Write a number with its thousands apart and so many decimals.

    >>> number(1447), number(0.5, 2), number(-0.125, 2)
    ('1,447', '0.50', '-0.12')
    """
    pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
    return format_decimal(round(float(value), decimals), format=pattern, locale=locale())


def percent(value: float, decimals: int = 0) -> str:
    """Write a share as a percentage.

    >>> percent(0.9123, 1)
    '91.2 %'
    """
    return f"{number(100 * value, decimals)} %"


@lru_cache(maxsize=64)
def _system(crs: str) -> tuple[float, str]:
    """Return how many meters the unit of a reference system has, and what its country uses."""
    known = CRS.from_user_input(crs)
    metres = float(known.axis_info[0].unit_conversion_factor)
    feet = abs(metres - FOOT_M) < 1e-4
    place = known.area_of_use.name if known.area_of_use else ""
    return metres, "us" if feet or place.startswith(COUNTRY) else "metric"


class Units:
    """Lengths and areas of one city, in the units its people use.

    ``metres`` is the unit of the reference system in meters; ``feet`` whether that is a foot;
    ``us`` whether lengths are written in feet and miles and areas in acres: as the city's file
    says, else as its country does. ``system`` goes before what the answer is about.
    """

    def __init__(self, crs: str, system: str = "") -> None:
        self.metres, usual = _system(crs)
        self.feet = abs(self.metres - FOOT_M) < 1e-4
        self.system = system or chosen_units() or usual
        self.us = self.system == "us"

    def length(self, units: float) -> str:
        """Write a length given in units of the reference system.

        >>> Units("EPSG:32617", "us").length(200), Units("EPSG:2264").length(1200)
        ('660 ft', '1,200 ft')
        >>> Units("EPSG:2264", "metric").length(1000), Units("EPSG:26985").length(2000)
        ('305 m', '1.2 mi')
        """
        metres = units * self.metres
        if not self.us:
            return f"{number(metres if self.feet else units)} m"
        feet = units if self.feet else max(1, round(metres / FOOT_M / 10)) * 10
        if feet >= MILE_M / FOOT_M:
            return _("%(length)s mi", length=number(metres / MILE_M, 1))
        return _("%(length)s ft", length=number(feet))

    def area(self, square_units: float) -> str:
        """Write an area given in square units of the reference system."""
        square_metres = square_units * self.metres**2
        if self.us:
            return _("%(area)s acres", area=number(square_metres / ACRE_M2))
        return _("%(area)s hectares", area=number(square_metres / HECTARE_M2))


def plain(name: str) -> str:
    """Write a factor or outcome as people do.

    >>> plain("liquor_stores")
    'liquor stores'
    """
    return translated(title(name))


def where(factor: ModelColumn, units: Units) -> str:
    """Tell where a factor acts."""
    reach, name = units.length(factor.distance), plain(factor.name)
    if factor.operation == "proximity":
        return _("within %(reach)s of %(factor)s", reach=reach, factor=name)
    return _("where %(factor)s gather closely (within %(reach)s)", reach=reach, factor=name)


def brief(factor: ModelColumn | DistrictEffect, units: Units) -> str:
    """Name a factor with its operation and reach, for a label."""
    return f"{plain(factor.name)}, {_how(factor.operation)} ({units.length(factor.distance)})"


def _how(operation: str) -> str:
    return _("near") if operation == "proximity" else _("dense")


def band(bands: Sequence[ChosenBand], units: Units) -> str:
    """Tell the band of a factor that was chosen most often."""
    if not bands:
        return _("never chosen")
    first = bands[0]
    return f"{_how(first.operation)}, {units.length(first.distance)} ({share(first.share)})"


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
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def times(rrv: float) -> str:
    """Tell a relative risk value.

    >>> times(2.774)
    '2.8 times as frequent'
    """
    return _("%(rrv)s times as frequent", rrv=number(rrv, 1))


def share(value: float) -> str:
    """Write a share as a percentage with as many decimals as it needs.

    >>> share(0.0274), share(0.31), share(0.0004)
    ('2.7 %', '31 %', 'less than 0.1 %')
    """
    if 0 < value < 0.001:
        return _("less than %(share)s", share=percent(0.001, 1))
    return percent(value, 1 if value < 0.1 else 0)


def amount(value: float | None, unit: str) -> str:
    """Write a figure in its unit, as briefly as it can be read.

    >>> [amount(v, u) for v, u in ((0.9123, "share"), (57.04, "seconds"), (1447.0, "events"))]
    ['91.2 %', '57.0', '1,447']
    >>> amount(None, "guns")
    'no data'
    """
    if value is None:
        return _("no data")
    if unit == "share":
        return percent(value, 1)
    return number(value, 1 if unit in FRACTIONAL and abs(value) < 1000 else 0)


def between(low: float | None, high: float | None, unit: str) -> str:
    """Write an interval; nothing where there is none."""
    if low is None or high is None:
        return ""
    first, last = amount(low, unit), amount(high, unit)
    return interval(first.removesuffix(" %") if unit == "share" else first, last)


def interval(low: str, high: str) -> str:
    """Write the two ends of an interval.

    >>> interval("1.2", "3.4")
    '1.2 to 3.4'
    """
    return _("%(low)s to %(high)s", low=low, high=high)


FRACTIONAL = ("seconds", "minutes", "per 100 events", "times chance")
SCORES = {
    "combined": N_("Combined risk"),
    "rtm": N_("Risk terrain alone"),
    "prior": N_("Prior counts"),
    "kde": N_("Kernel density"),
    "forest": N_("Random forest"),
}
LIMITS = (
    N_(
        "On small shares of an area the environment alone does not place later incidents better "
        "than last period's counts do; that is why zones follow environment and history together. "
        "Whether they did better is measured on later incidents only."
    ),
    N_("Reported incidents are not all incidents, and addresses can be wrong."),
    N_(
        "A factor that goes with incidents need not cause them. Layers may be incomplete or of "
        "another year."
    ),
    N_(
        "The intervals of the factor table do not account for the choice of factors and are too "
        "narrow; those of the bootstrap do, but are too narrow as well where something is at work "
        "that no layer describes."
    ),
    N_("A zone is a place. It is no reason to suspect, stop or search anyone."),
)
SURFACES = {"rtm": N_("the risk terrain"), "screened": N_("the wider environment")}


def component(part: Component, units: Units) -> str:
    """Tell a component of the combined risk."""
    if part.kind == "base":
        return _("the level common to all cells")
    place = translated(SURFACES.get(part.environment or "", ""))
    if part.kind == "environment":
        return place
    reach = units.length(2 * (part.bandwidth_units or 0.0))
    if not place:
        return _("incidents around, within about %(reach)s", reach=reach)
    return _(
        "incidents around, within about %(reach)s, where %(surface)s is high",
        reach=reach,
        surface=place,
    )


def extent(part: float) -> str:
    """Tell how much of a zone a factor reaches.

    >>> extent(1.0), extent(0.4)
    ('all of this zone', '40 % of this zone')
    """
    return _("all of this zone") if part > 0.995 else _("%(share)s of this zone", share=share(part))


def day(date: dt.date) -> str:
    """Write a day without a doubt about its month.

    >>> import datetime as dt
    >>> day(dt.date(2023, 1, 5))
    'January 5, 2023'
    """
    return format_date(date, "long", locale=locale())


def month(date: dt.date) -> str:
    """Write a month.

    >>> import datetime as dt
    >>> month(dt.date(2023, 1, 5))
    'January 2023'
    """
    return format_skeleton("yMMMM", date, locale=locale())


def dated(date: dt.date, skeleton: str) -> str:
    """Write parts of a date, as a skeleton of Unicode's names them.

    >>> import datetime as dt
    >>> dated(dt.date(2023, 1, 5), "MMMMd"), dated(dt.date(2023, 1, 5), "yMMM")
    ('January 5', 'Jan 2023')
    """
    return format_skeleton(skeleton, date, locale=locale())


def weekday(date: dt.date) -> str:
    """Write the day of the week.

    >>> import datetime as dt
    >>> weekday(dt.date(2023, 1, 5))
    'Thursday'
    """
    return format_date(date, "EEEE", locale=locale())


def period(first: str, last: str) -> str:
    """Write a period from its first and last day.

    >>> period("January 1", "January 5, 2023")
    'January 1 to January 5, 2023'
    """
    return _("%(first)s to %(last)s", first=first, last=last)


def about(expected: float) -> str:
    """Write an expected count: one decimal below ten, none above."""
    return number(expected, 1 if expected < 10 else 0)


def last_day(end: dt.date) -> str:
    """Write the last day of a half-open period.

    >>> import datetime as dt
    >>> last_day(dt.date(2024, 1, 1))
    'December 31, 2023'
    """
    return day(end - ONE_DAY)
