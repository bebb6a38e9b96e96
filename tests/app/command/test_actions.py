import io
import re

import pytest
from patrolling import HOSTILE
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.usecases import photos
from geodata.repositories import people
from geodata.repositories.actions import get_action

LIST = "/command/town/D1/actions"
FIELDS = {
    "zone": "z1",
    "factor": "bars",
    "kind": "lighting",
    "what": "Two lamps are out behind the lot",
    "owner": "Street lighting",
    "due": "2026-03-10",
    "state": "open",
    "cost": "1,200",
}


def make(browser, **change):
    answer = browser.send(f"{LIST}/new", **{**FIELDS, **change})
    assert answer.status_code == 303, answer.text
    return answer.location


def version(browser, at):
    return re.search(r'name="version" value="(\d*)"', browser.get(at).text)[1]


def picture(colour="red"):
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras"
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


def send_photo(browser, at, content=None, **change):
    told = {"stage": "before", "told": "the dark lot", **change}
    content = picture() if content is None else content
    file = FileStorage(io.BytesIO(content), filename="../x.jpg")
    values = {"csrf_token": browser.token(at), "photo": file, **told}
    boundary, body = encode_multipart(values)  # whole: the client would leave a file open
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.post(f"{at}/photos", body, content_type=kind)


def test_an_action_is_made_changed_and_every_change_told(district):
    cora = district.client("cora")
    assert "Make the first one" in cora.get(LIST).text
    at = make(cora, what=f"Lamps {HOSTILE}")
    page = cora.get(at).text
    assert "Lamps &lt;script&gt;" in page
    assert "<script>alert" not in page
    for told in ("Zone 1, answers bars", "1,200", "made the action"):
        assert told in page
    change = {**FIELDS, "version": version(cora, at), "owner": "Parks", "state": "done"}
    assert cora.send(at, **change).status_code == 303
    page = cora.get(at).text
    assert "owner Street lighting became Parks" in page
    assert "state open became done" in page
    assert "since 2026-03-04" in page
    stale = cora.send(at, **{**FIELDS, "version": "1"})
    assert (stale.status_code, "meanwhile" in stale.text) == (422, True)
    assert [e.action for e in district.entries("action")] == ["action.change", "action.add"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"zone": ""}, "choose a zone"),
        ({"zone": "other"}, "choose a zone of this district"),
        ({"factor": HOSTILE}, "none of this zone"),
        ({"kind": ""}, "choose a kind"),
        ({"what": " "}, "what is to be done"),
        ({"owner": "J. Doe, 919 555 0100"}, "no address or number of a person"),
        ({"due": "soon"}, "write the day"),
        ({"due": "0001-01-01"}, "of this century"),
        ({"state": "x"}, "choose one of"),
        ({"cost": "1.5"}, "whole number"),
        ({"cost": "9" * 30}, "whole number"),
    ],
)
def test_what_cannot_be_is_told_at_the_field_and_the_rest_stays(district, wrong, told):
    answer = district.client("ana").send(f"{LIST}/new", **{**FIELDS, **wrong})
    assert (answer.status_code, told in answer.text) == (422, True)
    kept = "Two lamps are out" if "what" not in wrong else "Street lighting"
    assert kept in answer.text


def test_lists_by_owner_and_state_are_sorted_and_paged(district):
    ana = district.client("ana")
    for i in range(27):
        make(ana, what=f"work {i:02}", owner=f"owner {i % 3}", due=f"2026-03-{i + 1:02}")
    make(ana, what="work done", state="done")
    page = ana.get(LIST).text
    assert "Page 1 of 2" in page
    assert page.count("overdue</strong>") == 3
    assert "work done" not in page
    page = ana.get(f"{LIST}?owner=owner+1&sort=due&order=down").text
    assert page.index("work 25") < page.index("work 22")
    assert "work 24" not in page
    assert "work done" in ana.get(f"{LIST}?state=done").text
    assert "No action fits" in ana.get(f"{LIST}?kind=repair").text
    for wrong in ("state=x", "sort=x", "owner=x", "zone=x", "page=-1"):
        assert ana.get(f"{LIST}?{wrong}").status_code == 400


def test_comments_are_kept_as_they_are_written(district):
    ana = district.client("ana")
    at = make(ana)
    assert ana.send(f"{at}/comments", page=at, comment=f"agreed\n{HOSTILE}").status_code == 303
    page = ana.get(at).text
    assert "agreed\n&lt;script&gt;" in page
    assert ana.send(f"{at}/comments", page=at, comment=" ").status_code == 422


def test_photos_are_stripped_kept_apart_and_shown_to_the_district_alone(district):
    ana = district.client("ana")
    at = make(ana)
    assert send_photo(ana, at, told=f"the lot {HOSTILE}").status_code == 303
    address = re.search(r'<img src="([^"]+)"', ana.get(at).text)[1]
    shown = ana.get(address)
    assert shown.mimetype == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Cache-Control"] == "no-store"
    assert b"Maker" not in shown.data
    (file,) = district.settings.photos.iterdir()
    assert photos.NAME.fullmatch(file.name)
    assert [(e.person, e.details["action"]) for e in district.entries("action.photo_seen")] == [
        ("ana", 1)
    ]
    dee = district.client("dee")
    assert dee.get(address).status_code == 403
    assert dee.get(address.replace("/D1/", "/D2/")).status_code == 404
    assert dee.get(f"/static/../photos/{file.name}").status_code == 404
    remove = address.removesuffix(".jpg") + "/remove"
    assert ana.send(remove, page=at).status_code == 422
    assert file.exists()
    assert ana.send(remove, page=at, sure="y").status_code == 303
    assert not file.exists()
    assert ana.get(address).status_code == 404


def test_photos_that_cannot_be_taken_leave_no_file(district):
    ana = district.client("ana")
    at = make(ana)
    for answer, told in (
        (send_photo(ana, at, b"<svg/>"), "no JPEG, PNG or WebP"),
        (send_photo(ana, at, told=""), "say what it shows"),
        (send_photo(ana, at, stage="later"), "choose before or after"),
        (ana.send(f"{at}/photos", page=at, stage="before", told="x"), "choose a file"),
    ):
        assert (answer.status_code, told in answer.text) == (422, True)
    large = send_photo(ana, at, b"\0" * (photos.LARGEST + 2 * 64 * 1024))
    assert large.status_code == 413
    assert send_photo(ana, at, picture() + b"\0" * 600_000).status_code == 303  # past usual forms
    assert len(list(district.settings.photos.iterdir())) == 1


@pytest.mark.parametrize("path", ["", "/new", "/1", "/1/photos/1.jpg"])
def test_actions_are_for_the_district_alone(district, path):
    make(district.client("ana"))
    dee = district.client("dee")
    assert dee.get(f"{LIST}{path}").status_code == 403
    if path.startswith("/1"):
        assert dee.get(f"/command/town/D2/actions{path}").status_code == 404
    assert dee.send("/command/town/D1/actions/1/comments", page="/account").status_code == 403


def test_reminders_come_by_a_secret_address_until_it_is_taken_back(district):
    ana = district.client("ana")
    at = make(ana, owner="Parks; lights, and more")
    make(ana, due="")
    make(ana, state="done")
    page = ana.send("/command/reminders/make", page="/command/reminders").text
    address = re.search(r"<code>http://localhost(/[^<]+)</code>", page)[1]
    anybody = district.client()
    told = anybody.get(address)
    text = told.text.replace("\r\n ", "")
    assert told.mimetype == "text/calendar"
    assert told.headers["Cache-Control"] == "no-store"
    assert text.count("BEGIN:VEVENT") == 1
    assert "DTSTART;VALUE=DATE:20260310" in text
    assert "SUMMARY:Due: lighting\\, zone 1 of district D1 (Parks\\; lights\\, and more)" in text
    assert f"URL:http://localhost{at}" in text
    assert "lamps" not in text.lower()
    assert "This is your address" not in ana.get("/command/reminders").text
    assert anybody.get("/command/reminders/nope.ics").status_code == 404
    with district.database.session(write=True) as session:
        people.change_state(session, "ana", people.DISABLED, "root", district.now)
    assert anybody.get(address).status_code == 404
    with district.database.session(write=True) as session:
        people.change_state(session, "ana", people.ACTIVE, "root", district.now)
    assert anybody.get(address).status_code == 200
    district.wait(minutes=2)
    ana = district.client("ana")
    assert ana.send("/command/reminders/end", page="/command/reminders").status_code == 303
    assert anybody.get(address).status_code == 404


def test_numbers_that_no_database_knows_are_nothing(district):
    ana = district.client("ana")
    for number in ("999", "9" * 18):
        assert ana.get(f"{LIST}/{number}").status_code == 404
    with district.database.session() as session, pytest.raises(LookupError):
        get_action(session, 1, 1)
