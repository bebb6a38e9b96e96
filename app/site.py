"""What public pages read, and all that they read.

For now that is the newest city-wide run of a city. Pages know only this object, so that a published
release can take its place without a change to any page.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.certainty import CERTAINTY
from app.sensitivity import SENSITIVITY
from app.validation import BACKTEST, VALIDATION
from geodata.measures.ledger import Ledger
from geodata.publishing.activity import public_activity
from geodata.store import cities, findings, layers, runs, sources

if TYPE_CHECKING:
    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geodata.database import Database
    from geodata.publishing.activity import Activity
    from geodata.reports import SourceReport
    from geodata.store.cities import CityRecord, CitySummary
    from geodata.store.findings import FindingRecord
    from geodata.store.runs import RunRecord

KEPT = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One city as the public sees it; ``run`` is missing until something was fitted."""

    city: CityRecord
    run: RunRecord | None
    base: gpd.GeoDataFrame
    reports: list[SourceReport]
    validations: list[FindingRecord]
    backtests: list[FindingRecord]
    certainty: FindingRecord | None
    sensitivity: FindingRecord | None
    others: tuple[CitySummary, ...]


class PublicSite:
    """Reads the shown run of each city, keeping the last few in memory."""

    def __init__(self, database: Database, city: str | None) -> None:
        self._database = database
        self._city = city
        self._kept: dict[tuple[str, ...], Shown] = {}
        self._activities: dict[tuple[str, ...], Activity | None] = {}
        self._lock = threading.Lock()

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
            key = (name, run or "", city.imported_at.isoformat(), _newest_finding(session, run))
            with self._lock:
                if key in self._kept:
                    return self._kept[key]
            others = tuple(other for other in listed if other.slug != name)
            shown = load_shown(session, city, run, others)
        with self._lock:
            self._kept[key] = shown
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))
        return shown

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
    )


def _newest_finding(session: Session, run: str | None) -> str:
    newest = findings.newest(session, run or "")
    return newest.isoformat() if newest else ""
