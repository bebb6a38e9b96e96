"""Everything that is installed is named with its version and its digest."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^[\w.-]+(\[[\w,-]+\])?==[^\s;]+")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_python_package_has_a_version_and_a_digest(lock):
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(entries) > 30
    loose = [
        line[:60] for line in entries if not PINNED.match(line) or "--hash=sha256:" not in line
    ]
    assert loose == []


def test_every_npm_package_has_a_digest():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    named = {name: one for name, one in packages.items() if name}
    assert named
    assert [name for name, one in named.items() if not one.get("integrity")] == []
