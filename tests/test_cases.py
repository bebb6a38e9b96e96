"""Small files in the forms that real exports have, each with what an import must make of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/city.toml"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not NAMES, reason="the shared cases are not beside the project"),
]


@pytest.mark.parametrize("name", NAMES or ["none"])
def test_a_file_in_the_form_of_a_real_export(name):
    command = [Path(sys.executable).parent / "saferground"]
    done = subprocess.run(
        [sys.executable, CASES / "run.py", "--sg", *command, name],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
