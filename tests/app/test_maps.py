import dataclasses
import errno
import io
import json
import os
import re

import numpy as np
import pytest
import rasterio.warp
import shapely
from PIL import Image

from app import create_app
from app.maps.basemap import Ground
from app.maps.bundle import map_files, put_bundle, put_file
from app.maps.compose import Files, Shapes, compose
from app.maps.picture import BADGE, overview_svg, zone_svg
from app.maps.shapes import base_geojson, districts_geojson, zones_geojson
from app.maps.surface import flat_surface, warped_surface
from app.run_view import public_city, public_run
from geodata.releases.public_zones import surface_file as released_surface

HOSTILE = [
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "`x`",
    '"><img src=x onerror=alert(1)>',
]
FILES = Files(base="b.json", surface="s.png", districts="d.json", zones="z.json")


@pytest.fixture
def spoiled(drawn):
    """The same with hostile words wherever a word can stand."""
    ground, run = drawn
    districts = ground.city.districts.copy()
    districts["name"] = [*HOSTILE, "${7*7}"][: len(districts)]
    city = dataclasses.replace(ground.city, name=HOSTILE[0], districts=districts)
    zones = run.zones.copy()
    zones["factors"] = [
        [dataclasses.replace(factor, name=HOSTILE[i % 4]) for factor in factors]
        for i, factors in enumerate(zones["factors"])
    ]
    base = ground.base.assign(name=HOSTILE[2])
    return Ground(city=city, base=base), dataclasses.replace(run, zones=zones, outcome=HOSTILE[1])


def test_the_same_map_has_the_same_bytes(drawn):
    assert map_files(*drawn, ("en", "es")) == map_files(*drawn, ("en", "es"))


def test_a_map_is_made_once(drawn, tmp_path):
    made = []

    def make():
        made.append(map_files(*drawn, ("en",)))
        return made[-1]

    bundle = put_bundle(tmp_path, "release-a", make)
    assert put_bundle(tmp_path, "release-a", make) == bundle
    assert (tmp_path / bundle.folder / bundle.script).is_file()
    assert len(made) == 1
    assert not list(tmp_path.glob(".making-*"))


def test_no_word_of_the_data_reaches_what_folium_executes(spoiled, tmp_path):
    bundle = put_bundle(tmp_path, "release-a", lambda: map_files(*spoiled, ("en",)))
    folder = tmp_path / bundle.folder
    executed = bundle.fragment + (folder / bundle.script).read_text()
    executed += (folder / bundle.style).read_text()
    for word in (*HOSTILE, "alert", "Alder", "District", "robbery"):
        assert word not in executed
    for word in ("http:", "https:", "//cdn", "<script", "onerror"):
        assert word not in executed
    picture = (folder / bundle.picture).read_text()
    assert "<script>" not in picture
    assert "<img" not in picture
    properties = [
        f["properties"] for f in json.loads((folder / bundle.zones).read_text())["features"]
    ]
    assert any(HOSTILE[0] in reason for p in properties for reason in p["reasons"])  # as plain data


def test_only_plain_file_names_are_composed():
    for name in ("a b.json", "../x.json", "a.json?x", "x'y.json", "https://example.org/x.json"):
        with pytest.raises(ValueError, match="no plain file name"):
            Shapes("zones", name)
    split = compose(FILES, (1, 2, 3, 4), (1, 2, 3, 4))
    assert 'SaferGround.zones(map_0001, "z.json")' in split.script
    assert "<style" not in split.style
    assert "<script" not in split.fragment


def test_the_surface_lies_where_its_cells_are(drawn):
    _, run = drawn
    surface = warped_surface(run)
    picture = np.array(Image.open(io.BytesIO(surface.png)))
    south, west, north, east = surface.bounds
    grid = run.grid
    rng = np.random.default_rng(0)
    cells = rng.choice(len(grid), 400, replace=False)
    lon, lat = rasterio.warp.transform(
        run.zones.crs.to_wkt(), "EPSG:4326", grid.x[cells], grid.y[cells]
    )
    mercator = np.arctanh(np.sin(np.radians([south, north, *lat])))
    height, width = picture.shape
    row = ((mercator[1] - mercator[2:]) / (mercator[1] - mercator[0]) * height).astype(int)
    column = ((np.array(lon) - west) / (east - west) * width).astype(int)
    np.testing.assert_array_equal(picture[row, column], run.cells["risk_class"].to_numpy()[cells])


def test_the_surface_has_four_colours_and_a_clear_ground(drawn):
    _, run = drawn
    picture = Image.open(io.BytesIO(flat_surface(run)))
    assert picture.size == (run.grid.n_cols, run.grid.n_rows)
    colours = {tuple(c) for c in np.array(picture.convert("RGBA")).reshape(-1, 4)}
    assert len(colours) == 4
    assert sum(alpha == 0 for *_, alpha in colours) == 1


def test_what_is_shaded_for_the_public_knows_nothing_of_single_incidents(drawn):
    """A class of the combined risk could show where one incident was; see docs/publishing.md."""
    _, run = drawn
    rng = np.random.default_rng(3)
    other = {
        name: rng.permutation(run.cells[name].to_numpy())
        for name in ("count", "expected", "combined", "environment", "history")
    }
    moved = dataclasses.replace(run, cells=run.cells.assign(**other))
    assert warped_surface(moved) == warped_surface(run)
    assert flat_surface(moved) == flat_surface(run)
    assert released_surface(moved) == released_surface(run)
    alike = run.cells.groupby("score")["risk_class"].nunique()  # the same surroundings, one class
    assert (alike == 1).all()
    assert len(alike) < len(run.cells) / 10


def test_the_overview_shades_the_zones_and_not_the_terrain(drawn):
    picture = overview_svg(*drawn).decode()
    assert "<image" not in picture
    assert picture.count('fill-opacity="0.3"') == len(drawn[1].zones)
    assert "<image" in zone_svg(*drawn, drawn[1].zones["id"].iloc[0]).decode()


def test_numbers_of_zones_cover_no_other_and_no_name_of_a_district(drawn):
    """Where two have no room for both, the one of the better rank is numbered."""
    ground, run = drawn
    picture = overview_svg(ground, run).decode()
    discs = np.array(
        re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', picture), float
    )
    badges = discs[discs[:, 2] == BADGE]
    assert len(discs) == len(run.zones)
    assert 0 < len(badges) < len(run.zones)
    apart = np.hypot(*(badges[:, None, :2] - badges[None, :, :2]).transpose(2, 0, 1))
    assert apart[~np.eye(len(badges), dtype=bool)].min() > 2 * BADGE
    for x, y, name in re.findall(
        r'<text x="([\d.]+)" y="([\d.]+)" font-size="21"[^>]*>([^<]*)', picture
    ):
        across = np.abs(badges[:, 0] - float(x)) < 5 * len(name)
        assert not (across & (np.abs(badges[:, 1] - float(y) + 7) < BADGE)).any(), name
    numbers = re.findall(r'font-size="14" font-weight="700" fill="#fff"[^>]*>(\d+)<', picture)
    assert len(numbers) == len(badges)
    dots = discs[discs[:, 2] < BADGE]
    ranks = dict(zip(map(tuple, badges[:, :2]), map(int, numbers), strict=True))
    assert sorted(ranks.values()) == list(ranks.values())  # drawn in the order of their ranks
    assert len(dots) + len(badges) == len(run.zones)


def test_zone_outlines_are_exact_and_tell_their_reasons(drawn):
    ground, run = drawn
    features = json.loads(zones_geojson(ground, run))["features"]
    assert len(features) == len(run.zones)
    degrees = run.zones.geometry.to_crs(4326)
    for feature, shape in zip(features, degrees, strict=True):
        drawn = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert drawn.is_valid
        assert drawn.hausdorff_distance(shape) < 1e-6
        assert feature["properties"]["reasons"]


def test_the_map_stays_light(drawn):
    ground, _ = drawn
    features = json.loads(base_geojson(ground))["features"]
    assert 5 < len(features) < 5000
    assert {f["properties"]["kind"] for f in features} == {
        "limit",
        "street",
        "water",
        "park",
        "rail",
    }
    for feature in json.loads(districts_geojson(ground))["features"]:
        lat, lon = feature["properties"]["at"]
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shapely.contains_xy(shape, lon, lat)


def test_pictures_are_whole_documents(drawn):
    from xml.etree import ElementTree

    ground, run = drawn
    for svg in (overview_svg(ground, run), zone_svg(ground, run, run.zones["id"].iloc[0])):
        root = ElementTree.fromstring(svg)  # noqa: S314 - our own
        assert root.tag.endswith("svg")
        texts = [node.text for node in root.iter() if node.tag.endswith("text")]
        assert any(text.endswith(" m") or text.endswith(" km") for text in texts)


def test_hostile_words_stand_on_pages_as_text(
    shown, spoiled, published_settings, tmp_path, monkeypatch
):
    ground, run = spoiled
    told = dataclasses.replace(shown, city=public_city(ground.city), run=public_run(run))
    own = create_app(published_settings)
    site = own.extensions["saferground.site"]
    bundle = put_bundle(tmp_path, "release-a", lambda: map_files(*spoiled, ("en",)))
    monkeypatch.setattr(site, "shown", lambda _slug=None: told)
    monkeypatch.setattr(site, "bundle", lambda _shown: bundle)
    client = own.test_client()
    for path in ("/", "/zones/", "/map"):
        text = client.get(path).get_data(as_text=True)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_file_that_broke_off_is_never_taken_for_the_whole(tmp_path, monkeypatch):
    open_file = os.fdopen

    class Full:
        def __init__(self, handle):
            self.file = open_file(handle, "wb")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            self.file.write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("app.maps.bundle.os.fdopen", lambda handle, _: Full(handle))
        with pytest.raises(OSError, match="No space left"):
            put_file(tmp_path, "release-a", "names", b'{"whole": true}')
    assert list((tmp_path / "release-a").iterdir()) == []
    folder, name = put_file(tmp_path, "release-a", "names", b'{"whole": true}')
    assert (tmp_path / folder / name).read_bytes() == b'{"whole": true}'
