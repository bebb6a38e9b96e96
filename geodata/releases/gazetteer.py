"""Names of a city's own streets, crossings and places, and where they are: what a search looks in.

Nothing of it comes from another service, and nothing from a row: streets, parks, water and
neighbourhoods are what the city draws under its map.

Find a named place by what somebody typed: words in any order, cut short, misspelt a little.

The page's own script searches by the same rules (``app/static/search.js``); a test holds the two
against each other.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from spatial.grid import area_of
from spatial.named_streets import street_crossings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from geodata.releases.folder import ReleaseFolder


if TYPE_CHECKING:
    _Found = tuple[str, tuple[str, ...], Any]  # kind, names, point

GAZETTEER = "site/gazetteer.json"
PLACES = ("neighbourhood", "park", "water")
DECIMALS = 5  # of degrees: about a metre
APART_M = 300.0  # parts of one name that lie farther apart are streets of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A named place, in degrees; ``names`` are two for a crossing and one for anything else."""

    kind: str
    names: tuple[str, ...]
    latitude: float
    longitude: float
    district: str

    @property
    def name(self) -> str:
        """The name in one line."""
        return " & ".join(self.names)


@dataclass(frozen=True, kw_only=True, eq=False)
class Gazetteer:
    """All named places of a city: streets, then crossings, then everything else."""

    spots: tuple[Spot, ...]

    def __len__(self) -> int:
        return len(self.spots)

    def of(self, *kinds: str) -> tuple[Spot, ...]:
        """Return the places of some kinds."""
        return tuple(spot for spot in self.spots if spot.kind in kinds)

    def document(self) -> bytes:
        """Write the gazetteer as JSON; names stand once, a place names them by their position."""
        names = sorted({name for spot in self.spots for name in spot.names})
        at = {name: i for i, name in enumerate(names)}
        kinds = list(dict.fromkeys(spot.kind for spot in self.spots))
        districts = sorted({spot.district for spot in self.spots})
        rows = [
            [
                kinds.index(spot.kind),
                [at[name] for name in spot.names],
                spot.latitude,
                spot.longitude,
                districts.index(spot.district),
            ]
            for spot in self.spots
        ]
        body = {"kinds": kinds, "districts": districts, "names": names, "spots": rows}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def read_document(content: bytes) -> Gazetteer:
    """Read what :meth:`Gazetteer.document` wrote."""
    result = json.loads(content)
    return Gazetteer(
        spots=tuple(
            Spot(
                kind=result["kinds"][kind],
                names=tuple(result["names"][name] for name in names),
                latitude=latitude,
                longitude=longitude,
                district=result["districts"][district],
            )
            for kind, names, latitude, longitude, district in result["spots"]
        )
    )


def read_gazetteer(release: ReleaseFolder) -> Gazetteer | None:
    """Return the gazetteer of a release, nothing where it has none.

    Raises
    ------
    ReleaseError
        If the file is not what was approved.
    """
    return read_document(release.read(GAZETTEER)) if GAZETTEER in release.files else None


def make_gazetteer(base: gpd.GeoDataFrame, districts: Mapping[str, BaseGeometry]) -> Gazetteer:
    """Name the streets, crossings and places of a city.

    Streets that are drawn to cross, or that end within 12 m of one another, meet; a bridge over
    another street cannot be reported from a crossing. A name that occurs in several parts of the
    city, 300 m apart or more, is a street in each of them.

    Parameters
    ----------
    base
        ``kind``, ``name`` and geometry of what is drawn under the map; rows without a name are
        left out.
    districts
        Polygons by code, in the same reference system.
    """
    names = base["name"].fillna("").astype(str).str.strip()
    named = base.assign(name=names)[names != ""]
    unit_m = float(base.crs.axis_info[0].unit_conversion_factor)
    streets, crossings = _streets(named[named["kind"] == "street"], unit_m)
    places = [
        (kind, (name,), shape.representative_point())
        for kind in PLACES
        for name, shape in _parts(named[named["kind"] == kind], APART_M / unit_m)
    ]
    return _placed([*streets, *crossings, *places], base.crs, districts)


def _streets(rows: gpd.GeoDataFrame, unit_m: float) -> tuple[list[_Found], list[_Found]]:
    """Find every street's middle, and every crossing of two streets with different names."""
    streets: list[_Found] = [
        ("street", (name,), shapely.shortest_line(line, line.centroid).interpolate(0))
        for name, line in _parts(rows, APART_M / unit_m)
    ]
    shapes = np.asarray(rows.geometry.array, dtype=object)
    found = street_crossings(rows["name"].tolist(), shapes, unit_m)
    crossings: list[_Found] = [
        ("crossing", found.of(i), shapely.Point(x, y)) for i, (x, y) in enumerate(found.xy.tolist())
    ]
    return streets, crossings


def _parts(rows: gpd.GeoDataFrame, apart: float) -> Iterator[tuple[str, Any]]:
    """Join the shapes of each name, and take apart what lies too far apart to be one."""
    for name, group in rows.groupby("name", sort=True):
        shapes = np.asarray(group.geometry.array, dtype=object)
        whole = shapely.union_all(shapes)
        if len(shapes) == 1:
            yield str(name), whole
            continue
        around = shapely.union_all(shapely.buffer(shapes, apart / 2, quad_segs=2))
        for hull in shapely.get_parts(around):
            yield str(name), shapely.intersection(whole, hull)


def _placed(found: Sequence[_Found], crs: Any, districts: Mapping[str, BaseGeometry]) -> Gazetteer:
    """Give the degrees and the district of what was found; what lies in no district is left out."""
    points = [at for _, _, at in found]
    codes, x, y = list(districts), shapely.get_x(points), shapely.get_y(points)
    inside = area_of(x, y, list(districts.values()))
    degrees = gpd.GeoSeries(points, crs=crs).to_crs(4326)
    lon, lat = np.round(degrees.x, DECIMALS).tolist(), np.round(degrees.y, DECIMALS).tolist()
    return Gazetteer(
        spots=tuple(
            Spot(
                kind=kind,
                names=names,
                latitude=lat[i],
                longitude=lon[i],
                district=codes[inside[i]],
            )
            for i, (kind, names, _) in enumerate(found)
            if inside[i] >= 0
        )
    )


MOST = 12
LONGEST = 120  # characters that are looked at
SHORT = {  # words that people write in several ways, each to one of them
    **dict.fromkeys(("street", "str"), "st"),
    **dict.fromkeys(("saint",), "st"),
    **dict.fromkeys(("avenue", "av", "avenida"), "ave"),
    **dict.fromkeys(("boulevard", "boul"), "blvd"),
    **dict.fromkeys(("parkway", "pky"), "pkwy"),
    **dict.fromkeys(("turnpike",), "tpke"),
    **dict.fromkeys(("terrace",), "ter"),
    **{"road": "rd", "drive": "dr", "lane": "ln", "court": "ct", "place": "pl", "circle": "cir"},
    **{"highway": "hwy", "square": "sq", "trail": "trl", "mount": "mt", "fort": "ft"},
    **{"north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne"},
    **{"northwest": "nw", "southeast": "se", "southwest": "sw"},
    **{"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th"},
    **{"sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th"},
    **{"eleventh": "11th", "twelfth": "12th"},
}
BETWEEN = re.compile(r"\s*[&/@+]\s*|\s+(?:and|at|y|con)\s+", re.IGNORECASE)
WORD = re.compile(r"[a-z0-9]+")
EXACT, BEGINS, ALIKE, LEFT = 0.0, 1.0, 3.0, 0.1  # what a word costs; LEFT a word not requested
LEAST_ALIKE = 4  # letters of a word that may be misspelt
ORDER = ("neighbourhood", "street", "crossing", "park", "water")


def words_of(text: str) -> tuple[str, ...]:
    """Take a name apart into plain words, each in its one way of writing.

    >>> words_of("North Peña Street"), words_of("Fifth Av."), words_of("O'Neill Rd")
    (('n', 'pena', 'st'), ('5th', 'ave'), ('oneill', 'rd'))
    """
    apart = unicodedata.normalize("NFKD", text[:LONGEST].lower())
    plain = "".join(c for c in apart if not unicodedata.combining(c) and c not in "'’")
    return tuple(SHORT.get(word, word) for word in WORD.findall(plain))


def find_spots(gazetteer: Gazetteer, text: str, most: int = MOST) -> tuple[Spot, ...]:
    """Return the places whose names fit a text, the likeliest first.

    Two names with "and", "at", "&" or "/" between them ask for a crossing. A misspelt letter is
    forgiven only where nothing fits without. Of streets that do not meet each is given.

    Parameters
    ----------
    gazetteer
        Where to look.
    text
        What was typed.
    most
        How many places to give at most.
    """
    text = text[:LONGEST]
    parts = [words for part in BETWEEN.split(text) if (words := words_of(part))]
    for alike in (False, True):
        found = _crossings(gazetteer, parts, alike=alike) if len(parts) == 2 else []
        found = found or _single(gazetteer, words_of(text), alike=alike)
        if found:
            found.sort(key=lambda one: (round(one[0], 6), ORDER.index(one[1].kind), one[1].name))
            return tuple(spot for _, spot in found[:most])
    if len(parts) == 2:  # these streets do not meet: say where each is
        return tuple(
            spot for part in parts for spot in find_spots(gazetteer, " ".join(part), most // 2)
        )
    return ()


def cost(wanted: Sequence[str], name: Sequence[str], *, alike: bool) -> float | None:
    """Say how far a name is from what was requested; nothing where a word of it is missing.

    >>> cost(("main",), ("main", "st"), alike=False)
    0.1
    >>> cost(("mian", "st"), ("main", "st"), alike=True)
    3.0
    >>> cost(("elm",), ("main", "st"), alike=True) is None
    True
    """
    left, total = list(name), 0.0
    for word in wanted:
        fits = [(price, i) for i, other in enumerate(left) if (price := _price(word, other, alike))]
        if not fits:
            return None
        price, place = min(fits)
        total += price - 1.0
        left.pop(place)
    return total + LEFT * len(left)


def _price(word: str, other: str, alike: bool) -> float:
    """Say what it costs to take one word for another, and 1; 0 where it cannot be."""
    if word == other:
        return 1.0 + EXACT
    if other.startswith(word):
        return 1.0 + BEGINS
    if alike and len(word) >= LEAST_ALIKE and one_slip(word, other):
        return 1.0 + ALIKE
    return 0.0


def one_slip(word: str, other: str) -> bool:
    """Return whether two words differ by one letter: another, a missing or a swapped one.

    >>> [one_slip("maple", w) for w in ("mapel", "mple", "mapple", "marble", "elm")]
    [True, True, True, False, False]
    """
    if abs(len(word) - len(other)) > 1:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b),
        min(len(word), len(other)),
    )
    a, b = word[start:], other[start:]
    swapped = len(a) > 1 and len(b) > 1 and (a[0], a[1]) == (b[1], b[0]) and a[2:] == b[2:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped


def _costs(names: Iterable[str], wanted: Sequence[str], *, alike: bool) -> dict[str, float]:
    found = {name: cost(wanted, words_of(name), alike=alike) for name in set(names)}
    return {name: price for name, price in found.items() if price is not None}


def _single(
    gazetteer: Gazetteer, wanted: Sequence[str], *, alike: bool
) -> list[tuple[float, Spot]]:
    if not wanted:
        return []
    spots = [spot for spot in gazetteer.spots if spot.kind != "crossing"]
    prices = _costs((spot.names[0] for spot in spots), wanted, alike=alike)
    return [(prices[spot.names[0]], spot) for spot in spots if spot.names[0] in prices]


def _crossings(
    gazetteer: Gazetteer, parts: Sequence[Sequence[str]], *, alike: bool
) -> list[tuple[float, Spot]]:
    spots = gazetteer.of("crossing")
    names = [name for spot in spots for name in spot.names]
    one, two = (_costs(names, part, alike=alike) for part in parts)
    found = []
    for spot in spots:
        a, b = spot.names
        ways = [one[x] + two[y] for x, y in ((a, b), (b, a)) if x in one and y in two]
        if ways:
            found.append((min(ways), spot))
    return found
