import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pyproj import Transformer

from app.cli import main
from geodata.measures.ledger import MeasureData
from geodata.repositories import audit
from geodata.repositories.cities import get_city
from geodata.repositories.import_log import list_imports, undo_import
from spatial.grid import area_of
from spatial.measures.scopes import Scope

MINUTES = np.arange(13)


@pytest.fixture
def command(small):
    database, _ = small

    def invoke(*arguments, status=0):
        told = ["visits", "match", *map(str, arguments)]
        url = database.engine.url.render_as_string(hide_password=False)
        result = CliRunner().invoke(main, [*told, "--database", url, "--as", "ana"])
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture
def positions(small, tmp_path):
    """A unit that stands in the first zone for twelve minutes, and one that is far from any."""
    _, run = small
    first = run.zones.iloc[0]
    spot = first.geometry.representative_point()
    x = np.concatenate([np.full(13, spot.x), np.full(13, 600_010.0)])
    y = np.concatenate([np.full(13, spot.y), np.full(13, 4_003_990.0)])
    assert area_of(x[13:], y[13:], list(run.zones.geometry)).max() == -1
    lon, lat = Transformer.from_crs("EPSG:32617", 4326, always_xy=True).transform(x, y)
    table = pd.DataFrame(
        {
            "car": ["A1"] * 13 + ["B2"] * 13,
            "at": [f"2025-06-01 20:{m:02}" for m in (*MINUTES, *MINUTES)],
            "lon": lon,
            "lat": lat,
        },
        dtype=object,
    )
    table.loc[len(table)] = ["", "2025-06-01 21:00", lon[0], lat[0]]
    table.loc[len(table)] = ["A1", "soon", lon[0], lat[0]]
    table.loc[len(table)] = ["A1", "2025-06-01 22:00", "x", lat[0]]
    path = tmp_path / "avl.csv"
    table.to_csv(path, index=False)
    columns = ("--unit", "car", "--time", "at", "--x", "lon", "--y", "lat")
    return path, ("--run", run.id, *columns)


def visits(small):
    database, _ = small
    with database.session() as session:
        city = get_city(session, "town")
        ledger = MeasureData(session, city, city.this_day())
        day = pd.Timestamp("2025-06-01").date()
        return ledger.rows("visits", Scope(start=day, end=day + pd.Timedelta(days=1))).copy()


def test_positions_become_visits_that_count_once_and_can_be_undone(small, command, positions):
    database, run = small
    path, options = positions
    dry = json.loads(command("town", path, *options, "--dry-run", "--json").stdout)
    assert dry["visits"] == {"found": 1, "too_short": 0}
    assert len(visits(small)) == 0
    told = json.loads(command("town", path, *options, "--json").stdout)
    assert told["positions"]["read"] == 29
    assert told["positions"]["stored"] == 13
    assert told["positions"]["left_out"]["in no zone"] == 13
    assert told["positions"]["left_out"]["bad time"] == 1
    assert told["positions"]["left_out"]["no unit"] == 1
    assert sum(told["positions"]["left_out"].values()) == 16
    (found,) = told["found"]
    assert (found["zone"], found["unit"]) == (run.zones["id"].iloc[0], "A1")
    assert found["end_ms"] - found["start_ms"] == 12 * 60_000
    stored = visits(small)
    assert stored["minutes"].tolist() == [12.0]
    assert stored["zone"].tolist() == [0]
    assert stored["district"].tolist() == [found["district"]]
    again = json.loads(command("town", path, *options, "--json").stdout)
    assert (again["visits"]["stored"], again["visits"]["already_stored"]) == (0, 1)
    assert again["import"] is None
    with database.session(write=True) as session:
        assert list_imports(session, "town")[0].id == told["import"]
        undo_import(session, told["import"], "ana", pd.Timestamp("2026-01-01").to_pydatetime())
        entries = list(audit.entries(session, audit.AuditFilter(action="visit.match")))
    assert len(visits(small)) == 0
    assert [e.details["stored"] for e in entries] == [0, 1]


def test_what_was_left_out_is_told_in_words(command, positions):
    path, options = positions
    output = command("town", path, *options, "--least", 20, "--dry-run").output
    assert "of a stop too short to be a visit" in output
    assert "No visit was found" in output


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("--run", "nope"), "no run"),
        (("--unit", "wagon"), "wagon"),
        (("--crs", "EPSG:0"), "not known"),
        (("--buffer", "-1"), "buffer"),
        (("--district", "D9"), "no zone there"),
    ],
)
def test_what_cannot_be_is_one_line(command, positions, change, told):
    path, options = positions
    assert told in command("town", path, *options, *change, status=1).output
