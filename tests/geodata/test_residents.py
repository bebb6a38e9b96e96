import datetime as dt
import json

import geopandas as gpd
import pytest
import shapely
from published import TO_THE_PUBLIC, write_people
from town import SIDE, SOUTH, WEST, Town, write_geojson

from geodata.cityfile.description import read_city_file
from geodata.errors import CityFileError, DataError
from geodata.ingest.store import import_city
from geodata.repositories.cities import get_city, resident_areas
from geodata.repositories.import_log import list_imports, undo_import


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    write_people(tmp_path)

    def write(sections=TO_THE_PUBLIC):
        made.path.write_text(made.path.read_text() + sections)
        return made.path

    return write


def bring(database, path):
    (report,) = [
        r for r in import_city(database, read_city_file(path)).sources if r.kind == "residents"
    ]
    return report


def test_contact_license_and_people_are_stored_and_read_again(database, town):
    path = town()
    report = bring(database, path)
    assert (report.read, report.stored, report.left_out) == (4, 4, {})
    with database.session() as session:
        city = get_city(session, "town")
        rows = resident_areas(session, city.id)
    assert city.contact.email == "clerk@town.example"
    assert city.license.name == "CC BY 4.0"
    assert (city.residents.names, city.residents.about) == (
        ("Older <65+>", "Children"),
        "counted in 2020",
    )
    assert rows["people"].tolist() == [4000, 2000, 1000, 40]
    assert rows["groups"].tolist()[0] == [1000, 800]
    assert shapely.union_all(rows.geometry.to_numpy()).bounds == pytest.approx(
        (WEST, SOUTH, WEST + SIDE, SOUTH + SIDE), abs=0.01
    )
    again = bring(database, path)
    assert (again.stored, again.left_out) == (0, {"already stored": 4})


def test_a_city_that_says_nothing_has_none_of_it_any_more(sqlite_database, town, tmp_path):
    path = town()
    bring(sqlite_database, path)
    path.write_text(path.read_text().replace(TO_THE_PUBLIC, ""))
    import_city(sqlite_database, read_city_file(path))
    with sqlite_database.session() as session:
        city = get_city(session, "town")
        assert (city.contact, city.license, city.residents) == (None, None, None)
        assert resident_areas(session, city.id) is None


def test_an_import_of_other_people_can_be_undone(database, town, tmp_path):
    path = town()
    bring(database, path)
    before = people_of(database)
    write_people(tmp_path, all=[5000, 3000, 2000, 50])
    bring(database, path)
    assert people_of(database)["people"].tolist() == [5000, 3000, 2000, 50]
    with database.session(write=True) as session:
        newest = list_imports(session, "town")[0]
        undo_import(session, newest.id, "ann", dt.datetime(2026, 1, 2))
    after = people_of(database)
    assert after["people"].tolist() == before["people"].tolist()
    assert after["groups"].tolist() == before["groups"].tolist()
    assert after.geometry.to_wkb().tolist() == before.geometry.to_wkb().tolist()


def people_of(database):
    with database.session() as session:
        return resident_areas(session, get_city(session, "town").id)


def test_rows_that_cannot_be_counted_are_left_out_and_named(sqlite_database, town, tmp_path):
    shapes = [shapely.box(WEST + 100 * i, SOUTH, WEST + 100 * i + 90, SOUTH + 90) for i in range(5)]
    shapes.append(shapely.box(WEST + 9000, SOUTH, WEST + 9100, SOUTH + 90))
    write_geojson(
        tmp_path / "people.geojson",
        shapes,
        all=[10, None, -3, 10, 10, 10],
        old=[1, 1, 1, -1, 11, 1],
        young=[1, 1, 1, 1, 1, 1],
    )
    report = bring(sqlite_database, town())
    assert report.left_out == {
        "no number of people": 2,
        "no number of people of a group": 1,
        "a group of more people than all": 1,
        "outside of the city": 1,
    }
    assert (report.read, report.stored) == (6, 1)


def test_a_file_that_counts_nobody_stops_the_import(sqlite_database, town, tmp_path):
    write_people(tmp_path, all=[None] * 4)
    with pytest.raises(DataError, match="no polygon with a number of people in 'all'"):
        import_city(sqlite_database, read_city_file(town()))


def test_a_missing_column_is_named(sqlite_database, town):
    with pytest.raises(DataError, match="no column 'oldest'"):
        import_city(
            sqlite_database, read_city_file(town(TO_THE_PUBLIC.replace('"old"', '"oldest"')))
        )


def test_every_fault_of_what_is_told_to_the_public_is_gathered(town):
    path = town(
        '[contact]\nemail = "nobody"\nurl = "ftp://x"\nfax = "1"\n'
        '[publish]\nlicense_url = "https://x.example"\n'
        '[residents]\nsource = "people.geojson"\ngroups = ["old"]\n'
    )
    with pytest.raises(CityFileError) as caught:
        read_city_file(path)
    told = " | ".join(caught.value.faults)
    for fault in (
        "[contact]: name is missing",
        "email 'nobody' is no address",
        "url 'ftp://x' is no web address",
        "fax",
        "license_url needs license",
        "[residents]: total is missing",
        "groups must be names and columns",
    ):
        assert fault in told


def test_a_name_alone_does_not_say_how_to_reach_anybody(town):
    with pytest.raises(CityFileError, match="give a way to reach it"):
        read_city_file(town('[contact]\nname = "Office"\n'))


def test_the_demonstration_city_counts_its_people_in_blocks(imported_demo):
    blocks = gpd.read_file(imported_demo / "city" / "residents.geojson")
    homes = (imported_demo / "city" / "addresses.csv").read_text().count("\n") - 1
    assert blocks["people"].sum() == pytest.approx(2.3 * homes, rel=0.03)
    for column in ("hisp", "under18", "over65"):
        assert (blocks[column] <= blocks["people"]).all()
        assert blocks[column].sum() > 0
    account = json.loads((imported_demo / "printed.json").read_text())["import"]
    (report,) = [one for one in account["sources"] if one["kind"] == "residents"]
    assert report["stored"] == len(blocks)
