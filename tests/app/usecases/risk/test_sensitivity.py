import pytest

from app.usecases.risk.analyses import vary
from app.usecases.risk.fit import FitRequest, fit
from geodata.analysis_documents import SensitivityDocument
from geodata.errors import DataError
from geodata.repositories import run_analyses


def test_other_seeds_and_blocks_are_told_beside_the_run(small):
    database, run = small
    document = vary(database, run.id, workers=1)
    changed = [found.changed for found in document.fits]
    assert changed == [
        "seed 2",
        "seed 3",
        "seed 4",
        "block 150 instead of 200",
        "block 250 instead of 200",
        "block 300 instead of 200",
    ]
    for found in document.fits:
        assert 0 <= found.zones_kept <= 1
        assert 0 <= found.top_shared <= 1
        assert {factor.name for factor in found.factors} == {"bars"}
    for found in document.fits[:3]:  # the folds matter little where the factor is plain
        assert found.bic == pytest.approx(run.result.model.bic, abs=5)
    with database.session() as session:
        assert run_analyses.analyses_of(session, run.id, SensitivityDocument) == [document]


def test_a_district_is_refused(small):
    database, _ = small
    (district,) = fit(database, FitRequest(city="town", outcome="robbery", districts=("D1",)))
    with pytest.raises(DataError, match="city-wide"):
        vary(database, district.id)
