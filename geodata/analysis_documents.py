"""What was worked out about a run later: how it did on later incidents, and how sure it is.

Scores are at shares of the area, by the score's name (``combined``, ``rtm``, ``prior``, ``kde``,
``forest``). Lengths are in the unit of the city's reference system, intervals are 95 %.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field

from geodata.documents import OrAbsent, to_json
from geodata.stored_documents import Notes
from spatial.terrain.factors import ModelColumn

if TYPE_CHECKING:
    from collections.abc import Collection

Start = Annotated[dt.date, Field(alias="from")]
End = Annotated[dt.date, Field(alias="to")]


@dataclass(frozen=True, kw_only=True)
class RunAnalysis:
    """Something worked out about a run; ``kind`` is what its class is called where it is kept."""

    kind: ClassVar[str]

    run: str

    @property
    def until(self) -> dt.date:
        """The day after the last that it tells of beside the run's own."""
        return dt.date.min

    def within(self, zones: Collection[str]) -> Self:
        """Return it without what it tells of other zones than these."""
        del zones
        return self

    def as_json(self) -> dict[str, object]:
        """Return the document as JSON has it."""
        written: dict[str, object] = to_json(self)
        return written


@dataclass(frozen=True, kw_only=True)
class PooledScore:
    """What the highest cells of a score kept of the incidents of all windows.

    ``most`` is what so many cells could have held.
    """

    hits: float
    hit_rate: float
    pai: float
    pai_low: float
    pai_high: float
    pei: float
    most: float


@dataclass(frozen=True, kw_only=True)
class LevelScore(PooledScore):
    """What the highest cells of a score kept, as :class:`spatial.history.forecast.Level` has it."""

    tied: int = 1
    calibration: float | None = None


@dataclass(frozen=True, kw_only=True)
class PooledLevel:
    """One share of the area over all windows; so many cells."""

    share: float
    cells: int
    scores: Mapping[str, PooledScore]


@dataclass(frozen=True, kw_only=True)
class ScoreLevel:
    """One share of the area; so many cells."""

    share: float
    cells: int
    scores: Mapping[str, LevelScore]


@dataclass(frozen=True, kw_only=True)
class ZonedScore:
    """Later incidents in zones cut from one score; so many cells, a share of the area."""

    cells: int
    area_share: float
    hits: int
    hit_rate: float
    pai: float | None
    pai_low: float | None
    pai_high: float | None


@dataclass(frozen=True, kw_only=True)
class ZoneScore:
    """Later incidents in the run's own zones; a release does not tell all of it.

    What follows from ``hits`` is missing where they are. ``scores`` sets them beside zones cut
    under the same limits from prior counts and from kernel density; ``combined`` is the run's own.
    """

    hits: int | None
    area_share: float
    hit_rate: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    pai: float | None
    by_zone: OrAbsent[Mapping[str, int]] = None
    scores: OrAbsent[Mapping[str, ZonedScore]] = None

    def public(self, *, tells_hits: bool) -> ZoneScore:
        """Return it without counts by zone or of other zones, and without all hits if need be."""
        whole = replace(self, by_zone=None, scores=None)
        if tells_hits:
            return whole
        return replace(
            whole, hits=None, hit_rate=None, hit_rate_low=None, hit_rate_high=None, pai=None
        )


@dataclass(frozen=True, kw_only=True)
class ValidationDocument(RunAnalysis):
    """A run scored on a later period; ``end`` and ``trained_to`` are excluded.

    ``curves`` are shares of the incidents by score, at the shares of the area in ``area``.
    """

    kind = "validation"

    start: Start
    end: End
    trained_from: dt.date
    trained_to: dt.date
    incidents: int
    kde_bandwidth: float
    levels: tuple[ScoreLevel, ...]
    under_curve: Mapping[str, float]
    curves: Mapping[str, tuple[float, ...]]
    zones: ZoneScore
    warnings: Notes

    @property
    def until(self) -> dt.date:
        """The day after the last that it tells of."""
        return max(self.end, self.trained_to)

    def within(self, zones: Collection[str]) -> Self:
        """Return it without what it tells of other zones than these."""
        if self.zones.by_zone is None:
            return self
        kept = {zone: hits for zone, hits in self.zones.by_zone.items() if zone in zones}
        return replace(self, zones=replace(self.zones, by_zone=kept))


@dataclass(frozen=True, kw_only=True)
class BacktestWindow:
    """A refit scored on the part of the run's period that followed."""

    start: Start
    end: End
    trained_on: int
    incidents: int
    levels: tuple[ScoreLevel, ...]
    under_curve: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class BacktestDocument(RunAnalysis):
    """A run refitted at several days of its own period; ``levels`` add the windows up."""

    kind = "backtest"

    origins: tuple[BacktestWindow, ...]
    levels: tuple[PooledLevel, ...]

    @property
    def until(self) -> dt.date:
        """The day after the last that it tells of."""
        return max(window.end for window in self.origins)


@dataclass(frozen=True, kw_only=True)
class ChosenBand:
    """How often a factor was chosen with one way to act and one reach."""

    operation: str
    distance: float
    share: float


@dataclass(frozen=True, kw_only=True)
class ResampledFactor:
    """A factor over all replicates; ``rrv`` is that of the run, the others are of replicates."""

    name: str
    in_model: bool
    chosen: float
    bands: tuple[ChosenBand, ...]
    rrv: float | None
    rrv_median: float | None
    rrv_low: float
    rrv_high: float


@dataclass(frozen=True, kw_only=True)
class ZoneStability:
    """The share of replicates whose zones cover at least half of a zone."""

    id: str
    stability: float


@dataclass(frozen=True, kw_only=True)
class CertaintyDocument(RunAnalysis):
    """A run's selection on resampled data; ``families`` is how often each family won."""

    kind = "certainty"

    replicates: int
    seed: int
    blocks: int
    top_share: float
    families: Mapping[str, float]
    factors: tuple[ResampledFactor, ...]
    zones: tuple[ZoneStability, ...]

    def within(self, zones: Collection[str]) -> Self:
        """Return it without what it tells of other zones than these."""
        return replace(self, zones=tuple(zone for zone in self.zones if zone.id in zones))


@dataclass(frozen=True, kw_only=True)
class VariedFactor(ModelColumn):
    """A factor of a fit with another setting."""

    rrv: float


@dataclass(frozen=True, kw_only=True)
class VariedFit:
    """A fit with another setting, beside the run: shares of zones and of top cells that stay."""

    changed: str
    family: str
    bic: float
    factors: tuple[VariedFactor, ...]
    zones_kept: float
    top_shared: float


@dataclass(frozen=True, kw_only=True)
class SensitivityDocument(RunAnalysis):
    """A run fitted again with other seeds and other lengths of a block."""

    kind = "sensitivity"

    fits: tuple[VariedFit, ...]
