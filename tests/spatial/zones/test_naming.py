"""What zones are called, on street nets of every kind."""

import random

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.zones.name_words import SHORTEST, long_name, short_name
from spatial.zones.naming import ZoneOutline, name_zones, public_places

BLOCK = 120.0
CELL = 100.0


def line(*points):
    return shapely.LineString(points)


def places(rows, **more):
    """Rows are (name, line) or (name, line, class) or (name, line, class, rank)."""
    rows = [(*row, *("residential", 3)[len(row) - 2 :]) for row in rows]
    names, lines, classes, ranks = zip(*rows, strict=True) if rows else ((), (), (), ())
    about = {"unit_m": 1.0, "block_m": BLOCK, **more}
    return public_places(names=names, lines=lines, classes=classes, ranks=ranks, **about)


def zone(shape, name="z", district="1", code="1-1"):
    return ZoneOutline(id=name, district=district, code=code, shape=shape)


def called(shape, ground):
    return name_zones([zone(shape)], ground)["z"]


def grid(n=8, side=BLOCK):
    """Streets 0 to n from west to east, avenues A to H from south to north, block by block."""
    rows = []
    for i in range(n):
        for j in range(n - 1):
            rows.append((f"{i} St", line((j * side, i * side), ((j + 1) * side, i * side))))
            rows.append(
                (f"{'ABCDEFGH'[i]} Ave", line((i * side, j * side), (i * side, (j + 1) * side)))
            )
    return rows


def radial(spokes=8, rings=4):
    rows = []
    for k in range(spokes):
        way = np.array([np.cos(2 * np.pi * k / spokes), np.sin(2 * np.pi * k / spokes)])
        rows.append((f"Spoke {k}", line((0, 0), way * 150 * rings)))
    for ring in range(1, rings + 1):
        around = np.linspace(0, 2 * np.pi, 64)
        rows.append((f"Ring {ring}", line(*np.c_[np.cos(around), np.sin(around)] * 150 * ring)))
    return rows


def rural():
    return [
        ("Old Mill Rd", line((-6000, 0), (6000, 300))),
        ("County Line Rd", line((0, -6000), (100, 6000))),
        ("Church Ln", line((3000, 150), (3200, 1800))),
        ("", line((-3000, -150), (-3100, -900))),
    ]


NETS = {"grid": grid(), "radial": radial(), "rural": rural(), "nothing": []}


def test_a_street_over_several_blocks_runs_from_crossing_to_crossing():
    ground = places(grid())
    found = called(shapely.box(110, 200, 490, 280), ground)
    assert long_name(found) == "2 St from B Ave to E Ave"
    assert found.near.streets[0] == "2 St"


def test_within_a_block_it_lies_between_two_crossings():
    assert long_name(called(shapely.box(140, 220, 220, 260), places(grid()))) == (
        "2 St between B Ave and C Ave"
    )


def test_a_further_street_is_told_with_how_much_of_it():
    found = called(
        shapely.union_all([shapely.box(110, 200, 490, 280), shapely.box(440, 240, 500, 330)]),
        places(grid()),
    )
    assert long_name(found) == "2 St from B Ave to E Ave"  # a third of it is not worth a word
    shape = shapely.union_all([shapely.box(140, 200, 330, 280), shapely.box(220, 200, 260, 340)])
    assert long_name(called(shape, places(grid()))).endswith(", and a block of C Ave")


def test_the_neighbourhood_stands_in_front():
    home = [
        ("Stonebridge", shapely.box(0, 0, 400, 400)),
        ("Elsewhere", shapely.box(400, 0, 900, 900)),
    ]
    found = called(shapely.box(140, 220, 220, 260), places(grid(), neighbourhoods=home))
    assert long_name(found) == "Stonebridge: 2 St between B Ave and C Ave"
    assert found.near.neighbourhood == "Stonebridge"


def test_where_no_street_prevails_it_lies_around_a_crossing():
    assert long_name(called(shapely.box(150, 150, 600, 600), places(grid()))).startswith("Around ")


def test_two_carriageways_are_one_street():
    pair = [
        ("Twin Blvd", line((0, 0), (1000, 0)), "primary", 1),
        ("Twin Blvd", line((1000, 18), (0, 18)), "primary", 1),
        ("Long St", line((100, -30), (100, -400))),
        ("A St", line((0, -200), (0, 200))),
        ("B St", line((400, -200), (400, 200))),
    ]
    shape = shapely.union_all([shapely.box(0, -40, 170, 40), shapely.box(60, -340, 140, 0)])
    found = called(shape, places(pair))
    assert found.near.streets[:2] == ("Long St", "Twin Blvd")  # 310 m against 180 m, not 360 m
    along = called(shapely.box(5, -40, 395, 40), places(pair))
    assert long_name(along) == "Twin Blvd between A St and B St"
    assert "Twin Blvd" not in (along.start, along.end)


def test_alleys_stand_behind_streets_and_what_has_no_name_is_passed_over():
    rows = [
        ("", line((0, 50), (400, 50))),
        ("Back Alley", line((0, 20), (400, 20)), "service", 3),
        ("Front St", line((0, 80), (150, 80))),
        ("A St", line((0, 0), (0, 200))),
    ]
    found = called(shapely.box(-10, 0, 400, 100), places(rows))
    assert found.street == "Front St"
    assert "Back Alley" not in found.near.streets
    only = called(shapely.box(160, 0, 400, 60), places(rows[:2]))
    assert only.street == "Back Alley"


@pytest.mark.parametrize(
    "motorway",
    [
        ("I-85", "motorway"),
        ("I-85", ""),
        ("Interstate 85", ""),
        ("Durham Freeway", ""),
        ("Durham Freeway", "motorway"),
    ],
)
def test_nobody_stops_along_a_motorway(motorway):
    name, kind = motorway
    rows = [
        (name, line((-2000, 0), (2000, 0)), kind, 1),
        (f"{name} Exit 9", line((-200, 10), (100, 40)), "motorway_link", 1),
        ("Mill St", line((0, -600), (600, -600))),
        ("Oak St", line((300, -900), (300, -400))),
    ]
    found = called(shapely.box(200, -50, 400, 50), places(rows))
    assert long_name(found) == f"Beside {name}, 600 m north of Mill St & Oak St"
    assert name not in found.near.streets
    crossed = called(shapely.box(-50, -640, 350, -560), places(rows))
    assert name not in long_name(crossed)


def test_without_a_street_it_lies_away_from_the_nearest_crossing():
    ground = places(rural())
    found = called(shapely.box(900, 800, 1000, 900), ground)
    assert (found.form, found.direction) == ("away", "northeast")
    assert long_name(found) == "1.1 km northeast of County Line Rd & Old Mill Rd"


def test_a_road_without_a_crossing_nearby_is_told_past_the_next_one():
    found = called(shapely.box(-2050, 50, -1950, 150), places(rural()))
    assert long_name(found) == "Old Mill Rd, 2.1 km west of County Line Rd"


def test_distances_are_in_feet_and_miles_where_the_city_is():
    foot = 0.3048
    rows = [(name, shapely.transform(way, lambda xy: xy / foot)) for name, way in rural()]
    shape = shapely.box(900 / foot, 800 / foot, 1000 / foot, 900 / foot)
    ground = places(rows, unit_m=foot)
    assert long_name(called(shape, ground)) == "0.7 miles northeast of County Line Rd & Old Mill Rd"


def test_without_streets_a_landmark_then_the_district_names_it():
    park = [("Forest Park", shapely.box(0, 0, 500, 500))]
    assert (
        long_name(called(shapely.box(10, 10, 90, 90), places([], landmarks=park)))
        == "In Forest Park"
    )
    away = called(shapely.box(200, 800, 300, 900), places([], landmarks=park))
    assert long_name(away) == "350 m north of Forest Park"
    assert long_name(called(shapely.box(0, 0, 9, 9), places([]))) == "District 1, zone 1-1"


def test_parts_of_one_street_are_no_crossings_of_it():
    rows = [
        ("North Wolfe Street", line((0, 0), (0, 500))),
        ("South Wolfe Street", line((0, 0), (0, -500))),
        ("Fayette St", line((-100, 200), (100, 200))),
    ]
    found = called(shapely.box(-30, 20, 30, 190), places(rows))
    assert "South" not in long_name(found)


def test_zones_on_either_side_of_a_border_are_told_apart():
    ground = places(grid())
    zones = [
        zone(shapely.box(140, 240, 220, 290), "north"),
        zone(shapely.box(140, 190, 220, 240), "south"),
    ]
    found = name_zones(zones, ground)
    assert long_name(found["north"]) == "2 St between B Ave and C Ave, north side"
    assert long_name(found["south"]) == "2 St between B Ave and C Ave, south side"


def test_a_name_that_is_taken_is_not_given_again():
    ground = places(grid())
    shape = shapely.box(140, 220, 220, 260)
    one = long_name(name_zones([zone(shape)], ground)["z"])
    other = name_zones([zone(shape)], ground, taken=[one])["z"]
    assert long_name(other) not in (one,)
    assert short_name(other) != one


def blob(rng, x, y):
    cells = {(0, 0)}
    while len(cells) < rng.randint(1, 9):
        a, b = rng.choice(sorted(cells))
        cells.add((a + rng.choice((-1, 0, 1)), b + rng.choice((-1, 0, 1))))
    boxes = [
        shapely.box(x + a * CELL, y + b * CELL, x + (a + 1) * CELL, y + (b + 1) * CELL)
        for a, b in cells
    ]
    return shapely.union_all(boxes)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(NETS)), seed=st.integers(0, 10_000), many=st.integers(1, 14))
def test_names_hold_on_every_net(kind, seed, many):
    rng = random.Random(seed)  # noqa: S311 - shapes, no secrets
    reach = 6000 if kind == "rural" else 900
    zones = [
        zone(
            blob(rng, rng.randint(-reach, reach), rng.randint(-reach, reach)),
            f"z{i}",
            code=f"1-{i}",
        )
        for i in range(many)
    ]
    rows = list(NETS[kind])
    found = name_zones(zones, places(rows))
    rng.shuffle(rows)
    turned = [(name, shapely.reverse(way) if rng.random() < 0.5 else way) for name, way in rows]
    shuffled = rng.sample(zones, len(zones))
    assert name_zones(shuffled, places(turned)) == found
    longs, shorts = [[say(found[z.id]) for z in zones] for say in (long_name, short_name)]
    assert len(set(longs)) == len(set(shorts)) == many
    assert all(0 < len(text) <= SHORTEST for text in shorts)
    assert all(text == text.strip() and "%" not in text for text in longs)


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(
        st.text(
            st.characters(categories=("L", "N", "Zs"), max_codepoint=0x24F),
            min_size=1,
            max_size=120,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_short_name_never_has_more_than_60_characters(texts):
    rows = [(text, line((0, 70 * i), (400, 70 * i))) for i, text in enumerate(texts)]
    rows += [(text[::-1], line((100 * i, -50), (100 * i, 400))) for i, text in enumerate(texts)]
    home = [(texts[0], shapely.box(-1000, -1000, 1000, 1000))]
    zones = [zone(shapely.box(20, 70 * i - 30, 330, 70 * i + 30), f"z{i}") for i in range(4)]
    found = name_zones(zones, places(rows, neighbourhoods=home))
    assert len({short_name(name) for name in found.values()}) == len(zones)
    assert all(0 < len(short_name(name)) <= SHORTEST for name in found.values())
