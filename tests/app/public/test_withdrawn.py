"""A release that was withdrawn: no address that its pages led to gives its rows any more."""

import re
import shutil
from urllib.parse import urlsplit

import pytest
from crawling import linked
from published import publish

from app import create_app
from geodata.db.engine import open_database
from geodata.releases.build import withdraw_release
from geodata.releases.folder import ReleaseFolder

LISTING = ("/data/", "/accountability/", "/api/v1/releases", "/language")  # name all releases


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What every address gave before the withdrawal and after it, and a site that never had it."""
    town = publish(tmp_path_factory)
    client, gone = town.client, town.current
    addresses = linked(client, gone)
    before = {address: client.get(address, buffered=True) for address in addresses}
    database = open_database(town.settings.database_url)
    withdraw_release(database, town.root, gone.id, "cy", "rows of a day that was held back")
    database.close()
    after = {address: client.get(address, buffered=True) for address in addresses}
    shutil.rmtree(gone.path)
    shutil.rmtree(town.settings.maps)
    fresh = create_app(town.settings).test_client()
    never = {address: fresh.get(address, buffered=True) for address in addresses}
    return gone.id, before, after, never


def test_addresses_of_the_release_itself_are_gone(answers):
    identity, before, after, _ = answers
    own = [a for a in before if identity in a and before[a].status_code == 200]
    maps = [a for a in own if a.startswith("/maps/")]
    assert any("/activity-" in a for a in maps)
    assert any("/zones-" in a for a in maps)
    assert len(maps) > 8
    assert len(own) > 20
    for address in own:
        told = f"/data/releases/{identity}/" == urlsplit(address).path
        told |= address.startswith(f"/api/v1/releases/{identity}")
        assert (after[address].status_code == 404) != told, address
        if told:
            assert b"rows of a day that was held back" in after[address].data, address


def test_other_addresses_give_what_they_would_had_it_never_been(answers):
    identity, before, after, never = answers
    others = [a for a in before if identity not in a and not a.startswith(LISTING)]
    assert len(others) > 30
    for address in others:
        assert after[address].status_code == never[address].status_code, address
        if "zip" not in address:
            assert after[address].data == never[address].data, address
    changed = [a for a in others if before[a].data != after[a].data]
    assert len(changed) > 10, "the withdrawn release has to differ for this to say anything"


def test_no_answer_holds_a_row_of_it(answers):
    _, before, after, _ = answers
    rows = set(before["/api/v1/alerts.csv"].text.splitlines())
    own = rows - set(after["/api/v1/alerts.csv"].text.splitlines())
    assert len(own) > 10
    for address, answer in after.items():
        if answer.mimetype in ("text/csv", "text/html", "application/json"):
            assert not own & set(answer.text.splitlines()), address


def test_nothing_of_rows_may_be_kept_without_asking_again(answers):
    _, before, _, _ = answers
    for address, answer in before.items():
        if answer.status_code != 200:
            continue
        kept = answer.cache_control.max_age or 0
        ground = re.search(r"/maps/[^/]+/(base|districts|neighbourhoods|names|map|tiles)-", address)
        assert ground or (kept <= 300 and not answer.cache_control.immutable), address
        if re.search(r"/maps/[^/]+/(activity|zones|surface|overview)-", address):
            assert answer.cache_control.no_cache, address
            assert answer.headers["ETag"], address


@pytest.mark.parametrize("state", ["drafted", "approved", "withdrawn"])
def test_maps_are_served_of_approved_releases_alone(published, state, tmp_path):
    client = published.client
    client.get("/map")
    inside = published.settings.maps / f"release-{published.current.id}"
    name = next(path.name for path in inside.glob("zones-*.json"))
    root = published.root / "town"
    identity = {"drafted": "0" * 12, "approved": published.early.id}.get(
        state, published.withdrawn.id
    )
    place = root / identity
    if state == "drafted":
        shutil.copytree(published.current.path, place)
        (place / "approval.json").unlink()
    assert ReleaseFolder(path=place).state == state
    made = published.settings.maps / f"release-{identity}"
    shutil.copytree(inside, made, dirs_exist_ok=True)
    answer = client.get(f"/maps/release-{identity}/{name}", buffered=True)
    shutil.rmtree(made)
    if state == "drafted":
        shutil.rmtree(place)
    assert answer.status_code == (200 if state == "approved" else 404)
