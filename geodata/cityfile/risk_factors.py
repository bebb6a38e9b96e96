"""The built-in library of risk factors, and what an OpenStreetMap extract has for the map.

A factor of the library says what pages call it, by which tags OpenStreetMap has it, how it is tried
by default, which publications tried it, and what the map misses of it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.cityfile.schema import TagFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatial.spec import Operations

LIBRARY = Path(__file__).with_name("risk_factors.toml")
NAME, RANK, STREET_CLASS = "name", "rank", "highway"  # columns of what is drawn under the map
POINT, LINE, AREA = 0, 1, 2

MAJOR = ("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link")
MIDDLE = ("secondary", "secondary_link", "tertiary", "tertiary_link")
MINOR = ("unclassified", "residential", "living_street", "pedestrian", "road")
STREET_RANKS = {
    value: rank for rank, values in enumerate((MAJOR, MIDDLE, MINOR), start=1) for value in values
}
PLACE_RANKS = {
    value: rank
    for rank, values in enumerate(
        (
            ("city", "town", "borough"),
            ("suburb", "village", "quarter"),
            ("neighbourhood", "hamlet", "locality"),
        ),
        start=1,
    )
    for value in values
}
BASE: Mapping[str, tuple[dict[str, list[str]], tuple[int, ...]]] = {  # tags, dimensions of shapes
    "street": ({"highway": list(STREET_RANKS)}, (LINE,)),
    "water": (
        {
            "natural": ["water", "bay"],
            "waterway": ["river", "canal", "stream", "riverbank", "dock"],
            "landuse": ["reservoir", "basin"],
        },
        (LINE, AREA),
    ),
    "park": (
        {
            "leisure": ["park", "garden", "nature_reserve", "golf_course"],
            "landuse": ["recreation_ground", "village_green", "forest", "cemetery"],
            "natural": ["wood"],
        },
        (AREA,),
    ),
    "rail": ({"railway": ["rail", "light_rail", "narrow_gauge", "tram"]}, (LINE,)),
    "neighbourhood": ({"place": ["neighbourhood", "suburb", "quarter", "borough"]}, (AREA,)),
    "place": ({"place": list(PLACE_RANKS)}, (POINT,)),
}
OWN_BASE = ("building",)  # drawn where a city file names them; an extract has too many


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFactor:
    """One risk factor of the library; ``sources`` are publications as they are cited."""

    name: str
    title: str
    osm: Mapping[str, list[str]]
    operation: Operations
    sources: tuple[str, ...]
    misses: str
    max_blocks: int = 3


@cache
def library() -> Mapping[str, LibraryFactor]:
    """Return the risk factors of the library by their names, in its order."""
    content = tomllib.loads(LIBRARY.read_text(encoding="utf-8"))
    return {one["name"]: _factor(one, content["sources"]) for one in content["factors"]}


def _factor(table: dict[str, Any], sources: Mapping[str, str]) -> LibraryFactor:
    cited = tuple(sources[key] for key in table.pop("source"))
    return LibraryFactor(**{"operation": "both", **table}, sources=cited)


def title_of(name: str) -> str:
    """Return what the library calls a factor; nothing where it does not know it.

    >>> title_of("atms"), title_of("kerbs")
    ('cash machines', '')
    """
    known = library().get(name)
    return known.title if known else ""


@cache
def usual_keys() -> tuple[str, ...]:
    """Return the keys of every tag that the library or the map uses, sorted."""
    tags = [one.osm for one in library().values()] + [tags for tags, _ in BASE.values()]
    return tuple(sorted({key for one in tags for key in one}))


def base_filter(kind: str) -> TagFilter:
    """Return the features of an extract that are drawn under the map as a kind."""
    tags, dimensions = BASE[kind]
    return TagFilter.parse(tags)[0].of_dimensions(*dimensions)
