import json
import stat

import pytest
from sqlalchemy import text
from staffing import keep_city

from app import create_app
from app.auth.locks import address_lock, failures_in_a_row, password_locks
from app.config import Settings, SettingsError, make_secret_key, read_secret_key
from geodata.clock import utc_now
from geodata.db.engine import open_database
from geodata.repositories import audit, limits

GOOD = "two grey herons by the weir"
KEY = "a-secret-key-for-tests-only-0123456789"


@pytest.fixture
def ready(run, database_url, monkeypatch):
    """A database of either kind; commands take it from the environment."""
    monkeypatch.setenv("SAFERGROUND_DATABASE", database_url)
    monkeypatch.setenv("SAFERGROUND_USER", "root")
    run("init")
    opened = open_database(database_url)
    yield opened
    opened.close()


def told(result):
    return json.loads(result.stdout)


def test_the_first_administrator_is_made_by_command_and_can_come_in(run, ready):
    assert "Nobody yet" in run("user", "list").stderr
    result = run("user", "add", "Root", "--role", "administrator")
    link = result.stdout.splitlines()[-1]
    assert link.startswith("http://127.0.0.1:8000/setup/")
    app = create_app(Settings.from_env())
    path = link.removeprefix("http://127.0.0.1:8000")
    assert "Choose a password" in app.test_client().get(path).text
    app.extensions["saferground.desk"].database.close()
    (person,) = told(run("user", "list", "--json"))["people"]
    assert (person["name"], person["roles"], person["password"]) == (
        "root",
        ["administrator"],
        False,
    )


def test_nobody_has_a_password_by_default(run, ready):
    run("user", "add", "ana", "--role", "viewer")
    with ready.session() as session:
        found = session.execute(text("SELECT password_hash FROM person")).scalars().all()
    assert found == [None]


def test_the_link_names_the_address_of_the_pages(run, ready, monkeypatch):
    monkeypatch.setenv("SAFERGROUND_ADDRESS", "https://safer.example.org/")
    made = told(run("user", "add", "ana", "--role", "viewer", "--json"))
    assert made["setup"].startswith("https://safer.example.org/setup/")


def test_a_password_comes_from_standard_input_and_must_be_good(run, ready):
    arguments = ("user", "add", "ana", "--role", "analyst", "--password-stdin")
    for typed, fault in (
        ("short\n", "at least 12"),
        ("anaanaanaana\n", "different characters"),
        ("password1234\n", "first passwords"),
        ("x" * 300 + "\n", "at most 256"),
        ("", "at least 12"),
    ):
        error = run(*arguments, status=1, typed=typed).stderr
        assert fault in error
        assert error.count("\n") == 1
    result = run(*arguments, typed=GOOD + "\n")
    assert GOOD not in result.output
    assert "/setup/" not in result.output
    assert told(run("user", "list", "--json"))["people"][0]["password"] is True
    run("user", "add", "bo", "--role", "viewer", "--provider", "--password-stdin", status=2)


def test_districts_are_named_by_id_where_one_city_has_them(run, ready):
    keep_city(ready, "town")
    made = told(run("user", "add", "cora", "--role", "commander", "--district", "D2", "--json"))
    assert made["districts"] == ["town/D2"]
    keep_city(ready, "village")
    error = run("user", "add", "d", "--role", "officer", "--district", "D1", status=1).stderr
    assert "several cities" in error
    assert "town/D1, village/D1" in error
    one = ("user", "add", "d", "--role", "officer", "--district", "village/D1", "--json")
    assert told(run(*one))["districts"] == ["village/D1"]
    assert (
        "no district"
        in run("user", "roles", "d", "--role", "officer", "--district", "D9", status=1).stderr
    )
    note = run("user", "roles", "d", "--role", "officer").stderr
    assert "no district yet" in note


def test_roles_states_resets_and_sessions(run, ready):
    run("user", "add", "root", "--role", "administrator", "--as", "installer")
    run(
        "user",
        "add",
        "ana",
        "--role",
        "analyst",
        "--role",
        "viewer",
        "--password-stdin",
        typed=GOOD + "\n",
    )
    changed = told(run("user", "roles", "ana", "--role", "publisher", "--json"))
    assert changed["roles"] == ["publisher"]
    assert told(run("user", "disable", "ana", "--json"))["state"] == "disabled"
    assert "is disabled" in run("user", "reset", "ana", status=1).stderr
    assert told(run("user", "enable", "ana", "--json"))["state"] == "active"
    again = told(run("user", "reset", "ana", "--json"))
    assert again["password"] is False
    assert "/setup/" in again["setup"]
    typed = told(run("user", "reset", "ana", "--password-stdin", "--json", typed=GOOD + "\n"))
    assert (typed["password"], typed["setup"]) == (True, None)
    assert told(run("user", "sessions", "ana", "--end", "--json")) == {
        "name": "ana",
        "ended": True,
        "sessions": [],
    }
    assert "signed in nowhere" in run("user", "sessions", "ana").stderr
    assert "only administrator" in run("user", "disable", "root", status=1).stderr
    listed = run("user", "list").stdout
    assert "publisher" in listed
    actions = [
        (entry["person"], entry["action"])
        for entry in told(run("audit", "show", "--json"))["entries"]
    ][::-1]
    assert actions == [
        ("installer", "person.add"),
        ("installer", "person.invite"),
        ("root", "person.add"),
        ("root", "person.password"),
        ("root", "person.roles"),
        ("root", "person.disable"),
        ("root", "person.enable"),
        ("root", "person.reset"),
        ("root", "person.reset"),
        ("root", "person.password"),
        ("root", "person.sessions_ended"),
    ]


def test_where_mail_goes_is_set_by_command(run, ready):
    made = run("user", "add", "pia", "--role", "publisher", "--email", "pia@example.org", "--json")
    assert json.loads(made.stdout)["email"] == "pia@example.org"
    told = run("user", "email", "pia", "ed@example.org", "--as", "root").stdout
    assert "mail: ed@example.org" in told
    assert json.loads(run("user", "email", "pia", "--json").stdout)["email"] is None
    assert "is no mail address" in run("user", "email", "pia", "ed", status=1).stderr


def test_wrong_words_are_told(run, ready):
    for arguments, status in (
        (("user", "add", "ana"), 2),
        (("user", "add", "ana", "--role", "king"), 2),
        (("user", "add", "a b", "--role", "viewer"), 1),
        (("user", "roles", "nobody", "--role", "viewer"), 1),
        (("user", "disable", "nobody"), 1),
        (("user", "reset", "nobody"), 1),
        (("user", "sessions", "nobody"), 1),
        (("audit", "verify", "--known", "3:abc"), 2),
        (("audit", "show", "--from", "yesterday"), 2),
    ):
        assert "Traceback" not in run(*arguments, status=status).output


def test_the_audit_is_shown_exported_and_verified(run, ready, tmp_path):
    for name in ("ana", "bo"):
        run("user", "add", name, "--role", "viewer")
    first = run("audit", "verify").stdout.strip()
    assert first.startswith("4:")
    assert "person.add" in run("audit", "show", "--last", "9").stdout
    shown = told(run("audit", "show", "--action", "person.add", "--last", "1", "--json"))
    assert shown["count"] == 2
    assert [entry["object"] for entry in shown["entries"]] == ["bo"]
    assert "Nothing was recorded" in run("audit", "show", "--person", "nobody").stderr
    file = tmp_path / "audit.jsonl"
    run("audit", "export", file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    assert "cannot be written" in run("audit", "export", tmp_path / "no" / "x", status=1).stderr
    whole = told(run("audit", "verify", "--known", first, "--json"))
    assert (whole["whole"], whole["entries"], whole["last"]) == (True, 5, 5)  # the export too
    run("audit", "verify", "--known", "2:" + "0" * 64, status=1)


def test_verify_names_the_first_broken_link_and_exits_1(run, ready):
    for name in ("ana", "bo"):
        run("user", "add", name, "--role", "viewer")
    with ready.session(write=True) as session:
        if ready.engine.dialect.name == "postgresql":
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        else:
            session.execute(text("DROP TRIGGER audit_is_fixed"))
        session.execute(text("UPDATE audit SET person = 'eve' WHERE seq = 2"))
    result = run("audit", "verify", status=1)
    assert result.stdout.startswith("broken at entry 2: ")
    found = told(run("audit", "verify", "--json", status=1))
    assert (found["whole"], found["broken_at"], found["entries"]) == (False, 2, 1)


def test_what_could_steer_a_terminal_is_not_printed(run, ready):
    from geodata.repositories import audit

    with ready.session(write=True) as session:
        audit.record(session, "\x1b[31mred", "run.fit", "a\x07b", {"x": "\x1b]0;title\x07"})
    output = run("audit", "show").stdout
    assert "\x1b" not in output
    assert "\x07" not in output


def test_init_makes_a_key_for_its_owner_alone_and_keeps_it(run, tmp_path):
    result = run("init")
    file = tmp_path / "instance" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text().strip()
    assert len(key) == 64
    assert key not in result.output
    run("init")
    assert file.read_text().strip() == key
    assert Settings.from_env().secret_key == key
    assert key not in repr(Settings.from_env())


def test_a_key_of_the_environment_comes_first_and_makes_no_file(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SAFERGROUND_SECRET_KEY", KEY)
    run("init")
    assert not (tmp_path / "instance" / "secret_key").exists()
    assert Settings.from_env().secret_key == KEY


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        ("short", 0o600, "shorter than 32"),
        ("", 0o600, "shorter than 32"),
        ("ab" * 30, 0o600, "fewer than 12 different"),
        (KEY, 0o604, "chmod 600"),
        (KEY, 0o602, "chmod 600"),
        (b"\xff\xfe" * 40, 0o600, "it is no text"),
    ],
)
def test_a_weak_open_or_damaged_key_stops_the_start(run, tmp_path, content, mode, fault):
    run("init")
    file = tmp_path / "instance" / "secret_key"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
    error = run("serve", status=1).stderr
    assert fault in error
    assert error.count("\n") == 1


def test_few_different_characters_of_the_environment_are_told(run, monkeypatch):
    monkeypatch.setenv("SAFERGROUND_SECRET_KEY", "x" * 64)
    assert "fewer than 12 different" in run("serve", status=1).stderr


def test_without_a_key_the_staff_side_does_not_start(run, tmp_path):
    error = run("serve", status=1).stderr
    assert "saferground init" in error
    assert "--public" in error
    run("serve", "--public", "--preview", status=2)


def test_a_key_is_made_once(tmp_path):
    path = tmp_path / "deep" / "secret_key"
    assert make_secret_key(path) == make_secret_key(path) == read_secret_key(path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="cannot be written"):
        make_secret_key(tmp_path / "file" / "secret_key")


@pytest.mark.parametrize(
    ("name", "value"),
    [("IDLE_MINUTES", "0"), ("IDLE_MINUTES", "9999"), ("IDLE_MINUTES", "x"), ("PROXIES", "-1")],
)
def test_numbers_that_cannot_be_are_told(run, monkeypatch, name, value):
    monkeypatch.setenv(f"SAFERGROUND_{name}", value)
    assert f"SAFERGROUND_{name}" in run("cities", status=1).stderr


def test_what_is_served_depends_on_the_key(run, monkeypatch):
    served = []
    monkeypatch.setattr("app.cli.serve_commands.run_server", lambda s, *_: served.append(s))
    monkeypatch.setattr("app.cli.serve_commands.require_free_port", lambda *_: None)
    run("serve", "--public")
    run("init")
    run("serve", "--public")
    assert [settings.secret_key for settings in served] == [None, None]
    assert "user add NAME --role administrator" in run("serve").stderr
    assert served[-1].secret_key
    run("user", "add", "root", "--role", "administrator")
    assert "user add NAME" not in run("serve").stderr


def test_failures_are_forgiven_by_name_and_by_address_and_it_is_written_down(run, ready):
    when = utc_now()
    run("user", "add", "ana", "--role", "viewer")
    by_name, by_address = password_locks("ana", "192.0.2.7"), address_lock("192.0.2.7")

    def fail():
        with ready.session(write=True) as session:
            for _ in range(70):
                for lock in by_name:
                    limits.count_failure(session, lock.keys(when)[0], when)

    def waits(locks):
        with ready.session() as session:
            return [failures_in_a_row(session, lock, when) >= lock.free for lock in locks]

    fail()
    assert waits(by_name) == [True, True, True]
    assert told(run("user", "unlock", "ana", "--json")) == {"unlocked": "ana", "counts": 2}
    assert waits(by_name) == [False, False, True]
    fail()
    run("user", "unlock", "--address", "192.0.2.7", "--as", "root")
    assert waits(by_name) == [True, True, False]
    assert waits([by_address]) == [False]
    with ready.session() as session:
        found = list(audit.entries(session, audit.AuditFilter(action="sign_in.unlock")))
    assert [(one.object, one.details["by"]) for one in found] == [
        ("192.0.2.7", "address"),
        ("ana", "name"),
    ]
    assert found[0].person == "root"
    run("user", "unlock", "nobody", status=1)
    run("user", "unlock", status=2)
    run("user", "unlock", "ana", "--address", "192.0.2.7", status=2)
    assert "no IPv4" in run("user", "unlock", "--address", "the office", status=2).stderr
