import json
import re

import pytest

PATHS = ("/embed/zones", "/embed/zones?district=D1", "/embed/measure/alerts.count")


@pytest.mark.parametrize("path", PATHS)
def test_any_site_may_frame_it_and_nothing_else_is_let_in(published, path):
    answer = published.client.get(path)
    assert answer.status_code == 200
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["frame-ancestors"] == "*"
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["form-action"] == "'none'"
    assert "script-src" not in policy
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "X-Frame-Options" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    html = answer.get_data(as_text=True)
    assert "<script" not in html
    assert not re.search(r"\s(?:style|on\w+)\s*=", html)


@pytest.mark.parametrize("path", ["/data/", "/accountability/", "/accessibility/", "/zones/", "/"])
def test_no_other_page_may_be_framed(published, path):
    policy = published.client.get(path).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", PATHS)
def test_it_says_what_of_which_days_and_from_where(published, path):
    html = published.client.get(path).get_data(as_text=True)
    assert html.count("<h1>") == 1
    assert "Data through May 27, 2024" in html
    assert published.current.id in html
    links = re.findall(r"<a [^>]*>", html)
    assert len(links) == 1
    assert 'target="_blank" rel="noopener"' in links[0]


def test_zones_are_drawn_and_counted(published):
    html = published.client.get("/embed/zones").get_data(as_text=True)
    assert html.count('class="embed-zone"') == 2
    assert html.count('class="embed-district"') == 2
    one = published.client.get("/embed/zones?district=D2").get_data(as_text=True)
    assert one.count('class="embed-zone"') == 1
    numbers = [float(n) for n in re.findall(r"[ML](-?\d+\.\d) ", html)]
    assert min(numbers) >= -0.1
    assert max(numbers) <= 640.1


def test_a_measure_tells_its_figure_or_why_there_is_none(published):
    rows = {
        (m["id"], f["district"]): f
        for m in json.loads(published.current.read("data/measures.json"))["measures"]
        for f in m["figures"]
        if f["period"] == "last 12 months"
    }
    count = rows["alerts.count", ""]["value"]
    html = published.client.get("/embed/measure/alerts.count").get_data(as_text=True)
    assert f"<strong>{count}</strong>" in html
    hidden = next(key for key, figure in rows.items() if figure["shown"])
    address = f"/embed/measure/{hidden[0]}?district={hidden[1]}"
    told = published.client.get(address).get_data(as_text=True)
    assert rows[hidden]["shown"].capitalize() in told
    assert "<strong>" not in told.split("embed-figure")[1].split("</p>")[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/embed/measure/none", 404),
        ("/embed/measure/%3Cscript%3E", 404),
        ("/embed/zones?district=%22%3E%3Cscript%3E", 400),
        ("/embed/", 404),
    ],
)
def test_what_is_not_there_is_said_within_the_policy(published, path, status):
    answer = published.client.get(path)
    assert answer.status_code == status
    assert "<script>" not in answer.get_data(as_text=True)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_of_data_gives_the_code_to_copy(published):
    html = published.client.get("/data/").get_data(as_text=True)
    assert "&lt;iframe src=&#34;" in html or '&lt;iframe src="http://localhost/embed/zones"' in html
    assert "http://localhost/embed/measure/" in html
