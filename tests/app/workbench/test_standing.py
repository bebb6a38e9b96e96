"""The overview of a city: what is next, for whom."""

import datetime as dt
import json

import pytest
from ready import make_ready
from staffing import Office, keep_city
from town import Town
from using import put_to_use

from app.usecases.risk.fit import FitRequest, fit
from app.usecases.risk.validation import validate
from app.workbench.city_status import PATIENCE_S, WorkerWatch
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.ingest.store import import_city
from geodata.repositories import job_queue


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """An office of its own, whose town changes from test to test in one story."""
    folder = tmp_path_factory.mktemp("own")
    url = f"sqlite:///{folder}/own.sqlite"
    make_ready(url)
    office = Office(url, folder)
    office.town = Town(folder, n=700).crowd(400)
    for role in ("analyst", "viewer"):
        office.add(role, role)
    yield office
    office.close()


def next_of(page):
    """Give what stands under "What is next"."""
    part = page.partition('<ul class="next">')[2].partition("</ul>")[0]
    return part.replace("\n", " ")


def test_the_story_of_a_city_from_nothing_to_a_validated_run(own):
    ann, vera = own.client("analyst"), own.client("viewer")
    assert "No city is stored yet" in ann.get("/analyst/").text
    keep_city(own.database, "ghost")
    assert "There are no incidents yet" in next_of(ann.get("/analyst/ghost/").text)
    import_city(own.database, read_city_file(own.town.path))
    told = next_of(ann.get("/analyst/town/").text)
    assert "no run of the whole city is" in told
    assert 'href="/analyst/town/runs/new"' in told
    seen = next_of(vera.get("/analyst/town/").text)
    assert "no run of the whole city is" in seen
    assert "href" not in seen  # fitting is not the viewer's to do
    (whole,) = fit(own.database, FitRequest(city="town", outcome="robbery"))
    assert "took all days there are" in next_of(ann.get("/analyst/town/").text)
    early = FitRequest(city="town", outcome="robbery", end=dt.date(2024, 10, 1))
    (run,) = fit(own.database, early)
    told = next_of(ann.get("/analyst/town/").text)
    assert "was not held against later incidents yet" in told
    assert f'href="/analyst/town/runs/{run.id}"' in told
    validate(own.database, run.id, dt.date(2024, 10, 1), dt.date(2024, 12, 29))
    page = ann.get("/analyst/town/").text
    assert "No release shows the newest run" in next_of(page)
    assert "No run is in use" in next_of(page)
    assert f'href="/analyst/town/runs/{run.id}/use"' in next_of(page)
    put_to_use(own.database, run)
    page = ann.get("/analyst/town/").text
    assert "No run is in use" not in next_of(page)
    assert "No release shows the run in use" in next_of(page)
    assert 'href="/analyst/town/releases"' in next_of(page)
    assert "href" not in next_of(vera.get("/analyst/town/").text)  # nor is drafting
    assert whole.id in page
    own.town.incidents.loc[0, "date"] = "2/2/2024"
    own.town.save()
    import_city(own.database, read_city_file(own.town.path))
    told = next_of(ann.get("/analyst/town/").text)
    assert "were imported after the newest run" in told
    assert "700" in page
    assert "bars" in page


def ready(office):
    answer = office.client().get("/readyz")
    return answer.status_code, answer.get_json()


def test_monitors_are_told_of_the_worker_and_a_missing_one_is_a_fault_after_a_while(own):
    now = [1000.0]
    own.app.extensions["saferground.checks"]["worker"] = WorkerWatch(own.database, lambda: now[0])
    told = ready(own)[1]
    assert told["worker"] == "none"
    assert not any("worker" in reason for reason in told["reasons"])
    now[0] += PATIENCE_S
    status, told = ready(own)
    assert (status, told["worker"]) == (503, "none")
    assert "no worker takes work up; start one with: saferground worker" in told["reasons"]
    with own.database.session(write=True) as session:
        job_queue.register_worker(session, "w1")
    told = ready(own)[1]
    assert told["worker"] == "ok"
    assert not any("worker" in reason for reason in told["reasons"])
    with own.database.session(write=True) as session:
        job_queue.unregister_worker(session, "w1")
    now[0] += PATIENCE_S - 1
    assert not any("worker" in reason for reason in ready(own)[1]["reasons"])
    now[0] += 1
    assert any("worker" in reason for reason in ready(own)[1]["reasons"])


def test_the_public_part_alone_has_no_worker(tmp_path):
    from app import create_app
    from app.config import Settings

    settings = Settings(database_url=f"sqlite:///{tmp_path}/none.sqlite", instance=tmp_path)
    told = json.loads(create_app(settings).test_client().get("/readyz").text)
    assert told["worker"] == "not used"


def test_a_database_that_cannot_be_read_is_told(tmp_path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    make_ready(url)
    database = open_database(url)
    database.close()
    (tmp_path / "x.sqlite").unlink()
    assert WorkerWatch(database)() == ("unknown", "the database of jobs cannot be read")
    database.close()
