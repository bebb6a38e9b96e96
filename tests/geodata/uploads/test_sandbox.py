"""A file from outside is parsed in a child process; what it takes or breaks ends there."""

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.cityfile.schema import SourcePlace
from geodata.errors import DataError
from geodata.readers import read_place, sandbox
from geodata.readers.files import read_rows
from geodata.readers.sandbox import ChildLimits, read_apart
from geodata.readers.staging import load_rows, save_rows

TABLE = "id,when,x,y\n" + "".join(f"{i},2024-01-0{i},-79.{i},36.{i}\n" for i in range(1, 8))
MAP = gpd.GeoDataFrame(
    {
        "name": ["a", None, "Zoë"],
        "n": [1, 2, 3],
        "share": [0.5, np.nan, 1.0],
        "when": pd.to_datetime(["2024-01-01", None, "2024-03-09"]),
        "yes": [True, False, True],
    },
    geometry=[shapely.Point(-79, 36), None, shapely.Point(-79.1, 36.1, 5)],
    crs="EPSG:4326",
)


@pytest.mark.parametrize(
    "name", ["a.csv", "a.geojson", "a.gpkg", "a.shp", "a.parquet", "b.geojson"]
)
def test_rows_that_a_child_read_are_those_that_this_process_reads(tmp_path, name):
    path = tmp_path / name
    if name == "a.csv":
        path.write_text(TABLE)
    elif name == "b.geojson":
        feature = {"type": "Feature", "geometry": None, "properties": {"a": [1, "x"], "b": 1}}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    elif name == "a.parquet":
        MAP.to_parquet(path)
    else:
        there = MAP.drop(columns="when") if name == "a.shp" else MAP  # has days, no times
        there.to_crs("ESRI:102719").to_file(path)
    here = read_rows(path, "a", None)
    save_rows(here, tmp_path / "rows")
    there = load_rows(tmp_path / "rows", "a")
    pd.testing.assert_frame_equal(pd.DataFrame(here.frame), pd.DataFrame(there.frame))
    assert type(here.frame) is type(there.frame)
    assert (here.sha256, here.notes) == (there.sha256, there.notes)
    assert here.rows.tolist() == there.rows.tolist()
    assert {why: rows.tolist() for why, rows in here.unread.items()} == {
        why: rows.tolist() for why, rows in there.unread.items()
    }
    if isinstance(here.frame, gpd.GeoDataFrame):
        assert here.frame.crs == there.frame.crs
        if here.frame.crs is not None:
            assert here.frame.crs.to_string() == there.frame.crs.to_string()


def test_a_child_tells_what_it_found_and_leaves_the_rows(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE)
    found = read_apart(tmp_path / "a.csv", "a.csv", rows=tmp_path / "rows")
    assert (found.kind, found.layers, found.columns) == ("text", (), 4)
    place = SourcePlace(label="a", path="/nowhere", rows=str(tmp_path / "rows"), x="x", y="y")
    assert list(read_place(place).frame["id"]) == [str(i) for i in range(1, 8)]


def test_more_memory_than_there_may_be_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 20_000_000)
    small = ChildLimits(base_bytes=700_000_000, per_byte=0)
    with pytest.raises(DataError, match=r"a\.csv: needs more than 700 MB of memory .* fewer rows"):
        read_apart(tmp_path / "a.csv", "a.csv", rows=tmp_path / "rows", limits=small)
    assert not (tmp_path / "rows").exists()


def test_work_without_end_is_ended(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 10_000_000)
    with pytest.raises(DataError, match=r"a\.csv: takes longer than 1 s to be read; send fewer"):
        read_apart(tmp_path / "a.csv", "a.csv", rows=None, limits=ChildLimits(seconds=1))


@pytest.mark.parametrize("code", ["import os; os.kill(os.getpid(), 11)", "raise RuntimeError('x')"])
def test_a_reader_that_breaks_takes_only_the_child_with_it(tmp_path, monkeypatch, code):
    (tmp_path / "a.csv").write_text(TABLE)
    run = subprocess.run

    def broken(command, **options):
        return run([sys.executable, "-c", code], **options)

    monkeypatch.setattr(sandbox.subprocess, "run", broken)
    with pytest.raises(DataError, match="its content breaks the reader; export it again"):
        read_apart(tmp_path / "a.csv", "a.csv", rows=None)


def test_a_child_gets_no_secrets_and_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text(TABLE)
    monkeypatch.setenv("SAFERGROUND_SECRET_KEY", "s3cret")
    monkeypatch.setenv("SAFERGROUND_DATABASE", "postgresql://ann:s3cret@host/db")
    seen = []
    run = subprocess.run

    def watched(command, **options):
        seen.append((options["env"], options["cwd"]))
        return run(command, **options)

    monkeypatch.setattr(sandbox.subprocess, "run", watched)
    read_apart(tmp_path / "a.csv", "a.csv", rows=None)
    ((environment, folder),) = seen
    assert "s3cret" not in str(environment)
    assert environment["TMPDIR"] == folder
    assert not Path(folder).exists()


def test_rows_that_are_gone_or_damaged_are_told(tmp_path):
    for content in (None, b"", b"ARROW1 and more"):
        if content is not None:
            (tmp_path / "rows").write_bytes(content)
        with pytest.raises(DataError, match="not here any more; hand it in again"):
            load_rows(tmp_path / "rows", "a")
