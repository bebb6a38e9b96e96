import json

import pytest

from app.usecases.risk.analyses import bootstrap
from app.usecases.risk.fit import FitRequest, fit
from app.usecases.risk.parallel import spread
from geodata.analysis_documents import CertaintyDocument
from geodata.errors import CancelledError, DataError
from geodata.repositories import run_analyses


@pytest.mark.parametrize("way", ["processes", "cluster"])
def test_the_answer_does_not_depend_on_who_works(small, way):
    database, run = small
    alone = bootstrap(database, run.id, replicates=10, workers=1)
    if way == "processes":
        assert bootstrap(database, run.id, replicates=10, workers=2) == alone
        return
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        assert bootstrap(database, run.id, replicates=10, scheduler=address) == alone


def test_the_document_tells_factors_zones_and_cells(small):
    database, run = small
    seen = []
    document = bootstrap(
        database, run.id, replicates=10, workers=1, progress=lambda *step: seen.append(step)
    )
    assert ("bootstrap", 10, 10) in seen
    assert [zone.id for zone in document.zones] == list(run.zones["id"])
    assert all(0 <= zone.stability <= 1 for zone in document.zones)
    assert {factor.name for factor in document.factors} == {"bars"}
    json.dumps(document.as_json(), allow_nan=False)
    with database.session() as session:
        kept = run_analyses.list_findings(session, run.id, "certainty")[0]
    assert run_analyses.read_analysis(CertaintyDocument, kept) == document
    assert len(kept.cells) == len(run.grid)
    assert kept.cells["top_share"].between(0, 1).all()


def test_cancelling_stores_nothing(small):
    database, run = small
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(CancelledError, match="cancelled after 3 of 11"):
        bootstrap(database, run.id, replicates=11, seed=9, workers=1, cancelled=cancelled)
    with database.session() as session:
        keys = [found.key for found in run_analyses.list_findings(session, run.id, "certainty")]
    assert "11/9" not in keys


def test_what_cannot_be_asked_is_told(small):
    database, run = small
    with pytest.raises(DataError, match="10 to 2,000"):
        bootstrap(database, run.id, replicates=3)
    with pytest.raises(DataError, match="no Dask scheduler answers"):
        list(spread(abs, 2, scheduler="not-an-address"))
    (district,) = fit(database, FitRequest(city="town", outcome="robbery", districts=("D1",)))
    with pytest.raises(DataError, match="city-wide"):
        bootstrap(database, district.id)


def test_answers_come_in_order_from_processes():
    assert list(spread(abs, 9, workers=2)) == list(range(9))
