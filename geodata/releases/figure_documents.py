"""Figures as files of a release have them: ``data/measures.json`` and ``site/figures.json``.

Days called ``end`` are excluded. An empty district is the whole city.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, PlainValidator

from geodata.cityfile.measures import DeclaredMeasure, measures_as_json
from geodata.documents import OrAbsent
from geodata.measures.record import Direction, Figure, Status
from geodata.releases.encoding import number

Number = int | float | None
Start = Annotated[dt.date, Field(alias="from")]
End = Annotated[dt.date, Field(alias="to")]


@dataclass(frozen=True, kw_only=True)
class FigureDays:
    """The days of a period."""

    start: Start
    end: End


@dataclass(frozen=True, kw_only=True)
class ReportedFigure:
    """A figure of one period and place; ``shown`` says why it is hidden, if it is."""

    period: str
    start: Start
    end: End
    district: str
    value: Number
    low: Number
    high: Number
    numerator: Number
    denominator: Number
    n: int | None
    missing: int | None
    shown: str
    status: Status | None
    year_before: Number = None


@dataclass(frozen=True, kw_only=True)
class ReportedMeasure:
    """A measure, what it means, and its figures."""

    id: str
    title: str
    group: str
    unit: str
    direction: Direction
    sensitive: bool
    definition: str
    formula: str
    numerator_of: str | None
    denominator_of: str | None
    caveat: str
    owner: str
    target: Number
    target_source: str | None
    data_through: dt.date | None
    figures: tuple[ReportedFigure, ...]

    def figure_of(self, period: str, district: str | None) -> ReportedFigure | None:
        """Return the figure of a period and a place, nothing where there is none."""
        where = (period, district or "")
        return next((one for one in self.figures if (one.period, one.district) == where), None)


@dataclass(frozen=True, kw_only=True)
class MeasuresDocument:
    """``data/measures.json``: every measure in every period, by the version of the rules."""

    city: str
    through: dt.date
    rules: int
    periods: Mapping[str, FigureDays]
    measures: tuple[ReportedMeasure, ...]


FIGURE = ("value", "n", "missing", "numerator", "denominator", "low", "high")


def _write_figure(figure: Figure) -> list[Number]:
    return [number(getattr(figure, name)) for name in FIGURE]


def _read_figure(listed: Figure | Sequence[Number]) -> Figure:
    if isinstance(listed, Figure):
        return listed
    by_name = dict(zip(FIGURE, listed, strict=True))
    rows, missing = by_name.pop("n"), by_name.pop("missing")
    return Figure(n=int(rows or 0), missing=int(missing or 0), **by_name)


ListedFigure = Annotated[Figure, PlainValidator(_read_figure), PlainSerializer(_write_figure)]


@dataclass(frozen=True, kw_only=True)
class WindowFigure:
    """How many events have an alert and a call when calls are linked within another window."""

    period: str
    district: str
    minutes: int | float
    metres: int | float
    used: bool
    both: ListedFigure


@dataclass(frozen=True, kw_only=True)
class KindFigure:
    """A measure by the kind of its rows; an unknown kind has no name."""

    period: str
    district: str
    measure: str
    kind: str | None
    value: Number


@dataclass(frozen=True, kw_only=True)
class SpanFigure(FigureDays):
    """A figure of some days."""

    figure: ListedFigure


@dataclass(frozen=True, kw_only=True)
class YearFigures:
    """The year so far, and the same weeks or months of the year before."""

    measure: str
    district: str
    by: Literal["month", "week"]
    now: SpanFigure
    before: SpanFigure


@dataclass(frozen=True, kw_only=True)
class FigureCourse:
    """``site/figures.json``: what stands beside the tables of measures that are open.

    ``declared`` are the measures of the city where they are not the usual ones, ``outcomes`` what
    the city calls the outcomes of which incidents are counted, by name.
    """

    windows: tuple[WindowFigure, ...] = ()
    kinds: tuple[KindFigure, ...] = ()
    years: tuple[YearFigures, ...] = ()
    declared: OrAbsent[
        Annotated[tuple[DeclaredMeasure, ...], PlainSerializer(measures_as_json)]
    ] = None
    outcomes: OrAbsent[Mapping[str, str]] = None
