"""Control areas of real cities and of the demonstration city are distinct, and fewer are told."""

import datetime as dt
import itertools
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from run_documents import run_spec

from app.i18n.evaluation_words import printed
from app.usecases.evaluation.study import Question, Study
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.ingest.store import import_city
from geodata.repositories import cities, incidents
from spatial.analysis import CITY_SCOPE
from spatial.evaluation.design import Periods
from spatial.grid import lay_grid

EXAMPLES = Path(__file__).parents[4] / "examples"
HALVES = {
    "hartford": ((2017, 7, 1), (2018, 4, 1), (2019, 1, 1)),
    "durham": ((2013, 1, 1), (2013, 4, 1), (2013, 7, 1)),
    "demo": ((2022, 1, 1), (2024, 1, 1), (2026, 1, 1)),
}


def judged(database, slug, outcome, days, *, cell_units, treated=4):
    """Evaluate the squares that have most incidents, as if they were zones; nothing is kept."""
    start, middle, end = (dt.date(*day) for day in days)
    with database.session() as session:
        city = cities.get_city(session, slug)
        points = incidents.incident_points(session, city.id, outcome, start, end)
    districts = dict(zip(city.districts["code"], city.districts.geometry, strict=True))
    grid = lay_grid(city.study_area, districts, cell_units)
    side = 4 * cell_units
    squares = np.column_stack([points.geometry.x, points.geometry.y]) // side
    hottest = pd.Series(map(tuple, squares)).value_counts(sort=True).index[:treated]
    shapes = [shapely.box(x * side, y * side, (x + 1) * side, (y + 1) * side) for x, y in hottest]
    zones = gpd.GeoDataFrame(
        {"id": [f"square {i}" for i in range(treated)], "district": "any"}, geometry=shapes
    )
    run = SimpleNamespace(
        id="none",
        city=slug,
        scope=CITY_SCOPE,
        grid=grid,
        zones=zones,
        spec=run_spec(cell_units, 2 * cell_units),
        period_from=start,
        period_to=middle,
        edited=None,
    )
    before, after = (start, middle), (middle, end)
    asked = Question(city=slug, run="none", outcome=outcome, before=before, after=after)
    periods = Periods(before=before, after=after)
    everything = np.ones(treated, dtype=bool)
    document, cells = Study.lay(run, city, everything, asked, periods, points).report(None)
    return printed(document), cells


def check(document, cells):
    where = {
        name: set(zip(part["col"], part["row"], strict=True))
        for name, part in cells.groupby("area")
    }
    for kind, told in (
        ("control", document["controls"]),
        ("displacement control", document["displacement"]["controls"]),
    ):
        names = [name for name in where if name.rpartition(" ")[0] == kind]
        assert [found["name"] for found in told] == names
        assert names
        overlaps = [
            len(where[one] & where[other]) / min(len(where[one]), len(where[other]))
            for one, other in itertools.combinations(names, 2)
        ]
        largest = max(overlaps, default=0.0)
        assert largest <= 0.5
        assert max(found["shared"] for found in told) == pytest.approx(largest)
    for found in document["displacement"]["controls"]:
        assert not where[found["name"]] & where[found["beside"]]
    text = " | ".join(document["warnings"])
    fewer = len(document["controls"]) < 3
    assert ("control areas were found that differ enough" in text) == fewer
    less = len(document["displacement"]["controls"]) < len(document["controls"])
    assert ("areas only: no other" in text) == less


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("city", "outcome", "cell_units"), [("hartford", "robbery", 200), ("durham", "larceny", 700)]
)
def test_real_cities(sqlite_database, shared_data, city, outcome, cell_units):
    described = read_city_file(EXAMPLES / city / "city.toml", shared_data / city)
    import_city(sqlite_database, described)
    check(*judged(sqlite_database, city, outcome, HALVES[city], cell_units=cell_units))


def test_the_demonstration_city(demo_settings):
    database = open_database(demo_settings.database_url)
    try:
        with database.session() as session:
            (slug,) = [city.slug for city in cities.list_cities(session)]
        check(*judged(database, slug, "robbery", HALVES["demo"], cell_units=100.0))
    finally:
        database.close()
