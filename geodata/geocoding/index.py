"""The address points and street segments of a city, by street and number.

Built once for an import. A place that lies between known numbers is found on the line between them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from geodata.geocoding.parse import (
    HUNDRED,
    normal_text,
    parse_plain,
    parse_us,
    plain_street,
    street_of,
)
from geodata.geocoding.words import DIRECTIONS, TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from geodata.geocoding.parse import ParsedAddress, StreetName

    Floats = NDArray[np.float64]

PARSERS = {"us": (parse_us, street_of), "plain": (parse_plain, plain_street)}
CROSS_METRES = 15.0  # streets whose lines end this far from each other meet
BETWEEN_METRES = 150.0  # neighbours farther apart say little of what lies between
BETWEEN_NUMBERS = 40
MOST_WORDS = 8  # of the name of a street
SHORTEST_SPELLED = 5  # letters; shorter names have too many neighbours
LONG_SPELLED = 9  # letters from which a second one may be wrong
COMMON_PARTS = re.compile(  # say nothing of which street it is
    r"(?:STRASSE|GASSE|WEG|PLATZ)$|^(?:AVENIDA|CALLE|LARGO|PRACA|RUA|RUE|TRAVESSA) "
)
HOUSE = re.compile(r"\s*(\d{1,6})(?!\d)")


@dataclass(frozen=True, slots=True, eq=False)
class Numbered:
    """House numbers of one street that have a point: sorted, with places shape ``(n, 2)``."""

    numbers: NDArray[np.int64]
    xy: Floats
    postcodes: NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Ranged:
    """Sides of segments of one street, each from a number at its start to one at its end."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    lines: NDArray[np.object_]
    postcodes: NDArray[np.object_]


@dataclass(kw_only=True, eq=False)
class AddressIndex:
    """Streets of a city and what is known of each, by the number of the street.

    ``whole`` means that a text may go on after the name of a street only behind a comma.
    ``metre`` is how many units of the city's reference system a metre has. ``as_written`` finds a
    street by its name as the city writes it, ``by_name`` all streets that share a name.
    """

    parse: Callable[[str, Callable[[str], StreetName | None]], ParsedAddress]
    street: Callable[[str], StreetName]
    metre: float
    whole: bool = False
    streets: list[StreetName] = field(default_factory=list)
    ids: dict[StreetName, int] = field(default_factory=dict)
    as_written: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, list[int]] = field(default_factory=dict)
    numbered: dict[int, Numbered] = field(default_factory=dict)
    ranged: dict[int, Ranged] = field(default_factory=dict)
    lines: dict[int, shapely.Geometry] = field(default_factory=dict)
    _crossings: dict[tuple[int, int], Floats] = field(default_factory=dict)
    _alike: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def known_start(self, text: str) -> StreetName | None:
        """Return the street of the city that a text begins with, if it begins with a whole one."""
        words = text.replace(",", " , ").split()
        until = words.index(",") if "," in words else len(words)
        for end in range(min(until, MOST_WORDS), until - 1 if self.whole else 0, -1):
            after = words[end:until]
            if _goes_on(after[:1]):
                continue
            written = " ".join(words[:end])
            number = self.as_written.get(written)
            if number is None:
                number = self.ids.get(self.street(written))
            if number is not None and (self.streets[number].kind or not _goes_on(after[:3])):
                return self.streets[number]
        return None

    def spelled_alike(self, name: str, most: int) -> list[str]:
        """Return the names nearest to one, by letters that are wrong, missing, added or swapped."""
        if (name, most) not in self._alike:
            letters = len(COMMON_PARTS.sub("", name))
            allowed = min(most, int(letters >= SHORTEST_SPELLED) + int(letters >= LONG_SPELLED))
            near: list[Any] = []
            if allowed and not any(sign.isdigit() for sign in name):
                near = extract(name, self.by_name.keys(), scorer=OSA.distance, score_cutoff=allowed)
            self._alike[name, most] = [
                found
                for found, far, _ in near
                if far == near[0][1] and (found[0] == name[0] or found[:2] == name[1::-1])
            ]
        return self._alike[name, most]

    def at_number(self, street: int, number: int, postcode: str) -> Floats:
        """Return the points of a number, shape ``(n, 2)``."""
        found = self.numbered.get(street)
        if found is None:
            return NOWHERE
        start, end = np.searchsorted(found.numbers, [number, number + 1])
        return _of_postcode(found.xy[start:end], found.postcodes[start:end], postcode)

    def in_range(self, street: int, number: int, postcode: str) -> Floats:
        """Return where a number lies on the segments that hold it, shape ``(n, 2)``."""
        found = self.ranged.get(street)
        if found is None:
            return NOWHERE
        low, high = np.minimum(found.first, found.last), np.maximum(found.first, found.last)
        holds = (low <= number) & (number <= high)
        same = holds & ((found.first % 2 == number % 2) | (found.first % 2 != found.last % 2))
        # A segment that numbers but one side says where the other side is, too
        rows = np.flatnonzero(same if same.any() else holds)
        length = np.maximum(high - low, 1)[rows]
        share = np.where(high[rows] == low[rows], 0.5, np.abs(number - found.first[rows]) / length)
        xy = _along(found.lines[rows], share)
        return _of_postcode(xy, found.postcodes[rows], postcode)

    def between_neighbours(self, street: int, number: int) -> Floats:
        """Return the place between the nearest numbers of the same side; nothing where far."""
        found = self.numbered.get(street)
        if found is None:
            return NOWHERE
        side = found.numbers % 2 == number % 2
        numbers, xy = found.numbers[side], found.xy[side]
        after = int(np.searchsorted(numbers, number))
        if after in (0, len(numbers)):
            return NOWHERE
        low, high = int(numbers[after - 1]), int(numbers[after])
        apart = float(np.hypot(*(xy[after] - xy[after - 1])))
        if high - low > BETWEEN_NUMBERS or apart > BETWEEN_METRES * self.metre:
            return NOWHERE
        return (xy[after - 1] + (xy[after] - xy[after - 1]) * (number - low) / (high - low))[None]

    def in_block(self, street: int, first: int, postcode: str) -> Floats:
        """Return places of the block that begins at a number, shape ``(n, 2)``."""
        last = first + HUNDRED - 1
        places = []
        if (points := self.numbered.get(street)) is not None:
            start, end = np.searchsorted(points.numbers, [first, last + 1])
            xy, postcodes = points.xy[start:end], points.postcodes[start:end]
            places.append(_of_postcode(xy, postcodes, postcode))
        if (ranges := self.ranged.get(street)) is not None:
            low, high = np.minimum(ranges.first, ranges.last), np.maximum(ranges.first, ranges.last)
            rows = np.flatnonzero((low <= last) & (high >= first))
            middle = (np.maximum(low[rows], first) + np.minimum(high[rows], last)) / 2
            span = np.maximum(high - low, 1)[rows]
            share = np.where(
                high[rows] == low[rows], 0.5, np.abs(middle - ranges.first[rows]) / span
            )
            xy = _along(ranges.lines[rows], share)
            places.append(_of_postcode(xy, ranges.postcodes[rows], postcode))
        return np.vstack(places) if places else NOWHERE

    def crossings(self, one: int, other: int) -> Floats:
        """Return where two streets cross or meet, shape ``(n, 2)``."""
        pair = (min(one, other), max(one, other))
        if pair not in self._crossings:
            first, second = self.lines.get(one), self.lines.get(other)
            found = NOWHERE
            if one != other and first is not None and second is not None:
                found = self._cross(first, second)
            self._crossings[pair] = found
        return self._crossings[pair]

    def _cross(self, first: shapely.Geometry, second: shapely.Geometry) -> Floats:
        met = shapely.get_coordinates(shapely.intersection(first, second))
        if len(met) == 0 and shapely.dwithin(first, second, CROSS_METRES * self.metre):
            met = shapely.get_coordinates(shapely.shortest_line(first, second)).mean(axis=0)[None]
        return met

    def somewhere(self, street: int) -> Floats:
        """Return a place on a street, about its middle."""
        if (line := self.lines.get(street)) is not None:
            longest = max(shapely.get_parts(line), key=shapely.length)
            return _along(np.array([longest], dtype=object), np.array([0.5]))
        points = self.numbered.get(street)
        if points is None:
            return NOWHERE
        away = np.hypot(*(points.xy - points.xy.mean(axis=0)).T)
        return points.xy[[int(away.argmin())]]


NOWHERE: Floats = np.empty((0, 2))


def build_index(
    *,
    metre: float,
    parser: str = "us",
    points: pd.DataFrame | None = None,
    segments: pd.DataFrame | None = None,
    streets: pd.DataFrame | None = None,
) -> AddressIndex:
    """Build the index of a city.

    Parameters
    ----------
    metre
        Units that a metre has.
    parser
        ``"us"`` or ``"plain"``: how addresses are taken apart.
    points
        Address points: ``number`` (whole numbers), ``street``, ``postcode``, ``x``, ``y``.
    segments
        Sides of street segments: ``street``, ``first``, ``last``, ``postcode``, ``line``, drawn
        from the first number to the last.
    streets
        ``street`` and ``line``, without numbers: they say where streets cross. Segments do as well.
    """
    parse, street = PARSERS[parser]
    index = AddressIndex(parse=parse, street=street, metre=metre, whole=parser == "plain")
    if points is not None and len(points):
        points = points.assign(number=points["number"].astype("int64"))
        _number(index, points.sort_values("number", kind="stable"))
    parts = [frame[["street", "line"]] for frame in (segments, streets) if frame is not None]
    if segments is not None and len(segments):
        _range(index, segments)
    if parts and len(drawn := pd.concat(parts, ignore_index=True)):
        drawn = drawn.assign(id=_ids(index, drawn["street"]))
        for number, rows in drawn[drawn["id"] >= 0].groupby("id"):
            index.lines[int(str(number))] = shapely.union_all(rows["line"].to_numpy())
    return index


def _number(index: AddressIndex, rows: pd.DataFrame) -> None:
    rows = rows.assign(id=_ids(index, rows["street"]))
    for number, group in rows[rows["id"] >= 0].groupby("id"):
        index.numbered[int(str(number))] = Numbered(
            group["number"].to_numpy(dtype=np.int64),
            group[["x", "y"]].to_numpy(dtype=float),
            group["postcode"].to_numpy(dtype=object),
        )


def _range(index: AddressIndex, rows: pd.DataFrame) -> None:
    rows = rows.assign(id=_ids(index, rows["street"]))
    rows = rows[rows[["first", "last"]].max(axis=1) > 0]  # no numbers on this side
    for number, group in rows[rows["id"] >= 0].groupby("id"):
        index.ranged[int(str(number))] = Ranged(
            group["first"].to_numpy(dtype=np.int64),
            group["last"].to_numpy(dtype=np.int64),
            group["line"].to_numpy(dtype=object),
            group["postcode"].to_numpy(dtype=object),
        )


def _ids(index: AddressIndex, names: pd.Series) -> NDArray[np.int64]:
    """Return each name the number of its street, new ones included; -1 where there is no name."""
    found: dict[str, int] = {}
    for name in dict.fromkeys(names):
        street = index.street(name)
        if not street.name:
            found[name] = -1
            continue
        if street not in index.ids:
            index.ids[street] = len(index.streets)
            index.streets.append(street)
            index.by_name.setdefault(street.name, []).append(index.ids[street])
        found[name] = index.ids[street]
        index.as_written.setdefault(normal_text(name), found[name])
    return np.array([found[name] for name in names], dtype=np.int64)


def _goes_on(words: Sequence[str]) -> bool:
    """Return whether words may belong to the name of a street before them."""
    return any(word in TYPES or word in DIRECTIONS for word in words)


def read_numbers(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the house numbers that texts begin with; 0 where there is none.

    >>> read_numbers(["12A", " 7", "x", "1234567"]).tolist()
    [12, 7, 0, 0]
    """
    found = [HOUSE.match(text) for text in texts]
    return np.array([int(one[1]) if one else 0 for one in found], dtype=np.int64)


def _along(lines: NDArray[np.object_], share: Floats) -> Floats:
    places = shapely.line_interpolate_point(lines, np.clip(share, 0, 1), normalized=True)
    return shapely.get_coordinates(places)


def _of_postcode(xy: Floats, postcodes: NDArray[np.object_], wanted: str) -> Floats:
    """Keep what lies in the postcode that is named, if anything does."""
    if wanted and len(xy) > 1 and (same := postcodes == wanted).any():
        return xy[same]
    return xy
