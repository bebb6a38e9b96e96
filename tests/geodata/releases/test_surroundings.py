import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from releasing import TODAY, Publisher, keep_run, town_run
from town import CRS, SOUTH, WEST

from geodata.releases.activity import ActivityChoice, count_activity
from geodata.releases.build import draft_release
from geodata.releases.folder import ReleaseFolder
from geodata.releases.gazetteer import Gazetteer, Spot
from geodata.releases.surroundings import (
    NO_CLASS,
    RiskClasses,
    Surroundings,
    report_area,
    shares_within,
    what_is_here,
)
from geodata.releases.surroundings_read import released_classes, released_surroundings

LEVELS = np.array([[0, 1, NO_CLASS], [2, 3, 1]], dtype=np.uint8)
CLASSES = RiskClasses(levels=LEVELS, west=WEST, north=SOUTH + 200, cell_units=100)
ALL = ActivityChoice(first=0, last=8)


def box(*edges):
    return shapely.transform(shapely.box(*edges), lambda xy: np.add(xy, (WEST, SOUTH)))


def rows(*alerts):
    """Alerts of a day at a site: x, y, radius, rule, class."""
    return pd.DataFrame(
        [
            {
                "day": pd.Timestamp("2024-03-04") + pd.Timedelta(days=day),
                "class": class_,
                "number": 1,
                "name": f"{rule}/{x}/{y}",
                "x": WEST + x,
                "y": SOUTH + y,
                "radius_units": radius,
                "rule": rule,
                "district": "D1" if x < 2000 else "D2",
            }
            for day, x, y, radius, rule, class_ in alerts
        ]
    )


def surroundings(*alerts):
    halves = gpd.GeoDataFrame(
        {"code": ["D1", "D2"], "name": ["D1", "D2"]},
        geometry=[box(0, 0, 2000, 4000), box(2000, 0, 4000, 4000)],
        crs=CRS,
    )
    degrees = gpd.GeoSeries(gpd.points_from_xy([WEST + 50], [SOUTH + 60]), crs=CRS).to_crs(4326)
    spot = Spot(
        kind="crossing",
        names=("A Street", "B Street"),
        latitude=degrees.y.iloc[0],
        longitude=degrees.x.iloc[0],
        district="D1",
    )
    return Surroundings(
        districts=halves,
        neighbourhoods=gpd.GeoDataFrame(
            {"name": ["Old Tannery"]}, geometry=[box(0, 0, 300, 300)], crs=CRS
        ),
        zones=gpd.GeoDataFrame(
            {"id": ["z1", "z2"]}, geometry=[box(0, 0, 200, 100), box(2500, 0, 2600, 100)], crs=CRS
        ),
        classes=CLASSES,
        gazetteer=Gazetteer(spots=(spot,)),
        activity=count_activity({"alerts": rows(*alerts)}, ["D1", "D2"]) if alerts else None,
    )


@pytest.mark.parametrize(
    ("x", "y", "level"),
    [
        (50, 150, 0),
        (150, 150, 1),
        (250, 150, None),  # outside of the city
        (50, 50, 2),
        (0, 0, 2),  # a cell holds its left and its lower edge
        (100, 100, 1),
        (299.9, 0, 1),
        (300, 0, None),
        (50, 200, None),
        (-1, 50, None),
    ],
)
def test_a_point_has_the_class_of_the_cell_that_holds_it(x, y, level):
    assert CLASSES.at(WEST + x, SOUTH + y) == level


def test_a_shape_is_shared_among_the_classes_it_covers():
    assert CLASSES.areas(box(50, 50, 150, 150)).tolist() == [2500, 2500, 2500, 2500]
    assert CLASSES.areas(box(150, 0, 250, 200)).tolist() == [0, 5000 + 5000, 0, 5000]
    assert CLASSES.areas(box(-500, -500, 900, 900)).sum() == 5 * 100**2
    assert CLASSES.areas(box(5000, 5000, 6000, 6000)).tolist() == [0, 0, 0, 0]


def test_classes_of_a_run_are_those_of_its_cells_and_of_its_release(sqlite_database, tmp_path):
    Publisher(tmp_path).bring(sqlite_database)
    keep_run(sqlite_database)
    record = draft_release(sqlite_database, tmp_path / "r", "town", "ana", today=TODAY)
    read = released_classes(ReleaseFolder(path=tmp_path / "r" / "town" / record.id))
    run = town_run()
    west, _, _, north = run.grid.bounds
    assert (read.west, read.north, read.cell_units) == (west, north, run.grid.cell_units)
    found = [read.at(x, y) for x, y in zip(run.grid.x, run.grid.y, strict=True)]
    assert found == run.cells["risk_class"].tolist()


def test_a_release_tells_its_neighbourhoods_and_names(sqlite_database, tmp_path):
    Publisher(tmp_path).name_places().bring(sqlite_database)
    keep_run(sqlite_database)
    record = draft_release(sqlite_database, tmp_path / "r", "town", "ana", today=TODAY)
    release = ReleaseFolder(path=tmp_path / "r" / "town" / record.id)
    halves = surroundings().districts
    read = released_surroundings(release, halves, town_run().zones, None)
    here = what_is_here(read, WEST + 1010, SOUTH + 1020, None)
    assert (here.district, here.neighbourhood, here.level is not None) == (
        "D1",
        "Old Tannery",
        True,
    )
    assert here.near[0].name == "Fifth Street & Main Street"
    assert here.near[1] == pytest.approx(np.hypot(10, 20), abs=1)
    assert here.touching == ()


def test_what_is_here_tells_what_holds_a_point():
    asked = surroundings(
        (0, 50, 50, 100, "place", "single"),
        (1, 50, 50, 100, "place", "multiple"),
        (1, 120, 50, 100, "place", "single"),
        (1, 900, 900, 100, "place", "single"),
        (2, 1000, 2000, 5000, "district", "single"),  # of which only the district is known
    )
    here = what_is_here(asked, WEST + 60, SOUTH + 60, ALL)
    assert (here.district, here.neighbourhood, here.level) == ("D1", "Old Tannery", 2)
    assert here.zones == (0,)
    assert here.near[0].name == "A Street & B Street"
    assert here.near[1] == pytest.approx(10, abs=0.1)
    (touching,) = here.touching
    assert (touching.layer, touching.areas, touching.number) == ("alerts", 2, 3)
    only = what_is_here(
        asked, WEST + 60, SOUTH + 60, ActivityChoice(first=0, last=8, classes=("single",))
    )
    assert only.touching[0].number == 2


def test_nothing_is_here_outside_of_the_city():
    here = what_is_here(surroundings(), WEST - 500, SOUTH - 500, None)
    assert (here.district, here.neighbourhood, here.level, here.zones) == (None, None, None, ())


def test_the_share_of_a_circle_within_an_area():
    sites = pd.DataFrame(
        {"x": [0.0, 100.0, 150.0, 300.0], "y": [50.0] * 4, "radius_units": [20.0] * 4}
    )
    found = shares_within(sites, shapely.box(-100, -100, 100, 200))
    np.testing.assert_allclose(found, [1, 0.5, 0, 0], atol=1e-6)


def test_an_area_counts_what_lies_mostly_within_and_bounds_it():
    asked = surroundings(
        (0, 500, 500, 100, "place", "single"),  # wholly
        (0, 500, 500, 100, "place", "multiple"),
        (40, 980, 500, 100, "place", "single"),  # 60 % of it or so
        (1, 1050, 500, 100, "place", "single"),  # less than half
        (1, 1500, 500, 100, "place", "single"),  # not at all
        (2, 1000, 2000, 5000, "district", "single"),
    )
    found = report_area(asked, box(0, 0, 1000, 1000), ActivityChoice(first=0, last=5))
    (alerts,) = found.layers
    assert (alerts.number, alerts.least, alerts.most, alerts.apart) == (3, 2, 4, 1)
    assert alerts.by_month == ((dt.date(2024, 3, 1), 2), (dt.date(2024, 4, 1), 1))
    week = report_area(asked, box(0, 0, 1000, 1000), ActivityChoice(first=0, last=0)).layers[0]
    assert (week.number, week.by_month) == (2, ((dt.date(2024, 3, 1), 2),))


def test_an_area_tells_its_zones_risk_and_districts():
    found = report_area(surroundings(), box(100, 0, 300, 200), None)
    assert found.area == 40_000
    assert found.districts == ("D1",)
    assert found.zones == ((0, 0.5, 0.25),)
    assert found.levels == (0, 20_000, 0, 10_000)
    assert found.rated == 30_000
    assert found.layers == ()
    assert report_area(surroundings(), box(1900, 0, 2550, 50), None).districts == ("D1", "D2")


def test_months_without_any_are_told_too():
    asked = surroundings(
        (0, 500, 500, 100, "place", "single"), (60, 500, 500, 100, "place", "single")
    )
    (alerts,) = report_area(asked, box(0, 0, 1000, 1000), ALL).layers
    assert [number for _, number in alerts.by_month] == [1, 0, 1]
