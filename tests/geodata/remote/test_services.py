"""ArcGIS and Socrata, page by page, against servers that speak as they do."""

import csv
import json

import geopandas as gpd
import pytest
import shapely
from services import ArcGis, Socrata

from geodata.errors import DataError
from geodata.remote import socrata
from geodata.remote.arcgis import shape_of
from geodata.remote.fetch import fetch


@pytest.fixture
def take(fetching):
    def taken(url):
        return fetch(url, "town", fetching)

    return taken


WAYS = {
    "by offset, GeoJSON": {},
    "by offset, Esri JSON": {"supportedQueryFormats": "JSON"},
    "by ids, GeoJSON": {"advancedQueryCapabilities": {"supportsPagination": False}},
    "by ids, Esri JSON": {"advancedQueryCapabilities": None, "supportedQueryFormats": "JSON"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [0, 1, 10, 25])
def test_every_row_of_a_layer_comes_once(service, take, way, n):
    layer = ArcGis(service, n, **WAYS[way])
    found = take(layer.url)
    features = json.loads(found.path.read_text())["features"]
    assert [f["properties"] for f in features] == layer.rows
    for feature in features:
        assert feature["geometry"]["coordinates"] == list(layer.place(feature["properties"]))
    assert any(f"ArcGIS layer 'Bars': {n} rows" in note for note in found.notes)


@pytest.mark.parametrize("tells", [True, False])
def test_a_layer_that_gives_less_than_is_asked_is_asked_on(service, take, tells):
    layer = ArcGis(service, 25, maxRecordCount=3)
    layer.tells_of_more = tells
    told = {**layer.about, "maxRecordCount": 1000}
    service.answers[layer.url.partition(str(service.port))[2]] = lambda it, _: it.send_json(told)
    assert len(json.loads(take(layer.url).path.read_text())["features"]) == 25


def test_parameters_of_the_address_are_kept(service, take):
    layer = ArcGis(service, 12)
    found = take(f"{layer.url}/query?where=kind%20%3D%20%27k1%27&f=html&resultOffset=7")
    kinds = {f["properties"]["kind"] for f in json.loads(found.path.read_text())["features"]}
    assert kinds == {"k1"}
    assert len(json.loads(found.path.read_text())["features"]) == 4


@pytest.mark.parametrize("query", [1, 2, 3])
def test_an_error_inside_an_answer_that_says_200_is_an_error(service, take, query, fetching):
    layer = ArcGis(service, 25)
    error = {"code": 498, "message": "Invalid token.", "details": ["a", "b"]}
    layer.fault = (query, {"error": error})
    with pytest.raises(DataError, match=r"refuses: 498 Invalid token\. a; b; check"):
        take(layer.url)
    assert list(fetching.folder.rglob("*.*")) == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"count": 3}, "without features"),
        ({"features": [1]}, "no feature"),
        ([], "no object"),
    ],
)
def test_answers_of_another_form_are_told(service, take, answer, told):
    layer = ArcGis(service, 5)
    layer.fault = (2, answer)
    with pytest.raises(DataError, match=told):
        take(layer.url)


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_are_missing_are_told(service, take, way):
    layer = ArcGis(service, 25, **WAYS[way])
    layer.lose = 1
    with pytest.raises(DataError, match="counts 26 rows and gave 25"):
        take(layer.url)


def test_layers_that_cannot_be_asked(service, take):
    layer = ArcGis(service, 3, capabilities="Map")
    with pytest.raises(DataError, match="does not let itself be queried"):
        take(layer.url)
    with pytest.raises(DataError, match="names a service, not a layer"):
        take(layer.url.removesuffix("/0"))
    service.plain("/x/MapServer/1", b"<html>sign in</html>")
    with pytest.raises(DataError, match="no JSON: '<html>sign in"):
        take(service.url("/x/MapServer/1"))


def test_a_layer_that_is_too_long_is_cut(service, take, fetching):
    layer = ArcGis(service, 30)
    for row in layer.rows:
        row["kind"] = "x" * 80_000
    with pytest.raises(DataError, match="holds more than 2 MB"):
        take(layer.url)
    assert [p for p in fetching.folder.rglob("*") if p.is_file()] == []


SQUARE = [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]  # clockwise: an outer ring
HOLE = [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]
ISLAND = [[2.5, 2.5], [2.5, 3], [3, 3], [3, 2.5], [2.5, 2.5]]
POND = [[2.6, 2.6], [2.7, 2.6], [2.7, 2.7], [2.6, 2.7], [2.6, 2.6]]


@pytest.mark.parametrize(
    ("told", "wkt"),
    [
        ({"x": 1, "y": 2, "z": 3}, "POINT (1 2)"),
        ({"x": "NaN", "y": "NaN"}, None),
        ({}, None),
        ({"points": []}, None),
        ({"points": [[1, 2, 9], [3, 4, 9]]}, "MULTIPOINT ((1 2), (3 4))"),
        ({"paths": [[[0, 0], [1, 1]]]}, "MULTILINESTRING ((0 0, 1 1))"),
        ({"rings": [HOLE[::-1]]}, "POLYGON ((2 2, 2 4, 4 4, 4 2, 2 2))"),
        ({"rings": [HOLE]}, "POLYGON ((2 2, 4 2, 4 4, 2 4, 2 2))"),
    ],
)
def test_shapes_of_esri_json(told, wkt):
    found = shape_of(told)
    assert (found is None) == (wkt is None)
    if wkt:
        assert shapely.equals_exact(found, shapely.from_wkt(wkt))


def test_holes_go_to_the_smallest_ring_around_them():
    found = shape_of({"rings": [POND, SQUARE, ISLAND, HOLE]})
    assert found.is_valid
    assert found.area == pytest.approx(100 - 4 + 0.25 - 0.01)
    assert [len(part.interiors) for part in found.geoms] == [1, 1]


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(socrata, "AT_ONCE", 10)


@pytest.mark.parametrize("n", [0, 5, 10, 25])
def test_every_row_of_a_portal_comes_once(service, take, small_pages, n):
    portal = Socrata(service, n)
    found = take(service.url("/resource/abcd-1234.csv"))
    with found.path.open(newline="") as file:
        assert list(csv.DictReader(file)) == portal.rows
    features = take(service.url("/resource/abcd-1234.geojson")).path
    assert [f["properties"] for f in json.loads(features.read_text())["features"]] == portal.rows
    assert set(portal.orders) == {":id"}
    assert set(portal.tokens) == {"tok"}


@pytest.mark.parametrize(
    "path", ["/resource/abcd-1234", "/resource/abcd-1234.json", "/d/abcd-1234",
             "/dataset/Robberies/abcd-1234"],
)  # fmt: skip
def test_other_addresses_of_a_data_set(service, take, path):
    portal = Socrata(service, 3)
    assert len(take(service.url(path)).path.read_text().splitlines()) == 1 + 2 * len(portal.rows)


def test_a_portal_is_asked_what_the_address_asks(service, take):
    portal = Socrata(service, 5)
    found = take(service.url("/resource/abcd-1234.csv?$where=n%20>%201&$limit=1&$order=n"))
    with found.path.open(newline="") as file:
        assert [row["n"] for row in csv.DictReader(file)] == ["2", "3", "4"]
    assert portal.orders == ["n"]


def test_a_portal_that_is_busy_is_waited_for(service, take, pauses):
    portal = Socrata(service, 3)
    portal.busy = 2
    take(service.url("/resource/abcd-1234.csv"))
    assert pauses == [7.0, 7.0]


def test_what_a_portal_refuses_or_loses_is_told(service, take):
    portal = Socrata(service, 3)
    with pytest.raises(DataError, match=r"answers 400 \(No such column\)"):
        take(service.url("/resource/abcd-1234.csv?$where=x=1"))
    portal.lose = 1
    for ending in ("csv", "geojson"):
        with pytest.raises(DataError, match="counts 4 rows and gave 3"):
            take(service.url(f"/resource/abcd-1234.{ending}"))
    service.plain("/resource/abcd-1234.geojson", b'{"type": "FeatureCollection"}')
    portal.lose = 0
    with pytest.raises(DataError, match="no GeoJSON"):
        take(service.url("/resource/abcd-1234.geojson"))


def test_a_layer_is_read_as_any_file(service, take):
    layer = ArcGis(service, 25, supportedQueryFormats="JSON")
    frame = gpd.read_file(take(layer.url).path)
    assert frame.crs.to_epsg() == 4326
    assert len(frame) == 25
