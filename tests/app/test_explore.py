import csv
import io
import re

import pytest

from app.public.area_reports import circle_text

CENTRE = "35.9965,-39.4965"
CIRCLE = "35.99650,-39.49650,700"
POLYGON = "35.99000,-39.50500;35.99000,-39.48500;36.00500,-39.48500"


def hidden(html, pattern):
    """Tell of each element that fits whether it is hidden."""
    return ["hidden" in tag for tag in re.findall(pattern, html)]


def test_one_choice_filters_zones_figures_and_tables(client):
    whole = client.get("/map").text
    part = client.get("/map?district=D3&class=single").text
    assert not any(hidden(whole, r"<tr data-zone=[^>]*>"))
    for tag in re.findall(r"<tr data-(?:zone|row)=[^>]*>", part):
        assert ("hidden" in tag) == ('"D3"' not in tag)
    assert '<option value="single" selected>' in part
    told = [int(re.search(r'id="activity-told"[^>]*>(\d+) alert', one)[1]) for one in (whole, part)]
    in_d3 = re.search(r'data-layer="alerts" data-district="D3">(\d+)<', part)[1]
    assert told[0] > told[1] == int(in_d3)


def test_classes_of_alerts_add_up_to_all_of_them(client):
    pattern = r'id="activity-told"[^>]*>(\d+) alert'
    numbers = [
        int(re.search(pattern, client.get(f"/map?class={one}").text)[1])
        for one in ("", "single", "multiple", "probable", "other")
    ]
    assert sum(numbers[1:]) == numbers[0] > max(numbers[1:])


def test_layers_of_the_address_are_told_and_no_others(client):
    both = client.get("/map?layers=zones,alerts,complaints").text
    assert re.search(r'id="activity-told"[^>]*>\d+ alerts? and \d+ complaint', both)
    assert re.search(
        r'id="activity-told"[^>]*>\d+ complaint', client.get("/map?layers=complaints").text
    )
    form = client.get("/map?layers=surface&layers=complaints").text
    boxes = re.findall(r'name="layers" value="(\w+)" checked', form)
    assert boxes == ["surface", "complaints"]
    none = client.get("/map?layers=none").text
    assert "Neither alerts nor complaints are shown" in none
    assert not re.findall(r'name="layers" value="(\w+)" checked', none)


@pytest.mark.parametrize(
    "query",
    [
        "district=D9",
        "class=loud",
        "layers=secrets",
        "measure=officers",
        "at=here",
        "at=91,0",
        "at=1",
        "at=nan,1",
        "circle=35.9965,-39.4965",
        "circle=35.9965,-39.4965,5",
        "circle=35.9965,-39.4965,90000",
        "circle=35.9965,-39.4965,inf",
        "circle=10,10,500",
        "polygon=36,-39.5;36,-39.49",
        "polygon=36,-39.5;36.01,-39.49;36,-39.49;36.01,-39.5",
        "polygon=36,-39.5;36,-39.4999;36.0001,-39.5",
        "polygon=30,-45;30,-30;45,-30",
        "polygon=" + ";".join(["36,-39.5"] * 61),
        f"circle={CIRCLE}&polygon={POLYGON}",
    ],
)
def test_what_cannot_be_is_the_askers_fault(client, query):
    response = client.get(f"/map?{query}")
    assert response.status_code == 400
    assert "This address asks for something that cannot be" in response.text


@pytest.mark.parametrize("path", ["/map/here", "/map/area.csv", "/map/area.svg"])
def test_a_place_or_area_must_be_named(client, path):
    assert client.get(path).status_code == 400


def test_a_place_is_found_by_name_or_intersection(client):
    page = client.get("/map?place=market+loop+%26+canal+rd&district=D5").text
    link = re.search(r'<a href="([^"]+)">Canal Road &amp; Market Loop</a>', page)[1]
    assert "district=D5" in link
    here = client.get(link.replace("&amp;", "&")).text
    assert "At Canal Road &amp; Market Loop" in here
    assert "Nothing is called that here" in client.get("/map?place=zzzz").text
    assert "do not meet" in client.get("/map?place=harbor+road+and+beltline").text or (
        "Beltline Road &amp; Harbor Road" in client.get("/map?place=harbor+road+and+beltline").text
    )


def test_what_was_typed_is_never_markup(client):
    for query in ("place=<img src=x>", "centre=<img src=x>"):
        path = "/map" if query.startswith("place") else "/map/area"
        assert "<img src=x>" not in client.get(f"{path}?{query}").text


def test_a_place_is_told_in_words(client, shown):
    zone = shown.run.zones.iloc[0]
    spot = shown.run.zones.geometry.representative_point().to_crs(4326).iloc[0]
    page = client.get(f"/map?at={spot.y:.5f},{spot.x:.5f}").text
    here = re.search(r'<div id="here".*?</div>', page, re.DOTALL)[0]
    name = re.search(r"<h1[^>]*>([^<]+)</h1>", client.get(f"/zones/{zone['id']}").text)[1]
    assert re.search(rf"/zones/{zone['id']}[^>]*>{re.escape(name)}</a>", here)
    assert "incidents are" in here
    assert "Risk by the surroundings alone" in here
    assert "approximate area" in here
    alone = client.get(f"/map/here?at={spot.y:.5f},{spot.x:.5f}").text
    assert re.search(r"<dl.*?</dl>", alone, re.DOTALL)[0] in here
    assert "<script" not in alone


def test_a_place_outside_is_told_to_be_outside(client):
    assert "lies outside of the city" in client.get("/map?at=36.5,-39.4965").text


def test_a_typed_middle_leads_to_the_report(client):
    response = client.get(f"/map/area?centre={CENTRE}&radius_m=700&class=single")
    assert response.status_code == 302
    assert response.location.endswith("&class=single")
    assert circle_text(35.9965, -39.4965, 700).replace(",", "%2C") in response.location.replace(
        ",", "%2C"
    )
    named = client.get("/map/area?centre=downtown&radius_m=900").text
    link = re.search(r'<a href="([^"]+)">Downtown</a>', named)[1].replace("&amp;", "&")
    report = client.get(link, follow_redirects=True)
    assert report.status_code == 200
    assert "900 m around" in report.text


@pytest.mark.parametrize("area", [f"circle={CIRCLE}", f"polygon={POLYGON}"])
def test_the_report_and_its_table_say_the_same(client, area):
    query = f"{area}&from=2025-01-06&to=2025-12-22"
    page = client.get(f"/map/area?{query}").text
    content = client.get(f"/map/area.csv?{query}")
    assert content.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(content.text)))
    risk = [float(row["value"]) for row in rows if row["section"] == "risk"]
    assert sum(risk) == pytest.approx(1, abs=0.001)
    (alerts,) = [r for r in rows if (r["section"], r["what"]) == ("alerts", "mostly within")]
    assert int(alerts["least"]) <= int(alerts["value"]) <= int(alerts["most"])
    assert f'<strong class="big">{alerts["value"]}</strong>' in page
    months = [
        r for r in rows if r["section"] == "alerts" and re.fullmatch(r"\d{4}-\d\d", r["what"])
    ]
    assert len(months) == 12
    assert sum(int(row["value"]) for row in months) == int(alerts["value"]) > 0
    zones = {row["what"] for row in rows if row["section"].startswith("zone")}
    titles = dict(re.findall(r"/zones/([\w-]+)[^>]*>([^<]+)</a>", page))
    assert zones == set(titles) == set(re.findall(r"/zones/([\w-]+)", page))
    picture = client.get(f"/map/area.svg?{area}")
    assert picture.mimetype == "image/svg+xml"
    assert b"stroke-dasharray" in picture.data


def test_districts_are_coloured_by_a_measure_and_told_in_a_table(client):
    page = client.get("/map?measure=alerts.count").text
    shades = re.findall(
        r'<tr data-code="(\w+)" data-shade="(#\w+)?"><th[^>]*>[^<]*</th><td[^>]*>([^<]+)', page
    )
    numbers = {code: int(re.sub(r"\D", "", figure)) for code, _, figure in shades}
    colours = {code: colour for code, colour, _ in shades}
    assert len(numbers) == 5
    assert colours[max(numbers, key=numbers.get)] != colours[min(numbers, key=numbers.get)]
    assert 'value="surface" data-default' not in page  # darker cells would hide darker districts
    assert '<option value="alerts.count" selected>' in page
    hidden_counts = client.get("/map?measure=alerts.guns").text
    assert "data-shade" in hidden_counts
