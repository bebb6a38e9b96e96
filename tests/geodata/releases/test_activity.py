import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gunfire import Gunfire, degrees, with_streets_and_homes
from town import CRS, SOUTH, WEST, Town

from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.releases.activity import ActivityChoice, released_activity
from geodata.releases.folder import UnwrittenRelease
from geodata.releases.inputs import gather
from geodata.releases.points import alert_files, complaint_files
from geodata.repositories.cities import get_city

TODAY = dt.date(2024, 4, 2)


@pytest.fixture
def town(tmp_path):
    return Gunfire(tmp_path)


@pytest.fixture
def activity_of(sqlite_database, town):
    def work(today=TODAY):
        town.save()
        import_city(sqlite_database, read_city_file(town.path))
        return activity(sqlite_database, today)

    return work


def activity(database, today):
    """What a release drafted on a day tells of alerts and complaints."""
    with database.session() as session:
        inputs = gather(session, get_city(session, "town"), today, [])
        files = {**alert_files(inputs), **complaint_files(inputs)}
    draft = UnwrittenRelease(path=Path(), told={}, contents=files)
    return released_activity(draft, CRS, ["D1", "D2"])


def test_weeks_and_numbers_are_those_of_the_rows(town, activity_of):
    for day, x in ((0, 500), (1, 510), (9, 500), (9, 3500)):  # March 1, 2 and 10
        town.alert(day=day, x=x)
    made = activity_of()
    assert made.weeks == (dt.date(2024, 2, 26), dt.date(2024, 3, 4))
    (alerts,) = made.layers
    assert alerts.counts["n"].sum() == 4
    assert made.by_district(alerts, ActivityChoice(first=0, last=0)).tolist() == [2, 0]
    assert made.by_district(alerts, ActivityChoice(first=1, last=1)).tolist() == [1, 1]
    assert made.by_district(alerts, ActivityChoice(first=0, last=1)).tolist() == [3, 1]


def test_nothing_younger_than_the_delay_is_in(town, activity_of):
    town.alert(day=0)
    town.alert(day=25)  # March 26: seven days before April 2
    town.alert(day=26)
    made = activity_of()
    assert made.through == dt.date(2024, 3, 26)
    assert made.layers[0].counts["n"].sum() == 2
    later = activity_of(today=TODAY + dt.timedelta(days=1))
    assert later.layers[0].counts["n"].sum() == 3


def test_without_addresses_only_squares_stand_for_rows(town, activity_of):
    for x in (100, 130, 900, 3900):
        town.alert(x=x, y=700)
    sites = activity_of().layers[0].sites
    assert set(sites["rule"]) == {"uncounted_cell"}
    assert (sites["radius_units"] >= 250).all()


def test_with_addresses_rows_stand_at_shared_places_and_never_where_they_were(town, activity_of):
    with_streets_and_homes(town, per_corner=9)
    rng = np.random.default_rng(1)
    exact = rng.uniform(50, 3950, (60, 2))
    for x, y in exact:
        town.alert(x=x, y=y)
    sites = activity_of().layers[0].sites
    assert "place" in set(sites["rule"])
    shown = sites[["x", "y"]].to_numpy() - (WEST, SOUTH)
    apart = np.hypot(*(shown[:, None] - exact[None]).transpose(2, 0, 1))
    assert apart.min() > 0.5  # no public place is one of the exact ones
    within = apart <= sites["radius_units"].to_numpy()[:, None] + 1
    assert within.any(axis=0).all()  # and every row lies in the area that stands for one


def test_complaints_are_a_layer_of_their_own_and_count_their_value(town, activity_of):
    lon, lat = degrees(500, 500)
    pd.DataFrame(
        [["2024-03-02", lon, lat, 1], ["2024-03-20", lon, lat, 3]], columns=["day", "x", "y", "n"]
    ).to_csv(town.folder / "points.csv", index=False)
    town.city += (
        '\n[[occurrences]]\nsource = "points.csv"\nmeasure = "dirtbike.complaints"\n'
        '[occurrences.fields]\ndate = "day"\nvalue = "n"\nx = "x"\ny = "y"\n'
    )
    town.alert(day=0)
    made = activity_of()
    assert [layer.id for layer in made.layers] == ["alerts", "complaints"]
    assert made.layers[1].counts["n"].tolist() == [1, 3]
    assert made.weeks[-1] == dt.date(2024, 3, 18)


def test_a_city_without_alerts_and_complaints_has_none(sqlite_database, tmp_path):
    import_city(sqlite_database, read_city_file(Town(tmp_path).path))
    assert activity(sqlite_database, TODAY) is None


def test_rows_outside_every_district_are_not_shown(town, activity_of):
    town.alert()
    town.alert(x=5000)
    assert activity_of().layers[0].counts["n"].sum() == 1


def test_a_choice_keeps_a_district_and_classes_of_alerts(town, activity_of):
    for x, type_ in ((500, "Multiple"), (500, "Single"), (3500, "Single"), (3500, "Backfire")):
        town.alert(x=x, type=type_)
    made = activity_of()
    (alerts,) = made.layers

    def numbers(**choice):
        return made.by_district(alerts, ActivityChoice(first=0, last=0, **choice)).tolist()

    assert numbers() == [2, 2]
    assert numbers(classes=("single",)) == [1, 1]
    assert numbers(classes=("multiple", "other")) == [1, 1]
    assert numbers(district="D2") == [0, 2]
    assert numbers(district="D2", classes=("other",)) == [0, 1]
    assert numbers(classes=("probable",)) == [0, 0]


def test_reading_a_release_loads_no_database(tmp_path):
    code = (
        "import sys, geodata.releases.activity as r; "
        "print([m for m in sys.modules if m.startswith(('sqlalchemy', 'geodata.repositories'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
