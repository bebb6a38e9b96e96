"""What the map page tells of alerts and complaints: the weeks shown, figures and tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask_babel import gettext as _
from flask_babel import ngettext

from app import forms, words
from app.language import N_, translated
from geodata.publishing.activity import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.publishing.activity import Activity, Layer

WEEKS_SHOWN = 13
AREAS_SHOWN = 12
CLASSES = ("1", N_("2 to 4"), N_("5 to 9"), N_("10 or more"))
OPACITY = (0.14, 0.3, 0.5, 0.72)  # as in activity.js
LOOKS = {"alerts": "#0b5fa5", "complaints": "#6b3fa0"}
COARSE = {"cell", "uncounted_cell", "district"}


@dataclass(frozen=True, kw_only=True)
class Swatch:
    """One class of the legend."""

    colour: str
    opacity: float
    words: str


@dataclass(frozen=True, kw_only=True)
class AreaRow:
    """One approximate area with its number in the weeks shown."""

    layer: str
    district: str
    number: int
    reach: str


@dataclass(frozen=True, kw_only=True)
class ActivityPart:
    """Alerts and complaints of some weeks.

    ``weeks`` has the value and the words of every week one can choose; ``heads`` the layers;
    ``rows`` a district's code, name and its number in each layer; ``areas`` the fullest areas.
    """

    url: str
    weeks: tuple[tuple[str, str], ...]
    first: str
    last: str
    told: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str, tuple[int, ...]], ...]
    totals: tuple[int, ...]
    areas: tuple[AreaRow, ...]
    legend: tuple[tuple[str, str, tuple[Swatch, ...]], ...]
    through: str
    coarse: bool


def activity_part(
    activity: Activity,
    url: str,
    args: Mapping[str, str],
    names: Mapping[str, str],
    units: words.Units,
) -> ActivityPart:
    """Tell the weeks that an address asks for, the last quarter if it asks for none.

    Raises
    ------
    AddressError
        If a week is not one of the data's, or the first is after the last.
    """
    first, last = chosen_weeks(activity, args)
    counted = [
        activity.by_district(layer, Choice(first=first, last=last)) for layer in activity.layers
    ]
    totals = tuple(int(numbers.sum()) for numbers in counted)
    return ActivityPart(
        url=url,
        weeks=tuple((week.isoformat(), words.day(week)) for week in activity.weeks),
        first=activity.weeks[first].isoformat(),
        last=activity.weeks[last].isoformat(),
        told=_told(activity, first, last, totals),
        heads=tuple((layer.id, translated(layer.title)) for layer in activity.layers),
        rows=tuple(
            (code, names[code], tuple(int(numbers[place]) for numbers in counted))
            for place, code in enumerate(activity.districts)
        ),
        totals=totals,
        areas=tuple(
            row for layer in activity.layers for row in _areas(layer, first, last, names, units)
        ),
        legend=tuple(
            (layer.id, translated(layer.title), _swatches(layer)) for layer in activity.layers
        ),
        through=words.day(activity.through),
        coarse=any(set(layer.sites["rule"]) <= COARSE for layer in activity.layers),
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


def _told(activity: Activity, first: int, last: int, totals: tuple[int, ...]) -> str:
    """Say in a sentence what the weeks hold."""
    end = min(activity.weeks[last] + dt.timedelta(days=6), activity.through)
    numbers = words.listed(
        [
            f"{words.number(number)} {ngettext(layer.one, layer.many, number)}"
            for number, layer in zip(totals, activity.layers, strict=True)
        ]
    )
    return _(
        "%(numbers)s from %(first)s to %(last)s",
        numbers=numbers,
        first=words.day(activity.weeks[first]),
        last=words.day(end),
    )


def _areas(
    layer: Layer, first: int, last: int, names: Mapping[str, str], units: words.Units
) -> list[AreaRow]:
    counts = layer.counts[layer.counts["week"].between(first, last)]
    fullest = counts.groupby("site")["n"].sum().sort_values(ascending=False, kind="stable")
    found = []
    for site, number in fullest.head(AREAS_SHOWN).items():
        row = layer.sites.iloc[cast("int", site)]
        found.append(
            AreaRow(
                layer=translated(layer.title),
                district=names[row["district"]],
                number=int(number),
                reach=units.length(row["radius_units"]),
            )
        )
    return found


def _swatches(layer: Layer) -> tuple[Swatch, ...]:
    return tuple(
        Swatch(colour=LOOKS[layer.id], opacity=opacity, words=translated(number))
        for number, opacity in zip(CLASSES, OPACITY, strict=True)
    )
