"""The public pages over data that are not published: a preview for staff, read from the database.

What it shows is masked and hidden as a release would, of all days that the rows tell of.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from app.maps.basemap import Ground
from app.maps.bundle import activity_json, map_bundle, put_file
from app.maps.picture import area_svg, scene_of, zone_svg
from app.public.periods import last_year
from app.public.public_figures import city_figures, measure_detail
from app.public.published_city import (
    PublicEvent,
    PublicFinding,
    PublicInitiative,
    Shown,
    public_city,
    public_run,
)
from app.usecases.risk.analyses import CERTAINTY, SENSITIVITY
from app.usecases.risk.validation import BACKTEST, VALIDATION
from geodata.errors import NotStoredError
from geodata.measures.ledger import Ledger
from geodata.measures.masked import Masks
from geodata.measures.registry import measures_of
from geodata.releases.activity_live import public_activity
from geodata.releases.gazetteer import make_gazetteer
from geodata.releases.inputs import in_districts
from geodata.releases.surroundings import NO_CLASS, RiskClasses, Surroundings
from geodata.repositories import (
    cities,
    import_log,
    initiatives,
    layers,
    run_analyses,
    runs_in_use,
    zone_versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from app.maps.bundle import Bundle
    from app.public.public_figures import CityFigures, MeasureDetail
    from app.public.published_city import PublicRun
    from geodata.db.engine import Database
    from geodata.measures.record import Scope
    from geodata.measures.registry import Step
    from geodata.releases.activity import Activity
    from geodata.releases.folder import ReleaseFolder
    from geodata.repositories.cities import CityRecord, CitySummary
    from geodata.repositories.initiatives import HistoryEntry, InitiativeRecord
    from geodata.repositories.runs import RunRecord
    from spatial.disclosure.suppression import PublicTable

KEPT = 8
MAP_FOLDER = re.compile(r"(?!release-)[a-z0-9-]+")  # all that a preview makes; no release
KEPT_FIGURES = 256
KEPT_TABLES = 512
_T = TypeVar("_T")


class LiveSite:
    """Reads the run in use of each city, keeping the last few in memory."""

    preview = True

    def __init__(self, database: Database, city: str | None, maps: Path) -> None:
        self.maps = maps
        self._database = database
        self._city = city
        self._kept: dict[tuple[str, ...], Shown] = {}
        self._drawn: dict[str, tuple[Ground, RunRecord]] = {}
        self._activities: dict[tuple[str, ...], Activity | None] = {}
        self._surroundings: dict[tuple[str, ...], Surroundings] = {}
        self._figures: dict[Any, Any] = {}
        self._tables: dict[str, PublicTable] = {}
        self._masks: tuple[Any, Masks] = (None, Masks())
        self._lock, self._work = threading.Lock(), threading.Lock()

    def shown(self, slug: str | None = None) -> Shown | None:
        """Give a city by slug, else the configured one, else that of the run put to use last.

        Raises
        ------
        NotStoredError
            If a city is named that is not stored.
        """
        with self._database.session() as session:
            listed = cities.list_cities(session)
            name = slug or self._city or runs_in_use.last_city(session)
            name = name or (listed[0].slug if listed else None)
            if name is None:
                return None
            city = cities.get_city(session, name)
            run = runs_in_use.id_in_use(session, city)
            told = str(initiatives.newest_version(session, city.id))
            stamp = city.imported_at.isoformat()
            used = str(zone_versions.number_in_use(session, run or ""))
            key = (name, run or "", used, stamp, _newest_finding(session, run), told)
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

    def initiative(self, shown: Shown, slug: str) -> tuple[PublicInitiative, list[PublicEvent]]:
        """Give one initiative of a city, retired or not, and its history, newest first.

        Raises
        ------
        NotStoredError
            If there is none of that slug.
        """
        with self._database.session() as session:
            record = initiatives.get_initiative(session, shown.city.slug, slug)
            history = initiatives.initiative_history(session, shown.city.slug, slug)
        return public_initiative(record), [public_event(entry) for entry in history]

    def serves_map(self, folder: str) -> bool:
        """Return whether a folder of maps is one of a preview: releases have pages of their own."""
        return MAP_FOLDER.fullmatch(folder) is not None

    def release(self, shown: Shown) -> ReleaseFolder | None:
        """Give nothing: a preview shows no release."""
        del shown
        return None

    def releases(self, shown: Shown) -> list[ReleaseFolder]:
        """Give nothing: a preview knows no releases."""
        del shown
        return []

    def bundle(self, shown: Shown) -> Bundle:
        """Give the map of the run that is shown."""
        return map_bundle(self.maps, *self._ground(shown))

    def zone_picture(self, shown: Shown, zone_id: str) -> bytes:
        """Draw one zone of the run that is shown, and its surroundings."""
        return zone_svg(*self._ground(shown), zone_id)

    def activity_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of a city's activity as a file of the map."""
        activity = self.activity(shown)
        if activity is None:
            return None
        content = activity_json(activity, shown.city.crs)
        return put_file(self.maps, f"activity-{shown.city.slug}", "activity", content)

    def surroundings(self, shown: Shown) -> Surroundings:
        """Give what can be asked of a place or an area of the run that is shown."""
        key = (*shown.stamp, shown.city.this_day().isoformat())
        with self._lock:
            if key in self._surroundings:
                return self._surroundings[key]
        ground, run = self._ground(shown)
        districts = shown.city.districts
        made = Surroundings(
            districts=districts,
            neighbourhoods=ground.base[ground.base["kind"] == "neighbourhood"],
            zones=run.zones,
            classes=risk_classes(run),
            gazetteer=make_gazetteer(
                ground.base, dict(zip(districts["code"], districts.geometry, strict=True))
            ),
            activity=self.activity(shown),
        )
        with self._lock:
            self._surroundings[key] = made
            while len(self._surroundings) > KEPT:
                self._surroundings.pop(next(iter(self._surroundings)))
        return made

    def names_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of what can be searched, as a file of the map."""
        gazetteer = self.surroundings(shown).gazetteer
        if len(gazetteer) == 0:
            return None
        return put_file(self.maps, f"names-{shown.city.slug}", "names", gazetteer.document())

    def area_picture(self, shown: Shown, shape: BaseGeometry) -> bytes:
        """Draw an area in the city's reference system, and what lies around it."""
        return area_svg(scene_of(*self._ground(shown)), shape)

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
        today = shown.city.this_day()
        key = (shown.stamp, today, *about)
        with self._lock:
            if key in self._figures:
                return self._figures[key]
        with self._work, self._database.session() as session:
            with self._lock:
                if key in self._figures:
                    return self._figures[key]
            city = cities.get_city(session, shown.city.slug)
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

    def activity(self, shown: Shown) -> Activity | None:
        """Give a city's alerts and complaints as the public may see them, by week."""
        key = (*shown.stamp, shown.city.this_day().isoformat())
        with self._lock:
            if key in self._activities:
                return self._activities[key]
        with self._database.session() as session:
            city = cities.get_city(session, shown.city.slug)
            made = public_activity(session, Ledger(session, city, city.this_day()))
        with self._lock:
            self._activities[key] = made
            while len(self._activities) > KEPT:
                self._activities.pop(next(iter(self._activities)))
        return made

    def _ground(self, shown: Shown) -> tuple[Ground, RunRecord]:
        """Give what the map of the shown run is drawn from."""
        stamp = " ".join(shown.stamp)
        if shown.run is None:
            msg = f"no zones of {shown.city.slug} are shown yet"
            raise NotStoredError(msg)
        with self._lock:
            if stamp in self._drawn:
                return self._drawn[stamp]
        with self._database.session() as session:
            city = cities.get_city(session, shown.city.slug)
            ground = Ground(city=city, base=layers.base_shapes(session, city.id))
            run = zone_versions.get_run_in_use(session, shown.run.id)
            found = ground, in_districts(run, city.districts)
        with self._lock:
            self._drawn[stamp] = found
            while len(self._drawn) > KEPT:
                self._drawn.pop(next(iter(self._drawn)))
        return found


def load_shown(
    session: Session,
    city: CityRecord,
    run: str | None,
    others: tuple[CitySummary, ...] = (),
    stamp: tuple[str, ...] = (),
) -> Shown:
    """Read everything that pages and reports tell of a city and one of its runs."""
    about = run or ""
    certainty = public_findings(session, about, CERTAINTY)
    varied = public_findings(session, about, SENSITIVITY)
    extents = dict(Ledger(session, city, city.this_day()).extents)
    return Shown(
        measures=measures_of(city.measures),
        city=public_city(city),
        run=_public_run(session, city, run) if run else None,
        reports=import_log.latest_reports(session, city.id),
        validations=public_findings(session, about, VALIDATION),
        backtests=public_findings(session, about, BACKTEST),
        certainty=certainty[0] if certainty else None,
        sensitivity=varied[0] if varied else None,
        extents=extents,
        through=max((last for _, last in extents.values()), default=None),
        others=others,
        initiatives=_public(initiatives.list_initiatives(session, city.slug)),
        retired=_public(initiatives.retired_initiatives(session, city.slug)),
        stamp=stamp,
    )


def _public_run(session: Session, city: CityRecord, run: str) -> PublicRun:
    return public_run(in_districts(zone_versions.get_run_in_use(session, run), city.districts))


def public_findings(session: Session, run: str, kind: str) -> list[PublicFinding]:
    """Give the documents of a kind of finding about a run, newest first."""
    found = run_analyses.list_findings(session, run, kind)
    return [PublicFinding(document=one.document) for one in found]


def public_initiative(record: InitiativeRecord) -> PublicInitiative:
    """Take of a stored initiative what pages know of it."""
    return PublicInitiative(initiative=record.initiative, listed=record.listed)


def public_event(entry: HistoryEntry) -> PublicEvent:
    """Take of an entry of its history what pages know of it."""
    return PublicEvent(
        event=entry.event,
        recorded_at=entry.recorded_at,
        initiative=entry.initiative,
        changes=entry.changes,
    )


def _public(records: Sequence[InitiativeRecord]) -> tuple[PublicInitiative, ...]:
    return tuple(public_initiative(record) for record in records)


def risk_classes(run: RunRecord) -> RiskClasses:
    """Give a run's risk classes on their lattice, as the surface of a release does."""
    grid = run.grid
    levels = grid.to_raster(run.cells["risk_class"].to_numpy(np.uint8), fill=NO_CLASS)
    west, _, _, north = grid.bounds
    return RiskClasses(
        levels=levels.astype(np.uint8)[::-1], west=west, north=north, cell_units=grid.cell_units
    )


def _newest_finding(session: Session, run: str | None) -> str:
    newest = run_analyses.newest(session, run or "")
    return newest.isoformat() if newest else ""
