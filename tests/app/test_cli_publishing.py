import json

import pytest
from releasing import Publisher, keep_run

from geodata.db.engine import open_database


@pytest.fixture
def town(tmp_path, run):
    """A town on disk and in the database; no row of it is young."""
    run("init")
    made = Publisher(tmp_path, alerts=8)
    made.save()
    run("import", made.path)
    database = open_database(f"sqlite:///{tmp_path / 'instance' / 'saferground.sqlite'}")
    keep_run(database)
    database.close()
    return made


def test_from_draft_to_withdrawn(run, town, tmp_path):
    assert "publish draft town" in run("publish", "list", "town").stderr
    drafted = json.loads(run("publish", "draft", "town", "--as", "ana", "--json").stdout)
    release = drafted["release"]
    assert drafted["state"] == "drafted"
    assert len(release) == 12
    assert drafted["manifest"]["id"] == release
    told = run("publish", "draft", "town", "--as", "ana")
    assert release in told.stdout
    assert "Somebody else than ana" in told.stderr
    assert "data/alerts.csv" in told.stdout
    refused = run("publish", "approve", release, "--as", "Ana", status=1)
    assert "another person than the drafter" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    approved = json.loads(run("publish", "approve", release, "--as", "ben", "--json").stdout)
    assert (approved["state"], approved["approved_by"]) == ("approved", "ben")
    verified = json.loads(run("publish", "verify", release, "--json").stdout)
    assert verified == {
        "release": release,
        "city": "town",
        "state": "approved",
        "whole": True,
        "faults": [],
    }
    (listed,) = json.loads(run("publish", "list", "town", "--json").stdout)["releases"]
    assert listed == {key: approved[key] for key in listed}
    assert "approved" in run("publish", "list", "town").stdout
    again = run("publish", "draft", "town", "--as", "cleo")
    assert "Nothing has changed" in again.stderr
    run("publish", "withdraw", release, "--as", "cleo", status=2)  # --why is missing
    gone = json.loads(
        run("publish", "withdraw", release, "--as", "cleo", "--why", "a wrong map", "--json").stdout
    )
    assert (gone["state"], gone["withdrawn_why"]) == ("withdrawn", "a wrong map")
    assert not (tmp_path / "instance" / "releases" / "town" / "current.json").exists()
    run("publish", "verify", release)


def test_a_draft_is_returned_by_command(run, town):
    release = json.loads(run("publish", "draft", "town", "--as", "ana", "--json").stdout)["release"]
    run("publish", "return", release, "--as", "ben", status=2)  # --why is missing
    refused = run("publish", "return", release, "--as", "ben", "--why", " ", status=1)
    assert "why the draft is returned" in refused.stderr
    done = run("publish", "return", release, "--as", "ben", "--why", "a wrong map", "--json")
    told = json.loads(done.stdout)
    assert (told["state"], told["returned_by"], told["returned_why"]) == (
        "returned",
        "ben",
        "a wrong map",
    )
    refused = run("publish", "approve", release, "--as", "ben", status=1)
    assert "approve a new draft instead" in refused.stderr
    refused = run("publish", "draft", "town", "--as", "ana", status=1)
    assert "a wrong map" in refused.stderr, "the same content is what was returned"


def test_verify_names_what_differs_and_exits_1(run, town, tmp_path):
    release = json.loads(run("publish", "draft", "town", "--as", "ana", "--json").stdout)["release"]
    path = tmp_path / "instance" / "releases" / "town" / release / "data" / "zones.csv"
    path.chmod(0o644)
    path.write_text(path.read_text() + "more\n")
    told = run("publish", "verify", release, status=1)
    assert told.stdout.strip() == "data/zones.csv differs from its digest"
    assert "differs" in told.stderr
    found = json.loads(run("publish", "verify", release, "--json", status=1).stdout)
    assert (found["whole"], found["faults"]) == (False, ["data/zones.csv differs from its digest"])


def test_the_name_comes_from_the_option_the_setting_or_the_machine(run, town, monkeypatch):
    monkeypatch.setenv("SAFERGROUND_USER", "dora")
    drafted = json.loads(run("publish", "draft", "town", "--json").stdout)
    assert drafted["drafted_by"] == "dora"
    assert "another person" in run("publish", "approve", drafted["release"], status=1).stderr
    monkeypatch.delenv("SAFERGROUND_USER")
    monkeypatch.setattr("getpass.getuser", lambda: "machine")
    approved = json.loads(run("publish", "approve", drafted["release"], "--json").stdout)
    assert approved["approved_by"] == "machine"


def test_known_errors_are_one_line_and_status_1(run, town):
    for arguments in (
        ("draft", "nowhere", "--as", "ana"),
        ("approve", "0" * 12, "--as", "ana"),
        ("verify", "../../x"),
        ("list", "nowhere"),
        ("withdraw", "0" * 12, "--as", "ana", "--why", "x"),
        ("draft", "town", "--as", "x" * 121),
    ):
        told = run("publish", *arguments, status=1)
        assert told.stderr.splitlines()[-1].startswith("Error: ")
        assert "Traceback" not in told.stderr
