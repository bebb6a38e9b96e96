"""The base map as a part of a release, and as a file that browsers read in parts."""

import json

import pytest
from based import based_town

from app import create_app
from app.maps.bundle import MANIFEST
from app.public.release_reader import MAP
from geodata.releases.build import verify_release


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    settings, release = based_town(tmp_path_factory.mktemp("based"))
    return settings, release, create_app(settings)


@pytest.fixture(scope="module")
def address(shown):
    _, release, app = shown
    page = app.test_client().get("/map")
    assert page.status_code == 200
    name = json.loads(release.read(f"{MAP}/{MANIFEST}"))["en"]["tiles"]
    return f"/maps/release-{release.id}/{name}"


@pytest.fixture
def client(shown):
    return shown[2].test_client()


def test_a_release_lists_it_with_its_digest_and_tells_when_it_was_changed(shown, address):
    settings, release, _ = shown
    name = f"{MAP}/{address.rpartition('/')[2]}"
    entry = next(one for one in release.manifest.files if one.name == name)
    assert release.read(name).startswith(b"PMTiles")
    assert entry.bytes == len(release.read(name))
    assert verify_release(settings.releases, release.id)[1] == ()
    path = release.path / name
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-1] + b"x")
    assert f"{name} differs from its digest" in verify_release(settings.releases, release.id)[1]
    path.write_bytes(content)


def test_both_languages_share_it_and_the_page_draws_it_alone(shown, client, address):
    document = json.loads(shown[1].read(f"{MAP}/{MANIFEST}"))
    assert document["en"]["tiles"] == document["es"]["tiles"]
    page = client.get("/map").get_data(as_text=True)
    assert "protomaps-leaflet.js" in page
    folder = f"/maps/release-{shown[1].id}/"
    script = client.get(folder + document["en"]["script"], buffered=True).text
    assert "SaferGround.tiles(" in script
    assert "SaferGround.base(" not in script


def test_the_page_of_the_folder_carries_all_that_draws_it(shown, address):
    release = shown[1]
    for name in ("site/page/protomaps-leaflet.js", "site/page/base-map.js"):
        assert name in release.files
    page = release.read("index.html").decode()
    assert f'data-tiles="{address.rpartition("/")[2]}"' in page


def test_a_part_is_sent_where_one_is_requested(client, address):
    whole = client.get(address, buffered=True)
    assert whole.status_code == 200
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Type"] == "application/vnd.pmtiles"
    assert "immutable" in whole.headers["Cache-Control"]
    assert "Content-Encoding" not in whole.headers
    part = client.get(
        address, headers={"Range": "bytes=0-126", "Accept-Encoding": "br, gzip"}, buffered=True
    )
    assert part.status_code == 206
    assert part.data == whole.data[:127]
    assert part.headers["Content-Range"] == f"bytes 0-126/{len(whole.data)}"
    assert part.headers["ETag"] == whole.headers["ETag"]


def test_a_part_of_another_version_is_the_whole(client, address):
    etag = client.get(address, buffered=True).headers["ETag"]
    same = client.get(address, headers={"Range": "bytes=0-6", "If-Range": etag}, buffered=True)
    assert (same.status_code, same.data) == (206, b"PMTiles")
    other = client.get(
        address, headers={"Range": "bytes=0-6", "If-Range": '"other"'}, buffered=True
    )
    assert other.status_code == 200
    assert len(other.data) > 7


@pytest.mark.parametrize(
    "asked", ["bytes=99999999-", "bytes=99999999-99999999", "bytes=9-3", "lines=1-2"]
)
def test_a_part_that_there_is_not_is_no_fault_of_the_server(client, address, asked):
    answer = client.get(address, headers={"Range": asked}, buffered=True)
    assert answer.status_code in ((416,) if "99999999" in asked else (200, 416))


def test_a_city_without_shapes_has_a_map_all_the_same(tmp_path):
    settings, release = based_town(tmp_path, base=False)
    assert not any(name.endswith(".pmtiles") for name in release.files)
    page = create_app(settings).test_client().get("/map").get_data(as_text=True)
    assert "protomaps-leaflet.js" not in page
