import datetime as dt
import json

import numpy as np
import pytest
import shapely
from demo_fixtures import HELD_OUT
from run_documents import EFFECT

from app.charts.charts import capture_curves, draw, relative_risks
from app.usecases.risk.fit import load_inputs
from app.usecases.risk.validation import _cut_alike, backtest, validate
from geodata.analysis_documents import BacktestDocument
from geodata.db.engine import open_database
from geodata.errors import DataError, NotStoredError
from geodata.repositories import cities, run_analyses
from spatial.grid import lay_grid
from spatial.history.forecast import SHARES, score_levels
from spatial.spec import ZoneSpec

SCORES = {"combined", "rtm", "prior", "kde", "forest"}


@pytest.fixture(scope="module")
def opened(demo_settings):
    database = open_database(demo_settings.database_url)
    yield database
    database.close()


@pytest.fixture
def run(drawn):
    return drawn[1]


@pytest.fixture
def document(opened, run):
    with opened.session() as session:
        return run_analyses.list_findings(session, run.id, "validation")[0].document


def test_the_document_has_the_shape_that_scripts_read(document, run):
    assert document["run"] == run.id
    assert [level["share"] for level in document["levels"]] == list(SHARES)
    for level in document["levels"]:
        assert level["cells"] == max(1, round(level["share"] * len(run.grid)))
        assert set(level["scores"]) == SCORES
        for figures in level["scores"].values():
            assert set(figures) >= {"hits", "hit_rate", "pai", "pai_low", "pai_high", "pei"}
            assert figures["pai_low"] <= figures["pai"] <= figures["pai_high"]
            assert figures["hit_rate"] == pytest.approx(figures["hits"] / document["incidents"])
    json.dumps(document, allow_nan=False)


def test_figures_are_those_of_the_incidents_of_the_period(opened, document, run):
    with opened.session() as session:
        city = cities.get_city(session, run.city)
        test = load_inputs(session, city, run.outcome, *HELD_OUT).incidents
    later = run.grid.count(test.x, test.y)
    assert document["incidents"] == later.sum() > 100
    for level, expected in zip(
        document["levels"], score_levels(run.cells["combined"], later), strict=True
    ):
        assert level["scores"]["combined"]["hits"] == pytest.approx(expected.hits)
        assert level["scores"]["combined"]["pai"] == pytest.approx(expected.pai)
    union = shapely.union_all(run.zones.geometry.to_numpy())
    assert document["zones"]["hits"] == shapely.contains_xy(union, test.x, test.y).sum()
    assert sum(document["zones"]["by_zone"].values()) == document["zones"]["hits"]


def test_zones_are_set_beside_zones_cut_alike(document, run):
    zones, limits = document["zones"], run.spec.zones
    assert set(zones["scores"]) == {"combined", "prior", "kde"}
    assert zones["scores"]["combined"]["hits"] == zones["hits"]
    assert zones["scores"]["combined"]["cells"] == run.zones["n_cells"].sum()
    sizes = np.bincount(run.grid.district[run.grid.district >= 0])
    most = sum(max(limits.min_cells, round(limits.area_share * n)) for n in sizes)
    for one in zones["scores"].values():
        assert 0 < one["cells"] <= most
        assert one["area_share"] == pytest.approx(one["cells"] / len(run.grid))
        assert one["hit_rate"] == pytest.approx(one["hits"] / document["incidents"])
        assert one["pai"] == pytest.approx(one["hit_rate"] / one["area_share"])
        assert one["pai_low"] < one["pai"] < one["pai_high"]


@pytest.mark.parametrize("best", [0, 1, 2])
def test_ties_of_counts_are_decided_by_the_kernel_density(best):
    """Three blocks of four cells with one incident each: the one with most around it is cut."""
    area = shapely.box(0, 0, 3000, 1000)
    grid = lay_grid(area, {"D1": area}, 100)
    row, column = grid.rows, grid.cols
    blocks = [(row // 2 == 2) & (column // 2 == 2 + 5 * i) for i in range(3)]
    prior = sum(block.astype(float) for block in blocks)
    kde = 0.1 + prior + blocks[best]
    later = 7 * blocks[best].astype(int) + 1
    limits = ZoneSpec(area_share=0.02, min_cells=4, max_cells=4, max_zones=1)
    found = _cut_alike(grid, {"prior": prior, "kde": kde}, later, limits)
    assert (found["prior"].cells, found["prior"].hits) == (4, 32)
    assert found["kde"] == found["prior"]


@pytest.mark.parametrize("part", ["rtm", "prior", "kde"])
def test_the_combined_risk_places_later_incidents_better_than_its_parts(document, part):
    ratios = [
        level["scores"]["combined"]["pai"] / level["scores"][part]["pai"]
        for level in document["levels"]
    ]
    assert np.exp(np.mean(np.log(ratios))) > 1.0


def test_a_period_that_was_trained_on_is_refused(opened, run):
    with pytest.raises(DataError, match="must start on or after 2025-07-01"):
        validate(opened, run.id, dt.date(2025, 6, 30), dt.date(2025, 12, 1))
    with pytest.raises(DataError, match="empty"):
        validate(opened, run.id, dt.date(2025, 12, 1), dt.date(2025, 12, 1))
    with pytest.raises(NotStoredError, match="saferground runs"):
        validate(opened, "none", dt.date(2025, 12, 1), dt.date(2025, 12, 2))


def test_rolling_origins_never_see_what_follows(opened, run):
    seen = []
    document = backtest(opened, run.id, 2, progress=lambda *step: seen.append(step))
    first, second = document.origins
    assert (first.end, second.end) == (second.start, dt.date(2025, 7, 1))
    assert first.trained_on + first.incidents == second.trained_on
    assert second.trained_on + second.incidents == run.result.incidents
    level = document.levels[2].scores["combined"]
    parts = [origin.levels[2].scores["combined"] for origin in (first, second)]
    assert level.hits == pytest.approx(sum(part.hits for part in parts))
    assert level.pei == pytest.approx(
        sum(part.hits for part in parts) / sum(part.most for part in parts)
    )
    assert seen[-1] == ("rolling origins", 2, 2)
    with opened.session() as session:
        assert run_analyses.analyses_of(session, run.id, BacktestDocument)[0] == document
    with pytest.raises(DataError, match="at most 24"):
        backtest(opened, run.id, 25)


def test_the_page_shows_the_figures(client, document):
    html = client.get("/methods/validation").get_data(as_text=True)
    zones = document["zones"]
    assert f"{zones['hits']:,}" in html
    assert f"{document['levels'][1]['scores']['combined']['pai']:.1f}" in html
    assert "July 1, 2025 to November 30, 2025" in html
    for name in ("capture", "calibration", "factors"):
        answer = client.get(f"/methods/charts/{name}.svg")
        assert answer.status_code == 200
        assert answer.mimetype == "image/svg+xml"
        assert b"<script" not in answer.data
    assert client.get("/methods/charts/none.svg").status_code == 404


def test_charts_are_the_same_bytes_every_time(document):
    assert draw(capture_curves, document["curves"]) == draw(capture_curves, document["curves"])
    assert b"2.50" in draw(relative_risks, [EFFECT], ["bars"])
    assert b"<svg" in draw(relative_risks, [], [])
