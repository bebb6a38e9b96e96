"""Exact places and times -> those that are fit for the public.

A point is given by the nearest public place of its district, an intersection or the middle of a
block, that is shared by at least k addresses or by none. Where none lies within reach it is given
by a square of a public lattice, or by its district alone. No chance is involved: a point's public
place depends on the point and the rule only, so that many rows of one home never average out to
it. What this protects, and what not, is in ``docs/masking.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import shapely
from scipy.spatial import cKDTree

from spatial.disclosure.catchments import catchment_radii, nearest, thin
from spatial.disclosure.squares import Squares, lay_squares, square_keys
from spatial.errors import MaskingError
from spatial.grid import NO_DISTRICT, area_of
from spatial.streets import DECIMALS, public_candidates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.spec import MaskingSpec

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

Rule = Literal["place", "cell", "uncounted_cell", "district", "outside"]

VERSION = 1  # raise it when the same row and lists could get another place
LEAST_RADIUS = 0.2  # of the reach: a place is never drawn as a pin
NOT_COUNTED = -1
BAND_HOURS = 4
DELAY_DAYS = 7  # a patrol is a week old before its places are public (docs/masking.md)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sites:
    """Everywhere that a row can be stated to have been; one entry a site.

    Parameters
    ----------
    name
        Identifier that stays as long as the site's coordinates do.
    rule
        What kind of site it is: a ``place``, a ``cell`` shared by k addresses, an
        ``uncounted_cell`` where no addresses are known, a ``district``, or ``outside``.
    district
        Position of the site's district, -1 for ``outside``.
    x, y
        Where to draw it; NaN for ``outside``.
    radius_units
        Radius of the area to draw, which holds every point that the site stands for.
    addresses
        How many addresses share the site; -1 where none are known.
    """

    name: NDArray[np.str_]
    rule: NDArray[np.str_]
    district: NDArray[np.int16]
    x: Floats
    y: Floats
    radius_units: Floats
    addresses: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicPlaces:
    """The public sites of a city and how to find the one of a point.

    ``candidates`` is the number of intersections and mid-points that were tried; ``first_place``
    and ``places`` bound each district's part of the sites that are places. District sites are the
    last but one entries, in the order of ``district_ids``; the last is ``outside``.
    """

    spec: MaskingSpec
    district_ids: tuple[str, ...]
    shapes: tuple[BaseGeometry, ...]
    candidates: int
    sites: Sites
    place_district: NDArray[np.int16]
    cell_keys: NDArray[np.int64]

    @cached_property
    def _trees(self) -> tuple[tuple[int, cKDTree], ...]:
        """First place and search tree of each district."""
        bounds = np.searchsorted(self.place_district, np.arange(len(self.district_ids) + 1))
        xy = np.column_stack([self.sites.x, self.sites.y])
        return tuple((int(first), cKDTree(xy[first:last])) for first, last in pairwise(bounds))

    def find(self, xy: Floats, district: NDArray[np.int16]) -> Ints:
        """Find the site of each point.

        Parameters
        ----------
        xy
            Points, shape ``(n, 2)``; one that is not finite is known by its district only.
        district
            Position of each point's district, -1 for none.
        """
        n_districts = len(self.district_ids)
        first_district = len(self.sites) - 1 - n_districts
        site = np.where(district == NO_DISTRICT, n_districts, district) + first_district
        site = site.astype(np.intp)
        known = np.isfinite(xy).all(axis=1)
        for position, (first, tree) in enumerate(self._trees):
            rows = np.flatnonzero(known & (district == position))
            found = nearest(tree, xy[rows], self.spec.reach_units)
            site[rows[found >= 0]] = first + found[found >= 0]
            far = rows[found < 0]
            square = self._square(xy[far], position)
            site[far[square >= 0]] = len(self.place_district) + square[square >= 0]
        return site

    def _square(self, xy: Floats, district: int) -> Ints:
        """Position among the squares of the finest one that holds each point, -1 for none."""
        found = np.full(len(xy), -1, dtype=np.intp)
        if len(self.cell_keys) == 0:
            return found
        for keys in reversed(square_keys(xy, district, self.spec.cell_units)):
            at = np.minimum(np.searchsorted(self.cell_keys, keys), len(self.cell_keys) - 1)
            found = np.where(self.cell_keys[at] == keys, at, found)
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapped:
    """The public site of each row; ``site`` is its position in ``sites``."""

    sites: Sites
    site: Ints

    def __len__(self) -> int:
        return len(self.site)

    @property
    def name(self) -> NDArray[np.str_]:
        """Identifier of each row's site."""
        return self.sites.name[self.site]

    @property
    def rule(self) -> NDArray[np.str_]:
        """What kind of site each row got."""
        return self.sites.rule[self.site]

    @property
    def x(self) -> Floats:
        """Public coordinate, eastward; NaN outside."""
        return self.sites.x[self.site]

    @property
    def y(self) -> Floats:
        """Public coordinate, northward; NaN outside."""
        return self.sites.y[self.site]

    @property
    def radius_units(self) -> Floats:
        """Radius of the area to draw; NaN outside."""
        return self.sites.radius_units[self.site]

    @property
    def district(self) -> NDArray[np.int16]:
        """Position of each row's district, -1 outside."""
        return self.sites.district[self.site]


def make_public_places(
    streets: Sequence[BaseGeometry] | NDArray[np.object_],
    districts: Mapping[str, BaseGeometry],
    addresses: ArrayLike | None,
    spec: MaskingSpec,
) -> PublicPlaces:
    """Choose the public sites of a city.

    Parameters
    ----------
    streets
        Street lines in the city's reference system.
    districts
        Polygons by identifier; where two share a point, the first holds it.
    addresses
        Coordinates of every address, shape ``(n, 2)``, or None where the city has no list.
        Addresses on the same point count once. A district without any address in the list has
        no places: there k would count nothing.
    spec
        k, reach, size of a square and tolerance.

    Raises
    ------
    MaskingError
        If there is no district, or addresses are not pairs of numbers.
    """
    if not districts:
        msg = "no district to mask in; name the districts in the city file"
        raise MaskingError(msg, code="no_district")
    shapes = tuple(districts.values())
    homes, candidates = _distinct(addresses), public_candidates(streets, spec.tolerance_units)
    home_at = area_of(homes[:, 0], homes[:, 1], shapes)
    candidate_at = area_of(candidates[:, 0], candidates[:, 1], shapes)
    places, squares = [], []
    for position, shape in enumerate(shapes):
        own = homes[home_at == position]
        kept, laid = _settle(candidates[candidate_at == position], own, shape, spec)
        places.append(kept)
        squares.append(laid)
    drawn = _Drawn(tuple(districts), shapes, spec)
    public = drawn.public_places(places, squares, len(candidates))
    return _count_addresses(public, homes, home_at)


def snap(
    public: PublicPlaces, x: ArrayLike, y: ArrayLike, district: ArrayLike | None = None
) -> Snapped:
    """Return each row its public site.

    Parameters
    ----------
    public
        The sites of the city.
    x, y
        Exact coordinates; a row without them is known by its district only.
    district
        Identifier of each row's district, None or empty for none; by default the district that
        holds the point.

    Raises
    ------
    MaskingError
        If a district is not one of the city's.
    """
    xy = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
    if district is None:
        position = np.full(len(xy), NO_DISTRICT, dtype=np.int16)
        known = np.isfinite(xy).all(axis=1)
        position[known] = area_of(xy[known, 0], xy[known, 1], public.shapes)
    else:
        position = _positions(np.asarray(district, dtype=object), public.district_ids)
    return Snapped(sites=public.sites, site=public.find(xy, position))


def _positions(ids: NDArray[np.object_], district_ids: tuple[str, ...]) -> NDArray[np.int16]:
    place = {name: position for position, name in enumerate(district_ids)}
    missing = np.array([name is None or name == "" or name != name for name in ids], dtype=bool)
    unknown = sorted({str(name) for name in ids[~missing] if name not in place})
    if unknown:
        msg = (
            f"no district {', '.join(unknown[:5])}; the districts are {', '.join(district_ids)}; "
            "give a row without a district None"
        )
        raise MaskingError(msg, code="unknown_district")
    found = np.full(len(ids), NO_DISTRICT, dtype=np.int16)
    found[~missing] = [place[name] for name in ids[~missing]]
    return found


def _distinct(addresses: ArrayLike | None) -> Floats:
    """Addresses by x, then y, those on one point once."""
    if addresses is None:
        return np.empty((0, 2))
    xy = np.asarray(addresses, dtype=np.float64)
    if xy.size == 0:
        return np.empty((0, 2))
    if xy.ndim != 2 or xy.shape[1] != 2 or not np.isfinite(xy).all():
        msg = (
            "addresses must be pairs of finite coordinates, shape (n, 2), got shape "
            f"{xy.shape}; leave out addresses without a place"
        )
        raise MaskingError(msg, code="addresses_shape")
    return cast("Floats", np.unique(np.round(xy, DECIMALS), axis=0))


def _settle(
    candidates: Floats, homes: Floats, shape: BaseGeometry, spec: MaskingSpec
) -> tuple[Floats, Squares]:
    """Choose the places and squares of one district, so that what is left is shared too.

    Addresses in no place and in no square are known by their district. Should they be fewer than
    k, the place nearest to one of them is given up, until they are enough or none.
    """
    cell, k = spec.cell_units, spec.k
    if len(homes) == 0:
        return np.empty((0, 2)), lay_squares(shape, cell)
    places = candidates
    while True:
        places = places[thin(places, homes, k, spec.reach_units)]
        tree = cKDTree(places)
        of = nearest(tree, homes, spec.reach_units)
        far = homes[of < 0]
        squares = lay_squares(shape, cell, homes=far, k=k)
        shared = np.unique(of[of >= 0])
        if not 0 < squares.left < k or len(shared) == 0:
            return places, squares
        away, which = cKDTree(places[shared]).query(far)
        places = np.delete(places, shared[which[np.argmin(away)]], axis=0)


@dataclass(frozen=True)
class _Drawn:
    """Puts the sites of all districts together."""

    district_ids: tuple[str, ...]
    shapes: tuple[BaseGeometry, ...]
    spec: MaskingSpec

    def public_places(
        self, places: list[Floats], squares: list[Squares], candidates: int
    ) -> PublicPlaces:
        place_district = np.repeat(
            np.arange(len(places), dtype=np.int16), [len(part) for part in places]
        )
        parts = [self._places(i, xy) for i, xy in enumerate(places)]
        cells = [self._cells(i, laid) for i, laid in enumerate(squares)]
        sites = _join([*parts, *cells, self._districts(), _outside()])
        keys = [laid.keys(i) for i, laid in enumerate(squares)]
        return PublicPlaces(
            spec=self.spec,
            district_ids=self.district_ids,
            shapes=self.shapes,
            candidates=candidates,
            sites=sites,
            place_district=place_district,
            cell_keys=np.concatenate(keys),
        )

    def _places(self, district: int, xy: Floats) -> Sites:
        radius = catchment_radii(xy, self.spec.reach_units)
        code = self.district_ids[district]
        return _sites(
            [f"place/{code}/{x:.{DECIMALS}f}/{y:.{DECIMALS}f}" for x, y in xy],
            "place",
            np.full(len(xy), district),
            xy,
            np.ceil(np.maximum(radius, LEAST_RADIUS * self.spec.reach_units)),
        )

    def _cells(self, district: int, laid: Squares) -> Sites:
        code = self.district_ids[district]
        xy, radius = laid.draw(self.shapes[district])
        return _sites(
            [
                f"cell/{code}/{size:g}/{col}/{row}"
                for size, col, row in zip(laid.size_units, laid.col, laid.row, strict=True)
            ],
            "cell" if laid.counted else "uncounted_cell",
            np.full(len(xy), district),
            xy,
            np.ceil(radius),
        )

    def _districts(self) -> Sites:
        xy = np.empty((len(self.shapes), 2))
        radius = np.empty(len(self.shapes))
        for i, shape in enumerate(self.shapes):
            inside = shapely.point_on_surface(shape)
            xy[i] = shapely.get_coordinates(inside)[0]
            radius[i] = np.hypot(*(shapely.get_coordinates(shape) - xy[i]).T).max()
        names = [f"district/{code}" for code in self.district_ids]
        return _sites(names, "district", np.arange(len(names)), xy, np.ceil(radius))


def _outside() -> Sites:
    nowhere = np.full((1, 2), np.nan)
    return _sites(["outside"], "outside", np.array([NO_DISTRICT]), nowhere, nowhere[:, 0])


def _sites(
    name: list[str], rule: Rule, district: NDArray[np.int64], xy: Floats, radius: Floats
) -> Sites:
    return Sites(
        name=np.array(name, dtype=np.str_),
        rule=np.full(len(name), rule),
        district=district.astype(np.int16),
        x=xy[:, 0],
        y=xy[:, 1],
        radius_units=radius,
        addresses=np.full(len(name), NOT_COUNTED, dtype=np.int64),
    )


def _join(parts: list[Sites]) -> Sites:
    names = Sites.__dataclass_fields__
    return Sites(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def _count_addresses(
    public: PublicPlaces, homes: Floats, home_at: NDArray[np.int16]
) -> PublicPlaces:
    """Write down how many addresses share each site, by the very rule that snaps rows."""
    inside = home_at != NO_DISTRICT
    site = public.find(homes[inside], home_at[inside])
    counted = np.isin(public.sites.district, np.unique(home_at[inside]))
    sharing = np.bincount(site, minlength=len(public.sites))
    addresses = np.where(counted, sharing, NOT_COUNTED)
    return replace(public, sites=replace(public.sites, addresses=addresses))


@dataclass(frozen=True, kw_only=True, eq=False)
class CoarseTime:
    """Day of each row and its four hours: band 0 is from 0:00, 5 from 20:00; -1 is missing."""

    day: NDArray[np.datetime64]
    band: NDArray[np.int8]


def coarsen_time(local: ArrayLike) -> CoarseTime:
    """Return day and four-hour band of the city's own wall clock.

    Parameters
    ----------
    local
        Date and time of each row by the local clock, without a time zone.

    Raises
    ------
    MaskingError
        If a time carries a time zone: its hours would not be those of the wall clock.
    """
    values = np.asarray(local)
    if values.dtype == object and any(getattr(v, "tzinfo", None) is not None for v in values.flat):
        msg = "times carry a time zone; turn them to the city's local time and drop the zone first"
        raise MaskingError(msg, code="time_zone")
    seconds = values.astype("datetime64[s]")
    day = seconds.astype("datetime64[D]")
    hour = (seconds - day).astype("timedelta64[h]")
    band = np.full(day.shape, -1, dtype=np.int8)
    known = ~np.isnat(day)
    band[known] = hour[known].astype(np.int64) // BAND_HOURS
    return CoarseTime(day=day, band=band)


def is_old_enough(
    day: ArrayLike, today: date | np.datetime64, delay_days: int = DELAY_DAYS
) -> NDArray[np.bool_]:
    """Tell which days lie at least ``delay_days`` before today; a missing day never does.

    >>> from datetime import date
    >>> is_old_enough(["2024-03-01", "2024-03-02"], date(2024, 3, 8)).tolist()
    [True, False]
    """
    if delay_days < 0:
        msg = f"delay_days must be 0 or more, got {delay_days!r}"
        raise MaskingError(msg, code="delay_range")
    age = np.asarray(today, dtype="datetime64[D]") - np.asarray(day, dtype="datetime64[D]")
    return np.asarray(age >= np.timedelta64(delay_days, "D"), dtype=bool)  # NaT compares false
