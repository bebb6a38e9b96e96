"""OpenStreetMap extracts: read by tag, in whatever order and packing, in a child process."""

import dataclasses

import numpy as np
import pytest
import shapely
from extracts import BARS, ExtractTown

from geodata.cityfile.risk_factors import BASE, LIBRARY, base_filter, library, title_of, usual_keys
from geodata.cityfile.schema import SourcePlace, TagFilter
from geodata.errors import DataError
from geodata.formats import sniff
from geodata.readers import read_place
from scripts import risk_factors

EXTRACTS = (
    "baltimore.osm.pbf",
    "liechtenstein.osm.pbf",
    "porto.osm.pbf",
    "unsorted_ids.osm.pbf",
    "west_oakland.osm.bz2",
)


def features(path, tags, **changed):
    found = dataclasses.replace(TagFilter.parse(tags)[0], **changed)
    return read_place(SourcePlace(label=path.name, path=str(path), tags=found)).frame


@pytest.fixture
def town(tmp_path):
    return ExtractTown(tmp_path)


def test_features_have_any_of_the_tags_and_one_of_several_values(town):
    path = town.folder / "town.osm"
    bars = features(path, {"amenity": ["bar", "pub"]})
    assert len(bars) == len(BARS) + 3  # one beyond the city, one of "cafe;pub", one outline
    assert set(bars.geom_type) == {"Point", "MultiPolygon"}
    assert "Bar & <Grill>" in set(bars["name"])
    assert len(features(path, {"amenity": "*"})) == len(bars)
    assert len(features(path, {"amenity": ["bar"], "leisure": ["park"]})) == len(BARS) + 2
    assert len(features(path, {"amenity": ["bank"]})) == 0


def test_an_outline_is_one_point_inside_of_it_where_places_are_counted(town):
    pubs = features(town.folder / "town.osm", {"amenity": ["pub"]}, as_points=True)
    assert set(pubs.geom_type) == {"Point"}
    outline = features(town.folder / "town.osm", {"amenity": ["pub"]}).geometry
    area = outline[outline.geom_type == "MultiPolygon"].iloc[0]
    assert shapely.intersects(area, pubs.geometry.to_numpy()).sum() == 1


def test_the_map_takes_lines_and_areas_with_their_names_and_ranks(town):
    path = town.folder / "town.osm"
    town.node(2_500, 2_500, place="neighbourhood", name="Heron Bend")
    path.write_text(town.text())
    found = {
        kind: read_place(SourcePlace(label="x", path=str(path), tags=base_filter(kind))).frame
        for kind in BASE
    }
    assert {kind: len(frame) for kind, frame in found.items()} == {
        "street": 21, "water": 1, "park": 1, "rail": 1, "neighbourhood": 0, "place": 1,
    }  # fmt: skip
    ranks = dict(zip(found["street"]["name"], found["street"]["rank"], strict=True))
    assert (ranks["I 40"], ranks["1 Avenue"], ranks["2 Avenue"]) == (1, 2, 3)
    assert list(found["place"]["rank"]) == [3]
    assert list(found["park"]["name"]) == ["North Park"]


def test_ids_in_no_order_and_a_packed_extract_say_the_same(town, tmp_path):
    plain = features(town.folder / "town.osm", {"highway": "*"})
    packed = features(town.packed(), {"highway": "*"})
    assert sniff(town.folder / "town.osm.bz2") == "osm-packed"
    other = ExtractTown(tmp_path / "other", backwards=True)
    unsorted = features(other.folder / "town.osm", {"highway": "*"})
    for found in (packed, unsorted):
        assert np.array_equal(
            np.sort(shapely.length(found.geometry)), np.sort(shapely.length(plain.geometry))
        )


def test_an_extract_is_a_source_like_any_other_too(town):
    path = str(town.folder / "town.osm")
    whole = read_place(SourcePlace(label="a", path=path)).frame
    lines = read_place(SourcePlace(label="a", path=path, layer="lines"))
    assert len(lines.frame) == len(lines.rows) == 24  # streets, the service road, rail and river
    assert len(whole) > len(lines.frame)
    assert set(lines.frame.geom_type) == {"LineString"}
    with pytest.raises(DataError, match="its layers are points, lines, multipolygons"):
        read_place(SourcePlace(label="a", path=path, layer="roads"))


def test_a_damaged_extract_and_one_that_is_none_are_refused_with_the_remedy(town):
    broken = town.folder / "broken.osm"
    broken.write_text(town.text()[: len(town.text()) // 2])
    with pytest.raises(DataError, match=r"broken\.osm: cannot be read as .*fetch it again"):
        features(broken, {"amenity": "*"})
    cut = town.folder / "cut.osm.bz2"
    cut.write_bytes(town.packed().read_bytes()[:-40])
    with pytest.raises(DataError, match=r"cut\.osm\.bz2"):
        features(cut, {"amenity": "*"})
    with pytest.raises(DataError, match=r"is GeoJSON; \[osm\] reads \.osm"):
        features(town.folder / "districts.geojson", {"amenity": "*"})
    with pytest.raises(DataError, match="correct the source of"):
        features(town.folder / "gone.osm", {"amenity": "*"})


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({}, "write tags such as"),
        ("bars", "write tags such as"),
        ({"amenity": []}, "name values"),
        ({"amenity": [1]}, "name values"),
        ({"a b": ["c"]}, "is no key"),
        ({'x" OR 1=1': ["c"]}, "is no key"),
    ],
)
def test_tags_that_cannot_be_are_told(table, fault):
    _, faults = TagFilter.parse(table)
    assert [fault in one for one in faults] == [True]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", EXTRACTS)
def test_real_extracts_are_read(shared_data, name):
    streets = read_place(
        SourcePlace(label=name, path=str(shared_data / "osm" / name), tags=base_filter("street"))
    ).frame
    assert len(streets) >= 17
    assert set(streets["rank"]) <= {1, 2, 3}
    west, south, east, north = streets.total_bounds
    assert east - west < 1.5
    assert north - south < 1.5


def test_the_library_says_of_each_factor_all_that_is_needed():
    assert len(library()) >= 30
    for one in library().values():
        assert one.sources, one.name
        assert one.misses.endswith("."), one.name
        assert TagFilter.parse(dict(one.osm))[1] == []
        assert set(one.osm) <= set(usual_keys())
    titles = [one.title for one in library().values()]
    assert len(set(titles)) == len(titles)
    assert title_of("atms") == "cash machines"


def test_every_publication_is_cited_and_the_document_is_that_of_the_library():
    cited = {source for one in library().values() for source in one.sources}
    text = LIBRARY.read_text(encoding="utf-8")
    assert all(source in text for source in cited)
    assert text[text.index("[sources]") : text.index("[[factors]]")].count(' = "') == len(cited)
    assert risk_factors.PAGE.read_text(encoding="utf-8") == risk_factors.document()


ENTITIES = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))


def test_entities_of_xml_neither_multiply_nor_read_other_files(town, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    body = town.text().partition("?>")[2]
    laughs = town.folder / "laughs.osm"
    laughs.write_text(
        f'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY e0 "ha">{ENTITIES}]>'
        + body.replace("North Park", "&e9;")
    )
    with pytest.raises(DataError, match=r"laughs\.osm"):
        features(laughs, {"leisure": "*"})
    outside = town.folder / "outside.osm"
    outside.write_text(
        f'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY x SYSTEM "file://{secret}">]>'
        + body.replace("</osm>", "<note>&x;</note></osm>")
    )
    found = features(outside, {"leisure": "*", "amenity": "*"})
    assert len(found) > 0
    assert "the secret" not in found.to_csv()
