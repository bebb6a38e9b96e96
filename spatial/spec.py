"""Frozen, checked values that say what is to be done; an illegal one cannot exist.

Lengths are in the unit of the city's projected reference system (feet or metres), which every
name states as ``_units``; areas are in that unit squared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from spatial.errors import SpecError

Operation = Literal["proximity", "density"]
Operations = Literal["proximity", "density", "both"]
Step = Literal["whole", "half"]
Family = Literal["poisson", "nb1", "nb2"]
Sign = Literal["aggravating", "protective"]
Sharing = Literal["own", "shared"]
ZoneSource = Literal["combined", "rtm"]
Allotment = Literal["even", "expected", "city"]
Barriers = Literal["kept", "crossed"]

MAX_CELLS = 2_000_000  # measured: the memory of a fit (docs/workbench.md, limits of a run)


def _positive(owner: str, name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):  # also refuses NaN
        msg = f"{owner}: {name} must be a number above 0, got {value!r}"
        raise SpecError(msg, code="number_range")


def _one_of(owner: str, name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        msg = f"{owner}: {name} must be one of {', '.join(allowed)}, got {value!r}"
        raise SpecError(msg, code="unknown_choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFactor:
    """One environmental factor and how its influence is to be tried.

    ``max_blocks`` is the farthest influence in blocks; ``step`` says whether distances rise by
    whole or by half blocks (RTMDx User Manual, 2015).
    """

    name: str
    operation: Operations = "both"
    max_blocks: int = 3
    step: Step = "half"

    def __post_init__(self) -> None:
        owner = f"factor {self.name!r}"
        if not self.name.strip():
            msg = "a factor has no name; give each [[factors]] entry a name"
            raise SpecError(msg, code="factor_without_name")
        _one_of(owner, "operation", self.operation, ("proximity", "density", "both"))
        _one_of(owner, "step", self.step, ("whole", "half"))
        if self.max_blocks != int(self.max_blocks) or not 1 <= self.max_blocks <= 20:
            msg = (
                f"{owner}: max_blocks must be a whole number from 1 to 20, got {self.max_blocks!r}"
            )
            raise SpecError(msg, code="max_blocks_range")

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations to try, in the order of the candidate columns."""
        if self.operation == "both":
            return ("proximity", "density")
        return (self.operation,)

    def distances_units(self, block_units: float) -> tuple[float, ...]:
        """Return the distances to try, ascending.

        >>> RiskFactor(name="bars", max_blocks=2, step="half").distances_units(400)
        (200.0, 400.0, 600.0, 800.0)
        """
        per_block = 2 if self.step == "half" else 1
        count = self.max_blocks * per_block
        return tuple(block_units * i / per_block for i in range(1, count + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSpec:
    """Square cells over the study area; ``block_units`` is the step of influence distances."""

    cell_units: float
    block_units: float

    def __post_init__(self) -> None:
        _positive("grid", "cell", self.cell_units)
        _positive("grid", "block", self.block_units)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Settings of a risk terrain fit; the defaults are those of ``docs/method.md``.

    ``mixing`` is the elastic-net mixing (1 is the lasso), ``lambda_rule`` the penalty taken from
    the cross-validation, ``seed`` draws the folds. ``families`` are the likelihoods that compete
    by BIC in the stepwise stage. ``sharing`` says how
    districts are fitted by themselves: ``own`` models, where one with fewer than
    ``min_incidents_district`` takes the city's factors, or ``shared`` ones, which deviate from the
    city's as far as their data say.
    """

    sign: Sign = "aggravating"
    folds: int = 10
    mixing: float = 0.5
    lambda_rule: Literal["min", "1se"] = "min"
    families: tuple[Family, ...] = ("poisson", "nb1", "nb2")
    min_ones: int = 10
    min_incidents: int = 10
    min_incidents_district: int = 50
    sharing: Sharing = "own"
    seed: int = 1

    def __post_init__(self) -> None:
        _one_of("model", "sign", self.sign, ("aggravating", "protective"))
        _one_of("model", "sharing", self.sharing, ("own", "shared"))
        _one_of("model", "lambda_rule", self.lambda_rule, ("min", "1se"))
        if not 3 <= self.folds <= 100:
            msg = f"model: folds must be from 3 to 100, got {self.folds!r}"
            raise SpecError(msg, code="folds_range")
        if not 0 < self.mixing <= 1:
            msg = f"model: mixing must be above 0 and at most 1, got {self.mixing!r}"
            raise SpecError(msg, code="mixing_range")
        if not self.families:
            msg = "model: name at least one family of poisson, nb1, nb2"
            raise SpecError(msg, code="no_family")
        for family in self.families:
            _one_of("model", "family", family, ("poisson", "nb1", "nb2"))
        for name in ("min_ones", "min_incidents", "min_incidents_district"):
            if getattr(self, name) < 1:
                msg = f"model: {name} must be at least 1, got {getattr(self, name)!r}"
                raise SpecError(msg, code="number_range")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySpec:
    """How past incidents enter the combined risk.

    ``half_life_days`` is the age at which an incident counts half; None counts all alike.
    ``bandwidths_cells`` are the standard deviations of the kernels, in sides of a cell.
    """

    half_life_days: float | None = 730.0
    bandwidths_cells: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)

    def __post_init__(self) -> None:
        if self.half_life_days is not None:
            _positive("history", "half_life_days", self.half_life_days)
        for cells in self.bandwidths_cells:
            if not 0 < cells <= 100:
                msg = f"history: a bandwidth must be above 0 and at most 100 cells, got {cells!r}"
                raise SpecError(msg, code="bandwidth_range")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSpec:
    """How zones are cut from the scores of a city.

    Zones follow ``source``: the combined risk, or the pure risk terrain score. The budget is
    ``area_share`` of the city, allotted to its districts by ``allotment``: evenly by their area, by
    their expected incidents, or to wherever the city's best cells are, with a floor for each.
    Zones are contiguous groups of ``min_cells`` to ``max_cells`` cells, at most ``max_zones`` a
    district and ``city_zones`` in all (0: any number). Their outline is at least so compact
    (4 pi area / perimeter squared; a square has 0.79, 0 lets any shape be), and each expects
    ``least_expected`` incidents a year or more. Rivers and motorways that are known are not crossed
    while ``barriers`` are kept.
    """

    source: ZoneSource = "combined"
    area_share: float = 0.02
    allotment: Allotment = "city"
    min_cells: int = 2
    max_cells: int = 40
    max_zones: int = 24
    city_zones: int = 0
    least_compactness: float = 0.3
    least_expected: float = 0.2
    barriers: Barriers = "kept"

    def __post_init__(self) -> None:
        _one_of("zones", "source", self.source, ("combined", "rtm"))
        _one_of("zones", "allotment", self.allotment, ("even", "expected", "city"))
        _one_of("zones", "barriers", self.barriers, ("kept", "crossed"))
        if not 0 < self.area_share <= 0.5:
            msg = f"zones: area_share must be above 0 and at most 0.5, got {self.area_share!r}"
            raise SpecError(msg, code="area_share_range")
        if not 1 <= self.min_cells <= self.max_cells:
            msg = (
                "zones: need 1 <= min_cells <= max_cells, got "
                f"{self.min_cells!r} and {self.max_cells!r}"
            )
            raise SpecError(msg, code="zone_cells_range")
        if self.max_zones < 1:
            msg = f"zones: max_zones must be at least 1, got {self.max_zones!r}"
            raise SpecError(msg, code="max_zones_range")
        if self.city_zones < 0:
            msg = f"zones: city_zones must be 0 or more, got {self.city_zones!r}"
            raise SpecError(msg, code="city_zones_range")
        if not 0 <= self.least_compactness <= 0.7:  # two cells have 0.698, no zone more than 0.785
            msg = f"zones: least_compactness must be from 0 to 0.7, got {self.least_compactness!r}"
            raise SpecError(msg, code="compactness_range")
        if not 0 <= self.least_expected < math.inf:
            msg = f"zones: least_expected must be 0 or more, got {self.least_expected!r}"
            raise SpecError(msg, code="least_expected_range")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskingSpec:
    """How exact places become public ones; the defaults in metres are those of ``for_unit``.

    A public place is shared by at least ``k`` addresses or by none, and stands for points up to
    ``reach_units`` away; farther ones are given by a square of ``cell_units``, or of two or four
    times that. Street ends within ``tolerance_units`` of each other meet.
    """

    k: int = 8
    reach_units: float
    cell_units: float
    tolerance_units: float

    def __post_init__(self) -> None:
        if self.k != int(self.k) or self.k < 2:
            msg = f"masking: k must be a whole number of at least 2 addresses, got {self.k!r}"
            raise SpecError(msg, code="masking_k")
        for name in ("reach_units", "cell_units", "tolerance_units"):
            _positive("masking", name, getattr(self, name))
        if self.tolerance_units >= self.reach_units:
            msg = (
                "masking: tolerance_units must be below reach_units, got "
                f"{self.tolerance_units!r} and {self.reach_units!r}"
            )
            raise SpecError(msg, code="masking_tolerance")

    @classmethod
    def for_unit(cls, unit_m: float, *, k: int = 8) -> MaskingSpec:
        """Return the rule of the product in a unit that is ``unit_m`` metres long.

        >>> MaskingSpec.for_unit(1.0)
        MaskingSpec(k=8, reach_units=250.0, cell_units=500.0, tolerance_units=1.0)
        """
        _positive("masking", "unit_m", unit_m)
        return cls(
            k=k,
            reach_units=250.0 / unit_m,
            cell_units=500.0 / unit_m,
            tolerance_units=1.0 / unit_m,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """Everything that, with the data, decides a run."""

    grid: GridSpec
    factors: tuple[RiskFactor, ...]
    model: ModelSpec = field(default_factory=ModelSpec)
    history: HistorySpec = field(default_factory=HistorySpec)
    zones: ZoneSpec = field(default_factory=ZoneSpec)

    def __post_init__(self) -> None:
        if not self.factors:
            msg = "no factor is named; a risk terrain needs at least one [[factors]] entry"
            raise SpecError(msg, code="no_factor")
        names = [factor.name for factor in self.factors]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"factor names must differ; named twice: {', '.join(twice)}"
            raise SpecError(msg, code="factor_twice")
