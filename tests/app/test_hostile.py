"""Hostile words in every name that data bring and in every field of the staff's forms.

The pages are found by following links, the fields by reading the forms, so that a page that is
added is tried without being named here.
"""

import csv
import io

import pytest
from crawling import crawl, read, uneven_tables
from hostile import COMPUTED, FORMULA, MARK, STARTS, Reader, hostile_office

FIELDS = {
    "markup": MARK,
    "numbers": "9" * 400,
    "minus": "-1e309",
    "controls": "a\x00b\x1b[31m\u2028\ufeff\U000e0001",
    "path": "../../../../etc/passwd",
    "long": "long words " * 15_000,
}
ALONE = ("markup", "controls")
pytestmark = pytest.mark.postgres
LEAVES = ("/logout", "/language", "/admin/people/eve")  # would shut out whoever tries


@pytest.fixture(scope="module")
def office(tmp_path_factory, postgres_cluster):
    """The town on PostgreSQL, which refuses what SQLite would take, such as NUL."""
    made = hostile_office(tmp_path_factory.mktemp("hostile"), postgres_cluster.fresh_database())
    yield made
    made.close()


@pytest.fixture(scope="module")
def reader(office):
    return Reader(office)


@pytest.fixture(scope="module")
def pages(reader):
    return crawl(reader.get, STARTS)


def require_harmless(answer, address):
    assert answer.status_code < 500, (address, answer.status_code, answer.text[:300])
    if answer.mimetype == "text/html":
        assert read("/", answer.text).running == [], address
        assert COMPUTED not in answer.text, address
    elif answer.mimetype == "text/csv":
        cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
        assert [cell for cell in cells if cell.strip().startswith(("=", "+", "@"))] == [], address


def test_every_page_shows_hostile_names_as_text(pages):
    assert len(pages) > 12
    for address, answer, _ in pages:
        require_harmless(answer, address)
    named = [address for address, answer, page in pages if page and "&lt;script&gt;" in answer.text]
    assert len(named) > 5, "the names have to be shown for this to say anything"


def test_no_table_holds_a_formula(pages):
    tables = [answer.text for _, answer, _ in pages if answer.mimetype == "text/csv"]
    told = "'" + FORMULA.replace('"', '""')
    assert any(told in text for text in tables), "the name has to be told for this to say anything"


def test_every_row_of_every_table_is_as_wide_as_its_heads(pages):
    for address, answer, page in pages:
        if page:
            assert uneven_tables(answer.text) == [], address


def forms_of(pages):
    found = {}
    for _, _, page in pages:
        for form in page.forms if page else ():
            if not form.action.startswith(LEAVES):
                found.setdefault(form.key, form)
    return list(found.values())


def attacks(form, kind):
    """Give the fields to spoil together: all, and each alone, as one may be refused for another."""
    alone = [[name] for name in form.typed] if kind in ALONE else []
    return [form.typed, *alone]


@pytest.mark.parametrize("kind", FIELDS)
def test_every_field_takes_hostile_words(reader, pages, kind):
    forms = forms_of(pages)
    assert len(forms) > 6
    for form in forms:
        for names in attacks(form, kind):
            values = {**form.fields, **dict.fromkeys(names, FIELDS[kind])}
            if form.method == "post":
                answer = reader.send(form, values)
                assert "this form is too old" not in answer.text, "it was not even read"
            else:
                answer = reader.get(form.action, query_string=values)
            require_harmless(answer, (form.page, form.action, names, kind))


def test_ten_megabytes_are_refused_and_not_read(reader, pages):
    posted = [form for form in forms_of(pages) if form.method == "post" and not form.files]
    assert posted
    for form in posted[:6]:
        answer = reader.send(form, dict.fromkeys(form.typed or ["x"], "x" * 10_000_000))
        assert answer.status_code == 413, form.action


def test_the_pages_stand_after_all_of_it(reader, pages):
    for address, answer, _ in pages:
        if answer.status_code == 200:
            assert reader.get(address).status_code < 500, address
