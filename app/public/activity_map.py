"""What the map page tells of alerts and complaints: what is chosen, figures and tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from flask_babel import gettext as _
from flask_babel import ngettext

from app import forms
from app.i18n import numbers as words
from app.i18n.language import N_, translated
from geodata.releases.activity import CLASSES, ActivityChoice

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from geodata.releases.activity import Activity, ActivityLayer

WEEKS_SHOWN = 13
AREAS_SHOWN = 12
NUMBERS = ("1", N_("2 to 4"), N_("5 to 9"), N_("10 or more"))
OPACITY = (0.14, 0.3, 0.5, 0.72)  # as in activity.js
LOOKS = {"alerts": "#0b5fa5", "complaints": "#6b3fa0"}
COARSE = {"cell", "uncounted_cell", "district"}
CLASS_WORDS = {
    "single": N_("Single shots"),
    "multiple": N_("Multiple shots"),
    "probable": N_("Probable gunfire"),
    "other": N_("Other, or not told"),
}


@dataclass(frozen=True, kw_only=True)
class Swatch:
    """One class of the legend."""

    colour: str
    opacity: float
    words: str


@dataclass(frozen=True, kw_only=True)
class AreaRow:
    """One approximate area with its number in what is chosen."""

    layer: str
    district: str
    number: int
    reach: str


@dataclass(frozen=True, kw_only=True)
class ActivityPart:
    """Alerts and complaints of some weeks.

    ``weeks`` has the value and the words of every week one can choose, ``classes`` those of
    alerts; ``heads`` the layers, of which ``on`` are told; ``rows`` a district's code, name and
    its number in each layer; ``areas`` the fullest areas. ``through_day`` is the last day shown.
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
    legend: tuple[tuple[str, str, tuple[Swatch, ...]], ...]
    through: str
    coarse: bool


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
            (layer.id, translated(layer.title), _swatches(layer)) for layer in activity.layers
        ),
        through=words.day(activity.through),
        coarse=any(set(layer.sites["rule"]) <= COARSE for layer in activity.layers),
    )


def choose(activity: Activity, args: Mapping[str, str]) -> ActivityChoice:
    """Read what an address asks for: weeks (the last quarter if none), district, alert class.

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
    )


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
    return words.period(words.day(activity.weeks[choice.first]), words.day(end))


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
    return _(
        "%(numbers)s from %(first)s to %(last)s",
        numbers=words.listed(numbers),
        first=words.day(activity.weeks[choice.first]),
        last=words.day(end),
    )


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


def _swatches(layer: ActivityLayer) -> tuple[Swatch, ...]:
    return tuple(
        Swatch(colour=LOOKS[layer.id], opacity=opacity, words=translated(number))
        for number, opacity in zip(NUMBERS, OPACITY, strict=True)
    )
