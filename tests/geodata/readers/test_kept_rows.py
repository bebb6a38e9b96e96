"""A file that was handed in is parsed once: its rows go with it into the folder of its city."""

import io
import json
import zipfile

import pandas as pd
import pytest
from geopandas import GeoDataFrame
from pandas.testing import assert_frame_equal
from town import Town

from geodata.cityfile.schema import SourcePlace
from geodata.ingest.city_folder import CityFolder
from geodata.readers import files, read_place, staging
from geodata.uploads import intake

TABLE = 'id,when,note,lon,lat\n1,2024-01-31,"a ""b"", c",-78.9,36.0\n\n2,,é,-78.8,\n3,4,5,6,7,8\n'


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return content.getvalue()


POINTS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": i, "kind": None if i else "x"},
            "geometry": {"type": "Point", "coordinates": [-78.9, 36.0 + i / 100]},
        }
        for i in range(3)
    ],
}
FILES = {
    "a.csv": (TABLE.encode(), None),
    "windows.csv": (TABLE.encode("cp1252"), None),
    "wide.csv": (TABLE.encode("utf-16"), None),
    "one.zip": (zipped(a=TABLE), None),
    "several.zip": (zipped(a=TABLE, b="x,y,z\n1,2,3\n"), "b.csv"),
    "points.geojson": (json.dumps(POINTS).encode(), None),
}


@pytest.fixture
def folder(tmp_path):
    return CityFolder(tmp_path / "cities", "town")


def handed_in(tmp_path, folder, content, name, layer=None):
    upload = intake.receive(io.BytesIO(content), name, tmp_path / "quarantine")
    intake.rows_of(upload, layer)
    kept = folder.root / folder.take_in(upload.path, name)
    return SourcePlace(label=name, path=str(kept), layer=layer, x="lon", y="lat")


@pytest.fixture
def parses(monkeypatch):
    """Count how often a file is parsed by this process."""
    found = []
    real = files.read_rows
    monkeypatch.setattr(files, "read_rows", lambda *a: found.append(a) or real(*a))
    return found


@pytest.mark.parametrize("name", FILES)
def test_rows_are_what_the_file_says_and_are_not_parsed_again(tmp_path, folder, parses, name):
    content, layer = FILES[name]
    place = handed_in(tmp_path, folder, content, name, layer)
    kept = read_place(place)
    assert parses == []
    for rows in folder.files.glob("*.rows"):
        rows.unlink()
    anew = read_place(place)
    assert len(parses) == 1
    assert (kept.sha256, kept.notes) == (anew.sha256, anew.notes)
    assert kept.rows.tolist() == anew.rows.tolist()
    assert {k: v.tolist() for k, v in kept.unread.items()} == {
        k: v.tolist() for k, v in anew.unread.items()
    }
    if isinstance(anew.frame, GeoDataFrame):
        assert kept.frame.crs == anew.frame.crs
        assert kept.frame.geometry.to_wkb().tolist() == anew.frame.geometry.to_wkb().tolist()
        kept, anew = (pd.DataFrame(x.frame.drop(columns="geometry")) for x in (kept, anew))
        assert_frame_equal(kept, anew, check_dtype=False)
    else:
        pd.testing.assert_frame_equal(kept.frame, anew.frame, check_dtype=False)


def test_rows_of_other_content_layers_and_readers_are_read_anew(
    tmp_path, folder, parses, monkeypatch
):
    place = handed_in(tmp_path, folder, TABLE.encode(), "a.csv")
    (rows,) = folder.files.glob("*.rows")
    file = folder.root / place.path
    file.chmod(0o600)
    file.write_text(TABLE.replace("2024", "2023"))
    assert read_place(place).frame["when"].iloc[0] == "2023-01-31"
    file.write_text(TABLE)
    read_place(place)
    assert len(parses) == 1
    monkeypatch.setattr(staging, "reader_version", lambda: "another")
    read_place(place)
    assert len(parses) == 2
    monkeypatch.undo()
    rows.chmod(0o600)
    rows.write_bytes(rows.read_bytes()[:200])
    assert len(read_place(place).frame) == 2


def test_rows_of_a_file_that_the_city_names_no_more_go(tmp_path, folder):
    place = handed_in(tmp_path, folder, TABLE.encode(), "a.csv")
    town = Town(tmp_path)
    kept = place.path.removeprefix(f"{folder.root}/")
    folder.keep({"city": {"slug": "town"}, "files": {"a.csv": kept}})
    assert len(list(folder.files.glob("*.rows"))) == 1
    folder.keep({"city": {"slug": "town"}, "files": {"a.csv": str(town.path)}})
    assert list(folder.files.glob("*.rows")) == []
    assert (folder.root / kept).is_file()
