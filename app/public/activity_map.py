"""What the map page tells of alerts and complaints: what is chosen, figures and tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from babel import Locale
from flask_babel import gettext as _
from flask_babel import ngettext

from app import forms
from app.i18n import numbers as words
from app.i18n.language import N_, code, translated
from geodata.releases.activity import CLASSES, HOURS, ActivityChoice

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from werkzeug.datastructures import MultiDict

    from geodata.releases.activity import Activity, ActivityLayer

WEEKS_SHOWN = 13
AREAS_SHOWN = 12
LOOKS = {"alerts": "#0b5fa5", "complaints": "#6b3fa0"}
CROSS = (  # fields of an address, columns of counts, titles
    ("hours", "hours", N_("Hour")),
    ("weekdays", "weekday", N_("Weekday")),
    ("months", "month", N_("Month")),
)
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
VALUES = {"hours": HOURS, "weekdays": tuple("1234567"), "months": tuple(map(str, range(1, 13)))}
COARSE = {"cell", "uncounted_cell", "district"}
CLASS_WORDS = {
    "single": N_("Single shots"),
    "multiple": N_("Multiple shots"),
    "probable": N_("Probable gunfire"),
    "other": N_("Other, or not told"),
}


@dataclass(frozen=True, kw_only=True)
class AreaRow:
    """One approximate area with its number in what is chosen."""

    layer: str
    district: str
    number: int
    reach: str


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Numbers by hour, weekday or month, of all that the other filters leave.

    ``bars`` are the value of an address, its words, its number and whether it is chosen.
    """

    field: str
    title: str
    bars: tuple[tuple[str, str, int, bool], ...]


@dataclass(frozen=True, kw_only=True)
class ActivityPart:
    """Alerts and complaints of some weeks.

    ``weeks`` has the value and the words of every week one can choose, ``classes`` those of
    alerts; ``heads`` the layers, of which ``on`` are told; ``rows`` a district's code, name and
    its number in each layer; ``areas`` the fullest areas; ``legend`` a layer's name and color.
    ``through_day`` is the last day shown.
    """

    url: str
    weeks: tuple[tuple[str, str], ...]
    first: str
    last: str
    through_day: str
    classes: tuple[tuple[str, str], ...]
    class_: str
    told: str
    span: str
    heads: tuple[tuple[str, str], ...]
    on: frozenset[str]
    rows: tuple[tuple[str, str, tuple[int, ...]], ...]
    totals: tuple[int, ...]
    areas: tuple[AreaRow, ...]
    legend: tuple[tuple[str, str, str], ...]
    through: str
    coarse: bool
    histograms: tuple[Histogram, ...]


def activity_part(
    activity: Activity,
    url: str,
    choice: ActivityChoice,
    on: Collection[str],
    names: Mapping[str, str],
    units: words.Units,
) -> ActivityPart:
    """Tell what a choice leaves of the layers that are on; ``names`` are those of districts."""
    first, last = choice.first, choice.last
    counted = [activity.by_district(layer, choice) for layer in activity.layers]
    totals = tuple(int(numbers.sum()) for numbers in counted)
    lines = [layer for layer in activity.layers if layer.id in on]
    return ActivityPart(
        url=url,
        weeks=tuple((week.isoformat(), words.day(week)) for week in activity.weeks),
        first=activity.weeks[first].isoformat(),
        last=activity.weeks[last].isoformat(),
        through_day=_last_day(activity, choice).isoformat(),
        classes=tuple((name, translated(CLASS_WORDS[name])) for name in CLASSES),
        class_=choice.classes[0] if choice.classes else "",
        told=_describe(activity, choice, totals, on),
        span=span_told(activity, choice),
        heads=tuple((layer.id, translated(layer.title)) for layer in activity.layers),
        on=frozenset(on),
        rows=tuple(
            (code, names[code], tuple(int(numbers[place]) for numbers in counted))
            for place, code in enumerate(activity.districts)
        ),
        totals=totals,
        areas=tuple(
            row for layer in lines for row in _areas(activity, layer, choice, names, units)
        ),
        legend=tuple(
            (layer.id, translated(layer.title), LOOKS[layer.id]) for layer in activity.layers
        ),
        through=words.day(activity.through),
        histograms=tuple(
            _histogram(activity, choice, field, column, title) for field, column, title in CROSS
        ),
        coarse=any(set(layer.sites["rule"]) <= COARSE for layer in activity.layers),
    )


def choose(activity: Activity, args: MultiDict[str, str]) -> ActivityChoice:
    """Read what an address asks for: weeks (the last quarter if none), district, alert class.

    ``hours``, ``weekdays`` (1 is Monday) and ``months`` name some, with commas or repeated.

    Raises
    ------
    AddressError
        If a value is not one of the data's, or the first week is after the last.
    """
    first, last = chosen_weeks(activity, args)
    class_ = forms.choice(args, "class", CLASSES)
    return ActivityChoice(
        first=first,
        last=last,
        district=forms.choice(args, "district", activity.districts),
        classes=(class_,) if class_ else (),
        hours=_several(args, "hours"),
        weekdays=_several(args, "weekdays"),
        months=_several(args, "months"),
    )


def _several(args: MultiDict[str, str], field: str) -> tuple[int, ...]:
    """Return the chosen ones of a field of an address, as positions; nothing for all of them."""
    wanted = forms.several(args, field, VALUES[field]) or ()
    return tuple(VALUES[field].index(value) for value in wanted)


def _histogram(
    activity: Activity, choice: ActivityChoice, field: str, column: str, title: str
) -> Histogram:
    """Count the first layer by a field, whatever of that field itself is chosen."""
    layer, wanted = activity.layers[0], getattr(choice, field)
    others = {name: getattr(choice, name) for name, *_rest in CROSS if name != field}
    free = replace(choice, hours=(), weekdays=(), months=())
    counts = activity.chosen(layer, replace(free, **others))
    found = counts.groupby(column)["n"].sum()
    bars = [
        (value, label, int(found.get(place, 0)), place in wanted)
        for place, (value, label) in enumerate(zip(VALUES[field], _labels(field), strict=True))
    ]
    return Histogram(field=field, title=translated(title), bars=tuple(bars))


def _labels(field: str) -> list[str]:
    if field == "hours":
        return [hours.replace("-", "–") for hours in HOURS]
    if field == "weekdays":
        return [translated(day) for day in WEEKDAYS]
    tongue = Locale.parse(code())
    return [tongue.months["stand-alone"]["abbreviated"][month] for month in range(1, 13)]


def chosen_weeks(activity: Activity, args: Mapping[str, str]) -> tuple[int, int]:
    """Read the first and last week of an address, as positions in the weeks of the data."""
    values = [week.isoformat() for week in activity.weeks]
    to, from_ = forms.choice(args, "to", values), forms.choice(args, "from", values)
    last = values.index(to) if to else len(values) - 1
    first = values.index(from_) if from_ else max(0, last - WEEKS_SHOWN + 1)
    if first > last:
        msg = _(
            "the week from %(first)s lies after the week to %(last)s; choose them the other way "
            "round",
            first=from_,
            last=to,
        )
        raise forms.AddressError(msg)
    return first, last


def span_told(activity: Activity, choice: ActivityChoice) -> str:
    """Say from which day to which a choice goes."""
    end = _last_day(activity, choice)
    return _some_of(words.period(words.day(activity.weeks[choice.first]), words.day(end)), choice)


def _some_of(sentence: str, choice: ActivityChoice) -> str:
    """Add to words about some weeks that not all of their hours, weekdays or months count."""
    if not (choice.hours or choice.weekdays or choice.months):
        return sentence
    return _("%(told)s, in the chosen hours, weekdays and months alone", told=sentence)


def _last_day(activity: Activity, choice: ActivityChoice) -> dt.date:
    return min(activity.weeks[choice.last] + dt.timedelta(days=6), activity.through)


def counted(layer: ActivityLayer, number: int) -> str:
    """Say how many rows of a layer there are."""
    return f"{words.number(number)} {ngettext(layer.one, layer.many, number)}"


def _describe(
    activity: Activity, choice: ActivityChoice, totals: tuple[int, ...], on: Collection[str]
) -> str:
    """Say in a sentence what a choice holds."""
    end = _last_day(activity, choice)
    numbers = [
        counted(layer, number)
        for number, layer in zip(totals, activity.layers, strict=True)
        if layer.id in on
    ]
    if not numbers:
        return _("Neither alerts nor complaints are shown")
    told = _(
        "%(numbers)s from %(first)s to %(last)s",
        numbers=words.listed(numbers),
        first=words.day(activity.weeks[choice.first]),
        last=words.day(end),
    )
    return _some_of(told, choice)


def _areas(
    activity: Activity,
    layer: ActivityLayer,
    choice: ActivityChoice,
    names: Mapping[str, str],
    units: words.Units,
) -> list[AreaRow]:
    numbers = activity.by_site(layer, choice)
    fullest = np.argsort(-numbers, kind="stable")[:AREAS_SHOWN]
    return [
        AreaRow(
            layer=translated(layer.title),
            district=names[layer.sites["district"].iloc[place]],
            number=int(numbers[place]),
            reach=units.length(layer.sites["radius_units"].iloc[place]),
        )
        for place in fullest
        if numbers[place]
    ]
