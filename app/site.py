"""What public pages read, and all that they read.

For now that is the newest city-wide run of a city. Pages know only this object, so that a published
release can take its place without a change to any page.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from app.certainty import CERTAINTY
from app.periods import last_year
from app.public_figures import city_figures, measure_detail
from app.sensitivity import SENSITIVITY
from app.validation import BACKTEST, VALIDATION
from geodata.measures.ledger import Ledger
from geodata.measures.masked import Masks
from geodata.measures.registry import STALE_DAYS
from geodata.publishing.activity_live import public_activity
from geodata.publishing.gazetteer import make_gazetteer
from geodata.publishing.surroundings import NO_CLASS, Ground, RiskClasses
from geodata.store import cities, findings, initiatives, layers, runs, sources

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from app.public_figures import CityFigures, MeasureDetail
    from geodata.database import Database
    from geodata.measures.record import Scope
    from geodata.measures.registry import Step
    from geodata.publishing.activity import Activity
    from geodata.reports import SourceReport
    from geodata.store.cities import CityRecord, CitySummary
    from geodata.store.findings import FindingRecord
    from geodata.store.initiatives import HistoryEntry, InitiativeRecord
    from geodata.store.runs import RunRecord
    from spatial.suppression import PublicTable

KEPT = 8
KEPT_FIGURES = 256
KEPT_TABLES = 512
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One city as the public sees it; ``run`` is missing until something was fitted.

    ``extents`` has the first and the last day that each section of records has rows of. ``stamp``
    changes whenever anything of it does.
    """

    city: CityRecord
    run: RunRecord | None
    base: gpd.GeoDataFrame
    reports: list[SourceReport]
    validations: list[FindingRecord]
    backtests: list[FindingRecord]
    certainty: FindingRecord | None
    sensitivity: FindingRecord | None
    others: tuple[CitySummary, ...]
    extents: Mapping[str, tuple[dt.date, dt.date]]
    initiatives: tuple[InitiativeRecord, ...] = ()
    retired: tuple[InitiativeRecord, ...] = ()
    stamp: tuple[str, ...] = ()

    @property
    def targets(self) -> Mapping[str, tuple[float, str]]:
        """The city's own targets with their source, by measure; retired initiatives set none."""
        return {
            one.measure: (one.target, one.source)
            for record in self.initiatives
            for strategy in record.initiative.strategies
            for one in strategy.targets
        }

    @property
    def data_through(self) -> dt.date | None:
        """The last day that any row is about."""
        return max((last for _, last in self.extents.values()), default=None)

    @property
    def age_days(self) -> int | None:
        """Days from then to today, or to the day at which a synthetic city's calendar stands."""
        through = self.data_through
        return None if through is None else max(0, (self.city.this_day() - through).days)

    @property
    def stale(self) -> bool:
        """Whether the newest row is older than the promise of a weekly update allows."""
        age = self.age_days
        return age is not None and age > STALE_DAYS


class PublicSite:
    """Reads the shown run of each city, keeping the last few in memory."""

    def __init__(self, database: Database, city: str | None) -> None:
        self._database = database
        self._city = city
        self._kept: dict[tuple[str, ...], Shown] = {}
        self._activities: dict[tuple[str, ...], Activity | None] = {}
        self._grounds: dict[tuple[str, ...], Ground] = {}
        self._figures: dict[Any, Any] = {}
        self._tables: dict[str, PublicTable] = {}
        self._masks: tuple[Any, Masks] = (None, Masks())
        self._lock, self._work = threading.Lock(), threading.Lock()

    def shown(self, slug: str | None = None) -> Shown | None:
        """Give a city by slug, else the configured one, else the city of the newest run.

        Raises
        ------
        NotStoredError
            If a city is named that is not stored.
        """
        with self._database.session() as session:
            listed = cities.list_cities(session)
            name = slug or self._city or runs.newest_city(session)
            name = name or (listed[0].slug if listed else None)
            if name is None:
                return None
            city = cities.get_city(session, name)
            found = [
                run for run in runs.list_runs(session, name) if run.scope == "city" and run.readable
            ]
            run = found[0].id if found else None
            told = str(initiatives.newest_version(session, city.id))
            stamp = city.imported_at.isoformat()
            key = (name, run or "", stamp, _newest_finding(session, run), told)
            with self._lock:
                if key in self._kept:
                    return self._kept[key]
            others = tuple(other for other in listed if other.slug != name)
            shown = load_shown(session, city, run, others, stamp=key)
        with self._lock:
            self._kept[key] = shown
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))
        return shown

    def figures(self, shown: Shown, scope: Scope) -> CityFigures:
        """Give every measure of a city in a scope."""
        return self._worked_out(
            shown, (scope,), lambda ledger, masks: city_figures(ledger, scope, shown.targets, masks)
        )

    def detail(self, shown: Shown, scope: Scope, identity: str, by: Step) -> MeasureDetail:
        """Give one measure of a city in a scope, by month or week and by district.

        Raises
        ------
        DataError
            If there is no such measure.
        """
        return self._worked_out(
            shown,
            (scope, identity, by),
            lambda ledger, masks: measure_detail(ledger, scope, identity, by, shown.targets, masks),
        )

    def initiative(self, shown: Shown, slug: str) -> tuple[InitiativeRecord, list[HistoryEntry]]:
        """Give one initiative of a city, retired or not, and its history.

        Raises
        ------
        NotStoredError
            If there is none of that slug.
        """
        with self._database.session() as session:
            return (
                initiatives.get_initiative(session, shown.city.slug, slug),
                initiatives.initiative_history(session, shown.city.slug, slug),
            )

    def warm(self) -> None:
        """Work out what the first page needs, so that nobody waits for it."""
        shown = self.shown()
        if shown is not None:
            self.figures(shown, last_year(shown))

    def check(self) -> None:
        """Read from the database.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
        self._database.check()

    def _worked_out(
        self, shown: Shown, about: tuple[Any, ...], work: Callable[[Ledger, Masks], _T]
    ) -> _T:
        """Work something out of a city's rows, once for all that ask the same of the same rows.

        Whoever asks while it is worked out waits for it instead of doing it again.
        """
        city, today = shown.city, shown.city.this_day()
        key = (shown.stamp, today, *about)
        with self._lock:
            if key in self._figures:
                return self._figures[key]
        with self._work, self._database.session() as session:
            with self._lock:
                if key in self._figures:
                    return self._figures[key]
            if self._masks[0] != (shown.stamp, today):
                self._masks = ((shown.stamp, today), Masks(self._tables))
                while len(self._tables) > KEPT_TABLES:
                    self._tables.pop(next(iter(self._tables)))
            found = work(Ledger(session, city, today), self._masks[1])
        with self._lock:
            self._figures[key] = found
            while len(self._figures) > KEPT_FIGURES:
                self._figures.pop(next(iter(self._figures)))
        return found

    def ground(self, shown: Shown, run: RunRecord) -> Ground:
        """Give all that can be asked about a place or an area."""
        city = shown.city
        key = (*shown.stamp, city.this_day().isoformat())
        with self._lock:
            if key in self._grounds:
                return self._grounds[key]
        made = Ground(
            districts=city.districts,
            neighbourhoods=shown.base[shown.base["kind"] == "neighbourhood"],
            zones=run.zones,
            classes=_classes(run),
            gazetteer=make_gazetteer(
                shown.base,
                dict(zip(city.districts["code"], city.districts.geometry, strict=True)),
            ),
            activity=self.activity(shown),
        )
        with self._lock:
            self._grounds[key] = made
            while len(self._grounds) > KEPT:
                self._grounds.pop(next(iter(self._grounds)))
        return made

    def activity(self, shown: Shown) -> Activity | None:
        """Give a city's alerts and complaints as the public may see them, by week."""
        city = shown.city
        key = (city.slug, city.imported_at.isoformat(), city.this_day().isoformat())
        with self._lock:
            if key in self._activities:
                return self._activities[key]
        with self._database.session() as session:
            made = public_activity(session, Ledger(session, city, city.this_day()))
        with self._lock:
            self._activities[key] = made
            while len(self._activities) > KEPT:
                self._activities.pop(next(iter(self._activities)))
        return made


def load_shown(
    session: Session,
    city: CityRecord,
    run: str | None,
    others: tuple[CitySummary, ...] = (),
    stamp: tuple[str, ...] = (),
) -> Shown:
    """Read everything that pages and reports tell of a city and one of its runs."""
    about = run or ""
    certainty = findings.list_findings(session, about, CERTAINTY)
    varied = findings.list_findings(session, about, SENSITIVITY)
    return Shown(
        city=city,
        run=runs.get_run(session, run) if run else None,
        base=layers.base_shapes(session, city.id),
        reports=sources.latest_reports(session, city.id),
        validations=findings.list_findings(session, about, VALIDATION),
        backtests=findings.list_findings(session, about, BACKTEST),
        certainty=certainty[0] if certainty else None,
        sensitivity=varied[0] if varied else None,
        others=others,
        extents=dict(Ledger(session, city, city.this_day()).extents),
        initiatives=tuple(initiatives.list_initiatives(session, city.slug)),
        retired=tuple(initiatives.retired_initiatives(session, city.slug)),
        stamp=stamp,
    )


def _classes(run: RunRecord) -> RiskClasses:
    """Give a run's risk classes on their lattice, as its surface does."""
    grid = run.grid
    levels = grid.to_raster(run.cells["risk_class"].to_numpy(np.uint8), fill=NO_CLASS)
    west, _, _, north = grid.bounds
    return RiskClasses(
        levels=levels.astype(np.uint8)[::-1], west=west, north=north, cell_units=grid.cell_units
    )


def _newest_finding(session: Session, run: str | None) -> str:
    newest = findings.newest(session, run or "")
    return newest.isoformat() if newest else ""
