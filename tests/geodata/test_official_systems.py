"""The reference system and the time zone of a place, where real cities know theirs."""

import pytest
import shapely

from geodata.errors import DataError
from geodata.ingest.official_systems import official_system

PLACES = {  # name, bounds -> code, unit, time zone
    "Philadelphia": ((-75.28, 39.87, -74.96, 40.14), 2272, "US survey foot", "New_York"),
    "Camden": ((-75.13, 39.89, -75.06, 39.97), 3424, "US survey foot", "New_York"),
    "Kansas City, Missouri": ((-94.60, 38.83, -94.39, 39.30), 26998, "metre", "Chicago"),
    "Kansas City, Kansas": ((-94.91, 39.03, -94.62, 39.20), 3419, "US survey foot", "Chicago"),
    "Cincinnati": ((-84.71, 39.10, -84.37, 39.22), 3735, "US survey foot", "New_York"),
    "Covington": ((-84.56, 38.97, -84.48, 39.07), 2246, "US survey foot", "New_York"),
    "Portland": ((-122.83, 45.44, -122.49, 45.62), 2269, "foot", "Los_Angeles"),
    "Vancouver, Washington": (
        (-122.75, 45.61, -122.47, 45.69),
        2286,
        "US survey foot",
        "Los_Angeles",
    ),
    "Washington": ((-77.12, 38.79, -76.91, 38.99), 26985, "metre", "New_York"),
    "Buffalo": ((-78.91, 42.83, -78.80, 42.97), 2262, "US survey foot", "New_York"),
    "Memphis": ((-90.06, 35.00, -89.74, 35.25), 2274, "US survey foot", "Chicago"),
    "St. Louis": ((-90.30, 38.55, -90.19, 38.76), 26996, "metre", "Chicago"),
    "San Juan": ((-66.12, 18.36, -66.02, 18.47), 32161, "metre", "Puerto_Rico"),
    "Durham": ((-79.0, 35.9, -78.8, 36.1), 2264, "US survey foot", "New_York"),
    "Hartford": ((-72.72, 41.72, -72.64, 41.81), 2234, "US survey foot", "New_York"),
    "Chicago": ((-87.9, 41.6, -87.5, 42.0), 3435, "US survey foot", "Chicago"),
    "Detroit": ((-83.2, 42.3, -83.0, 42.4), 2253, "foot", "Detroit"),
    "Anchorage": ((-150.0, 61.1, -149.7, 61.3), 26934, "metre", "Anchorage"),
    "El Paso": ((-106.6, 31.6, -106.2, 31.9), 2277, "US survey foot", "Chicago"),
    "Providence": ((-71.45, 41.8, -71.38, 41.85), 3438, "US survey foot", "New_York"),
    "Vaduz": ((9.47, 47.05, 9.64, 47.27), 2056, "metre", "Vaduz"),
    "Porto": ((-8.7, 41.0, -8.4, 41.3), 3763, "metre", "Lisbon"),
    "Vancouver": ((-123.2, 49.2, -123.0, 49.3), 3157, "metre", "Vancouver"),
    "Berlin": ((13.1, 52.3, 13.7, 52.6), 25833, "metre", "Berlin"),
    "Melbourne": ((144.5, -38.2, 145.3, -37.5), 7855, "metre", "Melbourne"),
    "Lagos": ((3.2, 6.4, 3.5, 6.6), 32631, "metre", "Lagos"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_place_gets_its_official_system(name):
    bounds, code, unit, zone = PLACES[name]
    found = official_system(shapely.box(*bounds))
    assert (found.code, found.unit) == (f"EPSG:{code}", unit)
    assert found.timezone.endswith(f"/{zone}")


def test_where_zones_of_two_states_overlap_the_other_and_the_share_are_told():
    found = official_system(shapely.box(-75.28, 39.87, -74.96, 40.14))
    assert "the zone of New Jersey reaches here too" in found.why
    assert "of the areas lie in Pennsylvania" in found.why


def test_the_area_decides_and_not_the_box_around_it():
    east = shapely.box(-75.12, 39.90, -75.06, 39.96)
    far = shapely.box(-75.24, 39.95, -75.23, 39.96)
    assert official_system(shapely.union_all([east, far])).code == "EPSG:3424"
    assert official_system(far).code == "EPSG:2272"


def test_within_the_united_states_a_time_zone_next_door_changes_no_system():
    box = shapely.box(-78.91, 42.83, -78.80, 42.97)
    found = official_system(box, "America/Toronto")
    assert (found.code, found.timezone) == ("EPSG:2262", "America/Toronto")


def test_a_time_zone_that_is_given_tells_the_country():
    lille = shapely.box(3.0, 50.6, 3.1, 50.7)
    found = official_system(lille, "Europe/Paris")
    assert (found.code, found.timezone) == ("EPSG:2154", "Europe/Paris")


@pytest.mark.parametrize("bounds", [(0.0, 91.0, 1.0, 92.0), (2_000_000.0, 0.0, 2_000_100.0, 1.0)])
def test_bounds_that_are_not_on_the_earth_are_refused(bounds):
    with pytest.raises(DataError, match="no degrees"):
        official_system(shapely.box(*bounds))
