"""A PostgreSQL server with PostGIS in a temporary folder, for the tests of one session."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from geodata.db.engine import upgrade

BIN = Path("/usr/lib/postgresql/15/bin")
CONTROL = Path("/usr/share/postgresql/15/extension/postgis.control")


class ClusterError(Exception):
    """No server can be started here."""


class Cluster:
    """Starts the server; hands out empty databases made from one upgraded template."""

    def __init__(self):
        if not (BIN / "initdb").exists() or not CONTROL.exists():
            msg = "PostgreSQL 15 with PostGIS is not installed (Debian: postgresql-15-postgis-3)"
            raise ClusterError(msg)
        self.folder = Path(tempfile.mkdtemp(prefix="saferground-pg-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run(
            "initdb", "-D", self.data, "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8"
        )
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -F"
        self._run(
            "pg_ctl", "-D", self.data, "-o", options, "-l", self.folder / "log", "-w", "start"
        )
        self._made = 0
        self._sql("CREATE DATABASE template_saferground")
        upgrade(self._url("template_saferground"))

    def fresh_database(self):
        """Make an upgraded, empty database and give its address."""
        self._made += 1
        name = f"test_{self._made}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE template_saferground")
        return self._url(name)

    def bare_database(self):
        """Make a database without any schema and give its address."""
        self._made += 1
        self._sql(f"CREATE DATABASE test_{self._made}")
        return self._url(f"test_{self._made}")

    def stop(self):
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _url(self, name):
        return f"postgresql://tester@127.0.0.1:{self.port}/{name}"

    def _run(self, program, *arguments):
        command = [*self.user, str(BIN / program), *map(str, arguments)]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode:
            msg = f"{program} failed: {done.stderr.strip() or done.stdout.strip()}"
            raise ClusterError(msg)

    def _sql(self, statement):
        self._run(
            "psql",
            "-h",
            "127.0.0.1",
            "-p",
            self.port,
            "-U",
            "tester",
            "-d",
            "postgres",
            "-v",
            "ON_ERROR_STOP=1",
            "-q",
            "-c",
            statement,
        )
