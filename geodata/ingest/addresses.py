"""Read the city's addresses: how many homes share a place, and where an address lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.errors import DataError
from geodata.geocoding.index import PARSERS, build_index, read_numbers
from geodata.geocoding.match import MatchRules
from geodata.geocoding.parse import house_number, normal_text
from geodata.ingest.address_places import Locator
from geodata.ingest.sources import (
    KEY_DECIMALS,
    GatheredRecords,
    open_source,
    places_of,
    texts_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from geodata.cityfile.address_sources import AddressSource
    from geodata.cityfile.sections import BaseSource
    from geodata.geocoding.parse import StreetName
    from geodata.ingest.placing import CityFrame
    from geodata.ingest.sources import Gathered

SOME = "some of the city's addresses: they find places, and count no homes"
LINE = 1  # dimension of a shape
SEGMENTS = "street segments: they find places, and are no homes"


@dataclass(frozen=True, kw_only=True, eq=False)
class GatheredAddresses:
    """Homes as bare coordinates, with their account, and what finds an address.

    ``points`` and ``segments`` are as :func:`geodata.geocoding.index.build_index` takes them.
    """

    homes: GatheredRecords
    points: pd.DataFrame | None
    segments: pd.DataFrame | None


def gather_addresses(source: AddressSource, city: CityFrame) -> GatheredAddresses:
    """Read address points or street segments.

    Of points, coordinates alone are kept for good; whose they are is never read.

    Raises
    ------
    DataError
        If the file cannot be used, or if points that should find places have no number.
    """
    opened = open_source(source.place, "addresses", source.columns)
    shapes = places_of(source.place, opened, city)
    sieve = opened.sieve
    lines = shapely.get_dimensions(shapes) == LINE
    kept = sieve.keep & ~lines
    xy = np.round(shapely.get_coordinates(shapely.centroid(shapes[kept])), KEY_DECIMALS)
    points = segments = None
    frame = opened.frame
    if source.finds_places and (sieve.keep & lines).any():
        rows = np.flatnonzero(sieve.keep & lines)
        segments = _segments(source, frame.iloc[rows].reset_index(drop=True), shapes[rows])
    if source.finds_places and kept.any():
        if source.number is None and source.address is None:
            msg = (
                f"{source.place.label}: points need a number; name its column in [addresses], as "
                'in number = "HOUSE_NO", or name one of whole addresses: address = "ADDRESS"'
            )
            raise DataError(msg)
        points = _points(source, frame.loc[kept].reset_index(drop=True), xy)
        if silent := int(kept.sum()) - len(points):
            sieve.report.notes.append(f"{silent} rows have no house number: they find no place")
    sieve.leave_out(SEGMENTS, lines, examples=False)
    if not source.homes:
        sieve.leave_out(SOME, kept, examples=False)
        xy = xy[:0]
    homes = GatheredRecords(
        section="addresses",
        rows=pd.DataFrame(xy, columns=["x", "y"]).sort_values(["x", "y"], ignore_index=True),
        report=sieve.report,
        sha256=opened.layer.sha256,
    )
    return GatheredAddresses(homes=homes, points=points, segments=segments)


def locator_of(
    source: AddressSource,
    found: GatheredAddresses,
    city: CityFrame,
    streets: Iterable[Gathered] = (),
) -> Locator | None:
    """Return what finds the addresses of rows; nothing where the city file names no streets.

    ``streets`` are shapes with names that say where streets cross beside the segments.
    """
    if not source.finds_places:
        return None
    named = [(row["name"], row["geom"]) for one in streets for row in one.rows if row["name"]]
    index = build_index(
        metre=1 / city.crs.axis_info[0].unit_conversion_factor,
        parser=source.parser,
        points=found.points,
        segments=found.segments,
        streets=pd.DataFrame(named, columns=["street", "line"]) if named else None,
    )
    return Locator(
        index=index, rules=MatchRules(spelling=source.spelling, street_only=source.street_only)
    )


def named_streets(base: Iterable[BaseSource]) -> list[BaseSource]:
    """Return the sources of the map whose streets have names: they say where streets cross."""
    return [one for one in base if one.kind == "street" and one.name is not None]


def _points(source: AddressSource, frame: pd.DataFrame, xy: NDArray[np.float64]) -> pd.DataFrame:
    """Return number and street of each point that has both."""
    if source.address is not None:
        pairs = _split(texts_of(frame[source.address]), source.parser)
        numbers = np.array([number for number, _ in pairs], dtype=np.int64)
        streets = [street for _, street in pairs]
    else:
        numbers = read_numbers(texts_of(frame[source.number]))
        streets = _names(source, frame)
    found = pd.DataFrame({"number": numbers, "street": streets, "x": xy[:, 0], "y": xy[:, 1]})
    found["postcode"] = _postcodes(source, frame)
    return found[(found["number"] > 0) & (found["street"] != "")].reset_index(drop=True)


def _split(texts: list[str], parser: str) -> list[tuple[int, str]]:
    """Return the number and the street of whole addresses; 0 where there is no number.

    The same street is taken apart once: its name stays as the city writes it where that is all
    that the text holds.
    """
    parse, street_of = PARSERS[parser]
    names: dict[str, str] = {}
    pairs = []
    for text in map(normal_text, texts):
        number, tail = house_number(text)
        if number is None:
            address = parse(text)
            pairs.append((address.number or 0, _first(address.streets)))
            continue
        if tail not in names:
            name = _first(parse(f"{number} {tail}").streets)
            plain = tail.partition(",")[0].strip()
            names[tail] = plain if repr(street_of(plain)) == name else name
        pairs.append((number, names[tail]))
    return pairs


def _first(streets: tuple[StreetName, ...]) -> str:
    return repr(streets[0]) if len(streets) == 1 else ""


def _segments(
    source: AddressSource, frame: pd.DataFrame, shapes: NDArray[np.object_]
) -> pd.DataFrame:
    """Return both sides of each segment; a side without numbers has the range 0 to 0."""
    lines = [_one_line(shape) for shape in shapes]
    streets, postcodes = _names(source, frame), _postcodes(source, frame)
    sides = []
    for columns in (source.left, source.right):
        ends = [read_numbers(texts_of(frame[name])) for name in columns]
        first, last = ends or ([0] * len(frame), [0] * len(frame))
        sides.append(
            pd.DataFrame(
                {
                    "street": streets,
                    "first": first,
                    "last": last,
                    "postcode": postcodes,
                    "line": lines,
                }
            )
        )
    return pd.concat(sides, ignore_index=True)


def _one_line(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the longest line of a shape, in its direction: numbers run along it."""
    merged = shapely.line_merge(shape, directed=True)
    return max(shapely.get_parts(merged), key=shapely.length)


def _names(source: AddressSource, frame: pd.DataFrame) -> list[str]:
    if source.address is not None:
        return texts_of(frame[source.address])
    columns = [texts_of(frame[name]) for name in source.street]
    return [" ".join(" ".join(parts).split()) for parts in zip(*columns, strict=True)]


def _postcodes(source: AddressSource, frame: pd.DataFrame) -> list[str]:
    if source.postcode is None:
        return [""] * len(frame)
    return [text[:5] for text in texts_of(frame[source.postcode])]
