"""GeoJSON before GDAL reads it: what it says of itself, and links that GDAL would follow."""

from __future__ import annotations

import json
import mmap
import re
from typing import TYPE_CHECKING, Any

from geodata.errors import DataError
from geodata.formats import GEOJSON, HEAD_BYTES, TYPE

if TYPE_CHECKING:
    from pathlib import Path

# GDAL finds the member whatever its case, and JSON may spell every letter as an escape.
CRS = re.compile(
    rb'"(?:c|\\u00[46]3)(?:r|\\u00[57]2)(?:s|\\u00[57]3)"[ \t\r\n]*:[ \t\r\n]*(?=\{)', re.I
)
LONGEST_CRS = 20_000  # characters; a reference system in PROJJSON has fewer
NAMED = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:|EPSG:|ESRI:|OGC:|IAU|https?://www\.opengis\.net/def/crs/"
    r"|https?://www\.opengis\.net/gml/srs/)[\w:.,/#+-]{1,200}|CRS:?84|WGS:?\s?84|NAD83|NAD27",
    re.I,
)
LONGEST_FAULT = 200
MOST_EXPLAINED = 50_000_000  # bytes of a file that is parsed once more to say what is wrong with it


def check_geojson(path: Path, label: str) -> None:
    """Refuse JSON that is not GeoJSON, and GeoJSON that names its reference system by a link.

    GDAL fetches such links, in a collection and in every geometry; the reference system is
    therefore taken by its name only.

    Raises
    ------
    DataError
        With the remedy.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n\x1e")
        if head[:1] != b"{" or not GEOJSON.intersection(TYPE.findall(head)):
            raise DataError(json_fault(path, label))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            for found in CRS.finditer(whole):
                _check_crs(whole[found.end() : found.end() + LONGEST_CRS], label)


def json_fault(path: Path, label: str) -> str:
    """Return what is wrong with a file that is no GeoJSON, with the remedy."""
    if path.stat().st_size <= MOST_EXPLAINED:
        try:
            with path.open(encoding="utf-8-sig") as file:
                json.load(file)
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            return (
                f"{label}: cannot be read as a map layer, as it is no JSON that can be read "
                f"({why[:LONGEST_FAULT]}); export it again"
            )
    return f"{label}: is JSON, but not GeoJSON; export it as a feature collection"


def _check_crs(text: bytes, label: str) -> None:
    try:
        said, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError) as error:
        msg = f"{label}: its crs cannot be read; export it again, in degrees (EPSG:4326)"
        raise DataError(msg) from error
    properties = said.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    if _is_named(said, name):
        return
    msg = (
        f"{label}: tells its reference system by {str(said.get('type'))[:40]!r}, which is not "
        "followed; export it with the system's name, such as EPSG:4326"
    )
    raise DataError(msg)


def _is_named(said: dict[str, Any], name: Any) -> bool:
    """Tell whether a crs is a bare name, or no crs at all but a property that is called so."""
    if "type" not in {key.lower() for key in said}:
        return True
    kinds = [value for key, value in said.items() if key.lower() == "type"]
    if kinds == ["EPSG"]:
        return True
    return kinds == ["name"] and isinstance(name, str) and bool(NAMED.fullmatch(name.strip()))
