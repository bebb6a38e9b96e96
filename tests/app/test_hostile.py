"""Hostile words in every name that data bring and in every field of the staff's forms.

The pages are found by following links, the fields by reading the forms, so that a page that is
added is tried without being named here.
"""

import json

import pytest
from crawling import crawl, read
from releasing import Publisher, town_run
from staffing import Office

from app.release_pages import site_files
from geodata.database import open_database
from geodata.publishing.release import draft_release
from geodata.roles import ROLES
from geodata.store.runs import save_run

SCRIPT = "<script>hit()</script>"
MARK = f"{SCRIPT}\"><img src=x onerror=hit()>{{{{ 1234*9 }}}}${{1234*9}}`\u202e=1+1'--"
COMPUTED = "11106"  # what a template or a script would make of 1234*9
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
STARTS = ("/analyst/", "/command/", "/admin/people", "/admin/audit", "/account")
LEAVES = ("/logout", "/language", "/admin/people/eve")  # would shut out whoever tries


@pytest.fixture(scope="module")
def office(tmp_path_factory, postgres_cluster):
    """A town of hostile names, with a run and a draft, and somebody who may do everything."""
    folder = tmp_path_factory.mktemp("hostile")
    url = postgres_cluster.fresh_database()  # it refuses what SQLite would take, such as NUL
    database = open_database(url)
    town = Publisher(folder)
    told = MARK.replace("\\", "\\\\").replace('"', '\\"')
    town.change('name = "Town"', f'name = "{told}"')
    town.change('id = "code"', 'id = "code"\nname = "name"')
    town.change('[[factors]]\nname = "bars"', f'[[factors]]\nname = "{told}"')
    town.incidents["id"] = [f"{MARK}{i}" for i in range(len(town.incidents))]
    told = json.loads((folder / "districts.geojson").read_text())
    for feature, name in zip(told["features"], (MARK, "D2"), strict=True):
        feature["properties"]["name"] = name
    (folder / "districts.geojson").write_text(json.dumps(told))
    town.bring(database)
    with database.session(write=True) as session:
        save_run(session, town_run())
    draft_release(database, folder / "releases", "town", MARK[:120], pages=site_files)
    database.close()
    made = Office(url, folder)
    made.add("ray", "viewer", display=MARK[:80])
    made.add("eve", *ROLES, districts=["town/D1"], display=MARK[:80])
    yield made
    made.close()


class Reader:
    """Somebody who is signed in, and signs in again when a form ended that."""

    def __init__(self, office):
        self.office, self.browser = office, None

    def get(self, address, **options):
        if self.browser is None or self.browser.get("/account").status_code != 200:
            self.office.wait(minutes=2)
            self.browser = self.office.client("eve")
        return self.browser.get(address, buffered=True, **options)

    def send(self, form, values):
        token = read(form.page, self.get(form.page).text).forms
        known = {name: value for one in token for name, value in one.fields.items()}
        values = {**values, "csrf_token": known.get("csrf_token", "")}
        return self.browser.post(form.action, values, buffered=True)


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
        cells = [cell for line in answer.text.splitlines() for cell in line.split(",")]
        assert [cell for cell in cells if cell.strip('"').startswith("=")] == [], address


def test_every_page_shows_hostile_names_as_text(pages):
    assert len(pages) > 12
    for address, answer, _ in pages:
        require_harmless(answer, address)
    named = [address for address, answer, page in pages if page and "&lt;script&gt;" in answer.text]
    assert len(named) > 5, "the names have to be shown for this to say anything"


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
