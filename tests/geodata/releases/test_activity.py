import datetime as dt
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from gunfire import Gunfire, degrees, with_streets_and_homes
from releasing import TODAY as RELEASED
from releasing import Publisher
from town import CRS, SOUTH, WEST, Town

from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.measures.ledger import Ledger
from geodata.releases.activity import Choice, released_activity
from geodata.releases.activity_live import public_activity
from geodata.releases.build import draft_release
from geodata.releases.folder import ReleaseFolder
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
        with sqlite_database.session() as session:
            city = get_city(session, "town")
            return public_activity(session, Ledger(session, city, today))

    return work


def test_weeks_and_numbers_are_those_of_the_rows(town, activity_of):
    for day, x in ((0, 500), (1, 510), (9, 500), (9, 3500)):  # March 1, 2 and 10
        town.alert(day=day, x=x)
    made = activity_of()
    assert made.weeks == (dt.date(2024, 2, 26), dt.date(2024, 3, 4))
    (alerts,) = made.layers
    assert alerts.counts["n"].sum() == 4
    assert made.by_district(alerts, Choice(first=0, last=0)).tolist() == [2, 0]
    assert made.by_district(alerts, Choice(first=1, last=1)).tolist() == [1, 1]
    assert made.by_district(alerts, Choice(first=0, last=1)).tolist() == [3, 1]


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
    within = apart <= sites["radius_units"].to_numpy()[:, None] + 1e-6
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
    with sqlite_database.session() as session:
        assert public_activity(session, Ledger(session, get_city(session, "town"), TODAY)) is None


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
        return made.by_district(alerts, Choice(first=0, last=0, **choice)).tolist()

    assert numbers() == [2, 2]
    assert numbers(classes=("single",)) == [1, 1]
    assert numbers(classes=("multiple", "other")) == [1, 1]
    assert numbers(district="D2") == [0, 2]
    assert numbers(district="D2", classes=("other",)) == [0, 1]
    assert numbers(classes=("probable",)) == [0, 0]


def same(one, other):
    """Whether two activities tell the same, places to a decimetre and radii to a metre."""
    assert (one.weeks, one.through, one.districts) == (other.weeks, other.through, other.districts)
    assert [layer.id for layer in one.layers] == [layer.id for layer in other.layers]
    for a, b in zip(one.layers, other.layers, strict=True):
        assert a.classes == b.classes
        pd.testing.assert_frame_equal(a.counts, b.counts, check_dtype=False)
        keys = ["name", "rule", "district"]
        assert a.sites[keys].to_numpy().tolist() == b.sites[keys].to_numpy().tolist()
        np.testing.assert_allclose(a.sites[["x", "y"]], b.sites[["x", "y"]], atol=0.15)
        np.testing.assert_allclose(a.sites["radius_units"], b.sites["radius_units"], atol=1)


def test_a_release_tells_what_the_rows_tell(sqlite_database, tmp_path):
    Publisher(tmp_path).bring(sqlite_database)
    root = tmp_path / "releases"
    record = draft_release(sqlite_database, root, "town", "ana", today=RELEASED)
    release = ReleaseFolder(path=root / "town" / record.id)
    read = released_activity(release, CRS, ["D1", "D2"])
    with sqlite_database.session() as session:
        rows = public_activity(session, Ledger(session, get_city(session, "town"), RELEASED))
    assert read.layers[0].counts["n"].sum() > 50
    assert len(set(read.layers[0].counts["class"])) > 2
    same(read, rows)


def test_a_release_without_alerts_and_complaints_has_none(sqlite_database, tmp_path):
    import_city(sqlite_database, read_city_file(Town(tmp_path).path))
    root = tmp_path / "releases"
    record = draft_release(sqlite_database, root, "town", "ana", today=RELEASED)
    release = ReleaseFolder(path=root / "town" / record.id)
    assert released_activity(release, CRS, ["D1", "D2"]) is None


def test_reading_a_release_loads_no_database(tmp_path):
    code = (
        "import sys, geodata.releases.activity as r; "
        "print([m for m in sys.modules if m.startswith(('sqlalchemy', 'geodata.repositories'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
