"""What public pages know of a city, and nothing more: values without a way to where they came from.

What a release holds and what a preview reads from the database both become these, so that no page
can show what is not in them. Zones have no counts of incidents; cells are only a share by class.

What public pages read from, and all that they read: one object, whatever stands behind it.

:class:`app.site.released.ReleasedSite` reads approved releases, :class:`app.site.live.LiveSite` the
database, for a preview.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from geodata.measures.registry import MEASURES, STALE_DAYS
from geodata.releases.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from app.maps.bundle import Bundle
    from app.public.public_figures import CityFigures, MeasureDetail
    from geodata.cityfile.initiatives import Initiative
    from geodata.import_report import SourceReport
    from geodata.measures.record import Scope
    from geodata.measures.registry import Measures, Step
    from geodata.releases.activity import Activity
    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.surroundings import Surroundings
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord


DAY = dt.timedelta(days=1)
RISK_CLASSES = 4
ZONE_COLUMNS = (
    "id",
    "code",
    "district",
    "rank",
    "area",
    "environment_share",
    "factors",
    "geometry",
)
RESULT = (  # of what a run found, all that pages tell
    "incidents",
    "grid",
    "candidates",
    "screened",
    "dropped",
    "model",
    "alternatives",
    "score",
    "combined",
    "zones_from",
    "diagnostics",
    "districts",
    "warnings",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicCity:
    """One city; ``districts`` has code, name and geometry in its reference system ``crs``.

    ``today`` is set where the calendar of a synthetic city stands still. Lengths are in the unit
    of ``crs``.
    """

    slug: str
    name: str
    crs: str
    timezone: str
    synthetic: bool
    today: dt.date | None
    cell_units: float
    block_units: float
    districts: gpd.GeoDataFrame

    def this_day(self) -> dt.date:
        """Give today in the city, or the day at which a synthetic city's calendar stands."""
        return self.today or dt.datetime.now(zoneinfo.ZoneInfo(self.timezone)).date()


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicRun:
    """The run whose zones are shown.

    ``result`` holds the parts of what ``fit`` prints that :data:`RESULT` names. ``zones`` has the
    columns of :data:`ZONE_COLUMNS`, in the city's reference system. ``class_shares`` is the share
    of the city's cells in each risk class, lowest first. ``edited`` is the day on which a person
    last changed the zones that the run had cut, and in how many steps; nobody is named.
    """

    id: str
    outcome: str
    period_from: dt.date
    period_to: dt.date
    seed: int
    spec: Mapping[str, Any]
    data_sha256: str
    code_version: str
    result: Mapping[str, Any]
    zones: gpd.GeoDataFrame
    class_shares: tuple[float, ...]
    edited: tuple[dt.date, int] | None = None


@dataclass(frozen=True, kw_only=True)
class PublicFinding:
    """Something worked out about the run later."""

    document: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PublicInitiative:
    """The newest version of an initiative; retired if it is not ``listed``."""

    initiative: Initiative
    listed: bool


@dataclass(frozen=True, kw_only=True)
class PublicEvent:
    """Something that happened to an initiative; ``changes`` names what it says otherwise since."""

    event: Literal["said", "retired", "returned"]
    recorded_at: dt.datetime
    initiative: Initiative | None
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EarlierZone:
    """A zone of an earlier release that is none of this one; ``through`` is its last day."""

    id: str
    code: str
    district: str
    through: dt.date


@dataclass(frozen=True, kw_only=True)
class Published:
    """Which release is shown: its id, the day of its approval, the version of its rules."""

    id: str
    approved: dt.date | None
    rules: int


class Named(Protocol):
    """A city in a list."""

    @property
    def slug(self) -> str:
        """Its slug."""

    @property
    def name(self) -> str:
        """Its name."""


@dataclass(frozen=True, kw_only=True)
class OtherCity:
    """Another city that is shown here."""

    slug: str
    name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One city as the public sees it; ``run`` is missing where no zones are shown.

    ``extents`` has the first and the last day that each section of records has rows of; nothing is
    told of days after ``through``. ``release`` is missing in a preview. ``stamp`` changes whenever
    anything of it does. ``periods`` and ``months`` are what a release has figures of;
    ``earlier_zones`` are zones of earlier releases, those of the newest first. ``measures`` are all
    of the city, by id.
    """

    city: PublicCity
    run: PublicRun | None
    reports: Sequence[SourceReport]
    validations: Sequence[PublicFinding]
    backtests: Sequence[PublicFinding]
    certainty: PublicFinding | None
    sensitivity: PublicFinding | None
    extents: Mapping[str, tuple[dt.date, dt.date]]
    through: dt.date | None
    others: Sequence[Named] = ()
    initiatives: Sequence[PublicInitiative] = ()
    retired: Sequence[PublicInitiative] = ()
    release: Published | None = None
    stamp: tuple[str, ...] = ()
    periods: Mapping[str, tuple[dt.date, dt.date]] = field(default_factory=dict)
    months: tuple[str, ...] = ()
    earlier_zones: tuple[EarlierZone, ...] = ()
    measures: Measures = field(default_factory=lambda: MEASURES)

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
    def age_days(self) -> int | None:
        """Days since the last day that anything shown is about.

        They are counted to today, or to the day at which a synthetic city's calendar stands. A
        release that was drafted today is as old as the delay.
        """
        if self.through is None:
            return None
        return max(0, (self.city.this_day() - self.through).days)

    @property
    def stale_after_days(self) -> int:
        """Age that the promise of a weekly update allows: of a release the delay comes on top."""
        return STALE_DAYS + (RULES.delay_days if self.release else 0)

    @property
    def stale(self) -> bool:
        """Whether it is older than the promise of a weekly update allows."""
        age = self.age_days
        return age is not None and age > self.stale_after_days


def public_city(city: CityRecord) -> PublicCity:
    """Take of a stored city what pages know of it."""
    return PublicCity(
        slug=city.slug,
        name=city.name,
        crs=city.crs,
        timezone=city.timezone,
        synthetic=city.synthetic,
        today=city.today,
        cell_units=city.cell_units,
        block_units=city.block_units,
        districts=city.districts[["code", "name", "geometry"]],
    )


def public_run(run: RunRecord) -> PublicRun:
    """Take of a stored run what pages know of it."""
    shares = run.cells["risk_class"].value_counts(normalize=True)
    zones = run.zones if "code" in run.zones else run.zones.assign(code="")
    return PublicRun(
        id=run.id,
        outcome=run.outcome,
        period_from=run.period_from,
        period_to=run.period_to,
        seed=run.seed,
        spec=run.spec,
        data_sha256=run.data_sha256,
        code_version=run.code_version,
        result={key: run.result[key] for key in RESULT},
        zones=zones[list(ZONE_COLUMNS)],
        class_shares=tuple(float(shares.get(i, 0.0)) for i in range(RISK_CLASSES)),
        edited=(run.edited.on, run.edited.steps) if run.edited else None,
    )


class Site(Protocol):
    """Reads cities for public pages."""

    maps: Path
    preview: bool

    def shown(self, slug: str | None = None) -> Shown | None:
        """Give a city by slug, else the configured one, else the newest; nothing without one.

        Raises
        ------
        NotStoredError
            If a city is named that is not there.
        """

    def serves_map(self, folder: str) -> bool:
        """Return whether the files in a folder of maps may be sent to anybody."""

    def release(self, shown: Shown) -> ReleaseFolder | None:
        """Give the folder of the release that is shown, if one is."""

    def releases(self, shown: Shown) -> list[ReleaseFolder]:
        """Give the releases of a city that were ever approved, newest first."""

    def figures(self, shown: Shown, scope: Scope) -> CityFigures:
        """Give every measure of a city in a scope."""

    def detail(self, shown: Shown, scope: Scope, identity: str, by: Step) -> MeasureDetail:
        """Give one measure of a city in a scope, by month or week and by district.

        Raises
        ------
        DataError
            If there is no such measure.
        """

    def initiative(self, shown: Shown, slug: str) -> tuple[PublicInitiative, list[PublicEvent]]:
        """Give one initiative of a city, retired or not, and its history, newest first.

        Raises
        ------
        NotStoredError
            If there is none of that slug.
        """

    def activity(self, shown: Shown) -> Activity | None:
        """Give a city's alerts and complaints as the public may see them, by week."""

    def activity_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of the same as a file of the map."""

    def bundle(self, shown: Shown) -> Bundle:
        """Give the map of the run that is shown."""

    def zone_picture(self, shown: Shown, zone_id: str) -> bytes:
        """Draw one zone of the run that is shown, and its surroundings."""

    def surroundings(self, shown: Shown) -> Surroundings:
        """Give what can be asked of a place or an area of the run that is shown."""

    def names_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of what can be searched, as a file of the map."""

    def area_picture(self, shown: Shown, shape: BaseGeometry) -> bytes:
        """Draw an area in the city's reference system, and what lies around it."""

    def warm(self) -> None:
        """Work out what the first page needs, so that nobody waits for it."""

    def check(self) -> None:
        """Read from what stands behind it.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
