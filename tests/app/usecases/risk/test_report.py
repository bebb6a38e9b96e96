import dataclasses
import re
import shutil

import pytest
from demo_fixtures import HELD_OUT
from markupsafe import escape

from app import create_app
from app.config import Settings
from app.run_view import run_context
from app.site_documents import make_city_preview
from app.usecases.risk.analyses import bootstrap, compare
from app.usecases.risk.fit import FitRequest, fit
from app.workbench.run_report import write_report
from geodata.db.engine import open_database
from geodata.errors import DataError
from geodata.repositories.cities import get_city
from geodata.repositories.runs import latest_run
from spatial.spec import ZoneSpec
from spatial.zones.name_words import short_name


@pytest.fixture(scope="module")
def own(demo_settings, tmp_path_factory):
    """The demonstration city in an instance of its own, since these tests add to it."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(demo_settings.database_url.removeprefix("sqlite:///"), folder / "own.sqlite")
    return Settings(
        database_url=f"sqlite:///{folder}/own.sqlite", instance=folder / "instance", preview=True
    )


@pytest.fixture(scope="module")
def opened(own):
    database = open_database(own.database_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def whole(opened):
    """Its run with everything found out about it."""
    with opened.session() as session:
        run = latest_run(session, "alder-falls")
    bootstrap(opened, run.id, replicates=10)
    with opened.session() as session:
        return run_context(session, get_city(session, run.city), run.id), run


@pytest.fixture
def client(own, opened, whole):
    del whole
    make_city_preview(opened, own, "alder-falls")
    return create_app(own).test_client()


def test_the_html_report_is_one_file_that_asks_for_nothing(whole, tmp_path):
    path = tmp_path / "report.html"
    _, run = whole
    write_report(*whole, path)
    html = path.read_text()
    assert "Synthetic data." in html
    assert not re.search(r"(?:src|href)=\"(?!data:)", html)
    assert "<script" not in html
    assert html.count('src="data:image/svg+xml') == 5  # map, factors, selection, two of validation
    for part in (
        "Where the risk lies",
        "Factors",
        "How sure the choice is",
        "Districts beside the city",
        "Does the model hold?",
        "How it did on later incidents",
        "left out",
        "Method and limits",
        run.id,
    ):
        assert part in html, part
    for zone in run.zones.itertuples():
        assert escape(short_name(zone.place_name)) in html


def test_the_pdf_report_is_whole_and_the_same_every_time(whole, tmp_path):
    one, two = tmp_path / "one.pdf", tmp_path / "two.pdf"
    write_report(*whole, one)
    write_report(*whole, two)
    content = one.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert content.count(b"/Subtype /Image") >= 5
    assert content == two.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_the_method_page_tells_how_sure_it_is(client, whole):
    html = client.get("/methods/").get_data(as_text=True)
    assert "How sure the choice is" in html
    assert "10 times on resampled data" in html
    assert client.get("/methods/charts/selection.svg").status_code == 200
    zone = whole[0].certainty.zones[0]
    page = client.get(f"/zones/{zone.id}").get_data(as_text=True)
    assert "keep it" in page


def test_comparing_runs(opened, whole):
    _, run = whole
    same = compare(run, run)
    assert list(same.zones.kept) == list(run.zones["id"])
    assert same.zones.lost == same.zones.gained == ()
    for score in (same.scores.rtm, same.scores.combined):
        assert score.rank_correlation == pytest.approx(1.0)
        assert score.top_shared == 1.0
    asked = FitRequest(
        city=run.city,
        outcome=run.outcome,
        start=run.period_from,
        end=HELD_OUT[0],
        zones=ZoneSpec(source="rtm"),
    )
    (other,) = fit(opened, asked)
    found = compare(run, other)
    assert found.scores.rtm.rank_correlation == pytest.approx(1.0)
    zones = found.zones
    assert sorted(zones.kept + zones.lost) == sorted(run.zones["id"])
    assert set(zones.gained) <= set(other.zones["id"])
    assert [f.runs[0] == f.runs[1] for f in found.factors] == [True] * len(run.result.model.factors)


def test_runs_of_different_cities_are_not_compared(whole):
    with pytest.raises(DataError, match="different cities"):
        compare(whole[1], dataclasses.replace(whole[1], city="elsewhere"))
