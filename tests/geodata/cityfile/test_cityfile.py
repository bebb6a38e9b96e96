from pathlib import Path

import pytest
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.errors import CityFileError

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


def faults_of(town):
    with pytest.raises(CityFileError) as caught:
        read_city_file(town.path)
    return caught.value.faults


def test_the_examples_are_read():
    durham = read_city_file(EXAMPLES / "durham" / "city.toml")
    assert durham.outcomes == ("robbery", "assault", "burglary", "larceny", "vehicle_theft")
    assert len(durham.factors) == 14
    hartford = read_city_file(EXAMPLES / "hartford" / "city.toml")
    assert [f.factor.name for f in hartford.factors].count("bar") == 1
    assert hartford.districts is None


def test_every_fault_is_told_at_once(town):
    town.city = """
[city]
slug = "Big Town"
name = 7
crs = "EPSG:4326"
timezone = "America/Nowhere"
colour = "red"
[districts]
source = "districts.geojson"
[grid]
cell = "100"
block = 200
[[incidents]]
source = "incidents.csv"
dat = "date"
x = "lon"
[[factors]]
name = "bars"
source = "bars.geojson"
operation = "near"
[[factors]]
name = "bars"
source = "b.geojson"
[[factors]]
name = "bars"
source = "c.geojson"
[[base]]
kind = "sea"
source = "sea.geojson"
[incident]
"""
    town.save()
    told = "\n".join(faults_of(town))
    for part in (
        "[city] slug 'Big Town'",
        "[city]: name must be text",
        "is not projected",
        "America/New_York",
        "unknown key 'colour'",
        "[districts]: id is missing",
        "cell must be a number, got '100'",
        "unknown key 'dat'; did you mean date?",
        "date is missing",
        "outcome is missing",
        "x and y belong together",
        "operation must be one of",
        "'bars' is named twice",
        "kind must be one of",
        "unknown key 'incident'; did you mean incidents?",
    ):
        assert part in told, part


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[districts]", "[boundary]\nsource = 'x'\n[places]", "unknown key 'places'"),
        ('crs = "EPSG:32617"', 'crs = "EPSG:99999999"', "is not known"),
        ("cell = 100", "cell = -1", "above 0"),
        ("block = 200", "", "block must be a number"),
    ],
)
def test_each_fault_names_its_place(town, old, new, told):
    town.change(old, new)
    assert told in "\n".join(faults_of(town))


def test_a_file_that_is_no_city_file_is_told(tmp_path):
    for name, content, told in (
        ("none.toml", None, "no such file"),
        ("broken.toml", b"[city", "not valid TOML"),
        ("latin.toml", "name = 'Zürich'".encode("latin-1"), "not UTF-8"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(CityFileError, match=told):
            read_city_file(tmp_path / name)


def test_only_a_synthetic_city_has_a_today(town):
    town.change('name = "Town"', 'name = "Town"\ntoday = 2026-01-05')
    with pytest.raises(CityFileError, match="only a synthetic city has a today"):
        read_city_file(town.path)
    town.change("today", "synthetic = true\ntoday")
    assert str(read_city_file(town.path).today) == "2026-01-05"
    town.change("2026-01-05", '"soon"')
    with pytest.raises(CityFileError, match="today must be a date"):
        read_city_file(town.path)


def test_sensitive_outcomes_are_those_that_the_file_names(town):
    assert read_city_file(town.path).sensitive_outcomes == ()
    town.city += '\n[publish]\nsensitive_outcomes = ["burglary", "burglary"]\n'
    town.save()
    assert read_city_file(town.path).sensitive_outcomes == ("burglary",)
    town.change('"burglary", "burglary"', '"burglry"')
    (fault,) = faults_of(town)
    assert "no incidents have the outcome 'burglry'; did you mean burglary?" in fault
    town.change('["burglry"]', '"burglary"')
    (fault,) = faults_of(town)
    assert "must be a list" in fault
    town.change('sensitive_outcomes = "burglary"', 'sensitive = ["burglary"]')
    (fault,) = faults_of(town)
    assert "unknown key 'sensitive'; did you mean sensitive_outcomes?" in fault


def test_activities_of_visits_are_a_list_of_texts(town):
    assert read_city_file(town.path).activities is None
    town.city += '\n[dosage]\nactivities = [" foot patrol ", "bike patrol", "foot patrol"]\n'
    town.save()
    assert read_city_file(town.path).activities == ("foot patrol", "bike patrol")
    for wrong in ('"foot patrol"', "[]", '["x", 3]', '[" "]', f'["{"x" * 121}"]'):
        town.city = town.city.partition("[dosage]")[0] + f"[dosage]\nactivities = {wrong}\n"
        town.save()
        (fault,) = faults_of(town)
        assert "activities must be a list" in fault


def test_units_are_us_or_metric(town):
    zone = 'timezone = "America/New_York"'
    assert read_city_file(town.path).units == ""
    town.change(zone, f'{zone}\nunits = "us"')
    assert read_city_file(town.path).units == "us"
    town.change('units = "us"', 'units = "imperial"')
    assert faults_of(town) == ["[city] units 'imperial' are not known; use us or metric"]
