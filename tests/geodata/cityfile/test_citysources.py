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
        ('outcome_field = "offense"', 'outcome = "robbery"', "not both"),
        ('outcome_field = "offense"', "", "outcome_field needs outcomes"),
        ('name = "bars"', 'name = "bars"\nmax_blocks = 0', "max_blocks"),
    ],
)
def test_faults_of_sources_are_named(town, old, new, fault):
    town.change(old, new)
    with pytest.raises(CityFileError, match=fault):
        read_city_file(town.path)


RECORDS = """
[[alerts]]
source = "alerts.csv"
[alerts.fields]
id = "id"
triggered = ["Date", "Time"]
x = "lon"
y = "lat"
[alerts.dispositions]
"REPORT TO FOLLOW" = "confirmed"
[[counts]]
source = "counts.csv"
[counts.fields]
measure = "measure"
from = "from"
to = "to"
value = "value"
"""


def test_sections_of_records_are_read(town):
    town.city += RECORDS
    town.save()
    alerts, counts = read_city_file(town.path).records
    assert alerts.columns == {"triggered": ("Date", "Time")}
    assert (alerts.id, alerts.place.x, alerts.place.crs) == ("id", "lon", "EPSG:4326")
    assert alerts.words["dispositions"] == {"report to follow": "confirmed"}
    assert counts.columns["from"] == ("from",)
    assert not counts.kind.placed


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[alerts.fields]", "[alerts.feilds]", "unknown key 'feilds'; did you mean fields"),
        ('triggered = ["Date", "Time"]', "", "fields: triggered is missing"),
        ('["Date", "Time"]', '["a", 1]', "must be a column"),
        ('id = "id"\ntriggered', 'nr = "id"\ntriggered', "unknown key 'nr'"),
        ('y = "lat"\n[alerts', "[alerts", "x and y belong together"),
        ('y = "lat"\n[alerts', 'y = "lat"\nlatlon = "p"\n[alerts', "not both"),
        ('"confirmed"', '"sure"', "must become one of confirmed, unconfirmed"),
        ('value = "value"', "", "fields: value is missing"),
    ],
)
def test_faults_of_records_are_named(town, old, new, fault):
    town.city += RECORDS
    town.change(old, new)
    with pytest.raises(CityFileError, match=fault):
        read_city_file(town.path)
