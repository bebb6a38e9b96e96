"""Which features of the surroundings are reasons for a zone, in which order, and what it is called.

The terrain is log-linear, so the mean log score of a zone exceeds that of all cells by the sum over
its columns of

    log(RRV) * (share of the zone's cells that are marked - share of all cells that are marked),

which is also the Shapley value of a column in a linear model against the mean of its data
(Strumbelj and Kononenko 2014, eq. 14; Lundberg and Lee 2017, corollary 1). Factors are ordered by
it: a column that marks most of the city adds next to nothing, however high its RRV, and one that
is rare elsewhere comes first. What it changes on real cities: ``docs/method.md``.

Which zones of two runs are the same place: one to one, by how much of them overlaps.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment

from spatial.terrain.factors import ModelColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    ZoneKind = Literal["hot spot", "risk terrain zone"]
    ColumnKey = tuple[str, str, float]  # name, operation, distance

COMMON = 0.5  # a column that marks more of the cells sets no place apart (warned of since the fit)
MOSTLY = 0.5  # from this share on a part is most of the risk and is named first
LEAST_TERRAIN = 0.25  # with a smaller part of the environment a zone is a hot spot, not terrain
LEAST_HISTORY = 0.25  # history is named as a reason from this share of a zone's risk on


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFactor(ModelColumn):
    """A column of the model that marks cells of a zone: ``share`` of them, ``covers`` of all cells.

    What an earlier version stored may lack ``covers``; :func:`order_factors` takes it from
    elsewhere.
    """

    rrv: float
    share: float
    covers: float | None = None


def contribution(factor: ZoneFactor) -> float:
    """Return what a factor adds to a zone's mean log score beyond what it adds everywhere."""
    return math.log(factor.rrv) * (factor.share - (factor.covers or 0.0))


def order_factors(
    factors: Iterable[ZoneFactor], covers: Mapping[ColumnKey, float] | None = None
) -> tuple[ZoneFactor, ...]:
    """Return the factors of a zone, those that set it apart most first.

    Parameters
    ----------
    factors
        Of the zone.
    covers
        The share of all cells that a column of the model marks, by its key; not needed where the
        factors have it. A column that is not there counts as covering nothing.
    """
    known = covers or {}
    found = [
        dataclasses.replace(factor, covers=known.get(factor.key, 0.0))
        if factor.covers is None
        else factor
        for factor in factors
    ]
    return tuple(sorted(found, key=lambda factor: -contribution(factor)))


def reasons_of(factors: Iterable[ZoneFactor]) -> list[ZoneFactor]:
    """Return those factors of a zone that are reasons for it, in their order.

    A reason raises the risk, is more common in the zone than in all cells, and marks no more than
    half of all cells.
    """
    return [
        factor
        for factor in factors
        if (factor.covers or 0.0) <= COMMON and factor.rrv > 1 and contribution(factor) > 0
    ]


def zone_kind(environment_share: float) -> ZoneKind:
    """Return what a zone is called by the environment's share of its combined risk.

    >>> zone_kind(0.07), zone_kind(0.6)
    ('hot spot', 'risk terrain zone')
    """
    return "hot spot" if environment_share < LEAST_TERRAIN else "risk terrain zone"


LEAST_SHARED = 0.5  # of the smaller zone: with half of it in common, most of it is the same place


def match_zones(before: Sequence[BaseGeometry], after: Sequence[BaseGeometry]) -> dict[int, int]:
    """Match zones with those of another run.

    Two zones can be the same place if they share at least half of the area of the smaller one. Of
    these pairs each zone is in one at most, chosen so that the sum of intersection over union is
    the greatest there can be (the assignment problem, solved by SciPy's Jonker-Volgenant method).

    Parameters
    ----------
    before, after
        Outlines in one projected reference system.

    Returns
    -------
    The position in ``before`` by the position in ``after``, of those that have a match.

    >>> match_zones([shapely.box(0, 0, 2, 1)], [shapely.box(5, 5, 6, 6), shapely.box(1, 0, 3, 1)])
    {1: 0}
    """
    if len(before) == 0 or len(after) == 0:
        return {}
    old, new = np.asarray(before, dtype=object), np.asarray(after, dtype=object)
    shared = shapely.area(shapely.intersection(old[:, None], new[None, :]))
    area_old, area_new = shapely.area(old)[:, None], shapely.area(new)[None, :]
    smaller = np.minimum(area_old, area_new)
    can_be = (shared > 0) & (shared >= LEAST_SHARED * smaller * (1 - 1e-9))
    worth = np.where(can_be, shared / (area_old + area_new - shared), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return {
        int(column): int(row)
        for row, column in sorted(zip(rows, columns, strict=True), key=lambda pair: pair[1])
        if can_be[row, column]
    }
