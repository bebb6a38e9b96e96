"""The document of an evaluation: figures, and as codes what they allow one to say.

It is what is stored and what pages, commands and charts read. Counts are incidents, areas are
square units of the city's reference system, differences are for a period as long as the one after.
Intervals called widened allow for how much the counts varied.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from geodata.stored_documents import Days, EditionUsed, Note  # noqa: TC001 - pydantic reads them
from spatial.evaluation.controls import Checks  # noqa: TC001 - pydantic reads it

Called = Literal["fewer", "more"]


@dataclass(frozen=True, kw_only=True)
class AreaDifference:
    """A difference in differences (``wdd``) with its error and its intervals."""

    wdd: float
    se: float
    z: float | None
    low: float
    high: float
    low_widened: float
    high_widened: float


@dataclass(frozen=True, kw_only=True)
class DifferenceTo(AreaDifference):
    """A difference so far, up to a day, excluded."""

    to: dt.date


@dataclass(frozen=True, kw_only=True)
class RateRatio:
    """The ratio of rates with its interval; nothing where a count is 0."""

    rate_ratio: float | None
    rate_ratio_low: float | None
    rate_ratio_high: float | None


@dataclass(frozen=True, kw_only=True)
class AreaCounts:
    """Incidents of an area before and after, and how often such a change comes by chance."""

    before: int
    after: int
    e_test: float
    cells: int
    area: float


@dataclass(frozen=True, kw_only=True)
class TreatedArea(AreaCounts):
    """The treated zones together."""

    zones: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ComparedArea(RateRatio, AreaDifference, AreaCounts):
    """A control area beside the treated one; ``shared`` is the part of its cells in earlier ones.

    ``passes`` says whether it was like the treated area before, by ``checks``.
    """

    name: str
    districts: tuple[str, ...]
    distance: float
    shared: float
    passes: bool
    checks: Checks
    running: tuple[DifferenceTo, ...]


@dataclass(frozen=True, kw_only=True)
class DisplacementControl(AreaDifference, AreaCounts):
    """An area like the surroundings, and the ``total`` with the control area it is beside."""

    name: str
    beside: str
    shared: float = 0.0
    passes: bool
    checks: Checks
    total: AreaDifference


@dataclass(frozen=True, kw_only=True)
class Displacement(AreaCounts):
    """The surroundings of the treated zones, and what is called of both together."""

    buffer_cells: int
    detectable_drop: float | None
    controls: tuple[DisplacementControl, ...]
    called: Called | None = None


@dataclass(frozen=True, kw_only=True)
class SyntheticArea(AreaDifference):
    """All other cells, weighted so that they ran as the treated area did before."""

    method: str
    steps: int
    effective_donors: float
    miss: float
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class RestOfCity(RateRatio):
    """All cells that areas may be compared with, together."""

    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class DropPower:
    """Drops that are found half of the time and in 80 of 100 cases, as simulated."""

    expected: float
    half: float
    likely: float
    dispersion: float
    controls: int
    draws: int


@dataclass(frozen=True, kw_only=True)
class SeriesStep:
    """Incidents of one step of time, of the treated area, around it and of each control area."""

    start: Annotated[dt.date, Field(alias="from")]
    end: Annotated[dt.date, Field(alias="to")]
    period: Literal["before", "after"]
    treated: int
    displacement: int
    controls: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class EvaluationDocument:
    """An evaluation, whole; ``called`` is what the rule calls, ``verdict`` what may be said."""

    run: str
    edited: EditionUsed | None = None
    city: str
    outcome: str
    before: Days
    after: Days
    trained: Days
    alpha: float
    time_weights: tuple[float, float]
    step: Literal["week", "month"]
    steps_before: int
    dispersion: float
    treated: TreatedArea
    controls: tuple[ComparedArea, ...]
    displacement: Displacement | None
    synthetic_control: SyntheticArea
    rest_of_city: RestOfCity
    detectable_drop: float
    power: DropPower | None = None  # evaluations of before drops were simulated have none
    series: tuple[SeriesStep, ...]
    called: Called | None = None
    verdict: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    key: str
    form: Literal[2] = 2
