"""Formats of files from outside: which are read and by what, and why the others are not.

One table for files that are handed in, fetched and named on the command line. A format is known by
its content. GDAL reads files of the formats for which the table names a driver, and it has no other
driver: those are taken out of it before it is loaded, as some of them open other files, run queries
or ask servers when they are given the right text (OGR VRT, GDALG, SQLite, WFS and more).
"""

from __future__ import annotations

import bz2
import os
import re
import sys
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import ModuleType

HEAD_BYTES = 65_536
READ = (
    "CSV, Excel, GeoJSON, Esri JSON, TopoJSON, KML, a zipped shapefile or file geodatabase, "
    "GeoPackage, FlatGeobuf, GeoParquet, GTFS and OpenStreetMap"
)


ROWS_STAGE = "rows"  # of progress: how many rows of a table were read so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    ``title`` names it with its article, ``endings`` are what its files are usually called.
    ``driver`` is GDAL's name of the driver that reads it, nothing where GDAL does not.
    ``refused`` says how to get to a format that is read; nothing for those that are.
    """

    title: str
    endings: tuple[str, ...] = ()
    driver: str | None = None
    refused: str = ""


FORMATS: dict[str, Format] = {
    # read
    "text": Format(title="plain text", endings=(".csv", ".tsv", ".txt")),
    "gzip": Format(
        title="gzip",
        endings=(".csv.gz", ".tsv.gz", ".txt.gz", ".geojson.gz", ".json.gz", ".gz"),
    ),
    "spreadsheet": Format(title="a workbook", endings=(".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")),
    "json": Format(title="GeoJSON", endings=(".geojson", ".json"), driver="GeoJSON"),
    "json-lines": Format(
        title="GeoJSON", endings=(".geojsonl", ".geojson", ".json"), driver="GeoJSONSeq"
    ),
    "esrijson": Format(title="Esri JSON", endings=(".json",), driver="ESRIJSON"),
    "topojson": Format(title="TopoJSON", endings=(".topojson", ".json"), driver="TopoJSON"),
    "kml": Format(title="KML", endings=(".kml",), driver="LIBKML"),
    "shp": Format(title="a shapefile", endings=(".shp",), driver="ESRI Shapefile"),
    "sqlite": Format(title="a GeoPackage", endings=(".gpkg",), driver="GPKG"),
    "flatgeobuf": Format(title="FlatGeobuf", endings=(".fgb",), driver="FlatGeobuf"),
    "geodatabase": Format(
        title="a file geodatabase", endings=(".gdb",), driver="OpenFileGDB"
    ),  # a folder, and therefore only within a zip archive
    "parquet": Format(title="GeoParquet", endings=(".parquet", ".geoparquet")),
    "zip": Format(title="a zip archive", endings=(".zip", ".kmz")),
    "osm": Format(title="OpenStreetMap XML", endings=(".osm",), driver="OSM"),
    "osm-packed": Format(title="OpenStreetMap XML", endings=(".osm.bz2", ".bz2"), driver="OSM"),
    "osm-pbf": Format(title="OpenStreetMap PBF", endings=(".osm.pbf", ".pbf"), driver="OSM"),
    # known, and not read
    "vrt": Format(
        title="an OGR VRT, which names other files to be opened", refused="export its features"
    ),
    "gdalg": Format(
        title="a GDALG pipeline, which is run to give features", refused="export its features"
    ),
    "sql": Format(title="SQL text", refused="export the table as CSV"),
    "gml": Format(title="GML", refused="export it as GeoJSON"),
    "gpx": Format(title="GPX", refused="export it as GeoJSON"),
    "page": Format(title="a web page", refused="save the file itself, not the page that shows it"),
    "xml": Format(title="XML", refused="export it as GeoJSON or CSV"),
    "arrow": Format(title="an Arrow file", refused="export it as GeoParquet"),
    "pmtiles": Format(title="PMTiles, which are drawn tiles", refused="export the features"),
    "raster": Format(title="a picture or raster", refused="export features, not pixels"),
    "pdf": Format(title="a PDF", refused="export the data that it was made from"),
    "packed": Format(
        title="an archive of a kind that is not unpacked", refused="zip the layer instead"
    ),
    "binary": Format(title="of no kind that is known", refused="export it again"),
}
OSM_KINDS = ("osm", "osm-packed", "osm-pbf")
DRIVERS = frozenset({f.driver for f in FORMATS.values() if f.driver} | {"MEM"})
STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"PK", "zip"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"PAR1", "parquet"),
    (b"\x00\x00\x27\x0a", "shp"),
    (b"fgb\x03", "flatgeobuf"),
    (b"ARROW1", "arrow"),
    (b"PMTiles", "pmtiles"),
    (b"%PDF", "pdf"),
    (b"II*\x00", "raster"),
    (b"MM\x00*", "raster"),
    (b"II+\x00", "raster"),
    (b"\x89PNG", "raster"),
    (b"\xff\xd8\xff", "raster"),
    (b"\xd0\xcf\x11\xe0", "spreadsheet"),
    (b"BZh", "packed"),
    (b"\xfd7zXZ", "packed"),
    (b"7z\xbc\xaf", "packed"),
    (b"Rar!", "packed"),
    (b"\x28\xb5\x2f\xfd", "packed"),
)
OSM_PBF = b"\n\tOSMHeader"  # after four bytes of length
ROOTS = {  # first element of an XML document
    b"ogrvrtdatasource": "vrt",
    b"vrtdataset": "vrt",
    b"kml": "kml",
    b"featurecollection": "gml",
    b"gpx": "gpx",
    b"osm": "osm",
    b"html": "page",
    b"head": "page",
    b"body": "page",
}
ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")
SQL = re.compile(
    rb"(?:create\s+(?:temp\w*\s+)?(?:table|view|virtual)|insert\s+into|attach\s+(?:database\s+)?'"
    rb"|begin\s+transaction|pragma\s+\w|select\s.+\sfrom\s)",
    re.I,
)
TYPE = re.compile(rb'"type"\s*:\s*"([^"\\]{1,40})"')
GEOJSON = {
    b"FeatureCollection", b"Feature", b"Point", b"MultiPoint", b"LineString", b"MultiLineString",
    b"Polygon", b"MultiPolygon", b"GeometryCollection",
}  # fmt: skip
ESRI = re.compile(rb'"(?:geometryType"\s*:\s*"esriGeometry|spatialReference"\s*:\s*\{)')
LINE_END = re.compile(rb"\}[ \t\r]{0,99}\n[ \t\r\n]{0,99}\{")


def sniff(path: Path) -> str:
    """Return the format of a file, a key of :data:`FORMATS`, as far as its beginning tells."""
    with path.open("rb") as file:
        kind = sniff_head(file.read(HEAD_BYTES))
    return "osm-packed" if kind == "packed" and _packs_osm(path) else kind


def sniff_head(head: bytes) -> str:
    """Return the format of what begins so, a key of :data:`FORMATS`.

    Parsers that follow entities, links or statements are not used: what is XML or SQL is known by
    its first word.
    """
    if head[4:15] == OSM_PBF:
        return "osm-pbf"
    for start, name in STARTS:
        if head.startswith(start):
            return name
    if wide := wide_encoding(head):
        head = head.decode(wide, errors="replace").encode()
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n\x1e")
    if text[:1] in (b"{", b"["):
        return _json_kind(head, text)
    if text[:1] == b"<":
        return _xml_kind(text)
    if SQL.match(text):
        return "sql"
    start = head[:512]
    return "binary" if start.count(0) > len(start) // 20 else "text"


def wide_encoding(head: bytes) -> str:
    """Return the encoding of UTF-16, by its mark or by the zeros of plain letters; else nothing."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = head[:512]
    for encoding, zeros, letters in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        if len(zeros) > 8 and zeros.count(0) > 0.8 * len(zeros) and letters.count(0) == 0:
            return encoding
    return ""


def _packs_osm(path: Path) -> bool:
    """Return whether a bzip2 file begins as OpenStreetMap XML does; unpacks its first block."""
    try:
        with bz2.open(path) as file:
            return _xml_kind(file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")) == "osm"
    except (OSError, EOFError, ValueError):
        return False


def _json_kind(head: bytes, text: bytes) -> str:
    types = TYPE.findall(text)
    if b"gdal_streamed_alg" in types or (b'"gdal_version"' in text and b"command_line" in text):
        return "gdalg"
    if types[:1] == [b"Topology"]:
        return "topojson"
    if not GEOJSON.intersection(types):
        return "esrijson" if ESRI.search(text) else "json"
    lines = b"FeatureCollection" not in types and LINE_END.search(text)
    return "json-lines" if lines or b"\x1e" in head[:8] else "json"


def _xml_kind(text: bytes) -> str:
    """Return what XML is by its first element; the time grows with its length and no faster."""
    at = 0
    while text.startswith((b"<!", b"<?"), at):
        if text[at : at + 9].lower() == b"<!doctype" and _doctype(text, at) == b"html":
            return "page"
        after = _after_markup(text, at)
        if after < 0:
            return "xml"
        at = len(text) - len(text[after:].lstrip())
    found = ROOT.match(text, at)
    return ROOTS.get(found[1].lower(), "xml") if found else "xml"


def _doctype(text: bytes, at: int) -> bytes:
    words = text[at + 9 : at + 99].replace(b">", b" ").split(maxsplit=1)
    return words[0].lower() if words else b""


def _after_markup(text: bytes, at: int) -> int:
    """Return where a comment, an instruction or a declaration ends, -1 where it does not."""
    if text.startswith(b"<!--", at):
        end = text.find(b"-->", at + 4)
        return end + 3 if end >= 0 else -1
    if text.startswith(b"<?", at):
        end = text.find(b"?>", at + 2)
        return end + 2 if end >= 0 else -1
    end = text.find(b">", at)
    subset = text.find(b"[", at, end) if end >= 0 else -1  # of a document type, with declarations
    if subset >= 0:
        close = text.find(b"]", subset)
        end = text.find(b">", close) if close >= 0 else -1
    return end + 1 if end >= 0 else -1


def refusal(name: str) -> str:
    """Return why a format is not read, with the remedy; nothing where it is read."""
    known = FORMATS[name]
    return f"is {known.title}; {known.refused} (read are {READ})" if known.refused else ""


# What else the builds of GDAL have that come with pyogrio. One that is missing here is found by
# geodata.readers.vectors, which then refuses to read.
UNUSED_DRIVERS = (
    "ADBC,AIVector,AVCBin,AVCE00,AmigoCloud,CSV,CSW,Carto,DGN,DXF,EDIGEO,EEDA,"
    "Elasticsearch,GDALG,GML,GPSBabel,GPX,GTFS,GeoRSS,HTTP,Idrisi,JML,JSONFG,KML,"
    "LVBAG,MBTiles,MVT,MapInfo File,MapML,MiraMonVector,NGW,OAPIF,ODS,OGCAPI,OGR_GMT,"
    "OGR_PDS,OGR_VRT,PCIDSK,PDF,PDS4,PGDUMP,PLSCENES,PMTiles,S57,SQLite,SXF,"
    "Selafin,VDV,VFK,VICAR,WAsP,WFS,XLSX"
)
NO_NETWORK = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",  # no /vsicurl/ address is this one
    "GDAL_HTTP_PROXY": "http://127.0.0.1:9",  # the discard port: what asks anyway reaches nothing
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_CURL_ENABLE_VSIMEM": "NO",
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "PROJ_NETWORK": "OFF",
}


def restrict_gdal() -> None:
    """Leave GDAL no network in this process, and only the drivers of :data:`DRIVERS` for layers.

    GDAL reads which drivers to leave out when pyogrio is imported, whoever imports it. They are not
    reported it for longer: rasterio has a GDAL of its own, which would warn of each that it lacks.
    """
    os.environ.update(NO_NETWORK)
    sys.meta_path.insert(0, _BeforePyogrio())


class _BeforePyogrio(MetaPathFinder):
    """Sets ``OGR_SKIP`` while pyogrio is imported."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find pyogrio as it would be found without this, and wrap what loads it."""
        if name != "pyogrio":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: _skipping(load, module)  # type: ignore[method-assign]
        return spec


def _skipping(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    there = os.environ.get("OGR_SKIP")
    names = dict.fromkeys([*filter(None, (there or "").split(",")), *UNUSED_DRIVERS.split(",")])
    os.environ["OGR_SKIP"] = ",".join(names)
    try:
        load(module)
    finally:
        if there is None:
            del os.environ["OGR_SKIP"]
        else:
            os.environ["OGR_SKIP"] = there
