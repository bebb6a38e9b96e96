import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spatial.grid import lay_grid
from spatial.notes import Note
from spatial.spec import RiskFactor
from spatial.terrain.candidates import Design, build_design, distinct_rows, encode
from spatial.terrain.factors import Candidate


def near(name, **change):
    return RiskFactor(name=name, operation="proximity", max_blocks=1, step="whole", **change)


def test_what_cannot_serve_is_dropped_with_its_reason(make_points):
    area = shapely.box(0, 0, 2000, 2000)
    grid = lay_grid(area, {"a": area}, 100)
    lattice = np.stack(np.meshgrid(np.arange(50, 2000, 100), np.arange(50, 2000, 100)), -1)
    layers = {
        near("bars"): make_points([(500, 500), (1500, 1200)]),
        near("taverns"): make_points([(1500, 1200), (500, 500)]),
        near("none"): make_points([]),
        near("far"): make_points([(9000, 9000)]),
        near("corner"): make_points([(0, 0)]),
        near("everywhere"): make_points(lattice),
    }
    stages = []
    design = build_design(grid, layers, 200, progress=lambda *stage: stages.append(stage))
    reasons = {d.candidate.factor: d.reason for d in design.dropped}
    assert [c.factor for c in design.candidates] == ["bars"]
    assert reasons["taverns"] == "the same as bars proximity 200"
    assert reasons["none"] == "the factor has no feature"
    assert reasons["far"] == reasons["everywhere"] == "the same in every cell"
    assert reasons["corner"] == "marks only 3 cells (fewer than 10)"
    assert design.n_considered == 6
    assert stages[-1] == ("risk factors", 6, 6)


def test_a_column_that_marks_most_cells_is_warned_of(make_points):
    area = shapely.box(0, 0, 2000, 2000)
    grid = lay_grid(area, {"a": area}, 100)
    factor = RiskFactor(name="homes", operation="proximity", max_blocks=6, step="whole")
    design = build_design(grid, {factor: make_points([(1000, 1000)])}, 200)
    found = {note.parameters["distance"] for note in design.warnings()}
    assert 1000.0 in found
    assert 200.0 not in found


def test_more_than_half_of_the_cells_are_most_of_them():
    columns = np.zeros((100, 2), dtype=np.uint8)
    columns[:50, 0] = columns[:51, 1] = 1
    half, more = Candidate("half", "proximity", 100.0), Candidate("more", "proximity", 100.0)
    (warning,) = Design(candidates=(half, more), columns=columns, dropped=()).warnings()
    column = {"name": "more", "operation": "proximity", "distance": 100.0}
    assert warning == Note("model.populated_land", {**column, "share": 0.51})


@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 40), st.integers(0, 70)), elements=st.integers(0, 1)
    )
)
def test_distinct_rows_give_the_rows_back(columns):
    patterns, code = distinct_rows(columns)
    np.testing.assert_array_equal(patterns[code], columns)
    assert len({row.tobytes() for row in patterns}) == len(patterns)


def test_codes_mean_the_same_columns(make_design):
    design, _ = make_design(n=500)
    patterns = encode(design)
    rebuilt = sum(patterns.levels[patterns.codes[:, f]] for f in range(patterns.codes.shape[1]))
    np.testing.assert_array_equal(rebuilt, design.columns)
