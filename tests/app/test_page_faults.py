"""Faults that show on the face of a page, looked for on every page that links lead to."""

import re
import shutil

import pytest
from crawling import crawl, uneven_tables
from staffing import Office

from geodata.roles import ROLES

PUBLIC = ("/", "/map", "/zones/?district=D1", "/measures/", "/data/", "/methods/", "/?lang=es")
STAFF = ("/analyst/", "/command/", "/account", "/admin/people", "/admin/audit")
CITY = re.compile(r"^/(analyst|command|staff)/[^/?]+/")
TOLD = " Atlantic/Azores</span>"  # whose clocks they are, in either language
RAW = re.compile(r">\s*(None|nan|NaN|\[\]|\{\}|undefined|Undefined)\s*<")


def faults_of(pages):
    for address, answer, page in pages:
        assert answer.status_code < 500, address
        if page is None:
            continue
        if uneven := uneven_tables(answer.text):
            yield address, f"rows of a table of other widths than its head: {uneven}"
        if raw := RAW.search(answer.text):
            yield address, f"a value that is no word: {raw[0]}"


@pytest.fixture(scope="module")
def staff_pages(demo_settings, tmp_path_factory):
    """Every staff page of the demonstration city that links lead to."""
    folder = tmp_path_factory.mktemp("faults")
    shutil.copytree(demo_settings.instance.parent, folder, dirs_exist_ok=True)
    office = Office(f"sqlite:///{folder / 'saferground.sqlite'}", folder / "instance")
    districts = [f"alder-falls/D{n}" for n in range(1, 6)]
    office.add("eve", *ROLES, districts=districts)
    browser = office.client("eve")
    yield crawl(lambda address: browser.get(address, buffered=True), STAFF, each=2, most=150)
    office.close()


def test_public_pages_have_no_such_fault(published_app):
    client = published_app.test_client()
    pages = crawl(client.get, PUBLIC, each=2, most=150)
    assert len(pages) > 40
    assert list(faults_of(pages)) == []


def test_staff_pages_have_no_such_fault(staff_pages):
    assert len([1 for _, answer, page in staff_pages if page]) > 25
    assert list(faults_of(staff_pages)) == []


def test_every_clock_on_pages_of_a_city_is_the_citys_and_says_so(staff_pages):
    of_city = [(a, answer.text) for a, answer, page in staff_pages if page and CITY.match(a)]
    assert len(of_city) > 15
    assert [address for address, text in of_city if re.search(r"\d\d:\d\d UTC(?![+-])", text)] == []
    assert any(re.search(r"\d\d:\d\d UTC[+-]", text) for _, text in of_city)
    assert [a for a, text in of_city if TOLD not in text and "city-name" in text] == []
