"""Every format that a police department hands out, with the same three rows in it."""

import gzip
import json
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.cityfile.schema import SourcePlace
from geodata.errors import DataError
from geodata.formats import FORMATS
from geodata.readers import read_place
from geodata.readers.files import layers_in, read_rows
from geodata.uploads.intake import recognise

NAMES = ["Main St", "Oak St", "Elm St"]
XY = [(-78.912, 35.991), (-78.906, 35.996), (-78.891, 36.002)]
POINTS = gpd.GeoDataFrame(
    {"name": NAMES, "n": [1, 2, 3]}, geometry=[shapely.Point(*xy) for xy in XY], crs="EPSG:4326"
)
TABLE = "name,n,lon,lat\n" + "".join(
    f"{name},{i},{x},{y}\n" for i, (name, (x, y)) in enumerate(zip(NAMES, XY, strict=True), 1)
)
STOPS = "stop_id,name,n,stop_lat,stop_lon,location_type\n" + "".join(
    f"S{i},{name},{i},{y},{x},\n" for i, (name, (x, y)) in enumerate(zip(NAMES, XY, strict=True), 1)
)


def zipped(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def shapefile(folder, stem):
    folder.mkdir(exist_ok=True)
    POINTS.to_file(folder / f"{stem}.shp")
    return {part.name: part.read_bytes() for part in folder.glob(f"{stem}.*")}


def esri(_):
    rows = zip(NAMES, XY, strict=True)
    return {
        "geometryType": "esriGeometryPoint",
        "spatialReference": {"wkid": 4326},
        "fields": [
            {"name": "name", "type": "esriFieldTypeString"},
            {"name": "n", "type": "esriFieldTypeInteger"},
        ],
        "features": [
            {"attributes": {"name": name, "n": i}, "geometry": {"x": x, "y": y}}
            for i, (name, (x, y)) in enumerate(rows, 1)
        ],
    }


def topology(_):
    return {
        "type": "Topology",
        "arcs": [],
        "objects": {
            "places": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Point", "coordinates": xy, "properties": {"name": name, "n": i}}
                    for i, (name, xy) in enumerate(zip(NAMES, XY, strict=True), 1)
                ],
            }
        },
    }


def geodatabase(folder):
    POINTS.astype({"n": "int32"}).to_file(folder / "city.gdb", driver="OpenFileGDB", layer="places")
    return {
        f"out/city.gdb/{part.name}": part.read_bytes() for part in (folder / "city.gdb").iterdir()
    }


def kml(folder):
    POINTS.rename(columns={"name": "Name"}).to_file(folder / "doc.kml", driver="LIBKML")
    return (folder / "doc.kml").read_bytes()


def written(folder, ending, **options):
    POINTS.to_file(folder / f"a{ending}", **options)
    return (folder / f"a{ending}").read_bytes()


def mac(folder):
    parts = shapefile(folder / "shape", "police")
    shadows = {f"__MACOSX/police/._{name}": b"\0\5\x16\7" for name in parts}
    return {f"police/{name}": content for name, content in parts.items()} | shadows


FILES = {
    "a.geojson": lambda f: written(f, ".geojson"),
    "a.json": lambda f: json.dumps(esri(f)).encode(),
    "a.topojson": lambda f: json.dumps(topology(f)).encode(),
    "a.geojsonl": lambda f: written(f, ".geojsonl", driver="GeoJSONSeq"),
    "wide.geojson": lambda f: written(f, ".geojson").decode().encode("utf-16"),
    "wide-unmarked.geojson": lambda f: written(f, ".geojson").decode().encode("utf-16-le"),
    "a.geojson.gz": lambda f: gzip.compress(written(f, ".geojson")),
    "a.fgb": lambda f: written(f, ".fgb"),
    "a.gpkg": lambda f: written(f, ".gpkg"),
    "a.kml": kml,
    "a.kmz": lambda f: {"doc.kml": kml(f), "images/icon.png": b"\x89PNG"},
    "gdb.zip": geodatabase,
    "mac.zip": mac,
    "shape.zip": lambda f: shapefile(f / "shape", "a"),
    "beside.zip": lambda f: {**shapefile(f / "shape", "a"), "readme.txt": "x", "codes.csv": "a,b"},
    "points.csv": lambda _: "name,n,where\n" + "".join(
        f"{name},{i},POINT ({x} {y})\n"
        for i, (name, (x, y)) in enumerate(zip(NAMES, XY, strict=True), 1)
    ),
}  # fmt: skip
TABLES = {
    "a.csv": lambda _: TABLE,
    "named-wrong.shp.txt": lambda _: TABLE,
    "a.csv.gz": lambda _: gzip.compress(TABLE.encode()),
    "a.zip": lambda _: {"export/incidents.csv": TABLE, "__MACOSX/export/._incidents.csv": "x"},
    "gtfs.zip": lambda _: {
        "stops.txt": STOPS,
        "routes.txt": "route_id\n",
        "trips.txt": "trip_id\n",
    },
}


def make(folder, name, content):
    made = content(folder)
    path = folder / "given" / name
    path.parent.mkdir()
    if isinstance(made, dict):
        return zipped(path, made)
    path.write_bytes(made.encode() if isinstance(made, str) else made)
    return path


@pytest.mark.parametrize("name", FILES)
def test_places_come_from_every_format_by_content(tmp_path, name):
    path = make(tmp_path, name, FILES[name])
    for called in (name, "download"):
        path = path.rename(path.with_name(called))
        layer = read_place(SourcePlace(label="a", path=str(path)))
        name_column = "name" if "name" in layer.frame else "Name"
        assert sorted(layer.frame[name_column]) == sorted(NAMES)
        assert layer.frame.crs.to_epsg() == 4326
        ours = sorted((round(p.x, 6), round(p.y, 6)) for p in layer.frame.geometry)
        assert ours == sorted(XY)
    kind, layers = recognise(path, "a")
    assert kind in FORMATS
    assert layers == ()


@pytest.mark.parametrize("name", TABLES)
def test_tables_come_from_every_wrapping(tmp_path, name):
    path = make(tmp_path, name, TABLES[name])
    layer = read_place(SourcePlace(label="a", path=str(path), placeless=True))
    assert list(layer.frame["name"]) == NAMES
    assert layer.rows.tolist() == [2, 3, 4]
    assert recognise(path, "a")[1] == ()


def test_an_archive_of_several_layers_needs_a_name_and_takes_it_in_any_case(tmp_path):
    entries = {**shapefile(tmp_path / "shape", "bars"), **shapefile(tmp_path / "shape", "schools")}
    path = zipped(tmp_path / "all.zip", entries)
    with pytest.raises(DataError, match=r"2 layers \(bars, schools\); name one with layer"):
        read_rows(path, "all.zip", None)
    assert layers_in(path, "all.zip") == ("bars", "schools")
    for layer in ("schools", "Schools.shp", "SCHOOLS"):
        assert len(read_rows(path, "all.zip", layer).frame) == 3
    assert recognise(path, "all.zip")[1] == ("bars", "schools")
    tables = zipped(tmp_path / "t.zip", {"a.csv": TABLE, "b.csv": TABLE, "readme.txt": "x"})
    with pytest.raises(DataError, match=r"2 layers \(a, b\)"):
        read_rows(tables, "t.zip", None)
    assert list(read_rows(tables, "t.zip", "b").frame["name"]) == NAMES


def test_layers_of_a_geodatabase_are_named(tmp_path):
    for layer in ("bars", "schools"):
        rows = POINTS.astype({"n": "int32"})
        rows.to_file(tmp_path / "city.gdb", driver="OpenFileGDB", layer=layer)
    entries = {f"city.gdb/{p.name}": p.read_bytes() for p in (tmp_path / "city.gdb").iterdir()}
    path = zipped(tmp_path / "g.zip", entries)
    assert layers_in(path, "g.zip") == ("bars", "schools")
    assert len(read_rows(path, "g.zip", "bars").frame) == 3
    with pytest.raises(DataError, match="bars, schools"):
        read_rows(path, "g.zip", None)


def test_dates_of_esri_json_are_moments(tmp_path):
    document = esri(None)
    document["fields"].append({"name": "when", "type": "esriFieldTypeDate"})
    for feature in document["features"]:
        feature["attributes"]["when"] = 1706757300000
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    from geodata.readers.dates import read_moments

    column = read_rows(path, "a", None).frame["when"]
    found = read_moments(column, None, date_format=None, timezone="America/New_York")
    assert [str(day)[:10] for day in found.day] == ["2024-01-31"] * 3
    assert found.seconds.tolist() == [80_100.0] * 3


def test_kml_that_declares_entities_is_refused(tmp_path):
    path = tmp_path / "a.kml"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>&a;</name></Document></kml>'
    )
    with pytest.raises(DataError, match="document type"):
        read_rows(path, "a.kml", None)


def workbook(path, sheets):
    """Write a small workbook by hand, as its format is a zip archive of XML."""
    rows = {}
    for number, (_, cells) in enumerate(sheets.items(), 1):
        lines = []
        for r, row in enumerate(cells, 1):
            line = ""
            for c, value in enumerate(row):
                at = f"{chr(65 + c)}{r}"
                if isinstance(value, str):
                    line += f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>'
                elif isinstance(value, tuple):  # a day of Excel, with its style
                    line += f'<c r="{at}" s="1"><v>{value[0]}</v></c>'
                elif value is not None:
                    line += f'<c r="{at}"><v>{value}</v></c>'
            lines.append(f'<row r="{r}">{line}</row>')
        rows[f"xl/worksheets/sheet{number}.xml"] = (
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            f"<sheetData>{''.join(lines)}</sheetData></worksheet>"
        )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{office}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    styled = f'<Relationship Id="rId99" Type="{office}/styles" Target="styles.xml"/>'
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kinds}worksheet+xml"/>' for name in rows
    )
    return zipped(
        path,
        {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="xml" ContentType="application/xml"/>'
                '<Default Extension="rels" ContentType='
                '"application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}sheet.main+xml"/>'
                f"{overrides}</Types>"
            ),
            "_rels/.rels": (
                f'<Relationships xmlns="{packages}"><Relationship Id="rId1" '
                f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ),
            "xl/workbook.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
            ),
            "xl/_rels/workbook.xml.rels": (
                f'<Relationships xmlns="{packages}">{related}{styled}</Relationships>'
            ),
            "xl/styles.xml": (
                f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
                '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
            ),
            **rows,
        },
    )


HEADER = ["id", "when", "lon", "lat", "note"]
ROWS = [
    [7, (45322.5865,), -78.912, 35.991, "a"],
    [None, None, None, None, None],
    [8, (45323.0,), -78.906, 35.996, None],
]


def test_a_sheet_with_titles_above_its_header_is_read_like_a_table(tmp_path):
    titles = [["Robberies 2024"], [None], ["printed on Monday"]]
    path = workbook(tmp_path / "a.xlsx", {"Export": [*titles, HEADER, *ROWS]})
    layer = read_rows(path, "a.xlsx", None)
    assert list(layer.frame.columns) == HEADER
    assert list(layer.frame["id"]) == ["7", "8"]
    assert list(layer.frame["when"]) == ["2024-01-31 14:04:33.600000", "2024-02-01 00:00:00"]
    assert layer.rows.tolist() == [5, 7]
    assert "3 rows above the header" in layer.notes[0]


def test_sheets_are_chosen_by_name(tmp_path):
    sheets = {"Empty": [], "2023": [HEADER, *ROWS], "2024": [HEADER, *ROWS[:1]]}
    path = workbook(tmp_path / "a.xlsx", sheets)
    assert layers_in(path, "a.xlsx") == ("2023", "2024")
    with pytest.raises(DataError, match=r"several sheets \(sheets: 2023, 2024\)"):
        read_rows(path, "a.xlsx", None)
    assert len(read_rows(path, "a.xlsx", "2024").frame) == 1
    with pytest.raises(DataError, match="has no sheet 'x'"):
        read_rows(path, "a.xlsx", "x")
    kind, layers = recognise(path, "a.xlsx")
    assert (kind, layers) == ("spreadsheet", ("2023", "2024"))


def test_a_sheet_of_opendocument_is_read_like_a_table(tmp_path):
    def cell(value):
        if isinstance(value, str):
            return (
                '<table:table-cell office:value-type="string">'
                f"<text:p>{value}</text:p></table:table-cell>"
            )
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    rows = [["id", "lon", "lat"], [1, -78.912, 35.991], [2, -78.906, 35.996]]
    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content{spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="A">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        "</manifest:manifest>"
    )
    parts = {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest}
    layer = read_rows(zipped(tmp_path / "a.ods", parts), "a.ods", None)
    assert list(layer.frame["id"]) == ["1", "2"]
    assert list(layer.frame["lon"]) == ["-78.912", "-78.906"]


def test_a_missing_part_and_an_empty_archive_are_named(tmp_path):
    parts = shapefile(tmp_path / "shape", "a")
    del parts["a.dbf"]
    with pytest.raises(DataError, match=r"lacks its \.dbf part"):
        read_rows(zipped(tmp_path / "a.zip", parts), "a.zip", None)
    with pytest.raises(DataError, match="no map layer and no table"):
        read_rows(zipped(tmp_path / "b.zip", {"__MACOSX/._a.shp": "x"}), "b.zip", None)


def test_no_layer_is_lost_between_a_child_and_this_process(tmp_path):
    path = make(tmp_path, "gdb.zip", FILES["gdb.zip"])
    assert np.array_equal(read_rows(path, "a", None).rows, [1, 2, 3])
