"""Whole addresses are those of this site, whatever a request calls it."""

import re
from pathlib import Path

import pytest
from releasing import keep_run, town_run
from staffing import Office, keep_city

from app import create_app
from app.config import Settings, SettingsError
from app.links import host_name
from geodata.db.engine import upgrade

EVIL = "evil.example"
SAFER = "https://safer.example.org"
ADDRESSES = (
    "/",
    "/data/",
    "/data/releases.atom",
    "/api/v1/",
    "/api/v1/releases",
    "/api/v1/zones?limit=1",
    "/api/v1/collections",
    "/embed/zones",
    "/login",
)


@pytest.fixture(scope="module")
def public(published):
    """The published town, with an address of its own."""

    def make(**options):
        settings = published.settings
        return create_app(
            Settings(database_url=settings.database_url, instance=settings.instance, **options)
        ).test_client()

    return make


@pytest.mark.parametrize("options", [{}, {"address": SAFER}], ids=["by default", "with address"])
@pytest.mark.parametrize("host", [EVIL, f"{EVIL}:80", "localhost.evil.example", "", "a b", "[::"])
def test_another_host_is_refused(public, options, host):
    client = public(**options)
    for address in ADDRESSES:
        answer = client.get(address, headers={"Host": host})
        assert answer.status_code in (400, 404), (address, host)
        assert EVIL not in answer.text, address
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_forwarded_hosts_are_not_believed(public):
    for address in ADDRESSES:
        answer = public(proxies=1).get(address, headers={"X-Forwarded-Host": EVIL})
        assert EVIL not in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "safer.example.org"])
def test_every_whole_address_is_the_public_one(public, host):
    client = public(address=SAFER + "/")
    for address in ADDRESSES:
        answer = client.get(address, headers={"Host": host})
        links = re.findall(r"https?://[^\s\"'<>\\]+", answer.text + str(answer.headers))
        ours = [one for one in links if "localhost" in one or "127.0.0.1" in one or "[::1]" in one]
        assert ours == [], (address, host)
        if address in ("/data/releases.atom", "/api/v1/", "/data/"):
            assert any(one.startswith(f"{SAFER}/") for one in links), address
    assert f"tag:{SAFER.removeprefix('https://')}," in client.get("/data/releases.atom").text


def test_further_names_are_answered_where_they_are_set(public):
    client = public(hosts=("office-server", "192.0.2.7"))
    for host in ("office-server:8000", "OFFICE-SERVER", "192.0.2.7"):
        assert client.get("/", headers={"Host": host}).status_code == 200
    assert client.get("/", headers={"Host": EVIL}).status_code == 400


@pytest.mark.parametrize("address", ["safer.example.org", "ftp://x", "https://", "https://x/?a=1"])
def test_an_address_that_is_none_is_refused(address, tmp_path):
    with pytest.raises(SettingsError, match="SAFERGROUND_ADDRESS"):
        Settings(database_url="sqlite:///x", instance=tmp_path, address=address)


def test_invitations_and_reminders_lead_to_the_public_address(tmp_path):
    url = f"sqlite:///{tmp_path}/links.sqlite"
    upgrade(url)
    office = Office(url, tmp_path, address=SAFER)
    keep_city(office.database, "town")
    keep_run(office.database, town_run())
    office.add("root", "administrator")
    office.add("cora", "commander", districts=["town/D1"])
    browser = office.client("root")
    made = browser.send("/admin/people/new", name="newcomer", roles="viewer")
    page = made.text if made.status_code == 200 else browser.get(made.location).text
    assert f"{SAFER}/setup/" in page
    browser = office.client("cora")
    made = browser.send("/command/reminders/make", page="/command/reminders")
    assert f"{SAFER}/command/reminders/" in made.text
    office.close()


def test_nothing_writes_a_whole_address_but_by_the_one_function():
    root = Path(__file__).parents[2]
    sources = [*(root / "app").rglob("*.py"), *(root / "templates").rglob("*.html")]
    used = re.compile(r"_external\s*=|host_url|url_root|request\.host\b|request\.url\b")
    found = [p.name for p in sources if used.search(p.read_text(encoding="utf-8"))]
    assert found == ["links.py"]


def test_the_name_of_a_host_is_read_without_its_port():
    assert host_name("Safer.Example:8000") == "safer.example"
    assert host_name("[::1]:8000") == "::1"
    assert host_name("safer.example.") == "safer.example"
    assert host_name("[x") == ""


def test_a_proxy_that_is_not_set_is_told(public, caplog):
    client = public()
    assert client.get("/readyz").get_json()["proxy"] == "none seen"
    for _ in range(3):
        client.get("/", headers={"X-Forwarded-For": "192.0.2.7"})
    answer = client.get("/readyz")
    assert "SAFERGROUND_PROXIES" in answer.get_json()["proxy"]
    assert not any("PROXIES" in reason for reason in answer.get_json()["reasons"])
    assert len([one for one in caplog.messages if "SAFERGROUND_PROXIES" in one]) == 1
    trusted = public(proxies=1)
    trusted.get("/", headers={"X-Forwarded-For": "192.0.2.7"})
    assert "proxy" not in trusted.get("/readyz").get_json()
