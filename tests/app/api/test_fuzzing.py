"""Schemathesis against the running application: requests that fit the document and that do not."""

import subprocess
import sys

import pytest
from serving import serving

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("part", ["everything", "what the town has"])
def test_schemathesis_finds_nothing(town, unlimited, tmp_path, part):
    told = CONFIG if part == "everything" else CONFIG + THERE
    (tmp_path / "schemathesis.toml").write_text(told)
    only = [] if part == "everything" else ["--include-tag=staff"]
    with serving(town.app) as address:
        command = [
            f"{sys.prefix}/bin/schemathesis",
            f"--config-file={tmp_path / 'schemathesis.toml'}",
            "run",
            f"{address}/api/v1/openapi.json",
            f"--header=Authorization: Bearer {town.tokens['analyst']}",
            "--checks=all",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=8",
            "--generation-deterministic",
            "--no-shrink",
            "--continue-on-failure",
            "--no-color",
            "--suppress-health-check=all",
            *only,
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-60_000:] + done.stderr[-2_000:]


# Rules between fields (a period that ends before it starts, a district that is not there) cannot be
# said in a schema: such requests are answered 400 or 422, and 404 where a path names nothing.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 404, 422]
"""
# Names that are made up lead to 404 only; with these, what stands behind them answers.
THERE = """
[parameters]
"path.run" = "aaaaaaaaaaaa"
"path.city" = "town"
"path.number" = 1
"""
