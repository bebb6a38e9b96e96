"""Addresses found among points and segments: what fits, and what is left alone."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.geocoding.index import build_index
from geodata.geocoding.match import METHODS, MatchRules, account, find_all
from geodata.geocoding.parse import parse_plain, parse_us, street_of


def points(*rows):
    return pd.DataFrame(
        [(number, street, x, y, "") for number, street, x, y in rows],
        columns=["number", "street", "x", "y", "postcode"],
    )


def segments(*rows):
    return pd.DataFrame(
        [(street, *ends, "", shapely.LineString(line)) for street, ends, line in rows],
        columns=["street", "first", "last", "postcode", "line"],
    )


TOWN = segments(
    ("N MAIN ST", (100, 198), [(0, 0), (0, 100)]),
    ("N MAIN ST", (101, 199), [(0, 0), (0, 100)]),
    ("N MAIN ST", (200, 298), [(0, 100), (0, 200)]),
    ("S MAIN ST", (100, 198), [(0, 0), (0, -100)]),
    ("S MAIN ST", (300, 398), [(0, -100), (0, -200)]),
    ("5TH AVE", (1, 99), [(-100, 100), (0, 100)]),
    ("5TH AVE", (101, 199), [(0, 100), (100, 100)]),
    ("HILLSBOROUGH RD", (99, 1), [(-400, 0), (0, 0)]),
    ("ELM CT", (1, 99), [(800, 800), (900, 800)]),
    ("MANGUM ST", (1, 99), [(500, 0), (500, 50)]),
    ("MARGUM ST", (1, 99), [(500, 900), (500, 950)]),
)


@pytest.fixture(scope="module")
def town():
    return build_index(metre=1.0, segments=TOWN)


def one(index, text, **rules):
    (found,) = find_all(index, [text], MatchRules(**rules))
    return found


@pytest.mark.parametrize(
    ("text", "x", "y", "method"),
    [
        ("149 N MAIN ST", 0, 49, "range"),
        ("149 north main street, apt 4, Springfield NC 27701", 0, 49, "range"),
        ("149 MAIN ST N", 0, 49, "range"),
        ("200 MAIN ST", 0, 100, "range"),  # only one of the two has the number
        ("50 FIFTH AVENUE", -50, 100, "range"),
        ("74 HILSBOROUGH RD", -297.96, 0, "spelling"),
        ("74 HILLSBOROUGH ST", -297.96, 0, "range"),  # a road that people call a street
        ("1XX N MAIN ST", 0, 50, "block"),
        ("200 BLK OF N MAIN ST", 0, 150, "block"),
        ("N MAIN ST / 5TH AVE", 0, 100, "intersection"),
        ("5TH @ MAIN", 0, 100, "intersection"),
        ("Corner of Hillsborough and S. Main St", 0, 0, "intersection"),
    ],
)
def test_an_address_is_found_however_it_is_written(town, text, x, y, method):
    found = one(town, text)
    assert found.method == method, found
    assert (found.x, found.y) == pytest.approx((x, y), abs=0.6)
    assert 0 < found.score <= 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("150 MAIN ST", "ambiguous"),  # north or south of the centre
        ("50 MAGUM ST", "ambiguous"),  # two names are as near
        ("150 E MAIN ST", "street not known"),  # another side of town
        ("950 N MAIN ST", "number not on the street"),
        ("50 OAK ST", "street not known"),
        ("50 6TH AVE", "street not known"),  # one ordinal is no spelling of another
        ("50 5TH ST", "street not known"),  # nor one numbered street another
        ("25 ELM ST", "street not known"),  # a court is not the street that it is called after
        ("25 ELM CT VIADUCT", "street not known"),
        ("MAIN ST", "only a street"),
        ("N MAIN ST / ELM CT", "streets do not cross"),
        ("12 BLK N MAIN ST", "only a street"),  # of which hundred?
        ("", "cannot be read as an address"),
        ("x" * 300, "cannot be read as an address"),
    ],
)
def test_what_fits_in_two_ways_or_in_none_has_no_place(town, text, why):
    found = one(town, text)
    assert (found.why, found.method) == (why, "")
    assert np.isnan(found.x)


def test_a_better_way_scores_higher():
    index = build_index(metre=1.0, points=points((12, "N OAKWOOD AVE", 0, 0)))
    texts = ["12 N OAKWOOD AVE", "12 NORTH OAKWOOD AV", "12 OAKWOOD", "12 N OAKWOOD ST"]
    found = find_all(
        index, [*texts, "12 N OAKWOD AVE", "N OAKWOOD AVE"], MatchRules(street_only=True)
    )
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 6
    assert [each.method for each in found] == ["exact", *["parts"] * 3, "spelling", "street"]


def test_between_two_neighbours_of_one_side_a_number_lies_on_the_line():
    rows = [(100, "ELM ST", 0, 0), (110, "ELM ST", 50, 0), (103, "ELM ST", 0, 20)]
    index = build_index(metre=1.0, points=points(*rows, (900, "ELM ST", 900, 0)))
    found = one(index, "104 ELM ST")
    assert (found.x, found.y, found.method) == (20, 0, "range")
    assert one(index, "500 ELM ST").why == "number not on the street"
    wide = build_index(metre=1.0, points=points((100, "OAK ST", 0, 0), (190, "OAK ST", 90, 0)))
    assert one(wide, "150 OAK ST").why == "number not on the street"  # too much between
    assert one(index, "105 ELM ST").why == "number not on the street"  # no odd one follows


def test_units_of_a_house_are_one_place_and_two_houses_far_apart_are_none():
    near = points((5, "ELM ST", 0, 0), (5, "ELM ST", 10, 0), (5, "ELM ST", 20, 0))
    found = one(build_index(metre=1.0, points=near), "5 ELM ST")
    assert (found.x, found.method) == (10, "exact")
    far = points((5, "ELM ST", 0, 0), (5, "ELM ST", 5_000, 0))
    assert one(build_index(metre=1.0, points=far), "5 ELM ST").why == "ambiguous"
    feet = points((5, "ELM ST", 0, 0), (5, "ELM ST", 150, 0))
    assert one(build_index(metre=1.0, points=feet), "5 ELM ST").why == "ambiguous"
    assert one(build_index(metre=3.28, points=feet), "5 ELM ST").method == "exact"


def test_a_postcode_tells_two_streets_of_one_name_apart():
    rows = points((5, "ELM ST", 0, 0), (5, "ELM ST", 5_000, 0))
    rows["postcode"] = ["27701", "27703"]
    index = build_index(metre=1.0, points=rows)
    assert one(index, "5 ELM ST, DURHAM NC 27703").x == 5_000
    assert one(index, "5 ELM ST").why == "ambiguous"


def test_a_direction_that_is_named_is_needed_where_any_street_of_the_name_has_one():
    rows = points((7, "DUNDALK AVE", 0, 0), (7, "N DUNDALK AVE", 900, 0), (7, "OAK LN", 5, 5))
    index = build_index(metre=1.0, points=rows)
    assert one(index, "7 DUNDALK AVE").x == 0
    assert one(index, "7 S DUNDALK AVE").why == "street not known"
    assert one(index, "7 S OAK LN").x == 5  # nobody else is called so


def test_a_side_without_numbers_is_in_no_block():
    rows = segments(("ELM ST", (0, 0), [(0, 0), (100, 0)]), ("ELM ST", (1, 99), [(0, 9), (100, 9)]))
    found = one(build_index(metre=1.0, segments=rows), "UNIT BLK ELM ST")
    assert (found.y, found.method) == (9, "block")


def test_a_street_alone_is_a_place_only_where_that_is_allowed(town):
    for text in ("HILLSBOROUGH RD", "9000 HILLSBOROUGH RD"):
        assert one(town, text).method == ""
        found = one(town, text, street_only=True)
        assert (found.method, found.score) == ("street", 0.2)
        assert (found.x, found.y) == (-200, 0)
    assert one(town, "MAIN ST", street_only=True).why == "ambiguous"


def test_spelling_is_corrected_as_far_as_is_allowed(town):
    assert one(town, "74 HILSBOROUH RD").method == "spelling"
    assert one(town, "74 HILSBOROUH RD", spelling=1).why == "street not known"
    assert one(town, "74 HILSBOROUGH RD", spelling=0).why == "street not known"


def test_the_nearest_spelling_counts_if_no_other_is_as_near():
    rows = [(7, "BRENTWOOD ST", 0, 0), (7, "BRINTWOOD ST", 900, 0)]
    index = build_index(metre=1.0, points=points(*rows))
    assert one(index, "7 BRENTWOODE ST").x == 0
    assert one(index, "7 BRNTWOOD ST").why == "ambiguous"
    assert one(index, "7 TRENTWOOD ST").why == "street not known"  # the first letter stays


def test_streets_without_numbers_say_where_they_cross():
    lines = pd.DataFrame(
        {
            "street": ["ELM ST", "OAK AVE", "ASH LN"],
            "line": [
                shapely.LineString([(0, 0), (100, 0)]),
                shapely.LineString([(50, -50), (50, -10)]),  # ends before it: they meet
                shapely.LineString([(70, -90), (70, -50)]),
            ],
        }
    )
    index = build_index(metre=1.0, points=points((1, "ELM ST", 3, 3)), streets=lines)
    found = one(index, "ELM ST & OAK AVE")
    assert (found.method, found.x) == ("intersection", 50)
    assert one(index, "ELM ST & ASH LN").why == "streets do not cross"
    assert one(index, "1 ELM ST").method == "exact"


def test_an_account_names_streets_that_several_rows_missed_and_never_a_number(town):
    texts = ["12 ZINNIA ST", "14 ZINNIA ST", "77 SMITH HOUSE", "149 N MAIN ST", "MAIN ST"]
    counts = account(find_all(town, texts, MatchRules()))
    assert counts["rows"] == 5
    assert counts["matched"] == {"range": 1}
    assert counts["not_matched"] == {"street not known": 3, "only a street": 1}
    assert counts["misses"] == [{"street": "ZINNIA STREET", "why": "street not known", "rows": 2}]


def test_elsewhere_the_number_may_follow_the_street():
    rows = [(112, "Rua de Santa Catarina", 0, 0), (3, "Landstraße", 9, 9)]
    index = build_index(metre=1.0, parser="plain", points=points(*rows, (5, "Rua A", 1, 1)))
    for text in ("R. de Santa Catarina, 112", "112 Rua Santa Catarina", "RUA STA CATARINA 112"):
        assert one(index, text).method in ("exact", "parts", "spelling"), text
    assert one(index, "Landstr. 3").x == 9
    assert one(index, "Rua das Flores, 5").why == "street not known"


def test_texts_are_taken_apart_as_police_records_write_them():
    assert street_of("Twenty-First St") == street_of("21ST STREET")
    assert street_of("M.L.K. Jr Blvd") == street_of("Dr Martin Luther King Jr Boulevard")
    assert street_of("NC HWY55") == street_of("Highway 55")
    assert parse_us("UNIT BLOCK OF W LEXINGTON ST").number == 0
    assert parse_us("Walmart @ 1500 N Pointe Dr").number == 1500
    assert parse_us("1200-1299 MAIN ST").block
    assert parse_us("5TH AVE 1200 BLK").number == 1200
    assert not parse_us("123-125 MAIN ST").block
    assert parse_us("123 1/2 E BROADWAY").streets == (street_of("E BROADWAY"),)


@given(st.text(max_size=60))
def test_no_text_is_too_odd(text):
    index = build_index(metre=1.0, segments=TOWN)
    for parse in (parse_us, parse_plain):
        assert parse(text) == parse(text)
    found = one(index, text)
    assert (found.method in METHODS) != bool(found.why)
