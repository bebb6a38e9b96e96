"""Releases on the workbench: what will be public is read, decided and taken back."""

import datetime as dt
import json
import re
import shutil

import pytest
from ready import make_ready
from releasing import Publisher, keep_run, tell_initiatives, town_run
from staffing import Office, keep_city

from app.jobs.kinds import Tools, read_task
from app.site_documents import site_files
from geodata.db.engine import open_database
from geodata.errors import ReleaseError
from geodata.releases.build import approve_release, draft_release
from geodata.releases.folder import ReleaseFolder
from geodata.repositories import job_queue, people

FIRST, SECOND = dt.date(2024, 4, 29), dt.date(2024, 6, 3)  # a month ends between them
LISTED, BELOW = "/analyst/town/releases", "/analyst/town/preview"
JOBS = "/analyst/town/jobs"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town with one approved release and a draft of another run, whose second zone moved."""
    folder = tmp_path_factory.mktemp("drafting")
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    make_ready(url)
    database = open_database(url)
    Publisher(folder).bring(database)
    keep_run(database, town_run())
    tell_initiatives(database, folder)
    root = folder / "releases"
    first = draft_release(database, root, "town", "ana", pages=site_files, today=FIRST)
    approve_release(database, root, first.id, "ben")
    later = dt.datetime(2026, 2, 2)
    keep_run(database, town_run("b" * 12, move=600), created_at=later)
    draft = draft_release(database, root, "town", "ana", pages=site_files, today=SECOND)
    database.close()
    return folder, first.id, draft.id


@pytest.fixture
def office(town, tmp_path):
    folder, first, draft = town
    shutil.copytree(folder, tmp_path / "town")
    made = Office(f"sqlite:///{tmp_path / 'town' / 'saferground.sqlite'}", tmp_path / "town")
    made.first, made.draft = first, draft
    made.page = f"{LISTED}/{draft}"
    made.add("ana", "analyst", "publisher")
    made.add("pia", "publisher")
    made.add("vic", "viewer")
    yield made
    made.close()


def tools(office):
    return Tools(database=office.database, settings=office.settings, who="pia")


def current(office):
    return ReleaseFolder.current(office.settings.releases, "town").id


def test_the_list_tells_what_is_public_now(office):
    page = office.client("vic").get(LISTED).text
    assert page.index(office.draft) < page.index(office.first), "the newest draft comes first"
    row = page[page.index(office.first) :]
    assert "public now" in row
    assert page.count("public now") == 1
    assert "1 zone new, 1 zone gone" in page
    assert "Draft a release" not in page, "a viewer drafts nothing"
    assert "Draft a release" in office.client("ana").get(LISTED).text


def test_publishers_find_what_waits_for_them_where_they_begin(office):
    pia = office.client("pia")
    home = pia.get("/analyst/").text
    assert f'href="{office.page}"' in home
    assert "Read it and decide" in home
    assert office.first not in home
    own = office.client("ana").get("/analyst/").text
    assert "It is yours, so somebody else has to approve it." in own
    assert office.draft not in office.client("vic").get("/analyst/").text
    assert pia.send(f"{office.page}/approve", page=office.page, sure="y").status_code == 303
    assert "Drafts that wait" not in pia.get("/analyst/").text


def test_a_preview_is_asked_for_as_a_job_and_its_pages_stand_behind_the_sign_in(office):
    vic = office.client("vic")
    assert "No preview yet" in vic.get(LISTED).text
    answer = office.client("pia").send(BELOW, page=LISTED)
    with office.database.session() as session:
        (job,) = job_queue.list_jobs(session, "town")
    assert (job.kind, job.asked_by, answer.location) == ("preview", "pia", f"{JOBS}/{job.id}")
    assert "A preview is being made" in vic.get(LISTED).text
    made = read_task("preview", job.arguments).work(tools(office), lambda *_: None)
    listed = vic.get(LISTED).text
    assert f'href="{BELOW}/"' in listed
    manifest = (office.settings.previews / "town" / made.preview / "manifest.json").read_text()
    assert f"through {json.loads(manifest)['through']}" in listed
    assert "Make it anew" not in listed, "a viewer makes none"
    page = vic.get(f"{BELOW}/data/")
    assert made.preview in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert f'<a href="{LISTED}">Make it anew</a>' in page.text
    assert office.client().get(f"{BELOW}/data/").location.startswith("/login")
    assert made.preview not in office.client().get("/data/").text
    assert vic.get("/analyst/atlantis/preview/").status_code == 404
    assert vic.get(f"{BELOW}/nothing").status_code == 404


def test_an_approver_sees_every_page_of_a_draft_as_it_will_be(office):
    pia, paths = office.client("pia"), ("", "zones/", "measures/?period=all", "data/", "methods/")
    answer = pia.send(BELOW, page=office.page, release=office.draft)
    assert answer.location == f"{BELOW}/"
    before = [pia.get(f"{BELOW}/{path}").text for path in paths]
    pia.send(f"{office.page}/approve", page=office.page, sure="y")
    for path, text in zip(paths, before, strict=True):
        told = re.sub(r'<aside class="staleness"[^>]*><strong>Preview.*?</aside>', "", text)
        assert told.replace(f"{BELOW}/", "/") == pia.get(f"/{path}").text
    assert pia.send(BELOW, page=LISTED, release="0" * 12).status_code == 404


def test_a_draft_of_another_city_is_no_preview_of_this_one(office):
    keep_city(office.database, "other")
    answer = office.client("pia").send("/analyst/other/preview", page=LISTED, release=office.draft)
    assert answer.status_code == 404
    assert not (office.settings.previews / "other").exists()


def test_a_draft_is_asked_for_as_a_job_of_whoever_asks(office):
    answer = office.client("ana").send(LISTED, city="town")
    assert answer.status_code == 303
    with office.database.session() as session:
        (job,) = job_queue.list_jobs(session, "town")
    assert (job.kind, job.asked_by, job.state) == ("draft", "ana", "waiting")
    assert answer.location == f"/analyst/town/jobs/{job.id}"
    assert "A draft is being made" in office.client("vic").get(LISTED).text


def test_the_page_shows_what_will_be_public_and_what_changed(office):
    page = office.client("pia").get(office.page).text
    assert "keep every rule" in page
    assert "Of the zones, 1 stay, 1 are new and 1 are no longer zones." in page
    with_changes = page[page.index("Figures of the last 12 months") : page.index("What will be")]
    assert "alerts.count" in with_changes
    assert "data/alerts.csv" in page
    assert "Approve: make it public" in page


def test_the_map_tells_zones_that_stay_come_and_go(office):
    browser = office.client("vic")
    told = browser.get(f"{office.page}/zones.json").get_json()
    layers = {layer["name"]: layer for layer in told["layers"]}
    zones = [one["properties"] for one in layers["zones"]["shapes"]["features"]]
    assert sorted(one["key"] for one in zones) == [0, 1]
    (gone,) = layers["gone"]["shapes"]["features"]
    assert gone["properties"]["tip"].endswith("no longer a zone")
    first = browser.get(f"{LISTED}/{office.first}/zones.json").get_json()
    assert [layer["name"] for layer in first["layers"]] == ["districts", "zones"]
    assert [key["label"] for key in first["layers"][1]["keys"]] == ["Zones of this release"]
    assert {one["properties"]["key"] for one in first["layers"][1]["shapes"]["features"]} == {0}
    south, west, north, east = told["bounds"]
    assert south < gone["geometry"]["coordinates"][0][0][1] + 0.01 < north + 0.02
    assert west < east


def test_files_are_sent_as_they_will_be_public_and_no_others(office):
    browser = office.client("vic")
    answer = browser.get(f"{office.page}/files/data/zones.geojson")
    folder = ReleaseFolder(path=office.settings.releases / "town" / office.draft)
    assert answer.data == folder.read("data/zones.geojson")
    assert "attachment" in answer.headers["Content-Disposition"]
    page = browser.get(f"{office.page}/files/index.html")
    assert page.mimetype == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    manifest = browser.get(f"{office.page}/files/manifest.json")
    assert manifest.data == (folder.path / "manifest.json").read_bytes()
    assert f"{office.draft}-manifest.json" in manifest.headers["Content-Disposition"]
    for name in ("approval.json", "../current.json", "data/none.csv"):
        assert browser.get(f"{office.page}/files/{name}").status_code == 404


def test_a_publisher_approves_after_saying_that_it_was_read(office):
    browser = office.client("pia")
    answer = browser.send(f"{office.page}/approve", page=office.page)
    assert answer.status_code == 422
    assert "tick the box" in answer.text
    assert current(office) == office.first
    answer = browser.send(f"{office.page}/approve", page=office.page, sure="y")
    assert answer.status_code == 303, answer.text
    assert current(office) == office.draft
    (entry,) = office.entries("release.approve")[:1]
    assert (entry.person, entry.object) == ("pia", office.draft)
    assert "Approve: make it public" not in browser.get(office.page).text


def test_nobody_approves_what_they_drafted(office):
    browser = office.client("ana")
    assert "You drafted it" in browser.get(office.page).text
    answer = browser.send(f"{office.page}/approve", page=LISTED, sure="y")
    assert answer.status_code == 422
    assert "needs another person" in answer.text
    assert current(office) == office.first


def test_a_viewer_sees_that_a_publisher_has_to_approve(office):
    assert "A publisher has to approve it." in office.client("vic").get(office.page).text


def test_a_broken_draft_is_told_and_cannot_be_approved(office):
    file = office.settings.releases / "town" / office.draft / "data" / "alerts.csv"
    file.chmod(0o644)
    file.write_text("other\n")
    browser = office.client("pia")
    page = browser.get(office.page)
    assert page.status_code == 200
    assert "data/alerts.csv differs from its digest" in page.text
    assert "Approve: make it public" not in page.text
    answer = browser.send(f"{office.page}/approve", page=LISTED, sure="y")
    assert answer.status_code == 422
    assert current(office) == office.first


def test_a_draft_is_returned_with_a_reason_and_can_never_be_approved(office):
    pia, ana, vic = (office.client(name) for name in ("pia", "ana", "vic"))
    assert "Return the draft" not in vic.get(office.page).text
    answer = pia.send(f"{office.page}/return", page=office.page, reason=" ")
    assert answer.status_code == 422
    assert "say why" in answer.text
    answer = pia.send(f"{office.page}/return", page=office.page, reason="The <b>map</b> is old")
    assert answer.status_code == 303, answer.text
    page = pia.get(office.page).text
    assert "It was returned and cannot be approved." in page
    assert "The &lt;b&gt;map&lt;/b&gt; is old" in page
    assert "Approve: make it public" not in page
    (entry,) = office.entries("release.return")
    assert (entry.person, entry.object) == ("pia", office.draft)
    answer = pia.send(f"{office.page}/approve", page=LISTED, sure="y")
    assert answer.status_code == 422
    assert "approve a new draft instead" in answer.text
    answer = pia.send(f"{office.page}/return", page=LISTED, reason="twice")
    assert answer.status_code == 422
    assert current(office) == office.first
    assert "was returned" in ana.get("/analyst/").text, "it waits for who drafted it"
    assert office.draft not in pia.get("/analyst/").text
    assert f"Draft {office.draft} waits for ana" in vic.get(LISTED).text
    with pytest.raises(ReleaseError, match=r"nothing has changed since pia returned draft"):
        again(office, SECOND)
    new = again(office, SECOND, run="a" * 12)
    assert pia.send(f"{LISTED}/{new.id}/approve", page=LISTED, sure="y").status_code == 303
    assert current(office) == new.id
    assert "Who waits for whom" not in vic.get(LISTED).text


def again(office, today, run=None):
    root = office.settings.releases
    return draft_release(
        office.database, root, "town", "ana", pages=site_files, today=today, run=run
    )


def test_the_list_says_who_waits_for_whom_and_how_long(office):
    office.now = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(hours=3)
    vic = office.client("vic")
    page = vic.get(LISTED).text
    assert f"Draft {office.draft} waits for a second person" in page
    assert "ana drafted it 3 h ago" in page
    assert "It may be approved by pia." in page, "not by ana, who drafted it"
    with office.database.session(write=True) as session:
        people.change_state(session, "pia", people.DISABLED, "root", office.now)
    page = vic.get(LISTED).text
    assert "There is no publisher but the drafter" in page


def test_a_release_is_withdrawn_with_a_reason_that_is_kept(office):
    browser, page = office.client("pia"), f"{LISTED}/{office.first}"
    answer = browser.send(f"{page}/withdraw", page=page, why="  ")
    assert answer.status_code == 422
    assert "say why" in answer.text
    why = "The <b>borders</b> {{ 7*7 }} were old"
    answer = browser.send(f"{page}/withdraw", page=page, why=why)
    assert answer.status_code == 303, answer.text
    assert ReleaseFolder.current(office.settings.releases, "town") is None
    shown = browser.get(page).text
    assert "The &lt;b&gt;borders&lt;/b&gt; {{ 7*7 }} were old" in shown
    answer = browser.send(f"{page}/withdraw", page=LISTED, why="again")
    assert answer.status_code == 422
    assert "was withdrawn before" in answer.text


def test_a_release_of_another_city_or_none_is_not_there(office):
    browser = office.client("vic")
    assert browser.get(f"{LISTED}/none").status_code == 404
    assert browser.get(f"/analyst/other/releases/{office.draft}").status_code == 404
    assert browser.get("/analyst/other/releases").status_code == 404
