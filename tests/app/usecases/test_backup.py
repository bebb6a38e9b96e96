import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from releasing import TODAY, Publisher, keep_run
from sqlalchemy import func, select
from town import Town

from app.usecases.backup import CONTENTS, DATABASE, restore_backup, write_backup
from geodata.cityfile.description import read_city_file
from geodata.db.copying import contents, snapshot
from geodata.db.engine import open_database, upgrade
from geodata.db.staff_tables import AuditEntry
from geodata.errors import BackupError, StoreError
from geodata.ingest.store import import_city
from geodata.releases.build import approve_release, draft_release
from geodata.releases.folder import ReleaseFolder
from geodata.repositories import audit
from geodata.repositories.import_log import city_file_of
from geodata.repositories.releases import list_releases

KEY = "a key of this test, long enough for anybody"


@pytest.fixture
def instance(tmp_path, published_settings):
    """A copy of the published demonstration city, as an instance folder."""
    folder = shutil.copytree(published_settings.instance, tmp_path / "instance")
    database = published_settings.database_url.removeprefix("sqlite:///")
    shutil.copy(database, folder / "saferground.sqlite")
    (folder / "secret_key").write_text(KEY)
    (folder / "secret_key").chmod(0o600)
    (folder / "photos").mkdir(exist_ok=True)
    (folder / "photos" / "one.jpg").write_bytes(b"\xff\xd8photo")
    return folder


def a_town(folder):
    folder.mkdir(parents=True)
    return Town(folder, n=300)


def opened(folder):
    return closing(open_database(f"sqlite:///{folder / 'saferground.sqlite'}"))


def tables(folder, without=("audit", "audit_head")):
    with opened(folder) as database, snapshot(database) as connection:
        found = contents(connection)
    return {name: one for name, one in found.items() if name not in without}


def files(folder, *parts):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for part in parts
        for path in (folder / part).rglob("*")
        if path.is_file()
    }


KEPT = ("releases", "photos", "uploads", "cities", "sources")


def test_a_restored_instance_is_the_one_that_was_backed_up(instance, tmp_path):
    file, there = tmp_path / "night.tar.gz", tmp_path / "there"
    with opened(instance) as database:
        made = write_backup(database, instance, file, "ana")
    restored = restore_backup(file, there, None, "ana")

    assert tables(there) == tables(instance)
    assert files(there, *KEPT) == files(instance, *KEPT)
    assert (there / "secret_key").read_text() == KEY
    assert (there / "secret_key").stat().st_mode & 0o077 == 0
    assert restored.releases >= 1
    assert restored.audit_entries == made.audit_seq
    with opened(there) as database, database.session(write=True) as session:
        verdict = audit.verify(session, (made.audit_seq, made.audit_hash))
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert verdict.fault is None
    assert last is not None
    assert last.action == "backup.restore"
    assert not list(tmp_path.glob(".*")), "nothing is left beside"


@pytest.mark.postgres
def test_a_backup_of_postgres_restores_to_sqlite_and_to_postgres(postgres_cluster, tmp_path):
    url, folder = postgres_cluster.fresh_database(), tmp_path / "instance"
    folder.mkdir()
    with closing(open_database(url)) as database:
        import_city(database, read_city_file(a_town(tmp_path / "town").path))
        made = write_backup(database, folder, tmp_path / "b.tar.gz", "ana")
        with snapshot(database) as connection:
            before = contents(connection)
    assert made.database == "postgresql"
    other = postgres_cluster.bare_database()
    restore_backup(tmp_path / "b.tar.gz", tmp_path / "lite", None, "ana")
    restore_backup(tmp_path / "b.tar.gz", tmp_path / "post", other, "ana")
    for target in (f"sqlite:///{tmp_path / 'lite' / 'saferground.sqlite'}", other):
        with closing(open_database(target)) as database, snapshot(database) as connection:
            after = contents(connection)
        assert {n for n in before if before[n] != after[n]} == {"audit", "audit_head"}
    assert not (tmp_path / "post" / "saferground.sqlite").exists()


def test_a_backup_amid_writing_is_whole(instance, tmp_path):
    """Somebody writes all the while; the copy is the database of one moment, its chain unbroken."""
    ended = threading.Event()

    def write():
        with opened(instance) as database:
            while not ended.is_set():
                with database.session(write=True) as session:
                    audit.record(session, "ana", "town.look")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.2)
        with opened(instance) as database:
            made = write_backup(database, instance, tmp_path / "b.tar.gz", "ana")
    finally:
        ended.set()
        writer.join()
    restored = restore_backup(tmp_path / "b.tar.gz", tmp_path / "there", None, "ana")
    with opened(instance) as database, database.session() as session:
        now = session.scalar(select(func.count()).select_from(AuditEntry))
    assert restored.audit_entries == made.audit_seq < now - 1


def test_what_was_approved_after_the_moment_is_a_draft_in_the_backup(tmp_path):
    """Between database and files somebody approves: public without a record, it would be."""
    instance = tmp_path / "instance"
    (tmp_path / "town").mkdir()
    upgrade(f"sqlite:///{instance / 'saferground.sqlite'}")
    with opened(instance) as database:
        Publisher(tmp_path / "town").bring(database)
        keep_run(database)
        root = instance / "releases"
        draft = draft_release(database, root, "town", "ana", run="a" * 12, today=TODAY)

        def approve(stage, number, _total):
            if stage == "files" and number == 0:
                approve_release(database, root, draft.id, "zoe")

        write_backup(database, instance, tmp_path / "b.tar.gz", "ana", approve)
    assert ReleaseFolder.find(root, draft.id).state == "approved"
    there = tmp_path / "there"
    restore_backup(tmp_path / "b.tar.gz", there, None, "ana")
    assert ReleaseFolder.find(there / "releases", draft.id).state == "drafted"
    with opened(there) as database, database.session() as session:
        assert [one.state for one in list_releases(session, "town")] == ["drafted"]


def test_city_files_of_the_instance_find_their_sources_in_the_new_one(tmp_path):
    folder, there = tmp_path / "instance", tmp_path / "there"
    upgrade(f"sqlite:///{folder / 'saferground.sqlite'}")
    town = a_town(folder / "cities" / "town")
    with opened(folder) as database:
        import_city(database, read_city_file(town.path))
        write_backup(database, folder, tmp_path / "b.tar.gz", "ana")
    restore_backup(tmp_path / "b.tar.gz", there, None, "ana")
    shutil.rmtree(folder)
    with opened(there) as database, database.session() as session:
        kept = city_file_of(session, "town")
    assert Path(kept.root) == there / "cities" / "town"
    assert (Path(kept.root) / town.path.name).is_file()


def test_a_kill_leaves_the_backup_before_or_a_whole_one(instance, tmp_path):
    """Killed at several moments: what stands under the name always restores."""
    file = tmp_path / "b.tar.gz"
    with opened(instance) as database:
        write_backup(database, instance, file, "ana")
    before = file.read_bytes()
    command = [sys.executable, "-m", "app.cli", "backup", str(file), "--as", "ana"]
    environment = {**os.environ, "SAFERGROUND_INSTANCE": str(instance)}
    parts = 0
    for _ in range(4):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        part = file.with_name(f".{file.name}.part")
        deadline = time.monotonic() + 60
        while not part.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        parts += part.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert file.read_bytes() == before or process.returncode == 0
    assert parts, "no kill came while a backup was written"
    restore_backup(file, tmp_path / "there", None, "ana")
    assert (
        subprocess.run(command, env=environment, check=False, capture_output=True).returncode == 0
    )
    assert not part.exists()


def test_a_restore_that_was_killed_can_be_done_again(instance, tmp_path):
    file, there = tmp_path / "b.tar.gz", tmp_path / "there"
    with opened(instance) as database:
        write_backup(database, instance, file, "ana")
    command = [sys.executable, "-m", "app.cli", "restore", str(file), "--instance", str(there)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    aside = tmp_path / ".there.restoring"
    deadline = time.monotonic() + 60
    while not aside.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not there.exists()
    assert aside.exists()
    restore_backup(file, there, None, "ana")
    assert not aside.exists()
    assert tables(there) == tables(instance)


def rewritten(file, target, change):
    """Write a backup anew; ``change`` gets name and content of each member, nothing drops it."""
    with tarfile.open(file, "r:gz") as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            content = change(member.name, old.extractfile(member).read())
            if content is not None:
                about = tarfile.TarInfo(member.name)
                about.size = len(content)
                new.addfile(about, io.BytesIO(content))


DAMAGES = {
    "a file altered": lambda n, c: c + b"x" if n == "photos/one.jpg" else c,
    "a file missing": lambda n, c: None if n == "photos/one.jpg" else c,
    "no list of contents": lambda n, c: None if n == CONTENTS else c,
    "a list of another form": lambda n, c: b"[1]" if n == CONTENTS else c,
    "a list of a later version": lambda n, c: b'{"format": 99}' if n == CONTENTS else c,
    "a list without its fields": lambda n, c: b'{"format": 1}' if n == CONTENTS else c,
    "no database": lambda n, c: None if n == DATABASE else c,
}


@pytest.fixture(scope="module")
def plain_backup(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    (folder / "instance" / "photos").mkdir(parents=True)
    (folder / "instance" / "photos" / "one.jpg").write_bytes(b"photo")
    url = f"sqlite:///{folder / 'instance' / 'saferground.sqlite'}"
    upgrade(url)
    with closing(open_database(url)) as database:
        with database.session(write=True) as session:
            audit.record(session, "ana", "town.add")
        write_backup(database, folder / "instance", folder / "b.tar.gz", "ana")
    return folder / "b.tar.gz"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_and_nothing_stays(plain_backup, tmp_path, damage):
    rewritten(plain_backup, tmp_path / "bad.tar.gz", DAMAGES[damage])
    with pytest.raises(BackupError, match=r"bad\.tar\.gz"):
        restore_backup(tmp_path / "bad.tar.gz", tmp_path / "there", None, "ana")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.tar.gz"]


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.98])
def test_a_backup_cut_short_is_refused(plain_backup, tmp_path, cut):
    content = plain_backup.read_bytes()
    short = content[: int(cut * len(content)) if isinstance(cut, float) else cut]
    (tmp_path / "bad.tar.gz").write_bytes(short)
    with pytest.raises(BackupError):
        restore_backup(tmp_path / "bad.tar.gz", tmp_path / "there", None, "ana")
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    "name", ["../out", "/etc/passwd", "photos/../../out", "elsewhere/file", "saferground.sqlite"]
)
def test_a_backup_writes_nowhere_but_in_its_folders(plain_backup, tmp_path, name):
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        about = tarfile.TarInfo(name)
        about.size = 3
        tar.addfile(about, io.BytesIO(b"bad"))
    with pytest.raises(BackupError):
        restore_backup(tmp_path / "bad.tar.gz", tmp_path / "there", None, "ana")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.tar.gz"]


def test_links_are_neither_kept_nor_restored(plain_backup, tmp_path):
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        about = tarfile.TarInfo("photos/link")
        about.type, about.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(about)
    with pytest.raises(BackupError, match="photos/link"):
        restore_backup(tmp_path / "bad.tar.gz", tmp_path / "there", None, "ana")


def test_an_altered_audit_is_found(plain_backup, tmp_path):
    """The digest of the file is right, its chain is not: whoever made the backup had it altered."""
    folder = tmp_path / "instance"
    restore_backup(plain_backup, folder, None, "ana")
    with opened(folder) as database, database.session(write=True) as session:
        for trigger in ("audit_is_fixed", "audit_is_fixed_delete"):
            session.connection().exec_driver_sql(f"DROP TRIGGER {trigger}")
        session.connection().exec_driver_sql("UPDATE audit SET person = 'eve' WHERE seq = 1")
    with opened(folder) as database:
        write_backup(database, folder, tmp_path / "b.tar.gz", "ana")
    with pytest.raises(BackupError, match="audit"):
        restore_backup(tmp_path / "b.tar.gz", tmp_path / "there", None, "ana")
    assert not (tmp_path / "there").exists()


def test_a_folder_with_files_and_a_database_with_rows_stay(plain_backup, tmp_path, town_url):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(plain_backup, tmp_path / "there", None, "ana")
    assert (tmp_path / "there" / "mine.txt").read_text() == "mine"
    with pytest.raises(StoreError, match="not empty"):
        restore_backup(plain_backup, tmp_path / "new", town_url, "ana")
    assert not (tmp_path / "new").exists()


@pytest.fixture
def town_url(tmp_path):
    url = f"sqlite:///{tmp_path / 'town.sqlite'}"
    upgrade(url)
    with closing(open_database(url)) as database:
        import_city(database, read_city_file(a_town(tmp_path / "town").path))
    return url


def test_a_backup_of_a_later_version_is_refused_with_the_remedy(plain_backup, tmp_path):
    folder = tmp_path / "instance"
    restore_backup(plain_backup, folder, None, "ana")
    with opened(folder) as database:
        write_backup(database, folder, tmp_path / "b.tar.gz", "ana")

    def later(name, content):
        if name == CONTENTS:
            document = json.loads(content)
            document["files"] = [f for f in document["files"] if f["name"] != DATABASE]
            return json.dumps(document).encode()
        if name != DATABASE:
            return content
        path = tmp_path / "later.sqlite"
        path.write_bytes(content)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()
        return path.read_bytes()

    rewritten(tmp_path / "b.tar.gz", tmp_path / "later.tar.gz", later)
    with pytest.raises(StoreError, match="newer version"):
        restore_backup(tmp_path / "later.tar.gz", tmp_path / "there", None, "ana")


def test_commands_print_what_was_done(run, tmp_path):
    run("init")
    written = json.loads(run("backup", tmp_path / "b.tar.gz", "--as", "ana", "--json").stdout)
    assert written["secret_key"] is True
    assert written["files"] == {DATABASE: 1, "secret_key": 1}
    assert written["bytes"] == (tmp_path / "b.tar.gz").stat().st_size
    there = tmp_path / "there"
    restored = json.loads(
        run("restore", tmp_path / "b.tar.gz", "--instance", there, "--json").stdout
    )
    assert restored["instance"] == str(there)
    assert restored["audit_entries"] == written["audit"]["last"]
    assert (
        "not empty" in run("restore", tmp_path / "b.tar.gz", "--instance", there, status=1).stderr
    )
    urls = [f"sqlite:///{there / 'saferground.sqlite'}", f"sqlite:///{tmp_path / 'new.sqlite'}"]
    document = json.loads(run("database", "copy", *urls, "--json").stdout)
    assert document["tables"]["audit_head"]["rows"] == 1
    assert "not empty" in run("database", "copy", *urls, status=1).stderr
