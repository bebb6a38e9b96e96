"""A wheel, installed where no checkout is, must serve its pages."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

SERVE = """
import app, pathlib
from app.config import Settings
from geodata.db.engine import upgrade

assert "checkout" not in app.__file__
here = pathlib.Path.cwd()
settings = Settings(database_url=f"sqlite:///{here / 'db.sqlite'}", instance=here)
upgrade(settings.database_url)
client = app.create_app(settings).test_client()
for path in ("/", "/methods/", "/static/site.css", "/static/vendor/leaflet/leaflet.js"):
    assert client.get(path).status_code == 200, path
print(app.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An environment with the wheel; its libraries are those of the tests, its checkout is not."""
    home = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    site = next(home.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    # a folder named in a .pth file is added without its own .pth files: no editable install
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "python"


def run(python, folder, *arguments):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SAFERGROUND"))}
    return subprocess.run(
        [str(python), *arguments], cwd=folder, env=clean, check=True, capture_output=True, text=True
    ).stdout


def test_the_wheel_serves_its_pages_without_a_checkout(python, tmp_path):
    found = Path(run(python, tmp_path, "-c", SERVE).strip())
    assert found.is_relative_to(python.parents[1])


def test_the_wheel_has_its_command(wheel, python, tmp_path):
    version = wheel.name.split("-")[1]
    code = "import sys; from app.cli import main; sys.argv = ['saferground', '--version']; main()"
    assert version in run(python, tmp_path, "-c", code)
    with zipfile.ZipFile(wheel) as packed:
        entry = next(n for n in packed.namelist() if n.endswith("entry_points.txt"))
        assert "saferground" in packed.read(entry).decode()


def test_nothing_but_the_product_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as packed:
        tops = {name.split("/")[0] for name in packed.namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {
        "app",
        "geodata",
        "spatial",
    }
