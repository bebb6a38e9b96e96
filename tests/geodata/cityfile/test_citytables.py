from pathlib import Path

import pytest
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.errors import CityFileError


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('y = "lat"', 'y = "lat"\nwhere = { a = "< five" }', "no number"),
        ('y = "lat"', 'y = "lat"\nwhere = "a"', "must be a table"),
        ("[city]", "city = 1\n[other]", "must be one table"),
        ("[[factors]]", "[factors]", "must be a list of tables"),
    ],
)
def test_faults_of_tables_are_named(town, old, new, fault):
    town.change(old, new)
    with pytest.raises(CityFileError, match=fault):
        read_city_file(town.path)


def test_paths_start_from_the_file_or_from_the_data_root(town, tmp_path):
    assert read_city_file(town.path).factors[0].place.path == str(tmp_path / "bars.geojson")
    elsewhere = read_city_file(town.path, Path("/data")).factors[0].place
    assert elsewhere.path == "/data/bars.geojson"
    assert elsewhere.label == "bars.geojson"
