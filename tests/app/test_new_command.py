"""A city in ten minutes: files in, a folder out that imports and fits as it is."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import shapely
from extracts import BLOCK, ExtractTown

from app.workbench.column_kinds import OFFENCE
from geodata.cityfile.risk_factors import base_filter
from geodata.cityfile.schema import SourcePlace
from geodata.readers import read_place

PAGE = Path(__file__).parents[2] / "docs" / "new-city.md"
EXTRACTS = (
    "baltimore.osm.pbf",
    "liechtenstein.osm.pbf",
    "porto.osm.pbf",
    "unsorted_ids.osm.pbf",
    "west_oakland.osm.bz2",
)


@pytest.fixture
def town(tmp_path, monkeypatch):
    made = ExtractTown(tmp_path / "files")
    monkeypatch.chdir(made.folder)
    return made


def make(run, *more, status=0):
    return run("new", "town", "--name", "Alder Town", "--districts", "districts.geojson",
               "--district-id", "code", *more, status=status)  # fmt: skip


def commands_of_the_page():
    blocks = re.findall(r"^```\n(saferground .*?)^```", PAGE.read_text(), re.M | re.S)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def test_the_page_of_the_documents_is_followed_to_a_fitted_city(run, town):
    steps = commands_of_the_page()
    assert [step[0] for step in steps] == ["init", "new", "import", "fit"]
    for step in steps[:3]:
        run(*step)
    fitted = json.loads(run(*steps[3], "--json").stdout)
    assert fitted["incidents"] > 300
    assert "bars" in {factor["name"] for factor in fitted["model"]["factors"]}
    assert fitted["zones"]


def test_a_city_file_says_what_was_found_and_why(run, town):
    more = ("--osm", "town.osm", "--incidents", "robberies.csv")
    told = json.loads(make(run, *more, "--json").stdout)
    assert told["crs"] == "EPSG:2264"
    block = BLOCK / 0.3048
    assert told["block"] == pytest.approx(block, abs=6)
    assert told["cell"] == told["block"] / 2
    assert told["outcomes"] == {"robbery": 400}
    none = {"neighbourhood": 0, "place": 0}
    assert told["base"] == {"street": 21, "water": 1, "park": 1, "rail": 1, **none}
    found = {one["name"]: (one["count"], one["coverage"]) for one in told["factors"]}
    assert found["bars"] == (5, 1.0)
    assert found["parks"] == (1, 0.5)
    assert "pawnshops" in told["absent"]
    text = (town.folder / "town" / "city.toml").read_text()
    assert "# EPSG:2264 is NAD83 / North Carolina (ftUS)" in text
    assert "# bars: 5, in 100% of the districts." in text
    assert "# Not in the extract: nightclubs, " in text
    content = tomllib.loads(text)
    assert content["districts"] == {"source": "districts.geojson", "id": "code"}
    assert content["osm"] == {"source": "town.osm"}
    assert {"name": "bars", "osm": "bars"} in content["factors"]
    (incidents,) = content["incidents"]
    assert (incidents["date"], incidents["id"]) == ("occurred_date", "case_id")
    assert sorted(path.name for path in (town.folder / "town").iterdir()) == [
        "city.toml", "districts.geojson", "robberies.csv", "town.osm",
    ]  # fmt: skip


def test_what_is_printed_names_the_system_the_block_and_each_factor(run, town):
    told = make(run, "--osm", "town.osm").output
    assert "the state plane zone of North Carolina" in told
    assert "the median of" in told
    assert re.search(r"^bars +bars +5 +100%$", told, re.M)
    assert "struck out, as there are none: nightclubs" in told


def test_districts_alone_make_a_city_of_usual_blocks(run, town):
    told = json.loads(make(run, "--timezone", "America/Chicago", "--json").stdout)
    assert (told["cell"], told["block"], told["timezone"]) == (200, 400, "America/Chicago")
    assert told["factors"] == []
    run("init")
    run("import", town.folder / "town" / "city.toml")


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (("--district-id", "cod"), "there is no column 'cod'; did you mean 'code'?"),
        (("--osm", "districts.geojson"), "two files are called alike"),
        (("--osm", "robberies.csv"), "[osm] reads .osm, .osm.bz2 and .osm.pbf"),
        (("--districts", "robberies.csv"), "there is no column 'code'"),
        (("--incidents", "town.osm"), "cannot be described by its columns alone"),
    ],
)
def test_files_that_are_something_else_are_refused_in_a_line(run, town, more, fault):
    told = make(run, *more, status=1)
    assert fault in told.stderr
    assert "Traceback" not in told.stderr
    assert not (town.folder / "town").exists()


def test_a_city_file_that_is_there_is_never_written_over(run, town):
    make(run)
    path = town.folder / "town" / "city.toml"
    path.write_text("mine")
    assert "is there already" in make(run, status=1).stderr
    assert path.read_text() == "mine"
    assert "is no slug" in run("new", "A City", "--name", "x", "--districts", "districts.geojson",
                               "--district-id", "code", status=1).stderr  # fmt: skip


@pytest.mark.shared_data
@pytest.mark.parametrize("name", EXTRACTS)
def test_real_extracts_become_cities(run, shared_data, tmp_path, name):
    path = shared_data / "osm" / name
    streets = read_place(SourcePlace(label=name, path=str(path), tags=base_filter("street"))).frame
    west, south, east, north = streets.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    quarters = [
        shapely.box(west, south, x, y), shapely.box(x, south, east, y),
        shapely.box(west, y, x, north), shapely.box(x, y, east, north),
    ]  # fmt: skip
    features = [
        {"type": "Feature", "properties": {"code": str(i)}, "geometry": json.loads(g)}
        for i, g in enumerate(map(shapely.to_geojson, quarters))
    ]
    (tmp_path / "d.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    folder = tmp_path / "city"
    told = json.loads(
        run("new", "real", "--name", "Real", "--districts", tmp_path / "d.geojson",
            "--district-id", "code", "--osm", path, "--folder", folder, "--json").stdout
    )  # fmt: skip
    assert told["base"]["street"] >= 15
    assert told["factors"]
    run("init")
    result = json.loads(run("import", folder / "city.toml", "--json").stdout)
    stored = {one["source"].partition(": ")[2]: one["stored"] for one in result["sources"]}
    assert stored["street"] >= told["base"]["street"]
    for one in told["factors"]:
        assert stored[one["name"]] >= one["count"] > 0


@pytest.mark.parametrize(
    ("columns", "name", "title"),
    [
        ({"offense": "ROBBERY"}, "robbery", "robbery"),
        ({"Crime_Type": "Motor Vehicle Theft"}, "motor_vehicle_theft", "motor vehicle theft"),
        ({"category": "Violent", "offence": "Robbery"}, "robbery", "robbery"),
        ({"ucr_code": "120", "incident type": "robbery"}, "robbery", "robbery"),
        ({"nature": "theft from UPS van"}, "theft_from_ups_van", "theft from UPS van"),
        ({"offense": "120"}, "inc", None),
        ({"offense": "???"}, "inc", None),
        ({"borough": "North"}, "inc", None),
    ],
)
def test_an_outcome_is_called_by_the_only_kind_that_its_rows_are_of(
    run, town, columns, name, title
):
    frame = pd.read_csv(town.folder / "robberies.csv")
    frame = frame[[one for one in frame.columns if not OFFENCE.search(one)]].assign(**columns)
    frame.to_csv(town.folder / "inc.csv", index=False)
    told = json.loads(make(run, "--incidents", "inc.csv", "--json").stdout)
    assert told["outcomes"] == {name: 400}
    content = tomllib.loads((town.folder / "town" / "city.toml").read_text())
    assert content["incidents"][0]["outcome"] == name
    assert content.get("outcomes") == ({name: {"title": title}} if title else None)


def test_a_kind_that_not_every_row_states_names_no_outcome(run, town):
    frame = pd.read_csv(town.folder / "robberies.csv").assign(offense="robbery")
    frame.loc[7, "offense"] = None
    frame.to_csv(town.folder / "inc.csv", index=False)
    assert json.loads(make(run, "--incidents", "inc.csv", "--json").stdout)["outcomes"] == {
        "inc": 400
    }
