"""What public pages know of a city, and nothing more: values without a way to where they came from.

No page can show what is not in them. Zones have no counts of incidents; cells are only a share by
class.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from geodata.analysis_documents import (
    BacktestDocument,
    CertaintyDocument,
    SensitivityDocument,
    ValidationDocument,
)
from geodata.cityfile.initiatives import Initiative
from geodata.documents import OrAbsent
from geodata.measures.registry import STALE_DAYS
from geodata.releases.rules import RULES
from geodata.run_document import (
    CombinedDocument,
    DiagnosticsDocument,
    DistrictEffect,
    DroppedCandidate,
    GridDocument,
    ModelDocument,
    ScoreDocument,
    StoredSpec,
    WrittenFactor,
)
from geodata.stored_documents import Notes
from spatial.zones.names import PlaceName

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.import_report import SourceReport
    from geodata.measures.registry import Measures

Edited = tuple[
    dt.date, int
]  # the day of the last change of zones by a person, and the number of changes
Chosen = Annotated[str, Field(exclude_if=lambda text: not text)]
Titles = Annotated[Mapping[str, str], Field(exclude_if=lambda titles: not titles)]
ZONE_COLUMNS = (
    "id",
    "code",
    "district",
    "rank",
    "area",
    "environment_share",
    "factors",
    "place_name",
    "geometry",
)


@dataclass(frozen=True, kw_only=True)
class CityDocument:
    """``site/city.json``: the reference system and the clock of a city.

    ``today`` is set where the calendar of a synthetic city stands still. Lengths are in the unit
    of ``crs``. ``titles`` are what it calls factors and outcomes, by their names; pages write
    lengths in ``units``, ``us`` or ``metric``, or in those of its country.
    """

    crs: str
    timezone: str
    today: dt.date | None
    cell_units: float
    block_units: float
    titles: Titles = field(default_factory=dict)
    units: Chosen = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicCity(CityDocument):
    """One city; ``districts`` has code, name and geometry in its reference system."""

    slug: str
    name: str
    synthetic: bool
    districts: gpd.GeoDataFrame

    def this_day(self) -> dt.date:
        """Return today in the city, or the day at which a synthetic city's calendar stands."""
        return self.today or dt.datetime.now(zoneinfo.ZoneInfo(self.timezone)).date()


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """The parts of a :class:`~geodata.run_document.RunDocument` that a release tells."""

    incidents: int
    grid: GridDocument
    candidates: int
    screened: int
    dropped: tuple[DroppedCandidate, ...]
    model: ModelDocument
    alternatives: tuple[ModelDocument, ...]
    score: ScoreDocument
    combined: CombinedDocument
    zones_from: str
    diagnostics: DiagnosticsDocument
    districts: tuple[DistrictEffect, ...]
    warnings: Notes


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What is reported of a run beside its zones.

    ``class_shares`` is the share of the city's cells in each risk class, lowest first.
    """

    id: str
    outcome: str
    period_from: Annotated[dt.date, Field(alias="from")]
    period_to: Annotated[dt.date, Field(alias="to")]
    seed: int
    spec: StoredSpec
    data_sha256: str
    code_version: str
    result: PublishedResult
    class_shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class PublishedZone:
    """What ``site/run.json`` tells of a zone; its outline is in ``data/zones.geojson``."""

    id: str
    code: str = ""  # of late releases only
    area: float
    environment_share: float
    factors: tuple[WrittenFactor, ...]
    place_name: OrAbsent[PlaceName] = None


@dataclass(frozen=True, kw_only=True)
class PublishedRun(RunFacts):
    """``site/run.json``: the run whose zones are shown, and what was worked out about it."""

    zones: tuple[PublishedZone, ...]
    edited: OrAbsent[Edited] = None
    validations: tuple[ValidationDocument, ...]
    backtests: tuple[BacktestDocument, ...]
    certainty: tuple[CertaintyDocument, ...]
    sensitivity: tuple[SensitivityDocument, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicRun(RunFacts):
    """The run whose zones are shown.

    ``zones`` has the columns of :data:`ZONE_COLUMNS`, in the city's reference system. ``edited`` is
    the day on which a person last changed the zones that the run had cut, and in how many steps;
    nobody is named.
    """

    zones: gpd.GeoDataFrame
    edited: Edited | None = None


@dataclass(frozen=True, kw_only=True)
class PublicEvent:
    """Something that happened to an initiative; ``changes`` names what it says otherwise since."""

    event: Literal["said", "retired", "returned"]
    recorded_at: dt.datetime
    initiative: Initiative | None
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PublicInitiative:
    """The newest version of an initiative; retired if it is not ``listed``.

    ``history`` is what happened to it, newest first.
    """

    listed: bool
    initiative: Initiative
    history: tuple[PublicEvent, ...]


@dataclass(frozen=True, kw_only=True)
class EarlierZone:
    """A zone of an earlier release that is none of this one; ``through`` is its last day."""

    id: str
    code: str
    district: str
    through: dt.date


@dataclass(frozen=True, kw_only=True)
class CurrentRelease:
    """Which release is shown: its id, the day of its approval, the version of its rules.

    ``previewed`` is when it was made, UTC, where it is a preview and nothing is published.
    """

    id: str
    approved: dt.date | None
    rules: int
    previewed: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OtherCity:
    """Another city that is shown here."""

    slug: str
    name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RunContext:
    """What is known about a run beside itself: its city, what was read, how it was judged."""

    city: PublicCity
    reports: Sequence[SourceReport]
    validations: Sequence[ValidationDocument]
    backtests: Sequence[BacktestDocument]
    certainty: CertaintyDocument | None
    sensitivity: SensitivityDocument | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicCityView(RunContext):
    """One city as a release tells it; ``run`` is missing where no zones are shown.

    ``extents`` has the first and the last day that each section of records has rows of; nothing is
    reported of days after ``through``. ``periods`` and ``months`` are what it has figures of;
    ``earlier_zones`` are zones of earlier releases, those of the newest first. ``measures`` are all
    of the city, by id.
    """

    run: PublicRun | None
    extents: Mapping[str, tuple[dt.date, dt.date]]
    through: dt.date
    others: Sequence[OtherCity]
    initiatives: Sequence[PublicInitiative]
    retired: Sequence[PublicInitiative]
    release: CurrentRelease
    periods: Mapping[str, tuple[dt.date, dt.date]]
    months: tuple[str, ...]
    earlier_zones: tuple[EarlierZone, ...]
    measures: Measures

    @property
    def age_days(self) -> int:
        """Days since the last day that anything shown is about.

        They are counted to today, or to the day at which a synthetic city's calendar stands. A
        release that was drafted today is as old as the delay.
        """
        return max(0, (self.city.this_day() - self.through).days)

    @property
    def stale_after_days(self) -> int:
        """Age that the promise of a weekly update allows; the delay comes on top."""
        return STALE_DAYS + RULES.delay_days

    @property
    def stale(self) -> bool:
        """Whether it is older than the promise of a weekly update allows."""
        return self.age_days > self.stale_after_days
