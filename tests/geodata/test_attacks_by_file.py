"""Files made to read other files, to ask servers or to fill the memory: refused, with a remedy.

Each is tried as it is handed in, as the command line names it and inside a zip archive. A secret
lies beside them; it must come out of none.
"""

import gzip
import io
import json
import os
import sqlite3
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
import shapely
from town import Town

from geodata import formats
from geodata.cityfile.description import read_city_file
from geodata.cityfile.schema import SourcePlace
from geodata.errors import CityFileError, DataError
from geodata.ingest.areas import gather_areas
from geodata.ingest.sources import gather_factor
from geodata.readers import read_place
from geodata.readers.vectors import check_geopackage, check_parquet
from geodata.uploads.intake import receive
from spatial.errors import GridError

SECRET = "pbkdf2-secret-digest"
POINTS = gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(-79.1, 36.1)], crs="EPSG:4326")
FEATURE = {
    "type": "Feature",
    "properties": {"name": "a"},
    "geometry": {"type": "Point", "coordinates": [-79.1, 36.1]},
}
XML = '<?xml version="1.0"?>\n<!DOCTYPE k [<!ENTITY secret SYSTEM "file://{secret}">]>\n'


def vrt(secret, source="{secret}"):
    source = source.format(secret=secret)
    return (
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{source}</SrcDataSource>'
        "<LayerSRS>EPSG:4326</LayerSRS></OGRVRTLayer></OGRVRTDataSource>"
    )


def gdalg(secret):
    told = {
        "type": "gdal_streamed_alg",
        "command_line": f"gdal vector pipeline ! read {secret} ! write --of=stream streamed",
    }
    return json.dumps(told)


TEXTS = {
    "an OGR VRT": vrt,
    "an OGR VRT of an address": lambda s: vrt(s, "/vsicurl/http://127.0.0.1:9/a.geojson"),
    "an OGR VRT after a comment": lambda s: "<?xml version='1.0'?>\n<!-- x -->\n" + vrt(s),
    "a GDALG": gdalg,
    "SQL": lambda s: f"ATTACH DATABASE '{s}' AS other; SELECT * FROM other.person;",
    "KML with an entity": lambda s: (
        XML.format(secret=s) + "<kml><Document>&secret;</Document></kml>"
    ),
    "GML with an entity": lambda s: (
        XML.format(secret=s)
        + '<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml">&secret;</gml:FeatureCollection>'
    ),
    "KML with a link": lambda s: (
        f"<kml><NetworkLink><Link><href>{s}</href></Link></NetworkLink></kml>"
    ),
}


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text(f"name,password\nann,{SECRET}\n")
    return path


def zipped(name, content, **more):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        for other, text in more.items():
            archive.writestr(other.replace("__", "."), text)
    return out.getvalue()


def named(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return SourcePlace(label=path.name, path=str(path), x="x", y="y", crs="EPSG:4326")


def refused(act):
    """Do what must be refused, and give the message, which must not hold the secret."""
    with pytest.raises(DataError) as caught:
        act()
    told = str(caught.value)
    assert SECRET not in told
    assert "; " in told  # the remedy
    return told


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("member", ["layer.geojson", "layer.json", "layer.gpkg"])
def test_a_member_of_a_zip_that_opens_other_files_is_refused(tmp_path, secret, what, member):
    content = zipped(member, TEXTS[what](secret))
    refused(lambda: read_place(named(tmp_path / "a.zip", content)))


@pytest.mark.parametrize("what", TEXTS)
def test_a_file_that_opens_other_files_is_refused_by_the_upload(tmp_path, secret, what):
    content = TEXTS[what](secret).encode()
    refused(lambda: receive(io.BytesIO(content), "a.geojson", tmp_path / "q"))
    packed = zipped("layer.geojson", content)
    refused(lambda: receive(io.BytesIO(packed), "a.zip", tmp_path / "q"))
    assert list((tmp_path / "q").iterdir()) == []


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("name", ["a.geojson", "a.json", "a.gpkg", "a.shp", "a.csv", "a.parquet"])
def test_a_file_that_opens_other_files_is_refused_by_the_command_line(tmp_path, secret, what, name):
    refused(lambda: read_place(named(tmp_path / name, TEXTS[what](secret))))


def test_a_vrt_beside_a_shapefile_is_not_opened(tmp_path, secret):
    POINTS.to_file(tmp_path / "a.shp")
    parts = {f"a__{e}": (tmp_path / f"a.{e}").read_bytes() for e in ("shx", "dbf", "prj")}
    parts["a__vrt"] = parts["a__shp__xml"] = vrt(secret)
    content = zipped("a.shp", (tmp_path / "a.shp").read_bytes(), **parts)
    place = SourcePlace(label="a.zip", path=named(tmp_path / "a.zip", content).path)
    assert list(read_place(place).frame["name"]) == ["a"]


@pytest.mark.parametrize(
    "path",
    ["/vsizip/{zip}/layer.geojson", "/vsicurl/http://127.0.0.1:9/a.geojson", "zip://{zip}",
     "/vsimem/a.geojson", "/vsisubfile/0_100,{zip}", "/vsistdin/"],
)  # fmt: skip
def test_virtual_file_systems_are_no_source(tmp_path, path):
    named(tmp_path / "a.zip", zipped("layer.geojson", json.dumps(FEATURE)))
    given = path.format(zip=tmp_path / "a.zip")
    told = refused(lambda: read_place(SourcePlace(label="a", path=given)))
    assert "there is no file" in told


def test_a_folder_that_is_called_as_a_virtual_file_system_is_a_folder(
    tmp_path, monkeypatch, secret
):
    """Its files are found, and are still no way into an archive or to an address."""
    monkeypatch.chdir(tmp_path)
    for name in ("vsizip/a.zip!", "http:/127.0.0.1", "GEOJSON:a"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        POINTS.to_file(tmp_path / "b.geojson")
        (tmp_path / "b.geojson").rename(folder / "b.geojson")
        place = SourcePlace(label="b", path=str(folder / "b.geojson"))
        assert list(read_place(place).frame["name"]) == ["a"]


def test_gdal_has_the_drivers_of_the_table_and_no_other():
    assert set(pyogrio.list_drivers()) == formats.DRIVERS
    with rasterio.Env() as env:
        assert "GTiff" in env.drivers()  # which exports are written with
    assert "GML" not in os.environ.get("OGR_SKIP", ""), "rasterio's GDAL would warn of each"


READ_BY_OURSELVES = ("text", "gzip", "spreadsheet", "parquet", "zip")


def test_every_format_that_is_not_read_says_what_to_do():
    for name, known in formats.FORMATS.items():
        read = name in READ_BY_OURSELVES or known.driver is not None
        assert bool(known.refused) != read
        assert bool(formats.refusal(name)) != read


@pytest.fixture
def server():
    """A server that must not be asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}/crs", asked
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize("spelled", ['"crs"', '"CRS"', r'"\u0063rs"', r'"c\u0052s" '])
@pytest.mark.parametrize("where", ["collection", "feature", "geometry"])
@pytest.mark.parametrize("kind", ["link", "url"])
def test_a_reference_system_by_link_is_not_fetched(tmp_path, server, spelled, where, kind):
    address, asked = server
    link = {"type": kind, "properties": {"href": address, "url": address, "type": "ogcwkt"}}
    feature = json.loads(json.dumps(FEATURE))
    collection = {"type": "FeatureCollection", "features": [feature]}
    {"collection": collection, "feature": feature, "geometry": feature["geometry"]}[where][
        "crs"
    ] = link
    text = json.dumps(collection).replace('"crs"', spelled)
    told = refused(lambda: read_place(named(tmp_path / "a.geojson", text)))
    assert asked == []
    assert "is not followed; export it with the system's name" in told


@pytest.mark.parametrize("name", ["{address}", "/etc/hostname", "/vsicurl/{address}", "file:a"])
def test_a_reference_system_by_a_name_that_is_a_place_is_not_followed(tmp_path, server, name):
    address, asked = server
    crs = {"type": "name", "properties": {"name": name.format(address=address)}}
    text = json.dumps({"type": "FeatureCollection", "crs": crs, "features": [FEATURE]})
    refused(lambda: read_place(named(tmp_path / "a.geojson", text)))
    assert asked == []


@pytest.mark.parametrize(
    "name",
    ["EPSG:2264", "urn:ogc:def:crs:EPSG::2264", "http://www.opengis.net/def/crs/EPSG/0/2264"],
)
def test_a_reference_system_by_its_name_is_read(tmp_path, name):
    told = {"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": name}},
            "features": [FEATURE]}  # fmt: skip
    place = named(tmp_path / "a.geojson", json.dumps(told))
    frame = read_place(SourcePlace(label="a", path=place.path)).frame
    assert frame.crs.to_epsg() == 2264


def geopackage(path, *statements):
    POINTS.to_file(path, layer="points")
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


AS_LAYER = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
    "VALUES ('{0}', 'attributes', '{0}', 0)"
)
WRITABLE = "PRAGMA writable_schema = ON"
VIRTUAL = (
    "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) "
    "VALUES ('table', 'v', 'v', 0, '{0}')"
)
TRICKS = {
    "a view": ["CREATE VIEW v AS SELECT * FROM points", AS_LAYER.format("v")],
    "a view that nobody names": ["CREATE VIEW v AS SELECT * FROM points"],
    "a view over a function": [
        "CREATE VIEW v AS SELECT ogr_geocode('a') AS x FROM points", AS_LAYER.format("v")
    ],
    "a view without end": [
        "CREATE VIEW v AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
        "SELECT x FROM r",
        AS_LAYER.format("v"),
    ],
    "VirtualOGR": [
        WRITABLE, VIRTUAL.format("CREATE VIRTUAL TABLE v USING VirtualOGR(''secret.csv'')"),
        AS_LAYER.format("v"),
    ],
    "VirtualText": [
        WRITABLE, VIRTUAL.format("CREATE VIRTUAL TABLE v USING VirtualText(''secret.csv'')"),
    ],
    "VirtualShape": [
        WRITABLE, VIRTUAL.format("CREATE VIRTUAL/**/TABLE v USING VirtualShape(''a'')"),
    ],
    "a name that hides a module": [
        WRITABLE,
        VIRTUAL.format('CREATE VIRTUAL TABLE "v using rtree(" USING VirtualOGR(''secret.csv'')'),
    ],
    "a computed column": [
        "CREATE TABLE v (a INTEGER, b TEXT AS (hex(zeroblob(100000000))))", AS_LAYER.format("v")
    ],
    "a reference system by address": [
        "UPDATE gpkg_spatial_ref_sys SET definition = 'http://127.0.0.1:9/crs' WHERE srs_id = 4326"
    ],
    "a reference system by path": [
        "UPDATE gpkg_spatial_ref_sys SET definition = '/etc/hostname' WHERE srs_id = 4326"
    ],
    "contents that are a view": [
        "ALTER TABLE gpkg_contents RENAME TO c", "CREATE VIEW gpkg_contents AS SELECT * FROM c"
    ],
}  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_a_geopackage_whose_layers_are_no_plain_tables_is_refused(tmp_path, secret, trick):
    path = geopackage(tmp_path / "a.gpkg", *TRICKS[trick])
    for layer in (None, "points", "v"):
        place = SourcePlace(label="a.gpkg", path=str(path), layer=layer)
        refused(lambda place=place: read_place(place))
    packed = zipped("a.gpkg", path.read_bytes())
    refused(lambda: read_place(named(tmp_path / "a.zip", packed)))


def test_a_geopackage_of_the_usual_kind_is_read(tmp_path):
    path = geopackage(
        tmp_path / "a.gpkg",
        "CREATE VIEW st_geometry_columns AS SELECT * FROM gpkg_geometry_columns",
        "CREATE TRIGGER t AFTER INSERT ON points BEGIN SELECT 1; END",
    )
    check_geopackage(path, "a")
    assert len(read_place(SourcePlace(label="a", path=str(path), layer="points")).frame) == 1


def test_a_database_that_is_no_geopackage_is_told(tmp_path):
    path = tmp_path / "a.gpkg"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE person (password TEXT)")
    connection.close()
    told = refused(lambda: read_place(SourcePlace(label="a.gpkg", path=str(path))))
    assert "an SQLite database, but no GeoPackage" in told


def parquet_bomb(rows=20_000_000, text=250):
    """A text that comes 20 million times: 5 GB of values in some hundred kilobytes."""
    words = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(rows // 20, dtype=np.int32)), pa.array(["x" * text])
    )
    out = io.BytesIO()
    geo = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    point = pa.array([shapely.to_wkb(shapely.Point(0, 0))])
    shapes = pa.DictionaryArray.from_arrays(words.indices, point)
    schema = pa.schema([("a", words.type), ("geometry", shapes.type)])
    with pq.ParquetWriter(out, schema, compression="zstd", store_schema=False) as writer:
        for _ in range(20):
            writer.write_table(pa.Table.from_arrays([words, shapes], schema=schema))
        writer.add_key_value_metadata({"geo": json.dumps(geo)})
    return out.getvalue()


@pytest.fixture(scope="module")
def bomb():
    return parquet_bomb()


def test_a_parquet_bomb_is_refused_before_it_is_unpacked(tmp_path, bomb):
    assert len(bomb) < 1_000_000
    path = tmp_path / "a.parquet"
    told = refused(lambda: read_place(named(path, bomb)))
    assert "unpacks to more than 2,000 MB" in told
    told = refused(lambda: receive(io.BytesIO(bomb), "a.parquet", tmp_path / "q"))
    assert "unpacks to more than 2,000 MB" in told
    assert list((tmp_path / "q").iterdir()) == []


def test_what_a_parquet_footer_says_is_enough_to_refuse(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": np.arange(100_000)}), path)
    with pytest.raises(DataError, match="unpacks to more than 0 MB"):
        check_parquet(path, "a", 100_000)
    nested = pa.table({"n": pa.array([[b"x" * 1000] * 1000] * 10)})
    pq.write_table(nested, path, use_dictionary=True)
    check_parquet(path, "a", 20_000_000)
    with pytest.raises(DataError, match="unpacks to more than 5 MB"):
        check_parquet(path, "a", 5_000_000)


def test_a_compressed_table_that_grows_too_much_is_refused(tmp_path):
    content = gzip.compress(b"id,x\n" + b"1,2\n" * 10_000_000)
    told = refused(lambda: read_place(named(tmp_path / "a.csv.gz", content)))
    assert "unpacks to" in told


@pytest.mark.parametrize("driver", ["GTiff", "PNG"])
def test_rasters_are_no_source_whatever_they_are_called(tmp_path, driver):
    path = tmp_path / "made"
    with rasterio.open(
        path,
        "w",
        driver=driver,
        width=20_000,
        height=200,
        count=1,
        dtype="uint8",
        transform=rasterio.transform.from_origin(0, 200, 1, 1),
    ) as image:
        image.write(np.zeros((1, 200, 20_000), dtype="uint8"))
    content = path.read_bytes()
    for name in ("a.geojson", "a.csv", "a.gpkg"):
        assert "a picture or raster" in refused(
            lambda name=name: read_place(named(tmp_path / name, content))
        )
    refused(lambda: receive(io.BytesIO(content), "a.tif", tmp_path / "q"))


def deep(depth):
    return json.dumps(FEATURE).replace('"a"', "[" * depth + "]" * depth, 1)


HOSTILE_JSON = {
    "nested lists": deep(100_000),
    "nested objects": json.dumps(FEATURE).replace('"a"', '{"a":' * 50_000 + "1" + "}" * 50_000, 1),
    "nested coordinates": json.dumps(FEATURE).replace("[-79.1, 36.1]", "[" * 90_000),
    "a number without end": json.dumps(FEATURE).replace('"a"', "9" * 5_000, 1),
    "only brackets": "[" * 100_000,
}


@pytest.mark.filterwarnings("ignore:Integer values probably")  # GDAL's, once in a process
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("what", HOSTILE_JSON)
def test_json_made_to_break_its_reader_is_refused(tmp_path, what):
    told = refused(lambda: read_place(named(tmp_path / "a.geojson", HOSTILE_JSON[what])))
    assert len(told) < 600
    content = HOSTILE_JSON[what].encode()
    refused(lambda: receive(io.BytesIO(content), "a.geojson", tmp_path / "q"))
    packed = zipped("a.geojson", content)
    refused(lambda: receive(io.BytesIO(packed), "a.zip", tmp_path / "q"))


@pytest.mark.parametrize("depth", [3, 20])
def test_values_that_are_nested_become_text(tmp_path, depth):
    frame = read_place(named(tmp_path / "a.geojson", deep(depth))).frame
    assert json.loads(frame["name"][0]) == json.loads("[" * depth + "]" * depth)


def test_values_nested_as_deep_as_gdal_takes_them_are_refused(tmp_path):
    told = refused(lambda: read_place(named(tmp_path / "a.geojson", deep(980))))
    assert "nest" in told


def test_no_attack_leaves_files_behind(tmp_path, secret, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    refused(lambda: read_place(named(tmp_path / "a.zip", zipped("l.geojson", vrt(secret)))))
    refused(lambda: read_place(named(tmp_path / "a.gpkg", vrt(secret))))
    assert list(Path(tmp_path / "t").iterdir()) == []


@pytest.mark.parametrize("number", ["NaN", "1e999", "-1e999", "1e308"])
def test_coordinates_that_are_no_numbers_are_left_out_or_refused(tmp_path, number):
    town = Town(tmp_path)
    good = json.loads((tmp_path / "bars.geojson").read_text())
    bad = json.loads(json.dumps(good["features"][0]))
    bad["geometry"]["coordinates"] = ["BAD", 36.1]
    good["features"].append(bad)
    text = json.dumps(good).replace('"BAD"', number)
    (tmp_path / "bars.geojson").write_text(text)
    areas = gather_areas(read_city_file(town.path))
    (source,) = read_city_file(town.path).factors
    try:
        gathered = gather_factor(source, areas.frame)
    except DataError as error:
        assert "; " in str(error)  # noqa: PT017 - either is right
    else:
        assert sum(gathered.report.left_out.values()) == 1
        assert len(gathered.rows) == 15
    outline = (tmp_path / "districts.geojson").read_text()
    first = json.loads(outline)["features"][0]["geometry"]["coordinates"][0][1][0]
    (tmp_path / "districts.geojson").write_text(outline.replace(str(first), number))
    try:
        found = gather_areas(read_city_file(town.path))
    except (DataError, GridError) as error:
        assert str(error)  # noqa: PT017 - either is right
    else:
        assert "coordinates that are no numbers" in found.reports[0][0].left_out


BROKEN_TOML = ["cell = 1e999", "cell = nan", f"cell = {'9' * 5000}", "x = " + "[" * 9_000]


@pytest.mark.parametrize("text", BROKEN_TOML)
def test_a_city_file_made_to_break_its_reader_is_refused(tmp_path, text):
    town = Town(tmp_path)
    town.change("cell = 100", text)
    with pytest.raises((CityFileError, DataError, GridError)):
        gather_areas(read_city_file(town.path))
