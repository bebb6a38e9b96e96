import re
from dataclasses import fields

import pytest

from app.i18n.numbers import share
from app.private import template_dir
from app.public import pages
from app.public.explore import MapPage
from spatial.zones.describe import reasons_of


@pytest.mark.parametrize("path", ["/", "/map", "/zones/", "/methods/", "/healthz", "/zones/none"])
def test_every_answer_carries_the_policy(client, path):
    response = client.get(path)
    assert response.status_code == (404 if path.endswith("none") else 200)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/map", "/zones/", "/methods/"])
def test_pages_hold_no_inline_script_or_style_and_name_no_other_site(client, path):
    response = client.get(path)
    assert response.status_code == 200
    html = response.get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "<style" not in html
    assert not re.search(r"\sstyle\s*=", html)
    assert not re.search(r"\son\w+\s*=", html)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)


def test_pages_say_that_the_data_are_synthetic(client, shown):
    zone = shown.run.zones["id"].iloc[0]
    for path in ("/", "/map", "/zones/", f"/zones/{zone}", "/methods/"):
        assert "Synthetic data." in client.get(path).get_data(as_text=True)


def test_every_zone_has_its_page_and_its_picture(client, shown):
    for zone in shown.run.zones.itertuples():
        page = client.get(f"/zones/{zone.id}")
        assert page.status_code == 200
        text = page.get_data(as_text=True)
        for factor in reasons_of(zone.factors):
            assert factor.name.replace("_", " ") in text
        picture = client.get(f"/zones/{zone.id}/picture.svg")
        assert picture.mimetype == "image/svg+xml"


def test_the_table_of_zones_has_each_factor_once_and_each_zone_its_shares(client, shown):
    text = client.get("/zones/").get_data(as_text=True)
    head = re.search(r"<thead>(.*?)</thead>", text, re.S)[1]
    body = re.search(r"<tbody>(.*?)</tbody>", text, re.S)[1]
    zones = list(shown.run.zones.itertuples())
    wanted = {factor.key for zone in zones for factor in reasons_of(zone.factors)}
    assert head.count("times as frequent") == len(wanted)
    assert head.count("<th ") == len(wanted) + 3
    assert "times as frequent there" not in body
    rows = dict(re.findall(r'href="/zones/([^"?]+)[^>]*>.*?</th>(.*?)</tr>', body, re.S))
    assert sorted(rows) == sorted(zone.id for zone in zones)
    for zone in zones:
        cells = re.findall(r'<td class="num"[^>]*>(.*?)</td>', rows[zone.id])
        shares = sorted(cell for cell in cells[: len(wanted)] if cell)
        assert shares == sorted(share(factor.share) for factor in reasons_of(zone.factors))


def test_zones_are_filtered_and_sorted(client, shown):
    text = client.get("/zones/?district=D3&sort=area").get_data(as_text=True)
    assert "District 1, zone" not in text
    found = re.findall(r"/zones/([a-z0-9-]+)[\"?]", text)
    own = shown.run.zones[shown.run.zones["district"] == "D3"].set_index("id")
    assert sorted(found) == sorted(own.index)
    assert list(own["area"][found]) == sorted(own["area"], reverse=True)


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/map?district=D9", 400, "D1, D2, D3, D4, D5"),
        ("/zones/?sort=name", 400, "district, surroundings, area"),
        ("/zones/?district=%00%3Cscript%3E", 400, "is not known"),
        ("/?city=atlantis", 404, "overview"),
        ("/zones/nowhere", 404, "overview"),
        ("/maps/../secrets", 404, ""),
        ("/maps/x/..%2f..%2fsaferground.sqlite", 404, ""),
        ("/nothing", 404, ""),
    ],
)
def test_a_bad_request_is_the_clients_fault_and_told(client, path, status, told):
    response = client.get(path)
    assert response.status_code == status
    text = response.get_data(as_text=True)
    assert told in text
    assert "<script>" not in text


def test_a_wrong_method_is_no_fault_of_ours(client):
    assert client.post("/map").status_code == 405


def test_health(client):
    answer = client.get("/healthz").get_json()
    assert answer["status"] == "ok"


@pytest.mark.parametrize(
    ("template", "page"),
    [
        ("home", pages.HomePage),
        ("map", MapPage),
        ("zones", pages.ZonesPage),
        ("zone", pages.ZonePage),
        ("methods", pages.MethodsPage),
    ],
)
def test_templates_read_only_what_their_page_holds(template, page):
    text = (template_dir() / "public" / f"{template}.html").read_text()
    text += (template_dir() / "public" / "_zones.html").read_text()
    used = set(re.findall(r"\bpage\.(\w+)", text))
    shared = {"district", "districts"} if template not in ("map", "zones") else set()
    assert used - shared <= {field.name for field in fields(page)}


def test_an_empty_database_says_what_to_do(tmp_path, sqlite_url, sqlite_database):
    from app import create_app
    from app.config import Settings

    settings = Settings(database_url=sqlite_url, instance=tmp_path)
    client = create_app(settings).test_client()
    for path in ("/", "/map", "/zones/", "/methods/"):
        response = client.get(path)
        assert response.status_code == 200
        assert "saferground import" in response.get_data(as_text=True)
    assert client.get("/healthz").status_code == 200
