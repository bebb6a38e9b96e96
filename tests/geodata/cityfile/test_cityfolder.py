"""The folder of a city: what is adopted reads as before, wherever its files lay."""

import datetime as dt
import io
import shutil

import geopandas as gpd
import pytest
import shapely
from town import CRS, SOUTH, WEST, Town

from geodata.cityfile.description import read_city_file, read_content
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.ingest.city_folder import (
    CityFolder,
    free_source,
    sections,
    with_sections,
    without_section,
)
from geodata.ingest.store import import_city
from geodata.repositories.cities import get_city
from geodata.repositories.import_log import city_file_of, list_imports, newest_import, undo_import
from geodata.uploads import intake
from geodata.uploads.intake import receive
from geodata.uploads.retention import forget_old


@pytest.fixture
def town(tmp_path):
    (tmp_path / "town").mkdir()
    return Town(tmp_path / "town")


@pytest.fixture
def folder(tmp_path):
    return CityFolder(tmp_path / "cities", "town")


def test_an_adopted_city_reads_the_same_without_its_files(town, folder, database):
    made = gpd.GeoDataFrame(geometry=[shapely.Point(WEST + 9, SOUTH + 9)], crs=CRS)
    made.to_file(town.folder / "stops.shp")
    town.city += '[[factors]]\nname = "stops"\nsource = "../town/stops.shp"\n'
    town.save()
    described = read_city_file(town.path)
    first = import_city(database, described)
    adopted = folder.adopt(described.content, described.root)
    shutil.rmtree(town.folder)
    folder.keep(adopted)
    again = read_city_file(folder.path)
    assert [p.label for p in (again.districts.place, *(f.place for f in again.factors))] == [
        "districts.geojson",
        "bars.geojson",
        "../town/stops.shp",
    ]
    second = import_city(database, again)
    assert [one.source for one in second.sources] == [one.source for one in first.sources]
    assert [one.stored for one in second.sources] == [0] * 4
    assert folder.adopt(adopted, str(folder.root)) == adopted, "nothing is taken twice"
    names = sorted(path.name.partition("-")[0] for path in folder.files.iterdir())
    assert names.count("stops") >= 4


def test_files_that_are_gone_are_named(town, folder):
    described = read_city_file(town.path)
    (town.folder / "bars.geojson").unlink()
    with pytest.raises(
        DataError, match=r"bars\.geojson: not in .*town any more.*Put the files back"
    ):
        folder.adopt(described.content, described.root)


def test_sections_are_added_and_taken_out(town):
    content = read_city_file(town.path).content
    added = with_sections(content, "factors", [{"name": "x", "source": "x.csv"}], single=False)
    assert [s.source for s in sections(added) if s.name == "factors"] == ["bars.geojson", "x.csv"]
    assert len(content["factors"]) == 1
    added["files"] = {"x.csv": "files/x.csv", "incidents.csv": "files/i.csv"}
    without = without_section(added, "factors", 2)
    assert without == {**content, "files": {"incidents.csv": "files/i.csv"}}
    assert "factors" not in without_section(without, "factors", 1)
    covered = with_sections(content, "coverage", [{"source": "a"}], single=True)
    covered = with_sections(covered, "coverage", [{"source": "b"}], single=True)
    assert covered["coverage"] == {"source": "b"}
    assert without_section(covered, "coverage", None) == content
    for wrong in (("factors", 2), ("factors", 0), ("coverage", None), ("slug", None)):
        with pytest.raises(DataError, match="has no source"):
            without_section(content, *wrong)
    assert free_source(content, "../bars.geojson") == "bars-2.geojson"


def test_where_files_are_kept_must_be_said_in_texts(town):
    content = {**read_city_file(town.path).content, "files": {"incidents.csv": 7}}
    with pytest.raises(CityFileError, match=r"\[files\] must say where sources are kept"):
        read_content(content, town.path, town.folder)


def test_an_import_keeps_its_city_file_and_says_what_it_goes_on_from(database, town):
    town.change('name = "Town"', 'name = "Town"\nsynthetic = true\ntoday = 2026-01-31')
    described = read_city_file(town.path)
    import_city(database, described, who="ann")
    with database.session() as session:
        first = city_file_of(session, "town")
        assert newest_import(session, "town") == first.number
        assert list_imports(session, "town")[0].imported_by == "ann"
    again = read_content(first.content, town.path, town.folder)
    assert (again.today, again.outcomes) == (described.today, described.outcomes)
    import_city(database, described, after=first.number)
    with pytest.raises(DataError, match=r"changed meanwhile \(import 2 after import 1\)"):
        import_city(database, described, after=first.number)
    with database.session() as session:
        assert len(list_imports(session, "town")) == 2
        with pytest.raises(NotStoredError, match="not known here"):
            city_file_of(session, "nowhere")


def test_rows_go_only_where_it_is_said_and_come_back(database, town):
    town.city += """
[[base]]
kind = "park"
source = "districts.geojson"
[[occurrences]]
source = "incidents.csv"
measure = "dirtbike.complaints"
[occurrences.fields]
id = "id"
date = "date"
x = "lon"
y = "lat"
"""
    town.save()
    described = read_city_file(town.path)
    import_city(database, described)
    with database.session() as session:
        before = get_city(session, "town").outcomes
    content = without_section(described.content, "incidents", 1)
    content = without_section(without_section(content, "occurrences", 1), "base", 1)
    without = read_content(content, town.path, town.folder)
    import_city(database, without)
    with database.session() as session:
        assert get_city(session, "town").outcomes == before, "what is not said stays"
    forget = [("incidents", "incidents.csv"), ("occurrences", "incidents.csv"), ("base", "park")]
    import_city(database, without, forget=forget)
    with database.session() as session:
        gone = list_imports(session, "town")[0]
        assert get_city(session, "town").outcomes == ()
    assert {name: one["removed"] for name, one in gone.summary.items()} == {
        "incident": sum(town.incidents["offense"] != "NOISE"),
        "occurrence": 120,
        "base_shape": 2,
    }
    with database.session(write=True) as session:
        undo_import(session, gone.id, "ann", gone.imported_at)
    with database.session() as session:
        assert get_city(session, "town").outcomes == before


def test_files_in_quarantine_are_found_by_their_city_alone(tmp_path):
    upload = receive(io.BytesIO(b"a,b\n1,2\n"), "a.csv", tmp_path)
    kept = intake.HandedIn(
        upload=upload, city="town", who="ann", when=dt.datetime(2026, 1, 1), answers={"kind": "x"}
    )
    intake.keep(kept)
    assert intake.find(tmp_path, upload.id, "town") == kept
    for number, city in ((upload.id, "other"), ("../x", "town"), ("nothing", "town"), ("", "town")):
        with pytest.raises(NotStoredError, match="forgotten"):
            intake.find(tmp_path, number, city)
    assert intake.bytes_waiting(tmp_path) > upload.size
    (tmp_path / "upload-broken.json").write_text("{")
    assert intake.waiting(tmp_path, "town") == [kept]
    assert forget_old(tmp_path, -1) == 3
    assert intake.waiting(tmp_path, "town") == []
