"""Which days a page is about: from the strings of an address to a scope of whole days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app import forms
from app.i18n.language import N_
from app.maps.shapes import district_label
from geodata.measures import spans
from spatial.measures.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.public.published_city import PublicCityView, RunContext

PRESETS = {"year": N_("Last 12 months"), "ytd": N_("This year"), "all": N_("All days")}
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The scope of a page, and the preset or the month that it is called by."""

    scope: Scope
    named: str


def choose(args: Mapping[str, str], published: PublicCityView, default: str = "year") -> Period:
    """Choose a period: ``from`` with ``through`` or ``to``, else a named one, else the default.

    ``through`` is the last day of the period, ``to`` the day after it. A release tells the
    presets and whole months only.

    Raises
    ------
    AddressError
        If a field cannot be read, two contradict each other, the period is empty or the release
        that is shown does not tell it.
    """
    district = forms.choice(args, "district", list(published.city.districts["code"]))
    named = forms.choice(args, "period", [*PRESETS, *published.months])
    start, end = _days(args)
    if start is None and end is None:
        named = named or default
        first, last = _named_days(published, named)
        return Period(scope=Scope(start=first, end=last, district=district), named=named)
    first, last = _all(published)
    first, last = start or min(first, (end or last) - DAY), end or max(last, (start or first) + DAY)
    if first >= last:
        msg = _(
            "the period from %(first)s through %(last)s is empty; it must end after it starts",
            first=first,
            last=last - DAY,
        )
        raise forms.AddressError(msg)
    scope = Scope(start=first, end=last, district=district)
    return Period(scope=scope, named=_require_told(published, scope))


def _days(args: Mapping[str, str]) -> tuple[dt.date | None, dt.date | None]:
    """Read the first day of a period and the day after its last."""
    start, through, end = (forms.day(args, name) for name in ("from", "through", "to"))
    if through is not None and end is not None:
        msg = _("through and to both name the end of the period; give one of them")
        raise forms.AddressError(msg)
    return start, end if through is None else through + DAY


def _require_told(published: PublicCityView, scope: Scope) -> str:
    """Name the period or the month that some days are, as a release tells no other ones.

    Raises
    ------
    AddressError
        If they are neither.
    """
    days = (scope.start, scope.end)
    for named in (*PRESETS, *published.months):
        if _named_days(published, named) == days:
            return named
    msg = _(
        "the release has no figures for %(first)s through %(last)s; choose a period (%(periods)s) "
        "or a whole month, such as period=%(month)s",
        first=scope.start,
        last=scope.end - DAY,
        periods=", ".join(PRESETS),
        month=f"{scope.start:%Y-%m}",
    )
    raise forms.AddressError(msg)


def _named_days(published: PublicCityView, named: str) -> tuple[dt.date, dt.date]:
    if named in published.periods:
        return published.periods[named]
    if named in PRESET_DAYS:
        return PRESET_DAYS[named](published)
    first = dt.date.fromisoformat(f"{named}-01")
    if not published.periods:
        return first, _after(first)
    start, end = published.periods["all"]
    return max(first, start), min(_after(first), end)


def _after(first: dt.date) -> dt.date:
    """Return the first day of the month after."""
    return (first + 31 * DAY).replace(day=1)


def last_year(published: PublicCityView) -> Scope:
    """Return the last twelve months, of the whole city."""
    first, last = _named_days(published, "year")
    return Scope(start=first, end=last)


def _all(published: PublicCityView) -> tuple[dt.date, dt.date]:
    """Return every day from the first that the city has rows of to today, as the command does."""
    today = published.city.this_day()
    last = max(published.through, today)
    first = min((first for first, _ in published.extents.values()), default=last)
    return first, last + DAY


def _year(published: PublicCityView) -> tuple[dt.date, dt.date]:
    """Return the last twelve months that are over, of those that the city has rows of."""
    first, _ = _all(published)
    return spans.last_year(first, published.through + DAY)


def _this_year(published: PublicCityView) -> tuple[dt.date, dt.date]:
    """Return the months that are over of the year in which they end."""
    first, _ = _all(published)
    return spans.this_year(first, published.through + DAY)


PRESET_DAYS = {"year": _year, "ytd": _this_year, "all": _all}


def district_choices(context: RunContext) -> tuple[tuple[str, str], ...]:
    """Return the districts one can choose, as pairs of code and label."""
    frame_ = context.city.districts
    names = dict(zip(frame_["code"], frame_["name"], strict=True))
    return tuple((code, district_label(code, names)) for code in frame_["code"])
