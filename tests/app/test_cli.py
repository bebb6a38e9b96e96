import json
import re
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from town import Town

from app.cli import COMMANDS


@pytest.fixture
def town(tmp_path, run):
    """A town whose robberies crowd around its bars."""
    made = Town(tmp_path, n=1500).crowd(900)
    run("init")
    return made


def test_who_imports_is_in_the_audit(run, town):
    run("import", town.path, "--as", "ann")
    run("imports", "undo", 1, "--as", "bob", status=1)
    run("import", town.path, "--as", "bob")
    run("imports", "undo", 2, "--as", "ann")
    shown = run("audit", "show").stdout
    assert [shown.count(text) for text in ("data.import", "data.undo")] == [2, 1]
    run("audit", "verify")


def test_from_a_city_file_to_exports(run, town, tmp_path):
    brought = json.loads(run("import", town.path, "--json").stdout)
    assert brought["city"] == "town"
    assert {source["kind"] for source in brought["sources"]} == {
        "districts",
        "incidents",
        "factors",
    }
    for source in brought["sources"]:
        assert source["read"] == source["stored"] + sum(source["left_out"].values())
    (city,) = json.loads(run("cities", "--json").stdout)["cities"]
    assert (city["city"], city["outcomes"]) == ("town", ["robbery"])
    document = json.loads(run("fit", "town", "--outcome", "robbery", "--json").stdout)
    assert set(document) >= {
        "run",
        "city",
        "outcome",
        "from",
        "to",
        "scope",
        "seed",
        "incidents",
        "grid",
        "candidates",
        "screened",
        "model",
        "alternatives",
        "score",
        "zones",
        "warnings",
    }
    assert set(document["grid"]) == {"cells", "cell", "crs"}
    assert set(document["model"]) == {"family", "bic", "intercept", "dispersion", "factors"}
    (factor,) = document["model"]["factors"]
    assert set(factor) == {
        "name",
        "operation",
        "distance",
        "coefficient",
        "se",
        "rrv",
        "rrv_low",
        "rrv_high",
    }
    assert factor["name"] == "bars"
    assert set(document["score"]) == {"max", "mean", "sd", "share_above_2sd"}
    assert set(document["zones"][0]) >= {
        "id",
        "district",
        "rank",
        "area",
        "expected",
        "past",
        "factors",
    }
    shown = json.loads(run("show", document["run"], "--json").stdout)
    named = {"name": "", "note": "", "in_use": False, "used_since": None}
    assert shown == {**document, **named}
    (listed,) = json.loads(run("runs", "town", "--json").stdout)["runs"]
    assert listed["run"] == document["run"]
    zones = tmp_path / "zones.geojson"
    run("export", document["run"], "--what", "zones", zones)
    frame = gpd.read_file(zones)
    assert frame.crs.to_epsg() == 4326
    assert list(frame["id"]) == [zone["id"] for zone in document["zones"]]
    assert "crs" not in json.loads(zones.read_text())
    run("export", document["run"], "--what", "cells", tmp_path / "cells.gpkg")
    cells = gpd.read_file(tmp_path / "cells.gpkg")
    assert len(cells) == document["grid"]["cells"]
    assert cells.crs.to_epsg() == 32617
    assert cells["count"].sum() == document["incidents"]
    assert cells["score"].max() == pytest.approx(document["score"]["max"])
    run("export", document["run"], "--what", "surface", tmp_path / "surface.tif")
    with rasterio.open(tmp_path / "surface.tif") as surface:
        assert surface.crs.to_epsg() == 32617
        values = surface.read(1)
        assert np.nanmax(values) == pytest.approx(document["score"]["max"], rel=1e-6)
        row = cells.loc[cells["score"].idxmax()]
        at = surface.index(row.geometry.centroid.x, row.geometry.centroid.y)
        assert values[at] == pytest.approx(row["score"], rel=1e-6)
    run("export", document["run"], "--what", "factors", tmp_path / "factors.csv")
    assert set(pd.read_csv(tmp_path / "factors.csv")["family"]) == {"poisson", "nb1", "nb2"}


def test_the_same_fit_is_one_run_and_another_seed_another(run, town):
    run("import", town.path)
    ids = [
        json.loads(run("fit", "town", "--outcome", "robbery", *extra, "--json").stdout)["run"]
        for extra in ([], [], ["--seed", "2"], ["--to", "2024-09-01"])
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert len(json.loads(run("runs", "town", "--json").stdout)["runs"]) == 3


def test_districts_by_themselves(run, town):
    run("import", town.path)
    arguments = ("fit", "town", "--outcome", "robbery")
    both = json.loads(run(*arguments, "--each-district", "--json").stdout)["runs"]
    assert [document["scope"] for document in both] == ["D1", "D2"]
    one = json.loads(run(*arguments, "--district", "D2", "--json").stdout)
    assert one == both[1]
    assert all(zone["district"] == "D2" for zone in one["zones"])


def test_people_read_tables_and_machines_only_json(run, town):
    text = run("import", town.path)
    assert "incidents.csv" in text.stdout
    fitted = run("fit", "town", "--outcome", "robbery")
    assert "bars" in fitted.stdout
    assert "elastic net" in fitted.stderr
    assert "town" in run("cities").stdout
    assert "robbery" in run("runs", "town").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["import", "none.toml"], "no such file"),
        (
            ["fit", "atlantis", "--outcome", "robbery"],
            "no city 'atlantis' is stored (stored: town)",
        ),
        (["fit", "town", "--outcome", "arson"], "its outcomes are robbery"),
        (["fit", "town", "--outcome", "robbery", "--district", "D9"], "its districts are D1, D2"),
        (
            ["fit", "town", "--outcome", "robbery", "--from", "2030-01-01", "--to", "2031-01-01"],
            "no incident of this outcome",
        ),
        (
            ["fit", "town", "--outcome", "robbery", "--from", "2024-05-01", "--to", "2024-05-01"],
            "is empty",
        ),
        (["fit", "town", "--outcome", "robbery", "--area-share", "0.9"], "area_share"),
        (["show", "nope"], "no run 'nope' is stored"),
        (["runs", "atlantis"], "no city 'atlantis'"),
        (["export", "nope", "--what", "zones", "x.geojson"], "no run 'nope'"),
        (["cities", "--database", "sqlite:////nowhere/at/all.sqlite"], "folder exists"),
    ],
)
def test_a_known_error_is_one_line_and_status_one(run, town, arguments, told):
    run("import", town.path)
    result = run(*arguments, status=1)
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert len(lines) == 1
    assert told in lines[0]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "town"],
        ["fit", "town", "--outcome", "robbery", "--from", "1/1/2024"],
        ["fit", "town", "--outcome", "robbery", "--district", "D1", "--each-district"],
        ["export", "x", "--what", "everything", "f.csv"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_status_two(run, arguments):
    run(*arguments, status=2)


def test_a_file_of_the_wrong_ending_is_told_and_nothing_is_left(run, town, tmp_path):
    run("import", town.path)
    document = json.loads(run("fit", "town", "--outcome", "robbery", "--json").stdout)
    told = run("export", document["run"], "--what", "surface", tmp_path / "a.csv", status=1)
    assert ".tif" in told.stderr
    missing = tmp_path / "no" / "folder" / "a.geojson"
    run("export", document["run"], "--what", "zones", missing, status=1)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_every_command_helps_itself_and_is_in_the_documents(run):
    from pathlib import Path

    docs = (
        "".join(path.read_text() for path in Path(__file__).parents[2].glob("docs/*.md"))
        + (Path(__file__).parents[2] / "README.md").read_text()
    )
    for name in COMMANDS:
        assert "Usage:" in run(name, "--help").stdout
        assert f"saferground {name}" in docs, name


def test_a_command_that_needs_no_pages_and_no_engine_starts_without_them(run):
    code = (
        "import sys; from app.cli import main; main(['user', '--help'], standalone_mode=False);"
        "print({'app.web', 'app.usecases.risk', 'pandas', 'numba'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert "No such command 'nothing'" in run("nothing", status=2).stderr


def test_the_version(run):
    assert re.fullmatch(r"saferground, version \d+\.\d+\.\d+\n", run("--version").stdout)


def test_a_weak_secret_stops_the_start(run, monkeypatch):
    monkeypatch.setenv("SAFERGROUND_SECRET_KEY", "tralala")
    assert "SAFERGROUND_SECRET_KEY" in run("cities", status=1).stderr
