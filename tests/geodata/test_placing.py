import numpy as np
import pandas as pd
import pytest
from pyproj import CRS

from geodata.import_report import Sieve, SourceReport
from geodata.ingest.placing import CityFrame, place_points

METRES, FEET = "EPSG:32617", "EPSG:2264"


@pytest.mark.parametrize(
    ("crs", "side", "near", "far"),
    [
        (METRES, 14_142.0, 9_000.0, 11_000.0),  # half of a diagonal of 20 km
        (METRES, 1_000.0, 4_000.0, 6_000.0),  # but never under 5 km
        (FEET, 1_000.0, 16_000.0, 17_000.0),  # which are 16,404 feet
    ],
)
def test_a_point_is_far_from_the_city_beyond_half_its_diagonal(crs, side, near, far):
    west, south = 500_000.0, 4_000_000.0 if crs == METRES else 500_000.0
    city = CityFrame(crs=CRS(crs), bounds=(west, south, west + side, south + side))
    x = pd.Series([west + 1.0, west - near, west + side + far], name="x")
    y = pd.Series([south + 1.0, south, south + side], name="y")
    sieve = Sieve(SourceReport(kind="incidents", source="robberies.csv"), np.arange(3))
    place_points(x, y, crs, city, sieve)
    assert sieve.keep.tolist() == [True, True, False]
    assert sieve.report.left_out == {"far from the city": 1}
