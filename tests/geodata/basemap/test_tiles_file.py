"""The base map as one file of tiles, and files of tiles that cities bring."""

import pytest
import shapely
from based import AREA, base_frame, tiles_in
from pmtiles.tile import Compression, TileType
from town import CRS, WEST, to_degrees

from geodata.basemap import tiles_file
from geodata.basemap.tile_layers import FIRST_ZOOM, LAST_ZOOM, window_of
from geodata.basemap.tiles_file import check_own, make_archive
from geodata.errors import DataError


@pytest.fixture(scope="module")
def made():
    return make_archive(base_frame(), AREA)


def test_the_header_says_what_the_file_holds_and_where(made):
    tiles, header = tiles_in(made)
    assert (header["min_zoom"], header["max_zoom"]) == (FIRST_ZOOM, LAST_ZOOM)
    assert header["tile_type"] is TileType.MVT
    assert header["tile_compression"] is Compression.GZIP
    west, _, _, north = to_degrees(window_of(AREA)).bounds
    assert header["min_lon_e7"] / 1e7 == pytest.approx(west, abs=1e-3)
    assert header["max_lat_e7"] / 1e7 == pytest.approx(north, abs=1e-3)
    assert {zoom for zoom, _, _ in tiles} == set(range(FIRST_ZOOM, LAST_ZOOM + 1))


def test_near_tiles_have_every_layer_and_name_far_ones_the_major_streets_alone(made):
    tiles, _ = tiles_in(made)
    near = b"".join(tile for (zoom, _, _), tile in tiles.items() if zoom == LAST_ZOOM)
    for word in (
        *(b"roads", b"water", b"landuse", b"rail", b"buildings", b"places", b"boundaries"),
        *(b"Main Street", b"Lilac Lane", b"North Park", b"Mill Pond", b"Old Tannery"),
        *(b"Heron Bend", b"major_road", b"minor_road", b"limit"),
    ):
        assert word in near, word
    far = b"".join(tile for (zoom, _, _), tile in tiles.items() if zoom == FIRST_ZOOM)
    assert b"Main Street" in far
    assert b"Lilac Lane" not in far
    assert b"Fifth Street" not in far
    assert b"buildings" not in far


def test_tiles_end_where_the_surroundings_of_the_city_do(made):
    tiles, _ = tiles_in(made)
    columns = {x for zoom, x, _ in tiles if zoom == LAST_ZOOM}
    # the river goes on for 5 km; a tile of zoom 14 is 2 km wide here
    assert max(columns) - min(columns) <= 4


def test_the_same_shapes_give_the_same_bytes(made):
    assert make_archive(base_frame(), AREA) == made


def test_a_city_that_ranks_no_street_high_is_not_empty_from_afar():
    base = base_frame()
    base["rank"] = 2
    tiles, _ = tiles_in(make_archive(base, AREA))
    assert b"Main Street" in tiles[min(tiles)]


def test_an_own_file_is_let_through_where_it_lies_under_the_city(made):
    check_own(made, "city.pmtiles", AREA, CRS)


def _with(content, at, value):
    return content[:at] + value + content[at + len(value) :]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _: b"<html>not found</html>", "is no PMTiles file"),
        (lambda _: b"", "is no PMTiles file"),
        (lambda made: _with(made, 7, b"\x02"), "is no PMTiles file of version 3"),
        (lambda made: _with(made, 99, b"\x02"), "holds no vector tiles"),
        (lambda made: _with(made, 101, b"\x09"), "ends at zoom 9"),
        (lambda made: made[:-10], "breaks off"),
    ],
)
def test_an_own_file_that_cannot_be_used_is_refused_with_the_remedy(made, change, why):
    with pytest.raises(DataError, match=why) as refused:
        check_own(change(made), "city.pmtiles", AREA, CRS)
    assert str(refused.value).startswith("city.pmtiles: ")
    assert "pmtiles extract" in str(refused.value) or "copy it anew" in str(refused.value)


def test_an_own_file_of_another_city_or_too_large_is_refused(made, monkeypatch):
    elsewhere = shapely.box(WEST + 90_000, 4_000_000, WEST + 91_000, 4_001_000)
    with pytest.raises(DataError, match="lies elsewhere"):
        check_own(made, "city.pmtiles", elsewhere, CRS)
    monkeypatch.setattr(tiles_file, "MOST_OWN_BYTES", 1_000)
    with pytest.raises(DataError, match="more than"):
        check_own(made, "city.pmtiles", AREA, CRS)
