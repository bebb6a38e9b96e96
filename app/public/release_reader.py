"""One release -> the values that pages know, each part read when it is first requested."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd

from app.maps.picture import Scene
from app.maps.surface import levels_picture
from app.public.published_city import (
    CityDocument,
    CurrentRelease,
    EarlierZone,
    OtherCity,
    PublicCity,
    PublicCityView,
    PublicInitiative,
    PublicRun,
    PublishedRun,
    RunFacts,
)
from app.public.released_figures import read_figures
from geodata.errors import BrokenReleaseError, NotStoredError
from geodata.import_report import SourceReport
from geodata.releases.activity import released_activity
from geodata.releases.encoding import read_document
from geodata.releases.folder import PreviewFolder
from geodata.releases.rules import RULES
from geodata.releases.surroundings_read import released_surroundings
from spatial.zones.describe import order_factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.public.released_figures import ReleasedFigures
    from geodata.releases.activity import Activity
    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.surroundings import Surroundings

_T = TypeVar("_T")
CITY, RUN, SOURCES = "site/city.json", "site/run.json", "site/sources.json"
EARLIER_ZONES = "site/earlier_zones.json"
INITIATIVES, MAP, ZONES = "site/initiatives.json", "site/map", "site/zones"
DISTRICTS, OUTLINES = "data/districts.geojson", "data/zones.geojson"


class ReleaseReader:
    """One release, each part read when it is first requested."""

    def __init__(
        self,
        folder: ReleaseFolder,
        others: tuple[OtherCity, ...] = (),
        *,
        beside: Sequence[str] = (),
    ) -> None:
        self.folder, self._others = folder, others
        self.beside = beside  # slugs of all cities that were published when it was read
        self.activity_files: dict[str, tuple[str, str]] = {}  # by language

    @cached_property
    def approved_at(self) -> dt.datetime | None:
        """When it was approved, if it was."""
        approval = self.folder.approval
        return dt.datetime.fromisoformat(str(approval.at)) if approval else None

    @cached_property
    def shown(self) -> PublicCityView:
        """The city as the release tells it."""
        manifest, figures, run = self.folder.manifest, self.figures, self._read(RUN, PublishedRun)
        city, initiatives = self._city(), self.initiatives.values()
        return PublicCityView(
            city=city,
            run=_run(run, self.folder, city) if run else None,
            reports=self._read(SOURCES, tuple[SourceReport, ...]) or (),
            validations=run.validations if run else (),
            backtests=run.backtests if run else (),
            certainty=next(iter(run.certainty if run else ()), None),
            sensitivity=next(iter(run.sensitivity if run else ()), None),
            extents={name: (days.first, days.through) for name, days in manifest.sections.items()},
            through=manifest.through,
            others=self._others,
            initiatives=tuple(one for one in initiatives if one.listed),
            retired=tuple(one for one in initiatives if not one.listed),
            release=CurrentRelease(
                id=self.folder.id,
                approved=self.approved_at.date() if self.approved_at else None,
                rules=manifest.rules.version,
                previewed=self.approved_at if isinstance(self.folder, PreviewFolder) else None,
            ),
            periods=figures.periods,
            months=figures.months,
            measures=figures.measures,
            earlier_zones=self._read(EARLIER_ZONES, tuple[EarlierZone, ...]) or (),
        )

    @cached_property
    def figures(self) -> ReleasedFigures:
        """Its measures."""
        drafted = dt.datetime.combine(self.folder.manifest.through, dt.time())
        when = self.approved_at or drafted + dt.timedelta(days=RULES.delay_days)
        return read_figures(self.folder, when.replace(tzinfo=None))

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
            raise NotStoredError(msg, code="no_zones")
        return released_surroundings(self.folder, city.districts, run.zones, self.activity)

    @cached_property
    def scene(self) -> Scene:
        """What its pictures are drawn from: the files of its map."""
        wanted, city = self.surroundings, self.shown.city
        name = next(one for one in self.folder.files if one.startswith(f"{MAP}/base-"))
        base = _frame(json.loads(self.folder.read(name)), city.crs)
        classes = wanted.classes
        if classes is None:
            msg = f"release {self.folder.id} has zones without a surface; draft it anew"
            raise BrokenReleaseError(msg, code="no_surface")
        return Scene(
            crs=city.crs,
            limit=base.geometry[base["kind"] == "limit"].iloc[0],
            districts=city.districts,
            base=base,
            zones=wanted.zones,
            surface=levels_picture(classes.levels),
            bounds=classes.bounds,
        )

    @cached_property
    def initiatives(self) -> dict[str, PublicInitiative]:
        """Its initiatives by slug, with what was stated when, in the city's order."""
        found = self._read(INITIATIVES, tuple[PublicInitiative, ...]) or ()
        return {one.initiative.slug: one for one in found}

    def _read(self, name: str, kind: type[_T]) -> _T | None:
        """Return a document of the release, nothing where it has none."""
        if name not in self.folder.files:
            return None
        return read_document(kind, self.folder.read(name), f"{name} of release {self.folder.id}")

    def _document(self, name: str) -> Any:
        return json.loads(self.folder.read(name)) if name in self.folder.files else None

    def _city(self) -> PublicCity:
        manifest, found = self.folder.manifest, self._read(CITY, CityDocument)
        if found is None:
            msg = (
                f"release {self.folder.id} was drafted without the documents of the pages; "
                "draft and approve a new one"
            )
            raise BrokenReleaseError(msg, code="no_page_documents")
        return PublicCity(
            **vars(found),
            slug=manifest.city.slug,
            name=manifest.city.name,
            synthetic=manifest.synthetic,
            districts=_frame(self._document(DISTRICTS), found.crs),
        )


def _frame(document: dict[str, object], crs: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame.from_features(document["features"], crs=4326).to_crs(crs)


def _run(found: PublishedRun, folder: ReleaseFolder, city: PublicCity) -> PublicRun:
    """Put the run together from its document and the outlines of its zones."""
    zones = _frame(json.loads(folder.read(OUTLINES)), city.crs)[
        ["id", "district", "rank", "geometry"]
    ]
    by_id = {zone.id: zone for zone in found.zones}
    for name in ("area", "environment_share", "code", "place_name"):
        zones[name] = [getattr(by_id[zone], name) for zone in zones["id"]]
    covers = {column.key: column.covers for column in found.result.diagnostics.factors}
    zones["factors"] = [order_factors(by_id[zone].factors, covers) for zone in zones["id"]]
    facts = {one.name: getattr(found, one.name) for one in fields(RunFacts)}
    return PublicRun(**facts, zones=zones, edited=found.edited)
