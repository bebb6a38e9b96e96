"""What the pages of measures show, as typed values; templates read these and nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.i18n import measure_words, numbers
from app.i18n.language import translated
from app.public import periods
from app.public.headlines import headline_of
from app.public.measure_blocks import formulas_of, windows_of
from app.public.periods import PRESETS
from app.public.released_figures import NOT_TOLD, SMALL
from geodata.measures.registry import groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.public.measure_blocks import Formulas, Windows
    from app.public.periods import Period
    from app.public.published_city import PublicCityView
    from app.public.released_figures import CityFigures, MeasureDetail, PublicValue
    from geodata.cityfile.measures import MeasureGroup
    from geodata.measures.record import Measure
    from geodata.measures.registry import Measures
    from spatial.measures.scopes import Scope

MARKS = {
    "met": "met",
    "not met": "not-met",
    "not enough data": "few",
    "stale": "stale",
    None: "none",
}


@dataclass(frozen=True, kw_only=True)
class FactRow:
    """One published figure as it was published."""

    label: str
    value: str
    period: str
    source: str
    url: str
    quality: str
    note: str
    retrieved: str
    measure: str
    measure_title: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A status: the name of its icon, and its words."""

    icon: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A share on an axis from 0 to 100, its interval and its target: left edges of marks."""

    value: float
    low: float
    width: float
    target: float | None


@dataclass(frozen=True, kw_only=True)
class MeasureRow:
    """One measure in a list; ``absent`` tells what is missing where ``figure`` is empty.

    ``when`` names the days of a figure where they are not those of the page.
    """

    id: str
    title: str
    brief: str
    definition: str
    figure: str
    unit: str
    interval: str
    basis: str
    missing: str
    absent: str
    held: str
    target: str
    mark: Mark
    through: str
    when: str
    strip: Strip | None


@dataclass(frozen=True, kw_only=True)
class Group:
    """The measures of one kind; ``through`` is the day to which the data of most of them go."""

    id: str
    title: str
    summary: str
    parts: tuple[tuple[str, tuple[MeasureRow, ...]], ...]
    nothing: tuple[MeasureRow, ...]
    through: str
    told: str


@dataclass(frozen=True, kw_only=True)
class MeasureFilter:
    """The form of a page and its state; ``state`` is what other pages need to show the same."""

    presets: tuple[tuple[str, str, bool], ...]
    months: tuple[tuple[str, str, bool], ...]
    districts: tuple[tuple[str, str], ...]
    district: str | None
    district_name: str
    period: str
    state: Mapping[str, str]
    named: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class MeasuresPage:
    """Every measure; of the groups in ``without_data`` there is nothing in the city's data."""

    filter: MeasureFilter
    groups: tuple[Group, ...]
    without_data: tuple[Group, ...]
    marks: tuple[tuple[Mark, int], ...]
    formulas: Formulas | None
    windows: Windows | None


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """One month, week or district in a table."""

    label: str
    code: str
    figure: str
    interval: str
    basis: str
    note: str


@dataclass(frozen=True, kw_only=True)
class StepTable:
    """Months, weeks or districts; columns that would be empty are left out."""

    rows: tuple[StepRow, ...]
    bases: bool
    intervals: bool
    notes: bool


@dataclass(frozen=True, kw_only=True)
class YearPart:
    """The year so far beside the ``like`` of the year before: the same weeks or months.

    Of incidents ``note`` says in place of a ``change`` what can be claimed.
    """

    now: str
    now_period: str
    before: str
    before_period: str
    like: str
    change: str
    note: str


@dataclass(frozen=True, kw_only=True)
class MeasurePage:
    """One measure."""

    row: MeasureRow
    group: str
    group_id: str
    filter: MeasureFilter
    by: str
    steps: tuple[tuple[str, str, bool], ...]
    series: StepTable
    series_note: str
    hollow: str
    districts: StepTable
    year: YearPart | None
    kinds: tuple[tuple[str, str, str], ...]
    facts: tuple[tuple[str, str], ...]
    published: tuple[FactRow, ...]
    sensitive: bool
    stated: str


@dataclass(frozen=True, kw_only=True)
class MissingPage:
    """What to say of a measure that there is not: the measures that there are, by group."""

    asked: str
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    named: Mapping[str, str]


def missing_page(published: PublicCityView, wanted: str, city: str | None) -> MissingPage:
    """Name every measure in place of one that there is not."""
    return MissingPage(
        asked=wanted[:80],
        groups=tuple(
            (
                translated(called.title),
                tuple(
                    (m.id, measure_words.title(m))
                    for m in published.measures.values()
                    if m.group == group
                ),
            )
            for group, called in groups_of(published.measures).items()
        ),
        named={"city": city} if city else {},
    )


def measures_page(
    published: PublicCityView, period: Period, found: CityFigures, city: str | None
) -> MeasuresPage:
    """Tell every measure of a city in a period that a release publishes."""
    measures = {
        identity: public.value.measure
        for identity, public in found.values.items()
        if public.withheld != NOT_TOLD
    }
    rows = {identity: measure_row(published, found.values[identity]) for identity in measures}
    groups = tuple(
        _group(group, called, measures, rows) for group, called in groups_of(measures).items()
    )
    return MeasuresPage(
        filter=filter_of(published, period, city),
        groups=tuple(group for group in groups if group.parts),
        without_data=tuple(group for group in groups if not group.parts),
        marks=_counted(rows),
        formulas=formulas_of(found),
        windows=windows_of(found),
    )


def measure_row(published: PublicCityView, public: PublicValue) -> MeasureRow:
    """Tell one measure."""
    value, measure, figure = public.value, public.value.measure, public.value.figure
    there = figure.value is not None
    absent = "" if there else _why_absent(published, public)
    through = value.data_through
    return MeasureRow(
        id=measure.id,
        title=measure_words.title(measure),
        brief=measure_words.first_sentence(translated(measure.definition)),
        definition=translated(measure.definition),
        figure=numbers.amount(figure.value, measure.unit) if there else "",
        unit=measure_words.unit(measure.unit, figure.value) if there else "",
        interval=numbers.between(figure.low, figure.high, measure.unit),
        basis=measure_words.capital(measure_words.basis(measure, figure)),
        missing=measure_words.capital(measure_words.missing(figure)) if there else "",
        absent=measure_words.capital(absent),
        held=_kept(public),
        target=measure_words.target(measure, value.target),
        mark=_mark(public),
        through=numbers.day(through) if through else "",
        when=measure_words.span(value.scope.start, value.scope.end) if public.moved else "",
        strip=_strip(public),
    )


def _why_absent(published: PublicCityView, public: PublicValue) -> str:
    """Tell why there is no figure: it is kept back, or something is missing."""
    return translated(public.withheld) or measure_words.absence(public.value, published.extents)


def _kept(public: PublicValue) -> str:
    """Say in place of a figure that it is not reported; nothing where it is."""
    if not public.withheld:
        return ""
    return measure_words.capital(translated(SMALL)) if public.withheld == SMALL else _("Not told")


def _mark(public: PublicValue) -> Mark:
    value = public.value
    if public.withheld and value.figure.value is None:
        return Mark(icon="withheld", words=_("Not told"))
    if value.status is None:
        text = _("No target") if value.target is None else _("Target set")
        return Mark(icon="none", words=text)
    if value.status == "not enough data" and value.figure.value is None:
        return Mark(icon="few", words=_("No data"))
    return Mark(icon=MARKS[value.status], words=translated(measure_words.STATUSES[value.status]))


def _strip(public: PublicValue) -> Strip | None:
    figure, measure = public.value.figure, public.value.measure
    if not measure.is_share or figure.value is None:
        return None
    low = figure.low if figure.low is not None else figure.value
    high = figure.high if figure.high is not None else figure.value
    target = public.value.target
    return Strip(
        value=round(min(max(100 * figure.value - 0.6, 0.0), 98.8), 2),
        low=round(100 * low, 2),
        width=round(max(100 * (high - low), 0.6), 2),
        target=None if target is None else round(min(100 * target, 99.2), 2),
    )


def _group(
    group: str, called: MeasureGroup, measures: Measures, rows: Mapping[str, MeasureRow]
) -> Group:
    mine = [rows[identity] for identity, measure in measures.items() if measure.group == group]
    lines = [row for row in mine if row.figure or row.mark.icon == "withheld"]
    days = [row.through for row in lines]
    with_target = [row for row in mine if row.target]
    met = sum(row.mark.icon == "met" for row in with_target)
    return Group(
        id=group,
        title=translated(called.title),
        summary=translated(called.about),
        parts=_parts(lines, measures),
        nothing=tuple(row for row in mine if row not in lines),
        through=max(days, key=days.count) if days else "",
        told=_targets_met(met, len(with_target)) if with_target and lines else "",
    )


def _targets_met(met: int, of: int) -> str:
    return ngettext(
        "%(met)s of %(of)s target met", "%(met)s of %(of)s targets met", of, met=met, of=of
    )


def _parts(
    rows: Sequence[MeasureRow], measures: Measures
) -> tuple[tuple[str, tuple[MeasureRow, ...]], ...]:
    """Put the measures of a group below headings; the first have none."""
    found: dict[str, list[MeasureRow]] = {}
    for row in rows:
        found.setdefault(measures[row.id].part, []).append(row)
    return tuple((translated(heading), tuple(mine)) for heading, mine in found.items())


def _counted(rows: Mapping[str, MeasureRow]) -> tuple[tuple[Mark, int], ...]:
    """Count the measures that have a target by status."""
    found: dict[Mark, int] = {}
    for row in rows.values():
        if row.target:
            found[row.mark] = found.get(row.mark, 0) + 1
    order = ["met", "not-met", "stale", "few", "withheld", "none"]
    return tuple(sorted(found.items(), key=lambda item: order.index(item[0].icon)))


def filter_of(published: PublicCityView, period: Period, city: str | None) -> MeasureFilter:
    """Tell the state of the form."""
    scope = period.scope
    choices = periods.district_choices(published)
    named = {"city": city} if city else {}
    state = dict(named)
    if period.named != "year":
        state["period"] = period.named
    if scope.district is not None:
        state["district"] = scope.district
    return MeasureFilter(
        presets=tuple(
            (value, translated(label), value == period.named) for value, label in PRESETS.items()
        ),
        months=tuple(
            (value, step_label(scope.within(*_month(value)), "month"), value == period.named)
            for value in reversed(published.months)
        ),
        districts=choices,
        district=scope.district,
        district_name=dict(choices).get(scope.district or "", ""),
        period=measure_words.span(scope.start, scope.end),
        state=state,
        named=named | ({"district": scope.district} if scope.district else {}),
    )


def _month(value: str) -> tuple[dt.date, dt.date]:
    first = dt.date.fromisoformat(f"{value}-01")
    return first, first + numbers.ONE_DAY


def measure_page(
    released: PublicCityView,
    period: Period,
    found: MeasureDetail,
    published: tuple[FactRow, ...],
    city: str | None,
) -> MeasurePage:
    """Tell one measure with its course, its districts, its definition and what others published."""
    public = found.value
    measure = public.value.measure
    through = public.value.data_through
    names = dict(periods.district_choices(released))
    return MeasurePage(
        row=measure_row(released, public),
        group=translated(groups_of(released.measures)[measure.group].title),
        group_id=measure.group,
        filter=filter_of(released, period, city),
        by=found.by,
        steps=tuple(
            (by, label, by == found.by)
            for by, label in (("month", _("By month")), ("week", _("By week")))
            if by in found.offered
        ),
        series=_table(
            _step(released, one, step_label(one.value.scope, found.by), found.by, through)
            for one in reversed(found.series)
        ),
        series_note=_series_note(found),
        hollow=_hollow(found, through),
        districts=_table(
            _step(released, one, names.get(one.value.scope.district or "", ""), found.by, None)
            for one in found.districts
        ),
        year=_year(found),
        kinds=_kinds(found),
        facts=_facts(measure, public),
        published=published,
        sensitive=measure.sensitive,
        stated=measure_words.figure(public.value.figure.value, measure.unit),
    )


def _table(steps: Iterable[StepRow]) -> StepTable:
    rows = tuple(steps)
    return StepTable(
        rows=rows,
        bases=any(row.basis not in ("", row.figure) for row in rows),
        intervals=any(row.interval for row in rows),
        notes=any(row.note for row in rows),
    )


def step_label(scope: Scope, by: str) -> str:
    """Name a month or a week."""
    if by == "month":
        return numbers.month(scope.start)
    return _("Week of %(day)s", day=numbers.day(scope.start))


def is_partial(scope: Scope, by: str, through: dt.date | None) -> bool:
    """Return whether a month or week is not whole: cut by the period, or not over in the data."""
    days = (scope.end - scope.start).days
    whole = days == 7 if by == "week" else scope.start.day == 1 and scope.end.day == 1
    return not whole or (through is not None and through < scope.end - numbers.ONE_DAY)


def is_small(public: PublicValue) -> bool:
    """Return whether a figure rests on fewer rows than it needs to be read alone."""
    figure, measure = public.value.figure, public.value.measure
    counted = measure.unit not in measure_words.MEASURED
    few = figure.n is not None and figure.n < measure.least_n
    return figure.value is not None and not counted and few


def _step(
    published: PublicCityView, public: PublicValue, label: str, by: str, through: dt.date | None
) -> StepRow:
    figure, measure, scope = public.value.figure, public.value.measure, public.value.scope
    notes = []
    if through is not None and is_partial(scope, by, through):
        notes.append(_("incomplete"))
    if is_small(public):
        notes.append(
            _("fewer than %(least)s rows: do not read much into it", least=measure.least_n)
        )
    if public.moved:
        notes.append(measure_words.span(scope.start, scope.end))
    if figure.value is not None and figure.missing:
        notes.append(_("%(number)s left out", number=numbers.number(figure.missing)))
    if figure.value is None:
        notes += [] if public.withheld == SMALL else [_why_absent(published, public)]
    return StepRow(
        label=label,
        code=scope.district or "",
        figure=_kept(public).lower() or numbers.amount(figure.value, measure.unit),
        interval=numbers.between(figure.low, figure.high, measure.unit),
        basis=measure_words.fraction(measure, figure),
        note="; ".join(notes),
    )


def _series_note(found: MeasureDetail) -> str:
    if found.span is None:
        return ""
    text = measure_words.span(found.span.start, found.span.end)
    if not found.cut:
        return text
    if found.by == "month":
        return _("%(period)s; earlier months are left out here", period=text)
    return _("%(period)s; earlier weeks are left out here", period=text)


def _hollow(found: MeasureDetail, through: dt.date | None) -> str:
    """Say why some marks of the chart are hollow, if any are."""
    drawn = [one for one in found.series if one.value.figure.value is not None]
    why = []
    if any(is_partial(one.value.scope, found.by, through) for one in drawn):
        why.append(
            _("the month is incomplete") if found.by == "month" else _("the week is incomplete")
        )
    if any(is_small(one) for one in drawn):
        least = found.value.value.measure.least_n
        why.append(_("it rests on fewer than %(least)s rows", least=least))
    return _("%(one)s or %(other)s", one=why[0], other=why[1]) if len(why) > 1 else "".join(why)


def _year(found: MeasureDetail) -> YearPart | None:
    if found.year is None:
        return None
    if found.year.now.moved or found.year.before.moved:
        return None
    now, before = found.year.now.value, found.year.before.value
    if now.figure.value is None and before.figure.value is None:
        return None
    unit = now.measure.unit
    claimed = headline_of(replace(found, value=found.year.now))
    note = claimed.how_sure if claimed and now.figure.year_before is not None else ""
    return YearPart(
        now=measure_words.figure(now.figure.value, unit),
        now_period=measure_words.span(now.scope.start, now.scope.end),
        before=measure_words.figure(before.figure.value, unit),
        before_period=measure_words.span(before.scope.start, before.scope.end),
        like=_("the same months") if found.year.by == "month" else _("the same weeks"),
        change=""
        if note
        else measure_words.capital(
            measure_words.change(now.figure.value, before.figure.value, unit)
        ),
        note=note,
    )


def _kinds(found: MeasureDetail) -> tuple[tuple[str, str, str], ...]:
    whole = sum(value for _, value in found.kinds)
    return tuple(
        (
            numbers.sentence(numbers.plain(kind)).rstrip(".") if kind else _("Kind not told"),
            numbers.number(value),
            numbers.amount(value / whole if whole else None, "share"),
        )
        for kind, value in found.kinds
    )


def _facts(measure: Measure, public: PublicValue) -> tuple[tuple[str, str], ...]:
    """Tell how a measure is defined, what is not stated left out."""
    value = public.value
    better = {"up": _("higher"), "down": _("lower")}.get(measure.direction, "")
    source = value.target_source if value.target is not None else ""
    facts: list[tuple[str, Any]] = [
        (_("Formula"), translated(measure.formula).replace(" - ", " − ").replace("<=", "≤")),
        (_("Counted above the line"), translated(measure.numerator or "")),
        (_("Counted below the line"), translated(measure.denominator or "")),
        (_("Better when"), better),
        (_("Target"), measure_words.target(measure, value.target)),
        (_("Source of the target"), translated(source)),
        (_("Worked out from"), measure_words.sources(measure)),
        (_("Responsible"), translated(measure.owner)),
        (_("To keep in mind"), translated(measure.caveat)),
    ]
    stated = [(name, numbers.sentence(result)) for name, result in facts if result]
    return (*stated, (_("Name in data and addresses"), measure.id))
