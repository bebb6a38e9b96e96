import geopandas as gpd
import numpy as np
import pytest
import shapely
from releasing import TODAY, Publisher
from town import CRS, SOUTH, WEST

from geodata.releases.build import draft_release
from geodata.releases.folder import ReleaseFolder
from geodata.releases.gazetteer import find_spots, make_gazetteer, read_document, read_gazetteer

LINES = (
    ("Main Street", [(0, 1000), (4000, 1000)]),
    ("Fifth Street", [(1000, 0), (1000, 2000)]),
    ("North Peña Avenue", [(2000, 1008), (2000, 3000)]),  # ends 8 m short of Main Street
    ("Elm Street", [(3000, 1500), (3000, 2500)]),  # 500 m short of it
    ("Elm Street", [(200, 3600), (600, 3600)]),
    ("", [(0, 50), (4000, 50)]),
)


def moved(shape):
    return shapely.transform(shape, lambda xy: np.add(xy, (WEST, SOUTH)))


@pytest.fixture(scope="module")
def gazetteer():
    rows = [("street", name, shapely.LineString(line)) for name, line in LINES]
    rows.append(("park", "Main Green", shapely.box(300, 300, 500, 500)))
    rows.append(("neighbourhood", "Old Tannery", shapely.box(0, 0, 2000, 2000)))
    rows.append(("neighbourhood", "Mainland", shapely.box(2000, 0, 4000, 2000)))
    rows.append(("rail", "Union Line", shapely.LineString([(0, 9), (900, 9)])))
    rows.append(("park", "Far Away Park", shapely.box(9000, 300, 9500, 500)))
    base = gpd.GeoDataFrame(
        {"kind": [row[0] for row in rows], "name": [row[1] for row in rows]},
        geometry=[moved(row[2]) for row in rows],
        crs=CRS,
    )
    halves = {
        "D1": moved(shapely.box(0, 0, 2000, 4000)),
        "D2": moved(shapely.box(2000, 0, 4000, 4000)),
    }
    return make_gazetteer(base, halves)


def names(found):
    return [spot.name for spot in found]


def test_streets_meet_where_they_cross_or_end_at_one_another(gazetteer):
    crossings = gazetteer.of("crossing")
    assert names(crossings) == ["Fifth Street & Main Street", "Main Street & North Peña Avenue"]
    place = gpd.GeoSeries(
        gpd.points_from_xy(
            [spot.longitude for spot in crossings], [spot.latitude for spot in crossings]
        ),
        crs=4326,
    ).to_crs(CRS)
    assert [round(x - WEST) for x in place.x] == [1000, 2000]
    assert [round(y - SOUTH) for y in place.y] == [1000, 1004]


def test_a_name_in_two_parts_of_the_city_is_two_streets(gazetteer):
    found = [spot for spot in gazetteer.of("street") if spot.name == "Elm Street"]
    assert sorted(spot.district for spot in found) == ["D1", "D2"]


def test_only_named_things_inside_the_city_are_in_it(gazetteer):
    assert {spot.kind for spot in gazetteer.spots} == {
        "street",
        "crossing",
        "park",
        "neighbourhood",
    }
    assert "Far Away Park" not in names(gazetteer.spots)
    assert all(spot.name.strip() for spot in gazetteer.spots)


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("Main & 5th", "Fifth Street & Main Street"),
        ("main st / fifth st", "Fifth Street & Main Street"),
        ("5TH AND MAIN", "Fifth Street & Main Street"),
        ("main y fifth", "Fifth Street & Main Street"),
        ("n pena ave", "North Peña Avenue"),
        ("Peña", "North Peña Avenue"),
        ("main at n. pena", "Main Street & North Peña Avenue"),
        ("mian street", "Main Street"),
        ("tanery", "Old Tannery"),
        ("green", "Main Green"),
        ("  main   street ", "Main Street"),
    ],
)
def test_a_place_is_found_however_it_is_written(gazetteer, asked, first):
    assert find_spots(gazetteer, asked)[0].name == first


def test_what_fits_better_comes_first(gazetteer):
    assert names(find_spots(gazetteer, "main")) == ["Main Street", "Main Green", "Mainland"]
    assert names(find_spots(gazetteer, "main street")) == ["Main Street"]
    assert names(find_spots(gazetteer, "m", most=1)) == ["Mainland"]


def test_of_streets_that_do_not_meet_each_is_given(gazetteer):
    found = find_spots(gazetteer, "Elm & Fifth")
    assert {spot.name for spot in found} == {"Elm Street", "Fifth Street"}


@pytest.mark.parametrize("asked", ["", "   ", "&", "zzzz", "and", "<script>", "x" * 500])
def test_nothing_is_found_where_nothing_fits(gazetteer, asked):
    assert find_spots(gazetteer, asked) == ()


def test_the_document_says_all_of_it(gazetteer):
    content = gazetteer.document()
    assert read_document(content).spots == gazetteer.spots
    assert content == read_document(content).document()


def test_a_release_holds_the_names_of_its_city(sqlite_database, tmp_path):
    Publisher(tmp_path).name_places().bring(sqlite_database)
    record = draft_release(sqlite_database, tmp_path / "r", "town", "ana", today=TODAY)
    release = ReleaseFolder(path=tmp_path / "r" / "town" / record.id)
    spots = read_gazetteer(release).spots
    assert {spot.name for spot in spots} == {
        "Main Street",
        "Fifth Street",
        "Fifth Street & Main Street",
        "Old Tannery",
    }


def test_a_city_without_names_has_none(sqlite_database, tmp_path):
    Publisher(tmp_path).bring(sqlite_database)
    record = draft_release(sqlite_database, tmp_path / "r", "town", "ana", today=TODAY)
    release = ReleaseFolder(path=tmp_path / "r" / "town" / record.id)
    assert read_gazetteer(release) is None
