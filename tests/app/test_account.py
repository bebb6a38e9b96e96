import csv
import io
import re

import pytest

from app.i18n.numbers import Units
from app.public import accountability_pages, open_data
from app.public.method_words import plain_words


@pytest.fixture(scope="module")
def html(published):
    answer = published.client.get("/accountability/")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.fixture
def page(published):
    with published.app.test_request_context():
        yield accountability_pages.account_page(published.current, {published.withdrawn.id})


def table(published, name):
    return list(csv.DictReader(io.StringIO(published.current.read(name).decode())))


def test_every_earlier_release_is_told_with_the_figures_of_the_data(published, html, page):
    rows = table(published, "data/zones_accountability.csv")
    assert {row["release"] for row in rows} == {published.early.id, published.withdrawn.id}
    assert [row.release for row in page.rows] == [row["release"] for row in reversed(rows)]
    for row in page.rows:
        assert f"<code>{row.release}</code>" in html
    assert sum(row.withdrawn for row in page.rows) == 1
    assert 'href="/data/zones_accountability.csv"' in html
    assert published.client.get("/accountability/chart.svg").mimetype == "image/svg+xml"
    assert published.client.get("/accountability/chart.svg?narrow=1").status_code == 200


def test_the_sentence_tells_the_release_that_was_followed_longest(published, page):
    rows = table(published, "data/zones_accountability.csv")
    longest = max(rows, key=lambda row: int(row["n"]))
    assert (page.verdict.release, page.verdict.hits) == (longest["release"], longest["hits"])


@pytest.mark.parametrize(
    ("hits", "low", "high", "prior", "told"),
    [
        ("0.1", "0.05", "0.2", "0.15", "within what chance does"),
        ("0.1", "0.05", "0.2", "0.3", "more than the zones did"),
        ("0.3", "0.25", "0.4", "0.1", "fewer than the zones did"),
        ("0.3", "0.25", "0.4", "", "not known"),
    ],
)
def test_prior_counts_are_compared_without_saying_more_than_is_known(
    published, hits, low, high, prior, told
):
    row = {"hit_rate": hits, "low": low, "high": high, "prior_hit_rate": prior}
    with published.app.test_request_context():
        assert told in accountability_pages._beside(row)


def test_districts_are_set_side_by_side_and_each_column_adds_up(published, html, page):
    rows = table(published, "data/districts.csv")
    for key in ("area_share", "zones_share", "alerts_share"):
        assert sum(float(row[key]) for row in rows) == pytest.approx(1, abs=1e-3)
    assert page.district_heads[:2] == ("Area", "Residents")
    assert "Incidents" in page.district_heads
    alerts = table(published, "data/alerts.csv")
    counted = {row["district"]: int(row["alerts"]) for row in rows}
    span = rows[0]["from"], rows[0]["to"]
    for code, number in counted.items():
        mine = [r for r in alerts if r["district"] == code and span[0] <= r["day"] < span[1]]
        assert number == len(mine)
    assert 'href="/data/districts.csv"' in html


def test_the_people_of_zones_are_told_and_few_are_not(published, html, page):
    heads = dict(page.people.heads)
    assert heads["Whole city"] == "7,040"
    assert re.search(r"Older &lt;65\+&gt;", html)
    assert "counted in 2020" in html
    inside = next(row for row in page.people.by_district if row[:2] == ("D1", "Inside zones"))
    assert inside[2] in ("160", "fewer than 100")
    assert "cannot say who lives" not in html


def test_enforcement_is_told_by_district_as_the_measures_tell_it(published, html, page):
    rows = {
        (row["measure"], row["district"]): row
        for row in table(published, "data/measures.csv")
        if row["period"] == "last 12 months"
    }
    told = {row[0]: row[1:] for row in page.enforcement.rows}
    position = [one for one, _ in page.enforcement.heads].index("alerts.arrests")
    for code in ("D1", "D2"):
        row = rows["alerts.arrests", code]
        assert told[code][position] == (row["shown"] or row["value"])
    assert "never by zone" in html
    assert "Patrol visits" in page.enforcement.absent


def test_the_longest_bar_is_whole_and_none_is_longer(page):
    lengths = [bar.length for row in page.districts for bar in row.bars]
    assert max(lengths) == 100
    assert min(lengths) >= 0


def test_without_an_earlier_release_residents_or_enforcement_the_page_says_so(
    published, monkeypatch
):
    empty = {
        "data/residents.csv",
        "data/measures.csv",
        accountability_pages.ACCOUNT,
        "data/districts.csv",
    }
    real = open_data.table
    monkeypatch.setattr(
        open_data, "table", lambda release, name: () if name in empty else real(release, name)
    )
    text = published.client.get("/accountability/").get_data(as_text=True)
    assert "no earlier release" in text
    assert "no counts of residents" in text
    assert "no enforcement data" in text
    assert "does not tell shares by district" in text
    assert published.client.get("/accountability/chart.svg").status_code == 404


def test_the_statement_names_whom_to_ask(published):
    text = published.client.get("/accessibility/").get_data(as_text=True)
    assert "mailto:clerk@town.example" in text


def test_plain_words_take_the_numbers_of_the_rules(published):
    told = plain_words(published.current, Units("EPSG:32632"))
    assert (told.k, told.reach, told.square, told.delay) == ("8", "250 m", "500 m", "7")
    assert plain_words(published.current, Units("EPSG:2264")).reach == "820 ft"
    assert told.notices.email == "clerk@town.example"


def test_the_page_about_the_method_begins_in_plain_words(client):
    text = client.get("/methods/").get_data(as_text=True)
    plain, detail = text.split('id="detail"')
    for heading in ("What is it not?", "What it was not tested for", "How to object"):
        assert heading in plain
    assert "Who answers:" in plain
    assert "Relative risk value (RRV)" in detail
