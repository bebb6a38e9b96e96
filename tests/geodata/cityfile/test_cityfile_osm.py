"""``[osm]``, factors by tag and titles, as a city file states them and an import stores them."""

import pytest
from extracts import BARS, ExtractTown
from town import CRS

from geodata.cityfile.description import read_city_file
from geodata.errors import CityFileError
from geodata.ingest.store import import_city
from geodata.repositories.cities import get_city
from geodata.repositories.layers import base_shapes, factor_layers

CITY = f"""
[city]
slug = "town"
name = "Town"
crs = "{CRS}"
timezone = "America/New_York"
[districts]
source = "districts.geojson"
id = "code"
[grid]
cell = 50
block = 100
[osm]
source = "town.osm"
[[incidents]]
source = "robberies.csv"
outcome = "robbery"
id = "case_id"
date = "occurred_date"
x = "longitude"
y = "latitude"
[outcomes.robbery]
title = "robbery of persons"
sensitive = true
[[factors]]
name = "bars"
osm = "bars"
[[factors]]
name = "green"
title = "places to play"
osm = {{ leisure = "park" }}
operation = "proximity"
[[factors]]
name = "drinks"
osm = "bars"
[[factors]]
name = "made"
osm = {{ "name" = ["I 40"], service = "*" }}
"""


@pytest.fixture
def town(tmp_path):
    made = ExtractTown(tmp_path)
    made.city = CITY
    return made


def described(town, *changes):
    for old, new in changes:
        assert old in town.city
        town.city = town.city.replace(old, new)
    path = town.folder / "city.toml"
    path.write_text(town.city)
    return read_city_file(path)


def faults(town, *changes):
    with pytest.raises(CityFileError) as told:
        described(town, *changes)
    return "\n".join(told.value.faults)


def test_an_extract_gives_the_map_and_the_factors(town, sqlite_database):
    result = import_city(sqlite_database, described(town))
    reports = {report.source: report for report in result.sources}
    assert reports["town.osm: bars"].left_out["beyond the city"] == 1
    assert reports["town.osm: street"].stored == 21
    with sqlite_database.session() as session:
        city = get_city(session, "town")
        layers = factor_layers(session, city.id)
        base = base_shapes(session, city.id)
    by_name = {factor.name: (factor, layer) for factor, layer in layers.items()}
    assert set(by_name["bars"][1].geom_type) == {"Point"}
    assert len(by_name["bars"][1]) == len(BARS) + 2
    assert set(by_name["green"][1].geom_type) == {"MultiPolygon"}
    assert by_name["made"][1].geom_type.tolist() == ["Point"]
    streets = base[base["kind"] == "street"]
    assert set(streets["name"]) >= {"1 Street", "10 Avenue", "I 40"}
    assert dict(base["kind"].value_counts()) == {"street": 21, "water": 1, "park": 1, "rail": 1}
    again = import_city(sqlite_database, described(town))
    assert {r.source: r.stored for r in again.sources if r.source.startswith("town.osm")} == (
        dict.fromkeys((s for s in reports if s.startswith("town.osm")), 0)
    )


def test_titles_and_sensitive_outcomes_are_stored_with_the_city(town, sqlite_database):
    import_city(sqlite_database, described(town))
    with sqlite_database.session() as session:
        city = get_city(session, "town")
    assert city.titles == {
        "robbery": "robbery of persons", "green": "places to play", "drinks": "bars",
    }  # fmt: skip
    assert city.sensitive_outcomes == ("robbery",)


def test_the_operation_of_a_library_factor_is_its_own_unless_stated(town):
    found = described(town, ('osm = "bars"\n[[factors]]\nname = "made"',
                             'osm = "parks"\n[[factors]]\nname = "made"'))  # fmt: skip
    operations = {source.factor.name: source.factor.operation for source in found.factors}
    assert operations == {
        "bars": "both", "green": "proximity", "drinks": "proximity", "made": "both",
    }  # fmt: skip


def test_streets_of_the_city_itself_take_the_place_of_the_extracts(town):
    own = '[[base]]\nkind = "street"\nsource = "districts.geojson"\n[outcomes.robbery]'
    found = described(town, ("[outcomes.robbery]", own))
    assert [(one.kind, one.place.tags is None) for one in found.base] == [
        ("street", True), ("water", False), ("park", False), ("rail", False),
        ("neighbourhood", False), ("place", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('[osm]\nsource = "town.osm"\n', ""), "osm needs the extract: [osm] source"),
        (('osm = "bars"\n[[factors]]\nname = "green"', 'osm = "bar"\n[[factors]]\nname = "green"'),
         "no risk factor of the library; did you mean bars?"),
        (('leisure = "park"', "leisure = 3"), "osm: leisure: name values"),
        (('title = "places to play"', 'source = "x.csv"'), "give osm, or source, not both"),
        (("[outcomes.robbery]", "[outcomes.burglary]"), "no incidents have that outcome"),
        (("sensitive = true", 'sensitive = "yes"'), "sensitive must be true or false"),
        (("sensitive = true", "sensitiv = true"), "did you mean sensitive?"),
        (('name = "drinks"', 'name = "robbery"'), "a factor and an outcome with different titles"),
        (('source = "town.osm"', 'sourc = "town.osm"'), "[osm]: source is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_the_remedy(town, change, fault):
    assert fault in faults(town, change)
