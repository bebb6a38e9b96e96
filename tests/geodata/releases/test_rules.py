from dataclasses import fields, replace

from geodata.documents import to_json
from geodata.measures.record import Measure
from geodata.measures.registry import MEASURES, disclosed
from geodata.releases.dictionary import FILES, NEVER, names
from geodata.releases.encoding import csv_bytes, geojson_bytes
from geodata.releases.rules import RULES


def test_the_rules_are_those_of_the_product():
    assert to_json(replace(RULES, texts={})) == {
        "version": 4,
        "masking_version": 1,
        "k": 8,
        "reach_m": 250.0,
        "square_m": 500.0,
        "least_radius_m": 50.0,
        "delay_days": 7,
        "band_hours": 4,
        "least_shown": 5,
        "possible_values": 4,
        "least_people": 100,
        "people_step": 10,
        "most_age_days": 7,
        "texts": {},
    }
    told = " ".join(RULES.texts.values())
    for number in ("at least 8 addresses", "250 m", "500 m", "7 days", "4 hours", "fewer than 5"):
        assert number in told, number


def test_a_measure_is_for_staff_until_somebody_opens_it():
    own = ("site.data_age_days",)  # the pages tell it themselves
    assert disclosed(MEASURES, "staff") == ("actions.done", "actions.days_to_close.p50", *own)
    (way,) = [one.default for one in fields(Measure) if one.name == "disclosure"]
    assert way == "staff"


def test_every_sensitive_measure_has_a_way_to_be_hidden():
    counts, parts = disclosed(MEASURES, "count"), disclosed(MEASURES, "part")
    follows = disclosed(MEASURES, "follows")
    sensitive = {one.id for one in MEASURES.values() if one.sensitive}
    hidden = {*counts, *parts, *follows}
    assert hidden <= sensitive <= hidden | {*disclosed(MEASURES, "coarse")}
    assert {MEASURES[one].follows for one in follows} <= {*counts}
    assert all(MEASURES[identity].is_share for identity in parts)
    assert len(parts) == 4
    assert {"alerts.guns", "alerts.arrests", "dirtbike.arrests"} < {*counts}


def test_the_list_of_columns_has_no_name_that_is_never_published():
    for file in FILES:
        columns = names(file)
        assert not NEVER & {*columns}
        assert len({*columns}) == len(columns)
        assert all(column.meaning for column in FILES[file].columns)


def test_tables_and_shapes_are_written_without_chance():
    import geopandas as gpd
    import shapely

    assert csv_bytes(["a", "b"], [{"a": None, "b": 'x,"y"'}]) == b'a,b\n,"x,""y"""\n'
    ring = shapely.Polygon([(0, 0), (0, 0.12345678), (1, 1), (1, 0)])  # clockwise
    text = geojson_bytes(gpd.GeoSeries([ring], crs=4326), [{"name": "Å"}]).decode()
    assert '"coordinates":[[[0.0,0.0],[1.0,0.0],[1.0,1.0],[0.0,0.123457],[0.0,0.0]]]' in text
    assert '"name":"Å"' in text
