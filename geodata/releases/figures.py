"""The measures of a release: plain ones as they are, sensitive ones where they may be shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from geodata.errors import ReleaseError
from geodata.measures.outcomes import GROUP, measure_id, year_before
from geodata.measures.record import Figure, status_of
from geodata.measures.registry import disclosed, measures_of_city, steps, work_out_scopes
from geodata.measures.spans import LAST_YEAR, THIS_YEAR, WHOLE, last_year, this_year
from geodata.releases.outcome_counts import (
    days_of_outcome,
    hits_days,
    least_counts,
    stated_of_city,
)
from geodata.releases.public_zones import digest_run
from geodata.releases.rules import OF_HITS, OF_ZONES, OUTSIDE, SHOWN_WORDS
from geodata.releases.run_findings import accounts, hide_hits, scored, zones_of
from geodata.releases.sensitive import CITY, CountDisclosure, Hidden, SensitiveCounts, hide, hits_of
from spatial.disclosure.linked import SHOWN
from spatial.errors import MaskingError
from spatial.intervals import poisson
from spatial.measures.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geodata.measures.record import Disclosure, Measure, MeasureValue
    from geodata.releases.inputs import Material
    from geodata.releases.run_findings import Span, Zones
    from geodata.releases.sensitive import Where

    Values = Mapping[tuple[str, Scope], MeasureValue]

BY_WEIGHT = (LAST_YEAR, WHOLE, THIS_YEAR)  # which of a city's sums to hide last
WEEKS_TOLD = 104
NOTHING_TOLD = Figure(value=None, n=0)


@dataclass(frozen=True, kw_only=True, eq=False)
class PublishedFigure:
    """One figure as it is published; ``shown`` says why it is hidden, if it is.

    ``counted`` is whether n and missing are given.
    """

    value: MeasureValue
    shown: str = ""
    counted: bool = True
    when: str = ""  # a period, or a month


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """Every figure of a release, and the tables that the sensitive ones were hidden in."""

    periods: Mapping[str, Scope]
    of_periods: Sequence[PublishedFigure]
    of_months: Sequence[PublishedFigure]
    of_weeks: Sequence[PublishedFigure] = ()
    tables: Sequence[Hidden]

    @property
    def told(self) -> Mapping[Where, CountDisclosure]:
        """What is reported of each count that was hidden or could have been."""
        return {where: result for table in self.tables for where, result in table.told.items()}


def work_out_figures(
    material: Material, earlier: Mapping[Where, CountDisclosure]
) -> Figures | None:
    """Work out every open measure for the periods and months of a release.

    Parameters
    ----------
    material
        Of the city.
    earlier
        What releases that were public stated of sensitive measures.

    Returns
    -------
    Nothing for a city without any row.
    """
    first = material.ledger.first_day
    if first is None or first >= material.end:
        return None
    periods = _periods(Scope(start=first, end=material.end))
    worked = _Worked(material, first)
    plain = worked.disclosed("open")
    of_periods = [*worked.plain(plain, periods), *worked.coarse()]
    months = {scope.start.isoformat()[:7]: scope for scope in steps(periods["whole"], "month")}
    of_months = list(worked.plain(plain, months))
    weeks = {scope.start.isoformat(): scope for scope in _weeks(periods["whole"])}
    dated = [one for one in plain if one.sources]
    hits = list(worked.zone_hits(earlier))
    found = [*worked.sensitive(earlier), *worked.outcomes(earlier, hits)]
    incidents = {
        where: one for own in found for table in own.tables for where, one in table.told.items()
    }
    found += worked.of_zones(hits, incidents)
    for own in found:
        of_periods += own.of_periods
        of_months += own.of_months
    order = {identity: position for position, identity in enumerate(worked.measures)}

    def place(one: PublishedFigure) -> int:
        return order[one.value.measure.id]

    return Figures(
        periods=periods,
        of_periods=sorted(of_periods, key=place),
        of_months=sorted(of_months, key=place),
        of_weeks=sorted(worked.plain(dated, weeks, [None]), key=place),
        tables=[table for own in found for table in own.tables],
    )


def _periods(whole: Scope) -> dict[str, Scope]:
    """Return the whole scope, its last 12 months and its year so far."""
    first, end = whole.start, whole.end
    return {
        WHOLE: whole,
        LAST_YEAR: whole.within(*last_year(first, end)),
        THIS_YEAR: whole.within(*this_year(first, end)),
    }


def _whole_months(first: dt.date, end: dt.date) -> dict[str, Scope]:
    """Return the periods in whole months; none where no month is over."""
    start, after = first.replace(day=1), end.replace(day=1)
    return _periods(Scope(start=start, end=after)) if start < after else {}


def _days(scope: Scope) -> tuple[dt.date, dt.date]:
    return scope.start, scope.end


def _weeks(whole: Scope) -> list[Scope]:
    """Return the last weeks from Monday; the newest may not be over."""
    monday = whole.end - dt.timedelta(days=1)
    first = monday - dt.timedelta(days=monday.weekday(), weeks=WEEKS_TOLD - 1)
    return steps(whole.within(max(whole.start, first), whole.end), "week")


class _Worked:
    """Works figures out, all scopes of some measures in one pass."""

    def __init__(self, material: Material, first: dt.date) -> None:
        self.material, self.ledger = material, material.ledger
        self.measures = measures_of_city(material.city)
        self.districts = [str(code) for code in material.city.districts["code"]]
        self.periods = _whole_months(first, material.end)
        self.months = steps(self.periods[WHOLE], "month") if self.periods else []
        self.own = (
            None if material.run is None else zones_of(material.run, digest_run(material.run))
        )

    def disclosed(self, *ways: Disclosure) -> list[Measure]:
        """Return the measures that are published in some ways."""
        return [self.measures[identity] for identity in disclosed(self.measures, *ways)]

    def work(
        self,
        measures: Iterable[Measure],
        scopes: Iterable[Scope],
        districts: Sequence[str | None] | None = None,
    ) -> dict[tuple[str, Scope], MeasureValue]:
        """Work measures out for some days of some places; the city and every district if left out.

        Returns
        -------
        Values by measure and scope; none is through a day that is not published yet.
        """
        cells = [
            replace(scope, district=district)
            for scope in dict.fromkeys(scopes)
            for district in districts or [None, *self.districts]
        ]
        found = work_out_scopes(self.ledger, cells, measures, self.material.targets)
        return {
            key: replace(value, data_through=min(value.data_through, self.material.last_day))
            if value.data_through is not None
            else value
            for key, value in found.items()
        }

    def plain(
        self,
        measures: Sequence[Measure],
        scopes: Mapping[str, Scope],
        districts: Sequence[str | None] | None = None,
    ) -> Iterator[PublishedFigure]:
        """Work out what is published as it is."""
        values = self.work(measures, scopes.values(), districts)
        for when, scope in scopes.items():
            for district in districts or [None, *self.districts]:
                for measure in measures:
                    value = values[measure.id, replace(scope, district=district)]
                    yield PublishedFigure(value=value, when=when)

    def coarse(self) -> Iterator[PublishedFigure]:
        """Work out what rests on verified gunfire, for the periods of the results of alerts."""
        return self.plain(self.disclosed("coarse"), self.periods, [None])

    def sensitive(self, earlier: Mapping[Where, CountDisclosure]) -> Iterator[Figures]:
        """Work out what is published where its counts may be shown: by whole months."""
        if not self.periods:
            return
        together = self.disclosed("part")
        counted = [one for one in self.disclosed("count") if one.group != GROUP]
        for measures in (together, *([one] for one in counted)):
            ids = [one.id for one in measures]
            visible = [*measures, *(one for one in self.disclosed("follows") if one.follows in ids)]
            values = self.work(visible, [*self.periods.values(), *self.months])
            table = self._table(measures, self.months, values)
            if table is None:
                continue
            hidden = hide(table, [_days(one) for one in self._by_weight()], earlier)
            yield self._found(visible, values, hidden)

    def outcomes(
        self,
        earlier: Mapping[Where, CountDisclosure],
        hits: Sequence[tuple[Zones, Hidden]],
    ) -> Iterator[Figures]:
        """Work out the incidents of each outcome, hidden with what else is told of them.

        Nothing is told of an outcome of which a small count follows from what is public already.
        """
        for outcome in self.material.city.outcomes if self.months else ():
            measure = self.measures[measure_id(outcome)]
            if measure.disclosure != "count":
                continue
            days = days_of_outcome(self.material, outcome, self._by_weight(), self.months, earlier)
            wanted = [*days.pieces, *self.periods.values(), *self.months]
            values = self.work([measure], wanted)
            table = self._table([measure], days.pieces, values)
            if table is None:
                continue
            of_zones = [hidden for zones, hidden in hits if zones.outcome == outcome]
            table = replace(table, at_least=least_counts(measure.id, days.spans, of_zones))
            stated = stated_of_city(table, days.of_city)
            try:
                hidden = hide(table, days.spans, {**earlier, **stated})
            except MaskingError:
                continue
            yield self._found([measure], values, hidden)

    def zone_hits(self, earlier: Mapping[Where, CountDisclosure]) -> Iterator[tuple[Zones, Hidden]]:
        """Decide what is told of incidents inside zones: of this run's, and of earlier ones."""
        material, own = self.material, self.own
        sets: dict[str, tuple[Zones, list[Span]]] = {}
        for one in accounts(material):
            sets.setdefault(one.zones.key, (one.zones, []))[1].append(one.days)
        if own is not None:
            sets[own.key] = (own, [*sets.get(own.key, (own, []))[1], *scored(material)])
        for zones, of_city in sets.values():
            mine = self._is_own(zones)
            spans = [_days(one) for one in self._by_weight()] if mine else []
            spans = list(dict.fromkeys([*spans[:1], *of_city, *spans[1:]]))
            lines = [*spans, *map(_days, self.months)] if mine else spans
            if not lines:
                continue
            also = {*map(_days, (*self.periods.values(), *self.months))} if mine else set()
            yield zones, hide_hits(material, zones, lines, {*of_city} - also, earlier)

    def of_zones(
        self,
        hits: Sequence[tuple[Zones, Hidden]],
        incidents: Mapping[Where, CountDisclosure],
    ) -> Iterator[Figures]:
        """Work out how the zones that are shown did, where all incidents are told.

        How many there were in all stands beside those inside zones, so these are given only where
        that number is.
        """
        measures = [self.measures[one] for one in OF_ZONES]
        for zones, hidden in hits:
            mine = measures if self._is_own(zones) else []
            values = self.work(mine, [*self.periods.values(), *self.months])
            found = self._found(mine, values, hidden)

            def has_total(one: PublishedFigure, zones: Zones = zones) -> bool:
                scope = one.value.scope
                where = (measure_id(zones.outcome), scope.district or CITY)
                total = incidents.get((*where, *hits_days(scope, zones.since)))
                return scope.end <= zones.since or (total is not None and total.label == SHOWN)

            yield replace(
                found,
                of_periods=list(filter(has_total, found.of_periods)),
                of_months=list(filter(has_total, found.of_months)),
            )

    def _is_own(self, zones: Zones) -> bool:
        """Return whether zones are those of the run that is shown."""
        return self.own is not None and zones.key == self.own.key

    def _by_weight(self) -> list[Scope]:
        """Return the periods, the one whose sums are hidden last first."""
        return [self.periods[name] for name in BY_WEIGHT if self.periods]

    def _found(self, measures: Sequence[Measure], values: Values, hidden: Hidden) -> Figures:
        by_month = {scope.start.isoformat()[:7]: scope for scope in self.months}
        return Figures(
            periods=self.periods,
            of_periods=list(self._hidden(measures, self.periods, values, hidden)),
            of_months=list(self._hidden(measures, by_month, values, hidden)),
            tables=[hidden],
        )

    def _table(
        self, measures: Sequence[Measure], months: Sequence[Scope], values: Values
    ) -> SensitiveCounts | None:
        """Count what measures say by district and month, and what lies outside of districts."""
        places = [*self.districts, None]
        counts = np.zeros((len(measures), len(places), len(months)))
        known = np.zeros((len(places), len(months)))
        noted = False
        for (p, place), (t, month) in product(enumerate(places), enumerate(months)):
            for m, measure in enumerate(measures):
                figure = values[measure.id, replace(month, district=place)].figure
                noted |= figure.value is not None
                value = figure.numerator if measure.is_share else figure.value
                counts[m, p, t] = value or 0.0
                known[p, t] = figure.denominator or 0.0
        if not noted:
            return None
        for table in (counts, known):
            table[..., -1, :] -= table[..., :-1, :].sum(axis=-2)
        districts = tuple(self.districts)
        if (counts[:, -1] < 0).any():  # districts do not add up to the city: only the city is told
            counts = counts.sum(axis=1, keepdims=True)
            districts = ()
        shared = measures[0].is_share
        if (counts % 1).any() or (shared and not np.array_equal(counts.sum(axis=0), known)):
            msg = (
                f"suppression: {measures[0].id} cannot be hidden where it must be: its counts are "
                "no whole numbers or do not add up; correct the rows and import them again"
            )
            raise ReleaseError(msg, "suppression", code="suppression_impossible")
        return SensitiveCounts(
            measures=tuple(measure.id for measure in measures),
            places=(*districts, OUTSIDE),
            months=tuple(months),
            counts=counts.astype(np.int64),
            known=known.astype(np.int64) if shared else None,
        )

    def _hidden(
        self,
        measures: Sequence[Measure],
        scopes: Mapping[str, Scope],
        values: Values,
        hidden: Hidden,
    ) -> Iterator[PublishedFigure]:
        run = self.material.run
        of_zones = {} if run is None else dict.fromkeys(OF_ZONES, hits_of(digest_run(run)))
        for when, scope in scopes.items():
            for district in (None, *self.districts):
                for measure in measures:
                    base = measure.follows or of_zones.get(measure.id, measure.id)
                    result = hidden.told.get((base, district or CITY, scope.start, scope.end))
                    if result is None:
                        continue
                    value = values[measure.id, replace(scope, district=district)]
                    before = year_before(scope)
                    earlier = (base, district or CITY, before.start, before.end)
                    yield _published(value, result, when, hidden.told.get(earlier))


def _published(
    value: MeasureValue,
    disclosure: CountDisclosure,
    when: str,
    earlier: CountDisclosure | None,
) -> PublishedFigure:
    """Return a sensitive figure if its count is shown, and never more of it than that.

    ``earlier`` is what is reported of the same days of the year before.
    """
    measure, figure = value.measure, value.figure
    counted = measure.is_share or measure.id in OF_HITS
    if disclosure.label != SHOWN:
        if counted:
            kept = replace(
                NOTHING_TOLD, n=figure.n, missing=figure.missing, denominator=figure.denominator
            )
        else:
            kept = replace(NOTHING_TOLD, denominator=figure.denominator)
        return PublishedFigure(
            value=replace(value, figure=kept, status=None),
            shown=SHOWN_WORDS[disclosure.label],
            counted=counted,
            when=when,
        )
    if not (counted or measure.follows):
        stands = (
            None if figure.value is None and not disclosure.value else float(disclosure.value or 0)
        )
        figure = Figure(value=stands, n=measure.least_n)
        if measure.group == GROUP and stands is not None:
            low, high = poisson(int(stands))
            known = value.figure.year_before is not None and earlier is not None
            before = earlier.value if known and earlier is not None else None
            figure = replace(figure, low=low, high=high, year_before=before)
        status = status_of(measure, figure, value.target, stale=value.status == "stale")
        value = replace(value, figure=figure, status=status)
    return PublishedFigure(value=value, counted=counted, when=when)
