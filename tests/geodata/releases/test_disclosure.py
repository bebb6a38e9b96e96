"""What an outside reader of all releases kept can work out: see ``tests/disclosure.py``."""

import json

import pytest
from disclosure import COUNTS, Knowledge, Reader, exact, table

FAMILIES = ["results", "hits", "incidents", *COUNTS]


def known(reader, family):
    return reader.counts(family) if family in COUNTS else getattr(reader, family)()


def through_of(folder):
    return json.loads((folder / "manifest.json").read_text())["through"]


def kept_in(root):
    """Every release that was written, withdrawn ones too, oldest first."""
    return sorted((path.parent for path in root.glob("*/manifest.json")), key=through_of)


def test_the_reader_finds_what_follows():
    """Three parts of 20, of which one is shown: none of the others follows, until one is."""
    know = Knowledge()
    know.learn(["a", "b", "c"], 20, 20)
    know.learn(["a"], 12, 12)
    for part in ("b", "c"):
        know.learn([part], 1, 4)
        know.hide([part], part)
    assert exact(know.ranges()) == {"b": 4, "c": 4}  # 8 is the most that two of 4 come to
    know.rows[frozenset([know.unknown("a")])] = (13, 13)
    assert exact(know.ranges()) == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_follows_from_both_releases_of_the_demonstration(published_settings, family):
    reader = Reader(kept_in(published_settings.releases / "alder-falls"))
    assert len(reader.folders) == 2
    know = known(reader, family)
    assert know.small == []
    assert exact(know.ranges()) == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_follows_from_all_releases_of_a_town_with_few_alerts(published, family):
    reader = Reader(kept_in(published.root / "town"))
    assert len(reader.folders) == 3
    know = known(reader, family)
    assert know.small == []
    assert exact(know.ranges()) == {}


@pytest.mark.parametrize("measure", ["alerts.guns", "alerts.arrests"])
def test_the_city_of_the_last_12_months_is_shown(published_settings, measure):
    """What a reader asks first is hidden last: districts and months give way for it."""
    for folder in kept_in(published_settings.releases / "alder-falls"):
        (row,) = [
            row
            for row in table(folder, "data/measures.csv")
            if row["measure"] == measure
            and (row["period"], row["district"]) == ("last 12 months", "")
        ]
        assert row["shown"] == ""
        assert float(row["value"]) >= 5


def test_how_the_zones_did_is_told_where_it_may_be(published):
    rows = table(published.current.path, "data/zones_accountability.csv")
    assert len(rows) == 2
    shown = [row for row in rows if row["shown"] == ""]
    assert len(shown) == 1
    assert all(row["hits"] == row["pai"] == "" for row in rows if row["shown"])
    for row in shown:  # the other account differs from it by a week with few incidents
        hits, n = int(row["hits"]), int(row["n"])
        assert hits >= 5
        assert float(row["hit_rate"]) == pytest.approx(hits / n, rel=1e-4)
        assert float(row["pai"]) == pytest.approx(hits / n / float(row["area_share"]), rel=1e-3)
        assert 0 <= float(row["prior_hit_rate"] or 0) <= 1


def test_no_release_tells_hits_by_zone(published_settings):
    for folder in kept_in(published_settings.releases / "alder-falls"):
        assert "by_zone" not in (folder / "site/run.json").read_text()
