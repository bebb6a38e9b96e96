"""What the server keeps can be read by the user that it runs as, and by nobody else."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from releasing import Publisher
from staffing import Office
from town import Town

from app.config import Settings
from app.maps.bundle import put_file
from app.private import OTHERS, close_instance, keep_private
from geodata.cityfile.description import read_city_file
from geodata.db.engine import upgrade
from geodata.ingest.store import import_city


def open_to_others(folder):
    """Name everything in a folder, itself too, that the group or others have a right to."""
    every = [folder, *folder.rglob("*")]
    assert len(every) > 1
    return [
        f"{path.relative_to(folder)} {stat.filemode(path.lstat().st_mode)}"
        for path in every
        if path.lstat().st_mode & OTHERS
    ]


@pytest.fixture
def command(tmp_path):
    """Run a command as a shell does, where everybody may read what is made."""
    kept = {name: value for name, value in os.environ.items() if "SAFERGROUND" not in name}
    environment = {**kept, "SAFERGROUND_INSTANCE": str(tmp_path / "instance")}

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *map(str, arguments)],
            env=environment,
            umask=0o022,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_what_commands_make_is_closed(command, tmp_path):
    town = Publisher(tmp_path)
    town.save()
    command("init")
    command("import", town.path)
    command("user", "add", "ana", "--role", "analyst")
    command("jobs", "ask", "draft", '{"city": "town"}')
    command("publish", "draft", "town", "--as", "ana")
    instance = tmp_path / "instance"
    names = {path.name for path in instance.iterdir()}
    assert {"saferground.sqlite", "secret_key", "releases"} <= names
    (draft,) = (instance / "releases" / "town").iterdir()
    command("publish", "approve", draft.name, "--as", "ben")
    assert open_to_others(instance) == []


def test_what_pages_make_is_closed(tmp_path, sqlite_url):
    before = os.umask(0o022)
    try:
        keep_private()
        upgrade(sqlite_url)
        office = Office(sqlite_url, tmp_path / "instance")
        (tmp_path / "files").mkdir()
        import_city(office.database, read_city_file(Town(tmp_path / "files").path))
        office.add("ana", "analyst")
        office.app.config["WTF_CSRF_ENABLED"] = False
        rows = {"file": (io.BytesIO(b"id,x,y\n1,2,3\n"), "rows.csv")}
        sent = office.client("ana").client.post("/analyst/town/sources/add", data=rows)
        assert sent.status_code == 303
        put_file(office.settings.maps, "names-town", "names", b"{}")
        assert open_to_others(office.settings.instance) == []
        names = {path.name for path in office.settings.instance.iterdir()}
        assert {"maps", "uploads"} <= names
        assert not Path(sqlite_url.removeprefix("sqlite:///")).stat().st_mode & OTHERS
        office.close()
    finally:
        os.umask(before)


def test_an_instance_of_an_earlier_version_is_closed(tmp_path):
    instance = tmp_path / "instance"
    (instance / "uploads").mkdir(parents=True)
    for name in ("saferground.sqlite", "saferground.sqlite-wal", "uploads/1.csv"):
        (instance / name).write_text("rows")
        (instance / name).chmod(0o644)
    elsewhere = tmp_path / "other.sqlite"
    elsewhere.write_text("rows")
    elsewhere.chmod(0o664)
    (instance / "link").symlink_to("/etc/hostname")
    settings = Settings(database_url=f"sqlite:///{elsewhere}", instance=instance)
    close_instance(settings)
    left = [one for one in open_to_others(instance) if not one.startswith("link ")]
    assert left == []
    assert not elsewhere.stat().st_mode & OTHERS
    assert Path("/etc/hostname").stat().st_mode & 0o004
    assert (instance / "uploads/1.csv").read_text() == "rows"
