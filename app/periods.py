"""Which days a page is about: from the strings of an address to a scope of whole days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app import forms
from app.language import N_
from geodata.measures.record import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.site import Shown

PRESETS = {"year": N_("Last 12 months"), "ytd": N_("This year"), "all": N_("All days")}
DAY = dt.timedelta(days=1)
LAST_YEAR = 9998  # the days after a period must be dates too


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The scope of a page, and the preset that it came from, if it came from one."""

    scope: Scope
    preset: str | None


def choose(args: Mapping[str, str], shown: Shown, default: str = "year") -> Period:
    """Choose a period: ``from`` with ``through`` or ``to``, else a preset, else the default one.

    ``through`` is the last day of the period, ``to`` the day after it.

    Raises
    ------
    AddressError
        If a field cannot be read, two contradict each other or the period is empty.
    """
    district = forms.choice(args, "district", list(shown.city.districts["code"]))
    preset = forms.choice(args, "period", PRESETS)
    start, through, end = (forms.day(args, name) for name in ("from", "through", "to"))
    if through is not None and end is not None:
        msg = _("through and to both name the end of the period; give one of them")
        raise forms.AddressError(msg)
    for one in (start, through, end):
        if one is not None and one.year > LAST_YEAR:
            msg = _(
                "the day %(day)s is too far in the future; give one before the year 9999", day=one
            )
            raise forms.AddressError(msg)
    if through is not None:
        end = through + DAY
    if start is None and end is None:
        preset = preset or default
        first, last = PRESET_DAYS[preset](shown)
        return Period(scope=Scope(start=first, end=last, district=district), preset=preset)
    first, last = _all(shown)
    first, last = start or min(first, (end or last) - DAY), end or max(last, (start or first) + DAY)
    if first >= last:
        msg = _(
            "the period from %(first)s through %(last)s is empty; it must end after it starts",
            first=first,
            last=last - DAY,
        )
        raise forms.AddressError(msg)
    return Period(scope=Scope(start=first, end=last, district=district), preset=None)


def last_year(shown: Shown) -> Scope:
    """Give the last twelve months that are over, of the whole city."""
    first, last = _year(shown)
    return Scope(start=first, end=last)


def _all(shown: Shown) -> tuple[dt.date, dt.date]:
    """Give every day from the first that the city has rows of to today, as the command does."""
    today = shown.city.this_day()
    last = max(shown.data_through or today, today)
    first = min((first for first, _ in shown.extents.values()), default=last)
    return first, last + DAY


def _year(shown: Shown) -> tuple[dt.date, dt.date]:
    """Give the last twelve months that are over, of those that the city has rows of."""
    first, last = _all(shown)
    through = shown.data_through or last
    end = (through + DAY).replace(day=1)
    if end <= first:
        return first, last
    return max(first, end.replace(year=end.year - 1)), end


def _this_year(shown: Shown) -> tuple[dt.date, dt.date]:
    """Give the days of the year in which the data end."""
    first, _ = _all(shown)
    through = shown.data_through or shown.city.this_day()
    return max(first, dt.date(through.year, 1, 1)), through + DAY


PRESET_DAYS = {"year": _year, "ytd": _this_year, "all": _all}
