import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published import WHY

from app import create_app
from app.config import Settings
from app.public import open_data
from app.public.open_data import RowChoice
from geodata.releases.folder import ReleaseFolder

FILES = ("alerts.csv", "alerts.geojson", "zones.csv", "zones.geojson", "measures.csv", "nothing")


def rows_of(response):
    return list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))


# -- whole files -----------------------------------------------------------------------------------


def test_every_file_of_the_release_is_listed_and_sent_as_it_was_approved(published):
    page = published.client.get("/data/").get_data(as_text=True)
    for entry in published.current.manifest.files:
        assert entry.sha256 in page
        if not entry.name.startswith("data/"):
            continue
        name = entry.name.removeprefix("data/")
        assert f'href="/data/{name}"' in page
        sent = published.client.get(f"/data/{name}")
        assert hashlib.sha256(sent.data).hexdigest() == entry.sha256
        assert sent.headers["ETag"] == f'"{entry.sha256}"'
        assert f"{published.current.id}-{name}" in sent.headers["Content-Disposition"]
        assert sent.headers["Access-Control-Allow-Origin"] == "*"


def test_types_are_those_of_the_formats(published):
    def kind(name):
        return published.client.get(f"/data/{name}").headers["Content-Type"]

    assert kind("alerts.csv") == "text/csv; charset=utf-8"
    assert kind("zones.geojson") == "application/geo+json"
    assert kind("release.gpkg") == "application/geopackage+sqlite3"
    assert kind("surface.tif") == "image/tiff"
    assert kind("manifest.json") == "application/json"


def test_what_is_known_is_not_sent_again_and_a_part_can_be_asked_for(published):
    whole = published.client.get("/data/alerts.csv")
    again = published.client.get(
        "/data/alerts.csv", headers={"If-None-Match": whole.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    part = published.client.get("/data/alerts.csv", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])


def test_a_file_that_was_changed_on_disk_is_not_sent(published, tmp_path):
    root = tmp_path / "instance"
    shutil.copytree(published.settings.instance, root)
    file = root / "releases" / "town" / published.current.id / "data" / "zones.csv"
    file.chmod(0o644)
    file.write_text("id\nforged\n")
    app = create_app(Settings(database_url=published.settings.database_url, instance=root))
    for path in ("/data/zones.csv", "/data/all.zip"):
        answer = app.test_client().get(path)
        assert answer.status_code == 503
        assert "forged" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
        "/data/nothing.csv",
        "/data/..%2f..%2ftown.sqlite",
        "/data/approval.json",
        "/data/site%2fcontact.json",
        "/data/releases/nowhere/",
        "/data/releases/%2e%2e/",
        "/data/releases/" + "9" * 300 + "/alerts.csv",
        "/data/x\x00.csv",
    ],
)
def test_what_is_not_there_is_not_found(published, path):
    assert published.client.get(path).status_code == 404


def test_a_draft_is_seen_by_nobody(published, tmp_path):
    root = tmp_path / "instance"
    shutil.copytree(published.settings.instance, root)
    (root / "releases" / "town" / published.early.id / "approval.json").unlink()
    app = create_app(Settings(database_url=published.settings.database_url, instance=root))
    assert app.test_client().get(f"/data/releases/{published.early.id}/").status_code == 404
    assert f"/data/releases/{published.early.id}/" not in app.test_client().get(
        "/data/releases.atom"
    ).get_data(as_text=True)


# -- rows ------------------------------------------------------------------------------------------


def test_alerts_are_chosen_by_days_district_and_class(published):
    whole = rows_of(published.client.get("/data/alerts.csv"))
    address = (
        "/data/alerts.csv?from=2024-04-01&to=2024-05-01&district=D1&class=multiple&class=single"
    )
    answer = published.client.get(address)
    wanted = [
        row
        for row in whole
        if "2024-04-01" <= row["day"] < "2024-05-01"
        and row["district"] == "D1"
        and row["class"] in ("multiple", "single")
    ]
    assert 0 < len(wanted) < len(whole)
    assert rows_of(answer) == wanted
    named = "alerts_from-2024-04-01_through-2024-04-30_D1_multiple_single.csv"
    assert answer.headers["Content-Disposition"].endswith(f"{published.current.id}-{named}")
    through = address.replace("to=2024-05-01", "through=2024-04-30")
    assert published.client.get(through).data == answer.data
    day = wanted[-1]["day"]
    before = rows_of(published.client.get(f"/data/alerts.csv?to={day}"))
    assert before == [row for row in whole if row["day"] < day]
    drawn = published.client.get(address.replace(".csv", ".geojson")).get_json(force=True)
    assert [f["properties"]["site"] for f in drawn["features"]] == [r["site"] for r in wanted]


def test_zones_and_measures_are_chosen_too(published):
    zones = published.client.get("/data/zones.geojson?district=D2").get_json(force=True)
    assert [f["properties"]["district"] for f in zones["features"]] == ["D2"]
    rows = rows_of(published.client.get("/data/measures.csv?measure=alerts.count&district=D1"))
    assert {(row["measure"], row["district"]) for row in rows} == {("alerts.count", "D1")}


def test_no_row_is_a_table_with_its_header(published):
    answer = published.client.get("/data/alerts.csv?to=2000-01-01")
    whole = published.client.get("/data/alerts.csv").get_data(as_text=True)
    assert answer.get_data(as_text=True) == whole.partition("\n")[0] + "\n"


def test_choosing_everything_gives_the_bytes_of_the_whole_file(published):
    for name in ("alerts.csv", "alerts.geojson", "complaints.geojson", "measures_monthly.csv"):
        everything = published.client.get(f"/data/{name}?from=1900-01-01")
        assert everything.data == published.client.get(f"/data/{name}").data


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("distrct=D1", "has no rows by"),
        ("district=D9", "choose one of D1, D2"),
        ("class=loud", "choose one of single"),
        ("from=yesterday", "is not a date"),
        ("from=2024-05-01&to=2024-05-01", "no day lies"),
        ("to=2024-05-01&through=2024-05-01", "give one of them"),
        ("through=9999-12-31", "is no day from"),
        ("to=0001-01-01", "is no day from"),
        ("district='%3E%3Cscript%3Ealert(1)%3C/script%3E", "is not known"),
    ],
)
def test_a_wrong_choice_is_refused_and_says_how_to_choose(published, query, told):
    answer = published.client.get(f"/data/alerts.csv?{query}")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert told in text
    assert "<script>alert" not in text


def test_files_without_rows_are_given_whole_only(published):
    answer = published.client.get("/data/surface.tif?district=D1")
    assert answer.status_code == 400
    assert "given whole only" in answer.get_data(as_text=True)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(FILES),
    query=st.dictionaries(
        st.sampled_from(["from", "to", "through", "district", "class", "measure", "x\r\nY", "é"]),
        st.text(max_size=30) | st.sampled_from(["D1", "2024-04-01", "multiple"]),
        max_size=4,
    ),
)
def test_no_query_makes_the_site_fail(published, name, query):
    answer = published.client.get(f"/data/{name}", query_string=query)
    assert answer.status_code in (200, 400, 404)


def test_names_of_files_hold_nothing_but_letters_digits_and_a_few_marks():
    choice = RowChoice(values={"district": ('D"1\r\nSet-Cookie: x', "../../etc")})
    name = choice.name("alerts.csv")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert "/" not in name
    assert len(RowChoice(values={"m": tuple("x" * 9 for _ in range(99))}).name("a.csv")) < 130


# -- everything ------------------------------------------------------------------------------------


def test_the_archive_is_the_release_and_always_the_same(published, tmp_path):
    first, second = (published.client.get("/data/all.zip") for _ in range(2))
    assert first.data == second.data
    with zipfile.ZipFile(io.BytesIO(first.data)) as packed:
        names = packed.namelist()
        assert packed.testzip() is None
        packed.extractall(tmp_path)
    folder = open_data.archive_name(published.current)
    assert sorted(names) == sorted(
        f"{folder}/{name}" for name in ("manifest.json", *published.current.files)
    )
    assert (tmp_path / folder / "manifest.json").read_bytes() == (
        published.current.path / "manifest.json"
    ).read_bytes()
    assert b"ben" not in b"".join(path.read_bytes() for path in tmp_path.rglob("manifest.json"))


def test_the_archive_is_sent_while_it_is_packed_and_only_once(published):
    answer = published.client.get("/data/all.zip")
    assert answer.is_streamed
    assert "Content-Length" not in answer.headers
    again = published.client.get("/data/all.zip", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert published.client.head("/data/all.zip").status_code == 200


def test_the_commands_of_the_page_verify_the_archive(published, tmp_path):
    packed = published.client.get("/data/all.zip").data
    zipfile.ZipFile(io.BytesIO(packed)).extractall(tmp_path)
    page = published.client.get("/data/").get_data(as_text=True)
    block = page.split('<pre class="commands"><code>')[1].split("</code>")[0]
    first, second = (
        line.replace("python3", sys.executable)
        for line in block.replace("&#34;", '"').replace("&#39;", "'").strip().splitlines()
    )
    folder = tmp_path / open_data.archive_name(published.current)
    checked = subprocess.run(first, shell=True, cwd=folder, capture_output=True, text=True)  # noqa: S602
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(": OK") == len(published.current.files)
    told = subprocess.run(second, shell=True, cwd=folder, capture_output=True, text=True)  # noqa: S602
    assert told.stdout.strip() == published.current.id


# -- releases --------------------------------------------------------------------------------------


def test_an_earlier_release_stays_readable_at_its_own_address(published):
    page = published.client.get(f"/data/releases/{published.early.id}/")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "An earlier release" in text
    sent = published.client.get(f"/data/releases/{published.early.id}/alerts.csv")
    assert sent.data == published.early.read("data/alerts.csv")
    assert sent.data != published.current.read("data/alerts.csv")
    assert published.client.get(f"/data/releases/{published.early.id}/all.zip").status_code == 200


def test_a_withdrawn_release_says_why_and_gives_no_file(published):
    text = published.client.get(f"/data/releases/{published.withdrawn.id}/").get_data(as_text=True)
    assert WHY.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in text
    assert WHY not in text
    assert "Its files are no longer given" in text
    assert f"/data/releases/{published.withdrawn.id}/alerts.csv" not in text
    assert "measures that changed" not in text
    for name in ("alerts.csv", "all.zip", "manifest.json"):
        address = f"/data/releases/{published.withdrawn.id}/{name}"
        assert published.client.get(address).status_code == 404


def test_all_releases_are_listed_with_their_state(published):
    text = published.client.get("/data/").get_data(as_text=True)
    table = text.split('<table class="releases">')[1]
    order = [
        table.index(one.id) for one in (published.current, published.withdrawn, published.early)
    ]
    assert order == sorted(order)
    assert table.count("Shown now") == 1
    assert table.count("<strong>Withdrawn:</strong>") == 1


def test_the_page_says_license_contact_citation_and_what_changed(published):
    text = published.client.get("/data/").get_data(as_text=True)
    assert '<a href="https://creativecommons.org/licenses/by/4.0/" rel="license external">' in text
    assert "Town clerk &lt;records&gt;" in text
    assert "mailto:clerk@town.example" in text
    assert f"release {published.current.id}, data through May 27, 2024" in text
    assert "The figures of the last 12 months changed in" in text
    for rule in published.current.manifest.rules.texts.values():
        assert rule.split(":")[0][:60] in text.replace("&#39;", "'")


def test_no_person_of_the_gate_is_named(published):
    for path in ("/data/", "/data/releases.atom", "/data/manifest.json"):
        text = published.client.get(path).get_data(as_text=True)
        for name in ("ana", "ben", "cy"):
            assert f">{name}<" not in text
            assert f'"{name}"' not in text


def test_a_city_without_a_release_says_so(published, tmp_path):
    bare = create_app(
        Settings(database_url=published.settings.database_url, instance=tmp_path)
    ).test_client()
    page = bare.get("/data/")
    assert page.status_code == 200
    assert "Nothing is published yet" in page.get_data(as_text=True)
    for path in ("/data/all.zip", "/data/alerts.csv", "/data/releases.atom", "/data/manifest.json"):
        assert bare.get(path).status_code == 404


def test_tables_are_read_from_the_folder_alone(published):
    folder = ReleaseFolder(path=published.current.path)
    choice = RowChoice(values={"district": ("D1",)})
    content = open_data.chosen(folder, "data/zones.csv", choice)
    assert content.count(b"\n") == 2
    assert json.loads(open_data.manifest_bytes(folder))["id"] == folder.id
