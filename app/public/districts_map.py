"""Districts coloured by a measure: its figures by district, in four classes reported in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from flask_babel import gettext as _

from app.i18n import measure_words
from app.i18n import numbers as words
from app.i18n.language import translated
from app.maps.palette import SHADES
from geodata.measures.registry import groups_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from app.public.released_figures import MeasureDetail, PublicValue
    from geodata.measures.registry import Measures

OPACITY = 0.72  # as in map.js


@dataclass(frozen=True, kw_only=True)
class Swatch:
    """One class of the legend."""

    colour: str
    opacity: float
    words: str


@dataclass(frozen=True, kw_only=True)
class ShadeRow:
    """One district: its figure in words, or why there is none, and its colour if it has a class."""

    code: str
    name: str
    figure: str
    colour: str


@dataclass(frozen=True, kw_only=True)
class ShadesPart:
    """A measure by district; ``legend`` has the classes from most to least."""

    measure: str
    title: str
    period: str
    legend: tuple[Swatch, ...]
    rows: tuple[ShadeRow, ...]
    none: bool


def measure_choices(
    measures: Measures,
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Name the measures that can be reported by district, by group."""
    return tuple(
        (translated(called.title), tuple(found))
        for group, called in groups_of(measures).items()
        if (
            found := [
                (identity, measure_words.title(measure))
                for identity, measure in measures.items()
                if measure.group == group and measure.sources
            ]
        )
    )


def shades_part(detail: MeasureDetail, names: Mapping[str, str]) -> ShadesPart:
    """Put the districts of a measure into at most four classes of equal width."""
    measure, scope = detail.value.value.measure, detail.value.value.scope
    values = [one.value.figure.value for one in detail.districts]
    level = classes_of(values)
    rows = tuple(
        ShadeRow(
            code=str(one.value.scope.district),
            name=names[str(one.value.scope.district)],
            figure=_figure(one),
            colour=SHADES[at] if at >= 0 else "",
        )
        for one, at in zip(detail.districts, level, strict=True)
    )
    return ShadesPart(
        measure=measure.id,
        title=measure_words.title(measure),
        period=measure_words.span(scope.start, scope.end),
        legend=tuple(
            Swatch(
                colour=SHADES[at], opacity=OPACITY, words=_range(values, level, at, measure.unit)
            )
            for at in range(len(SHADES) - 1, -1, -1)
            if (level == at).any()
        ),
        rows=rows,
        none=bool((level < 0).all()),
    )


def classes_of(values: Sequence[float | None]) -> NDArray[np.int64]:
    """Return each value its class from 0 to 3, of equal width from least to most; -1 without one.

    >>> classes_of([1.0, 2.0, None, 9.0]).tolist(), classes_of([5.0, 5.0]).tolist()
    ([0, 0, -1, 3], [0, 0])
    """
    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    known = np.isfinite(numbers)
    level = np.full(len(numbers), -1, dtype=np.int64)
    if not known.any():
        return level
    least, most = numbers[known].min(), numbers[known].max()
    width = (most - least) / len(SHADES)
    if width == 0:
        level[known] = 0
        return level
    level[known] = np.minimum((numbers[known] - least) // width, len(SHADES) - 1)
    return level


def _range(values: Sequence[float | None], level: NDArray[np.int64], at: int, unit: str) -> str:
    """Say from what to what the values of a class go."""
    inside = [
        value for value, one in zip(values, level, strict=True) if one == at and value is not None
    ]
    low, high = words.amount(min(inside), unit), words.amount(max(inside), unit)
    result = low if low == high else words.interval(low, high)
    return f"{result} {measure_words.unit(unit, None)}".rstrip()


def _figure(one: PublicValue) -> str:
    found = one.value.figure
    if found.value is None:
        return translated(one.withheld) or _("no data")
    return measure_words.figure(found.value, one.value.measure.unit)
