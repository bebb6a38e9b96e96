"""Work that is killed at any step, or finds the disk full: nothing unapproved is public after."""

import datetime as dt
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import breaking
import pytest
from releasing import TODAY, Publisher, keep_run
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.ingest.store import import_city
from geodata.releases.build import approve_release, draft_release
from geodata.releases.folder import ReleaseFolder

pytestmark = pytest.mark.slow

ACTIONS = ("imported", "fit", "draft", "approve", "withdraw")
SMALL_DISK_MB = 48


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """What each action starts from, by the action."""
    folder = tmp_path_factory.mktemp("bases")
    made = {name: folder / name for name in ACTIONS}
    for name in ("imported", "draft"):
        made[name].mkdir()
        upgrade(f"sqlite:///{made[name]}/saferground.sqlite")
    Town(made["imported"], n=700).crowd(400)
    shutil.copytree(made["imported"], made["fit"])
    database = open_database(f"sqlite:///{made['fit']}/saferground.sqlite")
    import_city(database, read_city_file(made["fit"] / "city.toml"))
    database.close()
    publish_step_by_step(made)
    return made


def publish_step_by_step(made):
    """An early release is public; then one is drafted; then it is approved."""
    database = open_database(f"sqlite:///{made['draft']}/saferground.sqlite")
    Publisher(made["draft"], alerts=8).bring(database)
    keep_run(database)
    early = TODAY - dt.timedelta(days=7)
    first = draft_release(database, made["draft"] / "releases", "town", "ana", today=early)
    approve_release(database, made["draft"] / "releases", first.id, "ben")
    database.close()
    for before, after, act in (("draft", "approve", "draft"), ("approve", "withdraw", "approve")):
        shutil.copytree(made[before], made[after])
        place = breaking.Place(made[after])
        getattr(place, act)()
        place.database.close()


def tried(what, action, base, scratch):
    done = subprocess.run(
        [sys.executable, breaking.__file__, what, action, str(base), str(scratch)],
        env={**os.environ, "PYTHONPATH": str(Path(breaking.__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def hold(action, trial, base, whole):
    """Hold a trial against what was there before and what there should be at the end."""
    step = trial["step"]
    for when in ("left", "repaired", "again"):
        now = trial[when]
        assert now["faults"] == [], (step, when)
        assert now["records"].keys() >= base["records"].keys(), (step, when)
        assert set(now["runs"]) >= set(base["runs"]), (step, when)
        assert now["public"] is not None or base["public"] is None, (step, when)
    repaired = trial["repaired"]
    approved = {one for one, state in repaired["records"].items() if state == "approved"}
    assert set(repaired["open"]) == approved, (step, "what is approved is public after a repair")
    if action == "withdraw" and base["public"] not in trial["left"]["open"]:
        assert repaired["records"][base["public"]] == "withdrawn", (step, "it stays withdrawn")
    again = trial["again"]
    for what in ("records", "public", "open", "cities"):
        assert again[what] == whole[what], (step, what)
    assert len(again["runs"]) >= len(whole["runs"]), step
    assert not [name for name in again["left"] if name.startswith(".draft")], step


def states(bases, action):
    place = breaking.Place(bases[action])
    found = json.loads(json.dumps(place.state(), default=str))
    place.database.close()
    return found


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_killed_at_any_step_is_sound_and_can_be_done_again(action, bases, tmp_path):
    told, errors = tried("kill", action, bases[action], tmp_path)
    base = states(bases, action)
    assert "after a commit" in told["steps"]
    assert told["trials"]
    for trial in told["trials"]:
        assert trial["ended"] == {"signal": 9}, (trial["step"], errors)
        hold(action, trial, base, told["whole"])


@pytest.fixture
def small_disk(tmp_path):
    """A file system of our own with little room."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "tmpfs", str(place)]
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    done = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_finds_the_disk_full_says_so_and_can_be_done_again(action, bases, small_disk):
    told, errors = tried("fill", action, bases[action], small_disk)
    base = states(bases, action)
    ends = [trial["ended"] for trial in told["trials"]]
    assert any(end.get("refused") for end in ends), ends
    whole = next(trial["again"] for trial in told["trials"])
    for trial in told["trials"]:
        assert "refused" in trial["ended"], (trial["step"], errors)
        hold(action, trial, base, whole)


@pytest.fixture
def approving(bases, tmp_path):
    """The town with a public release and a draft."""
    made = breaking.Place(shutil.copytree(bases["approve"], tmp_path / "town"))
    yield made
    made.database.close()


def test_what_is_on_file_and_not_on_record_is_hidden_until_it_is_approved(approving):
    first, draft = ReleaseFolder.current(approving.root, "town").id, approving.drafted()
    folder = approving.root / "town" / draft
    (folder / "approval.json").write_text('{"by": "eve", "at": "2030-01-01T00:00:00.000000Z"}')
    (folder.parent / "current.json").write_text(json.dumps({"release": draft, "at": "2030"}))
    assert breaking.repair_releases(approving.database, approving.root) == ("town",)
    assert ReleaseFolder.current(approving.root, "town").id == first
    assert ReleaseFolder(path=folder).state == "withdrawn"
    assert breaking.repair_releases(approving.database, approving.root) == (), "once is enough"
    approving.approve()
    assert ReleaseFolder.current(approving.root, "town").id == draft
    assert ReleaseFolder(path=folder).approval.by == "ben"
    assert ReleaseFolder(path=folder).verify() == ()


def test_a_city_that_the_database_does_not_know_is_not_public(approving):
    stranger = approving.root / "elsewhere"
    shutil.copytree(approving.root / "town", stranger)
    assert breaking.repair_releases(approving.database, approving.root) == ("elsewhere",)
    assert ReleaseFolder.current(approving.root, "elsewhere") is None
    assert ReleaseFolder.current(approving.root, "town") is not None


def test_a_withdrawal_hides_at_once_whatever_keeps_the_database_busy(approving, monkeypatch):
    approving.approve()
    draft = approving.drafted()

    def busy(*_):
        raise OSError(errno.EBUSY, "busy")

    with monkeypatch.context() as patch:
        patch.setattr("geodata.repositories.releases.withdraw_release", busy)
        with pytest.raises(OSError, match="busy"):
            approving.withdraw()
    assert ReleaseFolder.current(approving.root, "town").id != draft
    assert ReleaseFolder.find(approving.root, draft).state == "withdrawn"
    breaking.repair_releases(approving.database, approving.root)
    assert approving.state()["records"][draft] == "withdrawn"
    approving.withdraw()  # says the same again: nothing more to do
