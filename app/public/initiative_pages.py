"""What the pages of initiatives and the front page's account of them show, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.i18n import measure_words, numbers
from app.i18n.language import N_, translated
from app.public.measure_pages import FactRow, Mark, MeasureRow, measure_row
from geodata.cityfile.initiatives import SECTIONS
from geodata.measures.registry import STALE_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.public.published_city import PublicCityView, PublicEvent, PublicInitiative
    from app.public.released_figures import CityFigures, MeasureDetail
    from geodata.cityfile.initiatives import Fact, Initiative, Strategy

STATUS_ICONS = {
    N_("In Progress"): "progress",
    N_("On Hold"): "hold",
    N_("Complete/Ongoing"): "complete",
}
EVENTS = {
    "said": N_("Said"),
    "retired": N_("Taken off the list"),
    "returned": N_("Put back on the list"),
}
KEY_NUMBER = 5


@dataclass(frozen=True, kw_only=True)
class Update:
    """When something was last updated, how long ago that is, and whether it is overdue."""

    day: str
    age: str
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class InitiativeCard:
    """One initiative in a list."""

    slug: str
    number: str
    title: str
    goal: str
    mark: Mark
    owner: str
    update: Update
    why: str
    strategies: tuple[tuple[str, Mark], ...]


@dataclass(frozen=True, kw_only=True)
class InitiativesPage:
    """Every initiative of a city."""

    cards: tuple[InitiativeCard, ...]
    retired: tuple[InitiativeCard, ...]
    key: tuple[MeasureRow, ...]
    period: str
    named: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StrategyPart:
    """One strategy; ``also`` are measures that are counted under another one."""

    slug: str
    title: str
    mark: Mark
    summary: tuple[str, ...]
    rows: tuple[MeasureRow, ...]
    nothing: tuple[MeasureRow, ...]
    also: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """One entry of the history; ``sections`` is what was stated, unless it is what stands."""

    when: str
    event: str
    status: str
    updated: str
    changes: tuple[str, ...]
    sections: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class InitiativePage:
    """One initiative."""

    card: InitiativeCard
    listed: bool
    sections: tuple[tuple[str, str, tuple[str, ...]], ...]
    strategies: tuple[StrategyPart, ...]
    facts: tuple[FactRow, ...]
    history: tuple[HistoryRow, ...]
    period: str
    named: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A measure on the front page with its course: SVG paths in a box of 100 by 28."""

    row: MeasureRow
    lines: tuple[str, ...]
    last: tuple[float, float] | None
    from_: str


@dataclass(frozen=True, kw_only=True)
class InitiativesInShort:
    """How the initiatives of a city stand, in short."""

    cards: tuple[InitiativeCard, ...]
    key: tuple[KeyFigure, ...]
    period: str


def initiatives_page(
    published: PublicCityView, found: CityFigures, city: str | None
) -> InitiativesPage:
    """Tell every initiative of a city."""
    return InitiativesPage(
        cards=tuple(_card(published, record.initiative) for record in published.initiatives),
        retired=tuple(_card(published, record.initiative) for record in published.retired),
        key=tuple(measure_row(published, found.values[i]) for i in key_measures(found)),
        period=measure_words.span(found.scope.start, found.scope.end),
        named={"city": city} if city else {},
    )


def initiative_page(
    published: PublicCityView,
    record: PublicInitiative,
    found: CityFigures,
    city: str | None,
) -> InitiativePage:
    """Tell one initiative: what is stated of it, its strategies with their figures, its history."""
    initiative = record.initiative
    return InitiativePage(
        card=_card(published, initiative),
        listed=record.listed,
        sections=tuple(
            (key, translated(title), getattr(initiative.narrative, key))
            for key, title in SECTIONS.items()
        ),
        strategies=tuple(_strategy(published, one, found) for one in initiative.strategies),
        facts=tuple(fact_row(published, fact) for fact in initiative.facts),
        history=_history(record.history),
        period=measure_words.span(found.scope.start, found.scope.end),
        named={"city": city} if city else {},
    )


def standing(
    published: PublicCityView, found: CityFigures, details: Sequence[MeasureDetail]
) -> InitiativesInShort | None:
    """Tell in short how a city's initiatives stand; nothing where it has neither them nor data."""
    if not published.initiatives and not details:
        return None
    return InitiativesInShort(
        cards=tuple(_card(published, record.initiative) for record in published.initiatives),
        key=tuple(_key_figure(published, detail) for detail in details),
        period=measure_words.span(found.scope.start, found.scope.end),
    )


def key_measures(found: CityFigures) -> tuple[str, ...]:
    """Choose the measures that the front page shows: the first few that have a figure."""
    there = [
        (one.value.measure.key, identity)
        for identity, one in found.values.items()
        if one.value.measure.key and one.value.figure.value is not None
    ]
    return tuple(identity for _, identity in sorted(there)[:KEY_NUMBER])


def status_mark(status: str) -> Mark:
    """Return the icon and the words of the status of an initiative or strategy."""
    return Mark(icon=STATUS_ICONS[status], words=translated(status))


def _card(published: PublicCityView, initiative: Initiative) -> InitiativeCard:
    age = max(0, (published.city.this_day() - initiative.updated).days)
    return InitiativeCard(
        slug=initiative.slug,
        number=initiative.number,
        title=initiative.title,
        goal=initiative.goal,
        mark=status_mark(initiative.status),
        owner=initiative.owner,
        update=Update(
            day=numbers.day(initiative.updated),
            age=measure_words.ago(age),
            overdue=age > STALE_DAYS and initiative.status == "In Progress",
        ),
        why=initiative.narrative.why[0] if initiative.narrative.why else "",
        strategies=tuple((one.title, status_mark(one.status)) for one in initiative.strategies),
    )


def _strategy(published: PublicCityView, strategy: Strategy, found: CityFigures) -> StrategyPart:
    there = [found.values[one] for one in strategy.measures if one in found.values]
    rows = [measure_row(published, public) for public in there]
    lines = [row for row in rows if row.figure or row.mark.icon == "withheld"]
    return StrategyPart(
        slug=strategy.slug,
        title=strategy.title,
        mark=status_mark(strategy.status),
        summary=strategy.summary,
        rows=tuple(lines),
        nothing=tuple(row for row in rows if row not in lines),
        also=tuple(
            (identity, _title(published, identity))
            for identity in strategy.also_touched
            if identity in published.measures
        ),
    )


def fact_row(published: PublicCityView, fact: Fact) -> FactRow:
    """Tell a published figure."""
    return FactRow(
        label=fact.label,
        value=f"{_grouped(fact.value)} {_unit(fact.unit)}".strip(),
        period=measure_words.capital(fact.period or ""),
        source=fact.source,
        url=fact.url,
        quality=measure_words.capital(fact.quality),
        note=fact.note or "",
        retrieved=numbers.day(fact.retrieved) if fact.retrieved else "",
        measure=fact.measure or "",
        measure_title=_title(published, fact.measure or ""),
    )


def _title(published: PublicCityView, identity: str) -> str:
    """Return the title of a measure; nothing of one that the city does not declare any more."""
    return (
        measure_words.title(published.measures[identity]) if identity in published.measures else ""
    )


def facts_of(published: PublicCityView, identity: str) -> tuple[FactRow, ...]:
    """Return the published figures that stand beside a measure, of all initiatives."""
    facts = (fact for record in published.initiatives for fact in record.initiative.facts)
    return tuple(fact_row(published, fact) for fact in facts if fact.measure == identity)


def _grouped(value: str) -> str:
    """Write a whole number with its thousands apart, and anything else as it was published.

    >>> _grouped("1447"), _grouped("2022-12-15"), _grouped("57")
    ('1,447', '2022-12-15', '57')
    """
    return (
        numbers.number(int(value))
        if value.isascii() and value.isdigit() and len(value) > 3
        else value
    )


def _unit(unit: str | None) -> str:
    return {"percent": "%", "date": ""}.get(unit or "", unit or "")


def _history(entries: Sequence[PublicEvent]) -> tuple[HistoryRow, ...]:
    """Tell what was stated when, newest first; the text that stands is on the page already."""
    found, stands = [], True
    for entry in entries:
        initiative = entry.initiative
        sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
        if initiative is not None and not stands:
            sections = tuple(
                (translated(title), getattr(initiative.narrative, key))
                for key, title in SECTIONS.items()
            )
        found.append(
            HistoryRow(
                when=numbers.day(entry.recorded_at.date()),
                event=translated(EVENTS[entry.event]),
                status=translated(initiative.status) if initiative else "",
                updated=numbers.day(initiative.updated) if initiative else "",
                changes=tuple(measure_words.capital(change) for change in entry.changes),
                sections=sections,
            )
        )
        stands = stands and initiative is None
    return tuple(found)


def _key_figure(published: PublicCityView, detail: MeasureDetail) -> KeyFigure:
    figures = [one.value.figure for one in detail.series]
    known = [figure.value for figure in figures if figure.value is not None]
    low, high = min([*known, 0.0]), max([*known, 0.0])
    span = high - low or 1.0
    places = [
        None
        if figure.value is None
        else (_across(i, len(figures)), round(26 - 24 * (figure.value - low) / span, 1))
        for i, figure in enumerate(figures)
    ]
    drawn = [place for place in places if place is not None]
    return KeyFigure(
        row=measure_row(published, detail.value),
        lines=tuple(_paths(places)),
        last=drawn[-1] if drawn else None,
        from_=_first_month(detail),
    )


def _across(i: int, number: int) -> float:
    return round(1 + 98 * i / max(1, number - 1), 1)


def _paths(places: Iterable[tuple[float, float] | None]) -> list[str]:
    """Join places that follow one another; a gap begins a new path."""
    paths: list[str] = []
    after_gap = True
    for place in places:
        if place is not None:
            step = f"{place[0]} {place[1]}"
            if after_gap:
                paths.append(f"M{step}")
            else:
                paths[-1] += f"L{step}"
        after_gap = place is None
    return paths


def _first_month(detail: MeasureDetail) -> str:
    if detail.span is None:
        return ""
    return numbers.dated(detail.span.start, "yMMM")
