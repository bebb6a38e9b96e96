"""What a worker loads before it has a job: nothing that only jobs need."""

import subprocess
import sys

import pytest

HEAVY = {"flask", "jinja2", "folium", "matplotlib", "pandas", "geopandas", "numba", "sklearn"}
PAGES = {"flask", "folium", "matplotlib"}


def loaded(modules):
    """Give the packages that a fresh interpreter has loaded after importing some modules."""
    code = f"import {modules}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_worker_and_the_kinds_of_jobs_load_no_pages_and_no_numerical_libraries():
    found = loaded("app.cli.worker_command, app.jobs.process, app.jobs.kinds")
    assert "sqlalchemy" in found
    assert found.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "modules",
    [
        "app.usecases.risk.fit, app.usecases.risk.validation, app.usecases.risk.analyses",
        "app.usecases.city_files, geodata.ingest.store, geodata.releases.build",
    ],
)
def test_work_that_shows_no_page_loads_none(modules):
    assert loaded(modules).isdisjoint(PAGES)
