"""Addresses in a city file: fetched, kept, told; what is no data is refused."""

import gzip
import hashlib
import io
import json
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from services import ArcGis
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.errors import DataError
from geodata.ingest.store import import_city
from geodata.readers import read_place
from geodata.remote import Fetching
from geodata.remote.fetch import fetch, shown_address
from geodata.remote.http import Web
from geodata.repositories.cities import get_city
from geodata.repositories.import_log import latest_reports


@pytest.fixture
def town(tmp_path, service):
    """A town whose files are all behind addresses."""
    made = Town(tmp_path)
    for name in ("districts.geojson", "incidents.csv", "bars.geojson"):
        service.plain(f"/files/{name}", (tmp_path / name).read_bytes())
        made.change(f'source = "{name}"', f'source = "{service.url(f"/files/{name}")}"')
    return made


def test_a_city_behind_addresses_is_the_same_city(sqlite_database, town, fetching, service):
    told = []
    described = read_city_file(town.path)
    result = import_city(
        sqlite_database, described, fetching=fetching, progress=lambda *a: told.append(a)
    )
    assert told[:3] == [("fetching", 1, 3), ("fetching", 2, 3), ("fetching", 3, 3)]
    content = (town.folder / "incidents.csv").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    with sqlite_database.session() as session:
        city = get_city(session, "town")
        reports = latest_reports(session, city.id)
        assert city.outcomes == ("burglary", "robbery")
    (incidents,) = [r for r in reports if r.kind == "incidents"]
    assert incidents.source == service.url("/files/incidents.csv")
    assert incidents.read == 120
    kept = fetching.folder / "town" / f"{digest}.csv"
    assert kept.read_bytes() == content
    note = incidents.notes[0]
    assert note.startswith("fetched 20")
    assert digest in note
    assert f"kept as town/{digest}.csv" in note
    again = import_city(sqlite_database, described, fetching=fetching)
    assert [report.stored for report in again.sources] == [0, 0, 0]
    assert result.sources[1].stored > 0


def test_an_address_that_two_sources_name_is_fetched_once(sqlite_database, town, fetching, service):
    town.city += f'[[factors]]\nname = "again"\nsource = "{service.url("/files/bars.geojson")}"\n'
    town.save()
    import_city(sqlite_database, read_city_file(town.path), fetching=fetching)
    assert [path for path, _, _ in service.asked].count("/files/bars.geojson") == 1


def test_a_layer_of_a_service_can_be_a_factor(sqlite_database, town, fetching, service):
    layer = ArcGis(service, 25)
    layer.place = lambda row: (-79.89 + row["OBJECTID"] / 10_000, 36.14)
    town.change(service.url("/files/bars.geojson"), layer.url)
    result = import_city(sqlite_database, read_city_file(town.path), fetching=fetching)
    (bars,) = [report for report in result.sources if report.kind == "factors"]
    assert (bars.source, bars.read, bars.stored) == (layer.url, 25, 25)


def test_nothing_is_stored_where_one_address_fails(sqlite_database, town, fetching, service):
    service.answers["/files/bars.geojson"] = lambda it, _: it.send_json({"message": "gone"}, 410)
    with pytest.raises(DataError, match=r"bars\.geojson: the server answers 410 \(gone\)"):
        import_city(sqlite_database, read_city_file(town.path), fetching=fetching)
    from geodata.repositories.cities import list_cities

    with sqlite_database.session() as session:
        assert list_cities(session) == []


def test_private_addresses_are_refused_as_they_come(sqlite_database, town, tmp_path, service):
    with pytest.raises(DataError, match="127.0.0.1 lies in a private network"):  # noqa: RUF043
        import_city(
            sqlite_database,
            read_city_file(town.path),
            fetching=Fetching(folder=tmp_path / "s", web=Web()),
        )
    assert service.asked == []


def test_without_fetching_an_address_is_told(sqlite_database, town):
    with pytest.raises(DataError, match="was not fetched"):
        import_city(sqlite_database, read_city_file(town.path))


def zipped(**entries):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name.replace("__", "."), text)
    return content.getvalue()


def layer(ending):
    """Give a real map layer of one point; a zip holds it as GeoJSON."""
    points = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(-79, 36)], crs="EPSG:4326")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{ending}"
        points.to_parquet(path) if ending == "parquet" else points.to_file(path)
        return path.read_bytes()


LAYER_ZIP = zipped(a__geojson=layer("geojson"))


@pytest.mark.parametrize(
    ("path", "content", "headers", "ending"),
    [
        ("/a.csv", b"id,x\n1,2\n", {}, ".csv"),
        ("/a.tsv", b"id\tx\n1\t2\n", {}, ".tsv"),
        ("/download", b"id,x\n1,2\n", {}, ".csv"),
        ("/get", b"id\tx\n", {"Content_Disposition": 'attachment; filename="../a.tsv"'}, ".tsv"),
        ("/a.php", b'{"type": "FeatureCollection", "features": []}', {}, ".geojson"),
        ("/export", LAYER_ZIP, {}, ".zip"),
        ("/a.csv", LAYER_ZIP, {}, ".zip"),
        ("/a", layer("gpkg"), {}, ".gpkg"),
        ("/a.geoparquet", layer("parquet"), {}, ".geoparquet"),
        ("/a.csv.gz", gzip.compress(b"id,x\n1,2\n", mtime=0), {}, ".csv.gz"),
    ],
)
def test_a_file_is_named_by_what_it_is(service, fetching, path, content, headers, ending):
    service.plain(path, content, **headers)
    found = fetch(service.url(path), "town", fetching)
    assert found.path.name == hashlib.sha256(content).hexdigest() + ending
    assert found.path.parent == fetching.folder / "town"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "answers with nothing"),
        (b"<!DOCTYPE html>\n<html>", "answers with a web page"),
        (b"<!-- hi -->\n<HTML>", "answers with a web page"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 600, "is a picture or raster; export features"),
        (b"\x7fELF" + b"\x00" * 600, "is of no kind that is known"),
        (b"<OGRVRTDataSource/>", "an OGR VRT, which names other files"),
        (zipped(**{"../../a__shp": "x"}), "leads out of the archive"),
    ],
)
def test_what_is_no_data_is_refused_and_not_kept(service, fetching, content, told):
    service.plain("/a", content)
    with pytest.raises(DataError, match=told):
        fetch(service.url("/a"), "town", fetching)
    assert [p for p in fetching.folder.rglob("*") if p.is_file()] == []


def test_secrets_of_an_address_are_not_shown(service, fetching):
    service.plain("/a.csv", b"id,x\n")
    found = fetch(service.url("/a.csv?token=s3cret&n=1"), "town", fetching)
    assert service.asked[-1][1] == {"token": "s3cret", "n": "1"}
    assert "s3cret" not in "".join(found.notes)
    assert shown_address("https://h/a?api_key=1&b=2") == "https://h/a?api_key=...&b=2"


def test_a_snapshot_is_read_with_its_notes(service, fetching, tmp_path):
    service.plain("/a.csv", b"id,x\n1,2\n")
    found = fetch(service.url("/a.csv"), "town", fetching)
    from geodata.cityfile.schema import SourcePlace

    layer = read_place(SourcePlace(label="a", path=str(found.path), notes=found.notes))
    assert layer.notes == found.notes
    assert json.loads(json.dumps(layer.notes)) == list(layer.notes)
