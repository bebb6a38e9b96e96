"""The public pages over approved releases: files and nothing else.

Nothing here can reach the database: an import contract keeps it so, and the pages run where there
is none.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from app.language import code
from app.maps.activity import activity_json
from app.maps.bundle import put_bundle, put_file
from app.maps.picture import Scene, area_svg
from app.maps.surface import levels_picture
from app.released_figures import read_figures, released_detail, released_figures
from app.shown import (
    OtherCity,
    PublicCity,
    PublicEvent,
    PublicFinding,
    PublicInitiative,
    PublicRun,
    Published,
    Shown,
)
from geodata.errors import BrokenReleaseError, NotStoredError
from geodata.initiatives import Initiative
from geodata.publishing.activity_read import released_activity
from geodata.publishing.folder import CURRENT, ReleaseFolder
from geodata.publishing.gazetteer import GAZETTEER
from geodata.publishing.surroundings_read import released_surroundings
from geodata.reports import SourceReport

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from app.maps.bundle import Bundle
    from app.public_figures import CityFigures, MeasureDetail
    from app.released_figures import ReleasedFigures
    from geodata.measures.record import Scope
    from geodata.measures.registry import Step
    from geodata.publishing.activity import Activity
    from geodata.publishing.surroundings import Surroundings

CITY, RUN, SOURCES = "site/city.json", "site/run.json", "site/sources.json"
INITIATIVES, MAP, ZONES = "site/initiatives.json", "site/map", "site/zones"
DISTRICTS, OUTLINES = "data/districts.geojson", "data/zones.geojson"
KEPT = 4


class ReleasedSite:
    """Reads the newest approved release of each city, keeping the last few in memory."""

    preview = False

    def __init__(self, releases: Path, city: str | None, maps: Path) -> None:
        self.maps = maps
        self._releases, self._city = releases, city
        self._kept: dict[str, _Read] = {}
        self._lock = threading.Lock()

    def shown(self, slug: str | None = None) -> Shown | None:
        """Give a city by slug, else the configured one, else the one approved last.

        Raises
        ------
        NotStoredError
            If a city is named of which nothing is published.
        """
        named = slug or self._city
        listed = self._cities()
        if named is None:
            return self._shown(listed[0], listed) if listed else None
        if named not in listed:
            if slug is None:  # the configured one: nothing is published yet
                return None
            msg = f"nothing is published of a city {slug[:80]!r}"
            raise NotStoredError(msg)
        return self._shown(named, listed)

    def release(self, shown: Shown) -> ReleaseFolder | None:
        """Give the folder of the release that is shown."""
        return self._read(shown).folder

    def figures(self, shown: Shown, scope: Scope) -> CityFigures:
        """Give every measure that the release tells in a period or month."""
        return released_figures(self._read(shown).figures, shown, scope)

    def detail(self, shown: Shown, scope: Scope, identity: str, by: Step) -> MeasureDetail:
        """Give one measure that the release tells in a period or month.

        Raises
        ------
        DataError
            If there is no such measure.
        """
        return released_detail(self._read(shown).figures, shown, scope, identity, by)

    def initiative(self, shown: Shown, slug: str) -> tuple[PublicInitiative, list[PublicEvent]]:
        """Give one initiative of a city, retired or not, and its history, newest first.

        Raises
        ------
        NotStoredError
            If there is none of that slug.
        """
        found = self._read(shown).initiatives.get(slug)
        if found is None:
            msg = f"{shown.city.slug} has no initiative {slug[:80]!r}"
            raise NotStoredError(msg)
        return found

    def activity(self, shown: Shown) -> Activity | None:
        """Give the alerts and complaints of the release, by week."""
        return self._read(shown).activity

    def activity_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of the same as a file of the map."""
        read = self._read(shown)
        if read.activity is None:
            return None
        if code() not in read.activity_files:
            content = activity_json(read.activity, shown.city.crs)
            folder = f"release-{read.folder.id}-activity"
            read.activity_files[code()] = put_file(self.maps, folder, "activity", content)
        return read.activity_files[code()]

    def bundle(self, shown: Shown) -> Bundle:
        """Give the map of the release, its files compressed beside the maps once."""
        folder = self._read(shown).folder
        return put_bundle(self.maps, f"release-{folder.id}", lambda: _map_files(folder))

    def zone_picture(self, shown: Shown, zone_id: str) -> bytes:
        """Give the picture of one zone."""
        return self._read(shown).folder.read(f"{ZONES}/{zone_id}.svg")

    def surroundings(self, shown: Shown) -> Surroundings:
        """Give what can be asked of a place or an area of the run that is shown."""
        return self._read(shown).surroundings

    def names_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of what can be searched, as a file of the map."""
        folder = self._read(shown).folder
        if GAZETTEER not in folder.files:
            return None
        return put_file(self.maps, f"release-{folder.id}-names", "names", folder.read(GAZETTEER))

    def area_picture(self, shown: Shown, shape: BaseGeometry) -> bytes:
        """Draw an area in the city's reference system, and what lies around it."""
        return area_svg(self._read(shown).scene, shape)

    def warm(self) -> None:
        """Read what the first page needs, so that nobody waits for it."""
        shown = self.shown()
        if shown is not None:
            self.activity(shown)

    def check(self) -> None:
        """Read the release of the shown city.

        Raises
        ------
        BrokenReleaseError
            If it cannot be read.
        """
        self.shown()

    def _cities(self) -> list[str]:
        """Give the cities that have a release, the one approved last first."""
        pointers = self._releases.glob(f"*/{CURRENT}")
        return [path.parent.name for path in sorted(pointers, key=_approved, reverse=True)]

    def _shown(self, slug: str, listed: list[str]) -> Shown:
        folder = ReleaseFolder.current(self._releases, slug)
        if folder is None:
            msg = f"nothing is published of a city {slug[:80]!r}"
            raise NotStoredError(msg)
        with self._lock:
            read = self._kept.get(folder.id) or _Read(folder, self._others(slug, listed))
            self._kept[folder.id] = read
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))
        return read.shown

    def _others(self, slug: str, listed: list[str]) -> tuple[OtherCity, ...]:
        found = []
        for other in listed:
            folder = None if other == slug else ReleaseFolder.current(self._releases, other)
            if folder is not None:
                found.append(OtherCity(slug=other, name=folder.manifest["city"]["name"]))
        return tuple(found)

    def _read(self, shown: Shown) -> _Read:
        """Give what was read of the release that a page shows, even if a newer one is there."""
        if shown.release is None:
            msg = "what is shown is no release"
            raise BrokenReleaseError(msg)
        with self._lock:
            if shown.release.id in self._kept:
                return self._kept[shown.release.id]
        folder = ReleaseFolder(path=self._releases / shown.city.slug / shown.release.id)
        return _Read(folder, ())


def _approved(pointer: Path) -> str:
    try:
        return str(json.loads(pointer.read_text(encoding="utf-8")).get("at"))
    except (OSError, ValueError, AttributeError) as error:
        msg = f"{pointer} cannot be read ({error}); restore it from a copy"
        raise BrokenReleaseError(msg) from error


def _map_files(folder: ReleaseFolder) -> dict[str, bytes]:
    inside = [name for name in folder.files if name.startswith(f"{MAP}/")]
    return {name.rpartition("/")[2]: folder.read(name) for name in inside}


class _Read:
    """One release, each part read when it is first asked for."""

    def __init__(self, folder: ReleaseFolder, others: tuple[OtherCity, ...]) -> None:
        self.folder, self._others = folder, others
        self.activity_files: dict[str, tuple[str, str]] = {}  # by language
        self.approved_at = dt.datetime.fromisoformat(str((folder.approval or {}).get("at")))

    @cached_property
    def shown(self) -> Shown:
        """The city as the release tells it."""
        manifest, figures = self.folder.manifest, self.figures
        run = self._document(RUN)
        city = self._city()
        listed = [record for record, _ in self.initiatives.values()]
        return Shown(
            city=city,
            run=_run(run, self.folder, city) if run else None,
            reports=[_report(one) for one in self._document(SOURCES) or ()],
            validations=_findings(run, "validations"),
            backtests=_findings(run, "backtests"),
            certainty=next(iter(_findings(run, "certainty")), None),
            sensitivity=next(iter(_findings(run, "sensitivity")), None),
            extents={
                name: (_day(days["from"]), _day(days["through"]))
                for name, days in manifest["sections"].items()
            },
            through=_day(manifest["through"]),
            others=self._others,
            initiatives=tuple(record for record in listed if record.listed),
            retired=tuple(record for record in listed if not record.listed),
            release=Published(
                id=self.folder.id,
                approved=self.approved_at.date(),
                rules=manifest["rules"]["version"],
            ),
            stamp=(self.folder.id,),
            periods=figures.periods,
            months=figures.months,
        )

    @cached_property
    def figures(self) -> ReleasedFigures:
        """Its measures."""
        return read_figures(self.folder, self.approved_at.replace(tzinfo=None))

    @cached_property
    def activity(self) -> Activity | None:
        """Its alerts and complaints by week."""
        codes = [str(code) for code in self.shown.city.districts["code"]]
        return released_activity(self.folder, self.shown.city.crs, codes)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What can be asked of a place or an area."""
        run, city = self.shown.run, self.shown.city
        if run is None:
            msg = f"release {self.folder.id} shows no zones"
            raise NotStoredError(msg)
        return released_surroundings(self.folder, city.districts, run.zones, self.activity)

    @cached_property
    def scene(self) -> Scene:
        """What its pictures are drawn from: the files of its map."""
        asked, city = self.surroundings, self.shown.city
        name = next(one for one in self.folder.files if one.startswith(f"{MAP}/base-"))
        base = _frame(json.loads(self.folder.read(name)), city.crs)
        classes = asked.classes
        if classes is None:
            msg = f"release {self.folder.id} has zones without a surface; draft it anew"
            raise BrokenReleaseError(msg)
        return Scene(
            crs=city.crs,
            limit=base.geometry[base["kind"] == "limit"].iloc[0],
            districts=city.districts,
            base=base,
            zones=asked.zones,
            surface=levels_picture(classes.levels),
            bounds=classes.bounds,
        )

    @cached_property
    def initiatives(self) -> dict[str, tuple[PublicInitiative, list[PublicEvent]]]:
        """Its initiatives with what was said when, in the city's order."""
        found = {}
        for one in self._document(INITIATIVES) or ():
            initiative = Initiative.from_json(one["initiative"])
            record = PublicInitiative(initiative=initiative, listed=one["listed"])
            found[initiative.slug] = (record, [_event(entry) for entry in one["history"]])
        return found

    def _document(self, name: str) -> Any:
        return json.loads(self.folder.read(name)) if name in self.folder.files else None

    def _city(self) -> PublicCity:
        manifest, told = self.folder.manifest, self._document(CITY)
        if told is None:
            msg = (
                f"release {self.folder.id} was drafted without the documents of the pages; "
                "draft and approve a new one"
            )
            raise BrokenReleaseError(msg)
        return PublicCity(
            slug=manifest["city"]["slug"],
            name=manifest["city"]["name"],
            synthetic=manifest["synthetic"],
            crs=told["crs"],
            timezone=told["timezone"],
            today=_day(told["today"]) if told["today"] else None,
            cell_units=told["cell_units"],
            block_units=told["block_units"],
            districts=_frame(self._document(DISTRICTS), told["crs"]),
        )


def _frame(document: dict[str, Any], crs: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame.from_features(document["features"], crs=4326).to_crs(crs)


def _run(told: dict[str, Any], folder: ReleaseFolder, city: PublicCity) -> PublicRun:
    """Put the run together from its document and the outlines of its zones."""
    zones = _frame(json.loads(folder.read(OUTLINES)), city.crs)[
        ["id", "district", "rank", "geometry"]
    ]
    for name in ("area", "environment_share", "factors"):
        by_id = {zone["id"]: zone[name] for zone in told["zones"]}
        zones[name] = [by_id[zone] for zone in zones["id"]]
    return PublicRun(
        id=told["id"],
        outcome=told["outcome"],
        period_from=_day(told["from"]),
        period_to=_day(told["to"]),
        seed=told["seed"],
        spec=told["spec"],
        data_sha256=told["data_sha256"],
        code_version=told["code_version"],
        result=told["result"],
        zones=zones,
        class_shares=tuple(told["class_shares"]),
    )


def _findings(run: dict[str, Any] | None, name: str) -> list[PublicFinding]:
    return [PublicFinding(document=one) for one in (run or {}).get(name, ())]


def _report(told: dict[str, Any]) -> SourceReport:
    return SourceReport(
        kind=told["kind"],
        source=told["source"],
        read=told["read"],
        stored=told["stored"],
        left_out=told["left_out"],
    )


def _event(told: dict[str, Any]) -> PublicEvent:
    said = told["initiative"]
    return PublicEvent(
        event=told["event"],
        recorded_at=dt.datetime.fromisoformat(told["recorded_at"]),
        initiative=Initiative.from_json(said) if said else None,
        changes=tuple(told["changes"]),
    )


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
