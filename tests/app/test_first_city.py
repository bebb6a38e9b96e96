"""A city of any shapes is imported, fitted, drafted, approved, verified and served.

The shapes of real cities are the test: districts of one piece beside districts of several, islands,
holes, needles. No fault of geometry reaches a user as a traceback.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.errors import GEOSException
from staffing import KEY
from town import SIDE, SOUTH, WEST, Town, write_geojson

from app import create_app
from app.config import Settings
from app.maps import picture
from app.maps.shapes import clipped, simplified
from geodata.db.geometry import geometry_faults

EXAMPLES = Path(__file__).parents[2] / "examples"
HALF = SIDE / 2
FAR_EAST = (WEST + SIDE + 900, SOUTH + 2_000)
THIN = (0.0007880729854571, -0.0003964774267543)  # corner of a needle that clip_by_rect raises on
NEEDLE = shapely.Polygon([(0, 0), (-226, 113.7), THIN, (178.2, 338.1)])
PAGES = (
    "/",
    "/map",
    "/zones/",
    "/measures/",
    "/data/",
    "/methods/",
    "/methods/validation",
    "/initiatives/",
    "/accountability/",
    "/accessibility/",
    "/data/release.gpkg",
    "/api/v1/districts",
)


@pytest.fixture
def mixed(tmp_path):
    """A town whose districts mix one piece and several: an island, a hole, a sliver, a needle."""
    town = Town(tmp_path, n=160).crowd(120)
    hole = shapely.box(WEST + 300, SOUTH + 300, WEST + 700, SOUTH + 800)
    west = shapely.box(WEST, SOUTH, WEST + HALF, SOUTH + SIDE) - hole
    island = shapely.box(WEST + SIDE + 600, SOUTH + 900, WEST + SIDE + 1_150, SOUTH + 1_500)
    speck = shapely.box(WEST + SIDE + 700, SOUTH + 3_000, WEST + SIDE + 700.4, SOUTH + 3_000.3)
    needle = shapely.transform(NEEDLE, lambda xy: xy + np.array(FAR_EAST))
    east = shapely.box(WEST + HALF, SOUTH, WEST + SIDE, SOUTH + SIDE)
    east = shapely.union_all([east, island, speck, needle])
    north = shapely.box(WEST, SOUTH + SIDE, WEST + SIDE, SOUTH + SIDE + 900)
    shapes = [west, east, north]
    write_geojson(tmp_path / "districts.geojson", shapes, code=["D1", "D2", "D3"])
    return town


def publish(run, slug, outcome, *fit):
    """Fit, draft, approve and verify; give the release."""
    run("fit", slug, "--outcome", outcome, *fit)
    drafted = json.loads(run("publish", "draft", slug, "--as", "ana", "--json").stdout)
    run("publish", "approve", drafted["release"], "--as", "ben")
    assert json.loads(run("publish", "verify", drafted["release"], "--json").stdout)["whole"]
    return drafted


def require_served(folder, release):
    """Ask every kind of public page and each zone's own."""
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    app = create_app(Settings(database_url=url, instance=folder, secret_key=KEY))
    client = app.test_client()
    zones = [name for name in _files(release) if name.startswith("site/zones/")]
    assert zones
    pages = [*PAGES, *(f"/zones/{Path(name).stem}" for name in zones)]
    told = {page: client.get(page).status_code for page in pages}
    assert set(told.values()) == {200}, told


def fail(*_args, **_kwargs):
    """Stand for a geometry operation that gives up, with the two lines that GEOS writes."""
    raise GEOSException("TopologyException: side location conflict at 1 2\nand more")  # noqa: EM101


def _files(release):
    return [file["name"] for file in release["manifest"]["files"]]


def test_a_city_of_mixed_districts_is_published(run, mixed, tmp_path):
    run("init")
    run("import", mixed.path)
    release = publish(run, "town", "robbery")
    require_served(tmp_path / "instance", release)


@pytest.mark.shared_data
def test_durham_is_published(run, shared_data, tmp_path):
    run("init")
    run("import", EXAMPLES / "durham" / "city.toml", "--data-root", shared_data / "durham")
    release = publish(run, "durham", "robbery", "--to", "2013-05-01")
    require_served(tmp_path / "instance", release)


def test_a_picture_that_cannot_be_drawn_stops_no_release(run, mixed, tmp_path, monkeypatch, caplog):
    run("init")
    run("import", mixed.path)
    monkeypatch.setattr(picture, "clipped", fail)
    release = publish(run, "town", "robbery")
    require_served(tmp_path / "instance", release)
    assert "a picture cannot be drawn" in caplog.text


@pytest.mark.parametrize(
    ("place", "command", "name"),
    [
        ("geodata.ingest.areas.mend", ("import", "city.toml"), "districts.geojson"),
        ("geodata.ingest.sources.place_shapes", ("import", "city.toml", "--all"), "bars.geojson"),
        ("app.usecases.risk.fit.load_inputs", ("fit", "town", "--outcome", "robbery"), "the fit"),
        (
            "geodata.releases.build.ground_files",
            ("publish", "draft", "town", "--as", "ana"),
            "the release",
        ),
        ("app.cli.city_commands.list_cities", ("cities",), "saferground cities"),
    ],
)
def test_a_geometry_fault_is_one_line(run, mixed, tmp_path, monkeypatch, place, command, name):
    run("init")
    run("import", mixed.path)
    monkeypatch.setattr(place, fail)
    words = [str(tmp_path / word) if word.endswith(".toml") else word for word in command]
    told = run(*words, status=1)
    (line,) = told.stderr.strip().splitlines()[-1:]
    assert line.startswith(f"Error: {name}: a shape cannot be worked with (TopologyException")
    assert "import them again" in line
    assert "Traceback" not in told.stderr


def test_only_geometry_faults_are_translated():
    with pytest.raises(ZeroDivisionError), geometry_faults("x"):
        _ = 1 / 0


def test_a_needle_at_the_edge_of_a_picture_is_drawn():
    window = shapely.box(-900, 0.00026357353692475007, 900, 900)
    cut = clipped(NEEDLE, window, 0.0)
    assert cut.area == pytest.approx(NEEDLE.area, rel=1e-4)


@given(seed=st.integers(0, 2**32 - 1))
def test_any_valid_shape_can_be_drawn_in_any_window(seed):
    rng = np.random.default_rng(seed)
    count = rng.integers(1, 30)
    low = rng.uniform(-1_000, 1_000, (count, 2)).round(rng.integers(0, 4))
    high = low + 10 ** rng.uniform(-3, 3, (count, 2))
    shape = shapely.union_all(shapely.box(*low.T, *high.T))
    shape -= shapely.Point(low[0]).buffer(rng.uniform(0.001, 300), quad_segs=2)
    corner = low[rng.integers(count)]  # an edge of the window often runs along the shape's own
    window = shapely.box(*corner, *(corner + rng.uniform(0.01, 1_500, 2)))
    tolerance = rng.choice([0.0, rng.uniform(0, 300)])
    assert shapely.is_valid(simplified(shape, tolerance))
    cut = clipped(shape, window, tolerance)
    assert cut.is_valid
    assert cut.area <= window.area * (1 + 1e-9)
