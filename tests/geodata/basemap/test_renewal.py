"""The base map follows what is stored: made once, anew when shapes change, or the city's own."""

import pytest
from based import AREA, base_frame, without_base
from releasing import Publisher

from geodata.basemap import renewal
from geodata.basemap.renewal import current_tiles
from geodata.basemap.tiles_file import make_archive
from geodata.cityfile.description import OSM_ATTRIBUTION, read_city_file
from geodata.errors import CityFileError, DataError
from geodata.ingest.store import import_city
from geodata.repositories.base_maps import store_tiles, stored_tiles
from geodata.repositories.cities import find_areas, get_city


@pytest.fixture
def town(tmp_path):
    return Publisher(tmp_path).name_places()


def tiles_of(database):
    with database.session() as session:
        return stored_tiles(session, get_city(session, "town").id)


def test_an_import_makes_it_once_and_anew_when_a_street_changes(database, town, monkeypatch):
    times = []
    made = renewal.make_archive
    monkeypatch.setattr(renewal, "make_archive", lambda *given: times.append(1) or made(*given))
    town.bring(database)
    first = tiles_of(database)
    assert first.content.startswith(b"PMTiles")
    town.bring(database)
    assert (len(times), tiles_of(database)) == (1, first)
    named = town.folder / "named.geojson"
    named.write_text(named.read_text().replace("Fifth Street", "Sixth Street"))
    town.bring(database)
    assert len(times) == 2
    assert tiles_of(database).content != first.content


def test_a_city_without_shapes_has_none_and_loses_it_with_them(database, town):
    town.bring(database)
    assert tiles_of(database)
    town.city = without_base(town.city)
    town.save()
    import_city(
        database, read_city_file(town.path), forget=[("base", "street"), ("base", "neighbourhood")]
    )
    assert tiles_of(database) is None
    with database.session() as session:
        assert current_tiles(session, get_city(session, "town")) is None


def test_what_was_imported_by_an_earlier_version_is_made_when_it_is_needed(database, town):
    town.bring(database)
    before = tiles_of(database)
    with database.session(write=True) as session:
        city = get_city(session, "town")
        store_tiles(session, city.id, None)
        assert current_tiles(session, city).content == before.content


def test_shapes_that_cannot_be_cut_leave_an_import_whole(database, town, monkeypatch, caplog):
    def broken(*_given):
        msg = "the base map cannot be cut into tiles: out of memory"
        raise DataError(msg)

    monkeypatch.setattr(renewal, "make_archive", broken)
    town.bring(database)
    assert tiles_of(database) is None
    assert "cannot be cut" in caplog.text


def test_a_citys_own_file_is_kept_as_it_is_with_whose_data_it_is(database, town):
    content = make_archive(base_frame(), AREA)
    (town.folder / "own.pmtiles").write_bytes(content)
    town.city += '\n[basemap]\nsource = "own.pmtiles"\nattribution = "City of Town, 2026"\n'
    town.bring(database)
    own = tiles_of(database)
    assert (own.content, own.attribution) == (content, "City of Town, 2026")
    with database.session() as session:
        assert current_tiles(session, get_city(session, "town")) == own


@pytest.mark.parametrize(
    ("content", "why"), [(b"no tiles", "is no PMTiles file"), (None, "cannot be read")]
)
def test_an_own_file_that_cannot_be_used_stops_the_import_before_anything_is_stored(
    database, town, content, why
):
    if content is not None:
        (town.folder / "own.pmtiles").write_bytes(content)
    town.city += '\n[basemap]\nsource = "own.pmtiles"\n'
    with pytest.raises(DataError, match=f"own.pmtiles: {why}"):
        town.bring(database)
    with database.session() as session:
        assert find_areas(session, "town") is None


def test_an_own_file_is_no_address(town):
    town.city += '\n[basemap]\nsource = "https://example.org/city.pmtiles"\n'
    town.save()
    with pytest.raises(CityFileError, match=r"\[basemap\]: source must be a file"):
        read_city_file(town.path)


def test_an_extract_names_openstreetmap_unless_the_file_says_otherwise(town):
    town.city += '\n[osm]\nsource = "town.osm"\n'
    town.save()
    assert read_city_file(town.path).attribution == OSM_ATTRIBUTION
    town.city += '\n[basemap]\nattribution = "Town and OSM"\n'
    town.save()
    assert read_city_file(town.path).attribution == "Town and OSM"
