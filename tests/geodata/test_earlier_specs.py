"""How a run of an earlier version was made is read with what its zones were cut by."""

from geodata.documents import from_json
from geodata.run_document import EARLIER_ZONES, StoredSpec, read_run_spec, write_run_spec
from spatial.spec import GridSpec, RiskFactor, RunSpec, ZoneSpec

SPEC = RunSpec(
    grid=GridSpec(cell_units=100, block_units=200),
    factors=(RiskFactor(name="bars"),),
    zones=ZoneSpec(max_zones=8, min_cells=4),
)


def test_what_is_written_is_read_as_it_was():
    assert read_run_spec("1", write_run_spec(SPEC)) == SPEC


def test_settings_that_an_earlier_version_did_not_have_are_what_it_did():
    document = write_run_spec(SPEC)
    zones = {k: v for k, v in document["zones"].items() if k not in EARLIER_ZONES}
    assert set(zones) == {"source", "area_share", "min_cells", "max_cells", "max_zones"}
    earlier = ZoneSpec(
        allotment="even",
        min_cells=4,
        max_zones=8,
        least_compactness=0.0,
        least_expected=0.0,
        barriers="crossed",
    )
    for found in (
        read_run_spec("1", document | {"zones": zones}),
        from_json(StoredSpec, document | {"zones": zones}, "a release", "draft it anew"),
    ):
        assert found.zones == earlier
        assert found.grid == SPEC.grid
