"""The measures of a release as pages ask for them, from its own tables.

What a table does not hold is not reported: no figure is worked out anew from rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from app.i18n.language import N_
from geodata.measures.events import Window
from geodata.measures.outcomes import year_before
from geodata.measures.record import Figure, MeasureValue
from geodata.measures.registry import find_measure
from geodata.measures.spans import LAST_YEAR, THIS_YEAR, WHOLE
from geodata.releases.encoding import read_document
from geodata.releases.figure_documents import FigureCourse, MeasuresDocument
from geodata.releases.measure_files import (
    COURSE,
    JSON,
    MONTHS,
    PERIODS,
    WEEKS,
    measures_in,
    read_csv,
)
from geodata.releases.rules import SHOWN_WORDS
from spatial.measures.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.public.published_city import PublicCityView
    from geodata.measures.record import Measure, Status
    from geodata.measures.registry import Measures, Step
    from geodata.releases.folder import ReleaseFolder

    Row = Mapping[str, str]
    Target = tuple[float | None, str, dt.date | None]
    Key = tuple[str, str, str]  # measure, district, period or month or week

SAME_ALERTS = (
    "alerts.confirmed",
    "alerts.unconfirmed",
    "alerts.unfounded",
    "alerts.no_disposition",
    "alerts.performance",
    "alerts.located_25m",
)
LONGEST = {"month": 60, "week": 104}
DATA_AGE = "site.data_age_days"
SMALL = N_("fewer than 5")
PART = N_("a part of it is fewer than 5, or would give such a number away")
NAMES = {"all": WHOLE, "year": LAST_YEAR, "ytd": THIS_YEAR}  # in the tables, by preset
WITHHELD = {"": "", SHOWN_WORDS[1]: SMALL, SHOWN_WORDS[2]: PART, SHOWN_WORDS[3]: PART}
OF_THE_CITY = N_("told for the whole city only")
OF_PERIODS = N_("told for whole periods only")
NOT_TOLD = N_("this release does not tell it")
WEEKLY = N_("updated at least weekly, with the delay of what is published")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicValue:
    """A measure as the public may see it; ``withheld`` says why a figure is kept back.

    ``moved`` marks a figure of other days than those that were requested: its scope tells which.
    """

    value: MeasureValue
    withheld: str = ""
    moved: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the record as the command does, and whether its figure is withheld."""
        return {
            **self.value.as_json(),
            "withheld": self.withheld or None,
            "from": self.value.scope.start.isoformat(),
            "to": self.value.scope.end.isoformat(),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class CityFigures:
    """Every measure of a city in one scope, by id, and its events under other link windows.

    ``same_alerts`` has the contract's formula and the dispositions of one set of days.
    """

    scope: Scope
    values: Mapping[str, PublicValue]
    windows: tuple[Window, ...]
    same_alerts: Mapping[str, PublicValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """The year so far and the like of the year before: the same weeks or the same months."""

    now: PublicValue
    before: PublicValue
    by: Step


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureDetail:
    """One measure in a scope: its figure, its course, its districts, its kinds and its year.

    ``span`` is the part of the scope that the series covers: no more steps than a chart can show.
    ``cut`` says that there were more. ``offered`` are the steps that it can be reported by.
    """

    value: PublicValue
    by: Step
    span: Scope | None
    cut: bool
    series: tuple[PublicValue, ...]
    districts: tuple[PublicValue, ...]
    year: Year | None
    kinds: tuple[tuple[str | None, float], ...]
    offered: tuple[Step, ...] = ("month", "week")


@dataclass(frozen=True, kw_only=True, eq=False)
class ReleasedFigures:
    """Every figure of a release, by measure, district and period, month or week."""

    measures: Measures
    told: Mapping[Key, PublicValue]
    targets: Mapping[str, Target]
    months: tuple[str, ...]
    weeks: tuple[str, ...]
    periods: Mapping[str, tuple[dt.date, dt.date]]
    course: FigureCourse
    computed_at: dt.datetime


def read_figures(release: ReleaseFolder, computed_at: dt.datetime) -> ReleasedFigures:
    """Read the measures of a release; none where it has none."""
    site = {COURSE: release.read(COURSE)} if COURSE in release.files else {}
    measures = measures_in(site)
    if JSON not in release.files:
        return ReleasedFigures(
            measures=measures,
            told={},
            targets={},
            months=(),
            weeks=(),
            periods={},
            course=FigureCourse(),
            computed_at=computed_at,
        )
    document = read_document(MeasuresDocument, release.read(JSON), JSON)
    targets = {
        one.id: (one.target, one.target_source or "", one.data_through) for one in document.measures
    }
    body: dict[Key, PublicValue] = {}
    whens: dict[str, tuple[str, ...]] = {}
    for name, column in ((PERIODS, "period"), (MONTHS, "month"), (WEEKS, "week")):
        rows = [row for row in read_csv(release.read(name)) if row["measure"] in measures]
        for row in rows:
            key = (row["measure"], row["district"], row[column])
            body[key] = _public(row, measures[row["measure"]], targets, computed_at)
        whens[column] = tuple(sorted({row[column] for row in rows}))
    periods = document.periods
    return ReleasedFigures(
        measures=measures,
        told=body,
        targets=targets,
        months=whens["month"],
        weeks=whens["week"],
        periods={
            preset: (periods[name].start, periods[name].end) for preset, name in NAMES.items()
        },
        course=read_document(FigureCourse, site[COURSE], COURSE),
        computed_at=computed_at,
    )


def released_figures(
    found: ReleasedFigures, published: PublicCityView, scope: Scope
) -> CityFigures:
    """Return every measure that the release tells in a period or month."""
    when = period_of(found, scope)
    values = {
        identity: _describe(found, published, scope, measure, when)
        for identity, measure in found.measures.items()
    }
    days = values[SAME_ALERTS[0]].value.scope
    return CityFigures(
        scope=scope,
        values=values,
        windows=tuple(
            Window(minutes=one.minutes, metres=one.metres, both=one.both, used=one.used)
            for one in found.course.windows
            if (one.period, one.district) == (when, scope.district or "")
        ),
        same_alerts={identity: same_days(days, values[identity]) for identity in SAME_ALERTS},
    )


def released_detail(
    found: ReleasedFigures, published: PublicCityView, scope: Scope, identity: str, by: Step
) -> MeasureDetail:
    """Return one measure that the release tells in a period or month.

    Weeks are told of the whole city and of measures that are not sensitive; else months are given.

    Raises
    ------
    DataError
        If there is no such measure.
    """
    measure = find_measure(identity, found.measures)
    when, district = period_of(found, scope), scope.district or ""
    has_weeks = any((identity, district, week) in found.told for week in found.weeks)
    weekly = by == "week" and has_weeks
    by, steps = ("week", found.weeks) if weekly else ("month", found.months)
    course = [
        found.told[key] for step in steps if (key := (identity, district, step)) in found.told
    ]
    inside = [one for one in _from_first(course) if _within(one.value.scope, scope)]
    series = inside[-LONGEST[by] :]
    codes = list(published.city.districts["code"]) if measure.sources else []
    return MeasureDetail(
        value=_describe(found, published, scope, measure, when),
        by=by,
        span=scope.within(series[0].value.scope.start, series[-1].value.scope.end)
        if series
        else None,
        cut=len(series) < len(inside),
        series=tuple(series),
        districts=tuple(
            _describe(found, published, replace(scope, district=code), measure, when)
            for code in codes
        ),
        year=_year(found, measure, scope.district),
        kinds=tuple(
            (one.kind, one.value)
            for one in found.course.kinds
            if one.value is not None
            and (one.period, one.district, one.measure) == (when, district, identity)
        ),
        offered=("month", "week") if has_weeks else ("month",),
    )


def same_days(days: Scope, public: PublicValue) -> PublicValue:
    """Keep a figure back that is not of the days that others beside it are of."""
    return withhold(public.value, PART) if public.value.scope != days else public


def withhold(value: MeasureValue, why: str) -> PublicValue:
    """Keep a figure back; what it was worked out from is kept back with it."""
    kept = replace(value, figure=Figure(value=None, n=0), status=None)
    return PublicValue(value=kept, withheld=why)


def period_of(found: ReleasedFigures, scope: Scope) -> str:
    """Name a scope as the tables do: a period or a month; nothing for other days."""
    days = (scope.start, scope.end)
    named = next((NAMES[preset] for preset, own in found.periods.items() if own == days), "")
    return named or f"{scope.start:%Y-%m}"


def _describe(
    found: ReleasedFigures, published: PublicCityView, scope: Scope, measure: Measure, when: str
) -> PublicValue:
    """Return a figure of the release, or why it has none; of other days where it is moved."""
    public = found.told.get((measure.id, scope.district or "", when))
    if public is not None:
        return replace(public, moved=public.value.scope != scope)
    if measure.id == DATA_AGE:
        return _age(found, published, scope)
    target, source, through = found.targets.get(measure.id, (None, "", None))
    empty = MeasureValue(
        measure=measure,
        scope=scope,
        figure=Figure(value=None, n=0),
        target=target,
        target_source=source,
        status=None,
        data_through=through,
        computed_at=found.computed_at,
    )
    return PublicValue(value=empty, withheld=_why_not(found, measure, scope))


def _why_not(found: ReleasedFigures, measure: Measure, scope: Scope) -> str:
    """Say why a release does not tell a figure; nothing where no row does."""
    if measure.disclosure == "staff":
        return NOT_TOLD
    if measure.disclosure == "coarse" and measure.id in found.targets:
        return OF_THE_CITY if scope.district else OF_PERIODS
    return ""


def _age(found: ReleasedFigures, published: PublicCityView, scope: Scope) -> PublicValue:
    """Tell how old its newest row is today: the one figure that a release cannot hold.

    What is published is late by the delay of its rules, so the promise allows for that many days
    more.
    """
    measure = found.measures[DATA_AGE]
    age = (published.city.this_day() - published.through).days
    value = MeasureValue(
        measure=measure,
        scope=scope,
        figure=Figure(value=float(age), n=1),
        target=float(published.stale_after_days),
        target_source=measure.target_source,
        status="not met" if published.stale else "met",
        data_through=published.through,
        computed_at=found.computed_at,
    )
    return PublicValue(value=value)


def _year(found: ReleasedFigures, measure: Measure, district: str | None) -> Year | None:
    """Return the year so far beside the year before, of a table of its own or of the figure."""
    now = found.told.get((measure.id, district or "", THIS_YEAR))
    if now is not None and now.value.figure.year_before is not None:
        figure = Figure(value=now.value.figure.year_before, n=None)
        scope = year_before(now.value.scope)
        earlier = replace(now.value, figure=figure, scope=scope, status=None)
        return Year(now=now, before=PublicValue(value=earlier), by="month")
    where = (measure.id, district or "")
    rows = found.course.years
    row = next((one for one in rows if (one.measure, one.district) == where), None)
    if row is None:
        return None
    of_year, before = (
        PublicValue(
            value=MeasureValue(
                measure=measure,
                scope=Scope(start=span.start, end=span.end, district=district),
                figure=span.figure,
                target=None,
                target_source="",
                status=None,
                data_through=found.targets[measure.id][2],
                computed_at=found.computed_at,
            )
        )
        for span in (row.now, row.before)
    )
    return Year(now=of_year, before=before, by=row.by)


def _from_first(course: Sequence[PublicValue]) -> Sequence[PublicValue]:
    """Leave out the months or weeks before the first that the measure has anything of."""
    empty = [
        is_empty
        for is_empty, group in groupby(
            one.value.figure.value is None and not one.withheld for one in course
        )
        for _ in group
    ]
    return course[empty.index(False) :] if False in empty else ()


def _within(part: Scope, scope: Scope) -> bool:
    return part.end > scope.start and part.start < scope.end


def _public(
    row: Row, measure: Measure, targets: Mapping[str, Target], computed_at: dt.datetime
) -> PublicValue:
    target, source, through = targets.get(measure.id, (None, "", None))
    withheld = WITHHELD[row["shown"]]
    status: Any = row["status"] or None
    figure = Figure(
        value=_number(row["value"]),
        n=int(row["n"]) if row["n"] else None,
        missing=int(row["missing"]) if row["missing"] else None,
        numerator=_number(row["numerator"]),
        denominator=_number(row["denominator"]),
        low=_number(row["low"]),
        high=_number(row["high"]),
        year_before=_number(row.get("year_before") or ""),  # releases of before have none
    )
    value = MeasureValue(
        measure=measure,
        scope=Scope(
            start=_needed(row["from"]), end=_needed(row["to"]), district=row["district"] or None
        ),
        figure=figure,
        target=target,
        target_source=source,
        status=_status(status),
        data_through=through,
        computed_at=computed_at,
    )
    return PublicValue(value=value, withheld=withheld)


def _status(result: Any) -> Status | None:
    return result if result in ("met", "not met", "not enough data", "stale") else None


def _number(text: str) -> float | None:
    return float(text) if text else None


def _needed(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
