from types import SimpleNamespace

import pytest

from app.command.overview import why
from app.i18n import numbers, zone_words
from spatial.zones.describe import ZoneFactor

UNITS = numbers.Units("EPSG:32617")


def zone(share, *factors):
    return SimpleNamespace(environment_share=share, factors=list(factors))


def factor(name, covers, share=1.0, rrv=2.0):
    return ZoneFactor(
        name=name, operation="proximity", distance=450.0, rrv=rrv, share=share, covers=covers
    )


CHURCHES, BARS = factor("churches", 0.6), factor("bars", 0.05)


@pytest.mark.parametrize("share", [0.07, 0.24, 0.25, 0.49])
def test_past_incidents_stand_first_where_they_are_most_of_the_score(share):
    told = zone_words.reasons(zone(share, CHURCHES, BARS), UNITS)
    assert "ast incidents" in told[0]
    assert ("Hot spot" in told[0]) == (share < 0.25)
    assert told[1:] == (
        "Within 450 m of bars: incidents are 2.0 times as frequent there "
        "(all of this zone, 5.0 % of all cells)",
    )
    brief = zone_words.brief(zone(share, CHURCHES, BARS), UNITS)
    assert brief.index("past incidents") < brief.index("bars")
    assert "churches" not in brief
    line = why([CHURCHES, BARS], 1 - share)
    assert line.index("past incidents") < line.index("bars")
    assert "churches" not in line


@pytest.mark.parametrize("share", [0.51, 0.75, 0.8, 1.0])
def test_surroundings_stand_first_where_they_are_most_of_the_score(share):
    told = zone_words.reasons(zone(share, BARS), UNITS)
    assert told[0].startswith("Within 450 m of bars")
    assert any("Past incidents" in one for one in told) == (share <= 0.75)
    assert why([BARS], 1 - share).startswith("bars; ")
    assert zone_words.kind(zone(share)) == "Risk terrain zone"


def test_the_parts_of_a_score_are_an_account_the_larger_first():
    assert zone_words.parts(0.07) == (
        "The model's score here: 93 % from past incidents, 7.0 % from the surroundings"
    )
    assert zone_words.parts(0.6) == (
        "The model's score here: 60 % from the surroundings, 40 % from past incidents"
    )


def test_how_many_zones_are_hot_spots_is_said():
    assert zone_words.kinds([0.5, 0.9]) == ""
    assert zone_words.kinds([0.1, 0.9]).startswith("1 of them is a hot spot")
    assert zone_words.kinds([0.1, 0.2, 0.9]).startswith("2 of them are hot spots")
    assert zone_words.kinds([0.1, 0.2]).startswith("All of them are hot spots")
