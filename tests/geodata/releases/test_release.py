import csv
import dataclasses
import datetime as dt
import io
import json
import stat
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import rasterio
from gunfire import degrees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from releasing import LAST, TODAY, Publisher, keep_run, tell_initiatives, town_run
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from town import SOUTH, WEST

from geodata.db.engine import open_database, upgrade
from geodata.errors import NotStoredError, ReleaseError
from geodata.release_manifest import ZoneChanges
from geodata.releases import build as gate
from geodata.releases.build import (
    approve_release,
    draft_release,
    make_draft,
    require_rules,
    verify_release,
    withdraw_release,
    write_release,
)
from geodata.releases.checks import check_files
from geodata.releases.exact_checks import check_truth
from geodata.releases.folder import ReleaseFolder, approved_releases, identity_of
from geodata.releases.inputs import gather
from geodata.releases.points import alert_files, drawn_sites
from geodata.repositories.cities import get_city
from geodata.repositories.incidents import incident_points
from geodata.repositories.recorded import store_records
from geodata.repositories.releases import get_release, list_releases


def prepare(folder, database):
    """Import a town with a run and initiatives."""
    Publisher(folder).bring(database)
    keep_run(database)
    tell_initiatives(database, folder)


@pytest.fixture
def town(tmp_path, sqlite_database):
    prepare(tmp_path, sqlite_database)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "releases"


@pytest.fixture
def draft(sqlite_database, root, town):
    def make(who="ana", today=TODAY, **options):
        return draft_release(sqlite_database, root, "town", who, today=today, **options)

    return make


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A draft in memory and what it was made from."""
    folder = tmp_path_factory.mktemp("made")
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    upgrade(url)
    database = open_database(url)
    prepare(folder, database)
    with database.session() as session:
        material = gather(session, get_city(session, "town"), TODAY, [])
        yield material, make_draft(material, None)
    database.close()


def changed(draft, name, content):
    files = {**draft.files, name: content if isinstance(content, bytes) else content.encode()}
    return dataclasses.replace(draft, files=files)


# -- what a release holds ------------------------------------------------------------------------


def test_a_release_holds_every_file_and_says_what_each_column_means(draft, root):
    record = draft()
    folder = ReleaseFolder(path=root / "town" / record.id)
    assert set(folder.files) - {"site/figures.json"} == {
        f"data/{name}"
        for name in (
            "districts.geojson",
            "districts.csv",
            "zones.geojson",
            "zones.csv",
            "alerts.csv",
            "alerts.geojson",
            "complaints.csv",
            "complaints.geojson",
            "measures.csv",
            "measures.json",
            "measures_monthly.csv",
            "measures_weekly.csv",
            "surface.tif",
            "initiatives.json",
            "dictionary.csv",
            "release.gpkg",
        )
    }
    told = {(row["file"], row["column"]) for row in rows_of(folder.read("data/dictionary.csv"))}
    for name in folder.files:
        if name.endswith(".csv"):
            header = folder.read(name).decode().partition("\n")[0].split(",")
            assert {(name, column) for column in header} <= told
    manifest = folder.manifest
    assert manifest.through == LAST
    assert manifest.rules.k == 8
    assert manifest.rules.delay_days == 7
    assert manifest.k_counts.addresses is True
    assert manifest.run.id == "a" * 12
    assert len(manifest.run.sha256) == 64
    assert manifest.sections["alerts"].through <= LAST
    assert manifest.previous is None
    assert "ana" not in json.dumps(manifest.as_json())
    assert manifest.id == identity_of(manifest.as_json()) == record.id
    assert record.as_json()["state"] == "drafted"


def test_zones_tell_outline_class_and_reasons_and_no_past_counts(made):
    _, draft = made
    first, second = rows_of(draft.files["data/zones.csv"])
    assert set(first) & {"past", "expected", "count"} == set()
    assert first["reasons"] == (
        "bars density 200 m: 2.50 times, in 100 % of the zone, 10 % of all cells"
    )
    assert (first["kind"], second["kind"]) == ("risk terrain zone", "risk terrain zone")
    assert first["class"] in ("at or below the mean", "above the mean") or "SD" in first["class"]
    assert first["method"] == "follows environment and history together; negative binomial 2 model"
    assert second["reasons"] == ""
    with rasterio.MemoryFile(draft.files["data/surface.tif"]) as memory, memory.open() as surface:
        level = surface.read(1)
        assert surface.nodata == 255
        assert surface.crs.to_epsg() == 32617
    run = town_run()
    np.testing.assert_array_equal(
        level[::-1][run.grid.rows, run.grid.cols], run.cells["risk_class"]
    )


def test_alerts_tell_neither_result_nor_id_nor_exact_time(made):
    material, draft = made
    rows = rows_of(draft.files["data/alerts.csv"])
    alerts = material.ledger.alerts
    assert len(rows) == (alerts["day"].dt.date <= LAST).sum()
    assert list(rows[0]) == [
        "day", "hours", "class", "site", "rule", "longitude", "latitude", "radius_m", "district",
    ]  # fmt: skip
    assert {row["hours"] for row in rows} <= {f"{h:02d}-{h + 4:02d}" for h in range(0, 24, 4)}
    assert max(row["day"] for row in rows) <= LAST.isoformat()
    # neighbours in the file are ordered by what the file says, not by when they happened
    assert rows == sorted(rows, key=lambda r: (r["day"], r["hours"], r["class"], r["site"]))


def test_measures_are_given_for_periods_months_and_districts(made):
    _, draft = made
    rows = rows_of(draft.files["data/measures.csv"])
    assert {row["period"] for row in rows} == {"whole", "last 12 months", "this year"}
    count = {
        (row["district"], row["to"]): float(row["value"])
        for row in rows
        if row["measure"] == "alerts.count" and row["period"] == "whole"
    }
    after = "2024-05-28"
    assert count["", after] == count["D1", after] + count["D2", after]
    assert count["", after] == len(rows_of(draft.files["data/alerts.csv"]))
    (guns,) = [
        row
        for row in rows
        if (row["measure"], row["district"], row["period"]) == ("alerts.guns", "", "whole")
    ]
    assert (guns["from"], guns["to"]) == ("2024-01-01", "2024-05-01")  # whole months only
    assert (guns["n"], guns["missing"]) == ("", "")
    assert (guns["target"], guns["target_source"]) == ("5", "plan")  # the city's own
    document = json.loads(draft.files["data/measures.json"])
    assert document["through"] == LAST.isoformat()
    assert {"site.data_age_days"} & {one["id"] for one in document["measures"]} == set()
    speed = next(o for o in document["measures"] if o["id"] == "alerts.published_60s.trigger")
    assert speed["definition"]
    assert {"low", "high", "n", "missing", "status"} <= set(speed["figures"][0])
    coarse = [row for row in rows if row["measure"] == "alerts.performance"]
    assert {row["district"] for row in coarse} == {""}


def test_hidden_figures_carry_nothing_and_shares_follow_their_counts(made):
    _, draft = made
    hidden = 0
    for name in ("data/measures.csv", "data/measures_monthly.csv"):
        rows = rows_of(draft.files[name])
        by_key = {(r["measure"], r["district"], r["from"], r["to"]): r for r in rows}
        for row in rows:
            if row["shown"]:
                hidden += 1
                assert [row[k] for k in ("value", "low", "high", "numerator", "status")] == [""] * 5
            if row["measure"] == "alerts.guns_per_100":
                base = by_key["alerts.guns", row["district"], row["from"], row["to"]]
                assert base["shown"] == row["shown"]
    assert hidden > 20


# -- the same again ------------------------------------------------------------------------------


def test_two_drafts_of_the_same_data_are_the_same_bytes_and_the_same_release(draft, root):
    first = draft()
    content = {p.name: p.read_bytes() for p in (root / "town" / first.id).rglob("*.*")}
    again = draft(who="ben")
    assert again == first  # the second drafter finds it there
    assert {p.name: p.read_bytes() for p in (root / "town" / first.id).rglob("*.*")} == content


def test_two_databases_with_the_same_data_give_the_same_release(tmp_path, draft, root):
    first = draft()
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    upgrade(url)
    other = open_database(url)
    (tmp_path / "again").mkdir()
    prepare(tmp_path / "again", other)
    second = draft_release(other, tmp_path / "elsewhere", "town", "cleo", today=TODAY)
    other.close()
    assert second.manifest == first.manifest


def test_old_data_give_the_same_release_on_every_later_day(draft):
    late = dt.date(2025, 2, 1)  # the newest row is of December
    assert draft(today=late).id == draft(today=late + dt.timedelta(days=40)).id


def test_after_approval_the_same_data_are_still_the_same_release(sqlite_database, root, draft):
    first = draft()
    approve_release(sqlite_database, root, first.id, "ben")
    again = draft(who="cleo")
    assert (again.id, again.state) == (first.id, "approved")


# -- two persons, and the way of a release --------------------------------------------------------


def test_the_drafter_cannot_approve_and_another_can(sqlite_database, root, draft):
    record = draft()
    assert ReleaseFolder.current(root, "town") is None
    with pytest.raises(ReleaseError, match="another person than the drafter"):
        approve_release(sqlite_database, root, record.id, " ANA ")
    assert ReleaseFolder.current(root, "town") is None
    approved = approve_release(sqlite_database, root, record.id, "ben")
    assert (approved.state, approved.approved_by) == ("approved", "ben")
    current = ReleaseFolder.current(root, "town")
    assert (current.id, current.approval.by) == (record.id, "ben")
    assert current.verify() == ()
    with pytest.raises(ReleaseError, match="approved already"):
        approve_release(sqlite_database, root, record.id, "cleo")


def test_an_approved_release_is_read_without_a_database(sqlite_database, root, draft, tmp_path):
    approve_release(sqlite_database, root, draft().id, "ben")
    for path in tmp_path.glob("saferground.sqlite*"):
        path.unlink()
    script = (
        "import sys; from pathlib import Path\n"
        "from geodata.releases.folder import ReleaseFolder\n"
        "found = ReleaseFolder.current(Path(sys.argv[1]), 'town')\n"
        "assert found.verify() == () and found.read('data/zones.geojson')\n"
        "heavy = {'sqlalchemy', 'geopandas', 'pandas', 'geodata.db.tables', 'geodata.db.engine'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "print(found.id)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ReleaseFolder.current(root, "town").id


def test_the_next_release_tells_what_changed_and_how_the_zones_did(
    sqlite_database, root, draft, town
):
    first = draft(today=TODAY - dt.timedelta(days=30))
    approve_release(sqlite_database, root, first.id, "ben")
    keep_run(
        sqlite_database,
        town_run("b" * 12, move=200.0),
        created_at=dt.datetime(2026, 1, 3),
    )
    second = draft()
    changes = second.manifest.changes
    assert second.manifest.previous == first.id
    assert "data/zones.geojson" in changes.files.changed
    assert changes.files.added == ("data/zones_accountability.csv",)
    assert "data/districts.geojson" not in changes.files.changed
    assert changes.zones == ZoneChanges(gained=("bbbbbbbb-d2-1",), lost=("aaaaaaaa-d2-1",), kept=1)
    assert "alerts.count" in {one.measure for one in changes.measures}
    folder = ReleaseFolder(path=root / "town" / second.id)
    (row,) = rows_of(folder.read("data/zones_accountability.csv"))
    assert (row["release"], row["run"], row["state"]) == (first.id, "a" * 12, "approved")
    assert (row["from"], row["to"]) == ("2024-04-28", "2024-05-28")
    with sqlite_database.session() as session:
        outcome, city = town_run().outcome, get_city(session, "town")
        later = incident_points(
            session, city.id, outcome, dt.date(2024, 4, 28), dt.date(2024, 5, 28)
        )
    zones = town_run().zones.geometry
    hits = sum(zones.intersects(point).any() for point in later.geometry)
    assert int(row["n"]) == len(later)
    assert float(row["area_share"]) == pytest.approx(320_000 / 16_000_000, rel=1e-4)
    assert hits < 5
    assert row["shown"] == "fewer than 5"
    follows = ("hits", "hit_rate", "low", "high", "pai", "pai_low", "pai_high", "prior_hit_rate")
    assert {row[name] for name in follows} == {""}


def test_a_draft_from_before_another_approval_cannot_be_approved(sqlite_database, root, draft):
    early = draft(today=TODAY - dt.timedelta(days=3))
    approve_release(sqlite_database, root, draft().id, "ben")
    with pytest.raises(ReleaseError, match="draft it anew"):
        approve_release(sqlite_database, root, early.id, "ben")
    assert not (root / "town" / early.id / "approval.json").exists()
    with sqlite_database.session() as session:
        assert get_release(session, early.id).state == "drafted"


def test_withdrawing_shows_the_one_before_and_keeps_the_files(sqlite_database, root, draft):
    first = draft(today=TODAY - dt.timedelta(days=3))
    approve_release(sqlite_database, root, first.id, "ben")
    second = draft()
    approve_release(sqlite_database, root, second.id, "ben")
    assert ReleaseFolder.current(root, "town").id == second.id
    with pytest.raises(ReleaseError, match="say why"):
        withdraw_release(sqlite_database, root, second.id, "cleo", "  ")
    gone = withdraw_release(sqlite_database, root, second.id, "cleo", "wrong map")
    assert (gone.state, gone.withdrawn_why) == ("withdrawn", "wrong map")
    assert ReleaseFolder.current(root, "town").id == first.id
    old = ReleaseFolder.find(root, second.id)
    assert (old.state, old.verify()) == ("withdrawn", ())
    assert [one.id for one in approved_releases(root, "town")] == [second.id, first.id]
    withdraw_release(sqlite_database, root, first.id, "cleo", "that too")
    assert ReleaseFolder.current(root, "town") is None
    with pytest.raises(ReleaseError, match="before"):
        withdraw_release(sqlite_database, root, first.id, "cleo", "again")
    with sqlite_database.session() as session:
        assert [one.id for one in list_releases(session, "town")] == [second.id, first.id]


def test_the_database_keeps_a_release_as_it_is(database, tmp_path):
    Publisher(tmp_path, alerts=3).bring(database)
    record = draft_release(database, tmp_path / "r", "town", "ana", today=TODAY)
    changes = (
        "UPDATE release SET manifest = '{}'",
        "UPDATE release SET drafted_by = 'ben'",
        "UPDATE release SET id = 'x'",
        "DELETE FROM release",
    )
    for change in changes:
        with pytest.raises(DBAPIError, match="never changed"), database.session() as session:
            session.execute(text(change))
    approve_release(database, tmp_path / "r", record.id, "ben")
    for change in ("state = 'drafted'", "approved_by = 'ana'", "approved_at = NULL"):
        with pytest.raises(DBAPIError, match="never changed"), database.session() as session:
            session.execute(text(f"UPDATE release SET {change}"))


# -- tampering -----------------------------------------------------------------------------------


def test_files_are_read_only_and_any_change_is_found(sqlite_database, root, draft):
    record = draft(
        pages=lambda *_: {"site/base.geojson": b'{"type":"FeatureCollection","features":[]}'}
    )
    folder = root / "town" / record.id
    for path in folder.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert verify_release(root, record.id)[1] == ()
    table = folder / "data" / "alerts.csv"
    before = table.read_bytes()
    table.chmod(0o644)
    table.write_bytes(before.replace(b"2024-03", b"2024-02", 1))
    assert verify_release(root, record.id)[1] == ("data/alerts.csv differs from its digest",)
    with pytest.raises(ReleaseError, match="not what was approved"):
        ReleaseFolder.find(root, record.id).read("data/alerts.csv")
    with pytest.raises(ReleaseError, match="not whole"):
        approve_release(sqlite_database, root, record.id, "ben")
    table.write_bytes(before)
    (folder / "data" / "more.csv").write_text("a\n1\n")
    assert verify_release(root, record.id)[1] == ("data/more.csv is not in the manifest",)
    (folder / "data" / "more.csv").unlink()
    (folder / "site" / "base.geojson").unlink()
    assert verify_release(root, record.id)[1] == ("site/base.geojson is missing",)
    with pytest.raises(NotStoredError, match="publish list"):
        verify_release(root, "0" * 12)


def test_a_rewritten_manifest_no_longer_fits_its_id(root, draft):
    record = draft()
    path = root / "town" / record.id / "manifest.json"
    document = json.loads(path.read_text())
    document["synthetic"] = True
    path.chmod(0o644)
    path.write_text(json.dumps(document))
    (fault,) = verify_release(root, record.id)[1]
    assert "not what the id" in fault
    path.write_text("no json")
    (fault,) = verify_release(root, record.id)[1]
    assert "cannot be read" in fault


# -- broken rules --------------------------------------------------------------------------------


def exact_degrees(material):
    """Where the first alert truly was."""
    row = material.ledger.alerts.iloc[0]
    return [round(value, 6) for value in degrees(row["x"] - WEST, row["y"] - SOUTH)]


def edit(draft, name, line, column, value):
    """Change one value of a table."""
    rows = rows_of(draft.files[name])
    rows[line][column] = value
    told = io.StringIO()
    writer = csv.DictWriter(told, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return changed(draft, name, told.getvalue())


def refused(material, draft):
    with pytest.raises(ReleaseError) as caught:
        require_rules(material, draft)
    return caught.value.rule, str(caught.value)


def test_what_was_drafted_keeps_every_rule(made):
    require_rules(*made)


def test_a_column_or_file_that_is_not_on_the_list_is_refused(made):
    material, draft = made
    table = draft.files["data/alerts.csv"].decode().replace("day,hours", "day,officer,hours", 1)
    rule, told = refused(material, changed(draft, "data/alerts.csv", table))
    assert (rule, "officer" in told, "data/alerts.csv" in told) == ("fields", True, True)
    for name in ("data/visits.csv", "plans.json", "site/../x.json", "site/X.json", "/etc/x"):
        rule, told = refused(material, changed(draft, name, "{}"))
        assert (rule, name in told) == ("fields", True)
    zones = json.loads(draft.files["data/zones.geojson"])
    zones["features"][0]["properties"]["past"] = 4
    rule, told = refused(material, changed(draft, "data/zones.geojson", json.dumps(zones)))
    assert (rule, "past" in told) == ("fields", True)
    site = json.dumps({"pages": [{"shift": "night"}]})
    rule, told = refused(material, changed(draft, "site/home.json", site))
    assert (rule, "shift" in told) == ("fields", True)


def test_a_day_within_the_delay_is_refused(made):
    material, draft = made
    young = (LAST + dt.timedelta(days=1)).isoformat()
    rule, told = refused(material, edit(draft, "data/alerts.csv", -1, "day", young))
    assert (rule, "data/alerts.csv" in told) == ("delay", True)
    late = edit(draft, "data/measures_monthly.csv", 0, "to", "2024-06-02")
    assert refused(material, late)[0] == "delay"
    assert refused(material, edit(draft, "data/alerts.csv", 3, "hours", "20-21"))[0] == "delay"


def test_an_exact_place_is_refused_wherever_it_stands(made):
    material, draft = made
    lon, lat = exact_degrees(material)
    wrong = edit(draft, "data/alerts.csv", 2, "longitude", str(lon))
    wrong = edit(wrong, "data/alerts.csv", 2, "latitude", str(lat))
    assert "exact: " in refused(material, wrong)[1]
    for site in (
        {"features": [{"geometry": {"type": "Point", "coordinates": [lon, lat]}}]},
        {"geometry": {"type": "MultiPoint", "coordinates": [[0, 0], [lon, lat]]}},
        [{"lat": lat + 1e-4, "lon": lon}],
        {"layers": [{"sites": [[lat, lon, 50, "D1"]]}]},
    ):
        rule, told = refused(material, changed(draft, "site/map.json", json.dumps(site)))
        assert (rule, "site/map.json" in told) == ("exact", True)
    row = rows_of(draft.files["data/alerts.csv"])[0]
    rounded = [round(float(row[name]), 5) for name in ("latitude", "longitude")]
    for site in ({"at": {"type": "Point", "coordinates": [0, 0]}}, {"sites": [rounded]}):
        require_rules(material, changed(draft, "site/map.json", json.dumps(site)))


def test_a_row_at_another_public_place_than_its_own_is_refused(made):
    material, draft = made
    rows = rows_of(draft.files["data/alerts.csv"])
    other = next(i for i, row in enumerate(rows) if row["site"] != rows[0]["site"])
    wrong = draft
    for column in ("site", "rule", "longitude", "latitude", "radius_m", "district"):
        wrong = edit(wrong, "data/alerts.csv", 0, column, rows[other][column])
    faults = check_truth(material, wrong.files, wrong.tables)
    assert {rule for rule, _ in faults} == {"exact"}
    assert "not what the rule makes of the rows" in faults[0][1]


def test_a_place_shared_by_too_few_is_refused(made):
    material, draft = made
    sites = material.places.sites
    used = rows_of(draft.files["data/alerts.csv"])[0]["site"]
    few = np.where(sites.name == used, 3, sites.addresses)
    places = dataclasses.replace(material.places, sites=dataclasses.replace(sites, addresses=few))
    rule, told = refused(dataclasses.replace(material, places=places), draft)
    assert rule == "places"
    assert f"{used} is shared by 3 addresses" in told
    assert refused(material, edit(draft, "data/alerts.csv", 0, "rule", "pin"))[0] == "places"
    assert refused(material, edit(draft, "data/alerts.csv", 0, "radius_m", "10"))[0] == "places"


def test_a_second_form_that_says_something_else_is_refused(made):
    material, draft = made
    wrong = draft.files["data/alerts.geojson"].replace(b'"district":"D1"', b'"district":"D2"', 1)
    rule, told = refused(material, changed(draft, "data/alerts.geojson", wrong))
    assert rule == "exact"
    assert "data/alerts.geojson does not say what data/alerts.csv says" in told
    assert "data/release.gpkg does not say what data/alerts.geojson says" in told
    document = json.loads(draft.files["data/measures.json"])
    document["measures"][0]["figures"][0]["value"] = 12345
    wrong = changed(draft, "data/measures.json", json.dumps(document))
    assert refused(material, wrong)[0] == "suppression"


def test_small_counts_and_what_gives_them_away_are_refused(made):
    material, draft = made
    name = "data/measures_monthly.csv"
    rows = rows_of(draft.files[name])
    hidden = [i for i, r in enumerate(rows) if r["shown"] == "fewer than 5"]
    wrong = edit(edit(draft, name, hidden[0], "numerator", "3"), name, hidden[0], "shown", "")
    assert "is shown" in dict(check_files(wrong.files, wrong.manifest))["suppression"]
    assert refused(material, wrong)[0] == "suppression"
    wrong = edit(draft, name, hidden[0], "value", "0.5")
    rule, told = refused(material, wrong)
    assert (rule, "hidden and given" in told) == ("suppression", True)
    # show one that was held back only for the sake of others: true, but it gives one away
    table = next(t for t in draft.tables for told in t.told.values() if told.label == 2)
    where = next(w for w, told in table.told.items() if told.label == 2)
    at = next(
        i
        for i, r in enumerate(rows)
        if (r["measure"], r["district"], r["from"], r["to"])
        == (where[0], where[1], where[2].isoformat(), where[3].isoformat())
    )
    true = str(int(table.linked.value[table.position[where]]))
    given_by = "value" if "denominator" not in rows[at] or not rows[at]["n"] else "numerator"
    wrong = edit(edit(draft, name, at, given_by, true), name, at, "shown", "")
    rule, told = refused(material, wrong)
    assert rule == "suppression"


def test_district_figures_of_verified_gunfire_are_refused(made):
    material, draft = made
    rows = rows_of(draft.files["data/measures.csv"])
    line = next(i for i, row in enumerate(rows) if row["measure"] == "alerts.located_25m")
    wrong = edit(draft, "data/measures.csv", line, "district", "D1")
    assert "coarse" in refused(material, wrong)[1]


def test_nothing_is_written_when_a_rule_is_broken(sqlite_database, root, draft):
    with pytest.raises(ReleaseError, match=r"fields: .*secret"):
        draft(pages=lambda *_: {"secret.csv": b"a\n"})
    assert not root.exists() or list(root.rglob("*.json")) == []
    with sqlite_database.session() as session:
        assert list_releases(session, "town") == []


def test_a_folder_is_put_in_place_whole_or_not_at_all(root, made, monkeypatch):
    _, draft = made
    write = gate._write

    def fail(path, content):
        if path.name == "zones.csv":
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(gate, "_write", fail)
    with pytest.raises(ReleaseError, match="No space left"):
        write_release(root, "town", draft)
    assert [p.name for p in (root / "town").iterdir()] == []


# -- sensitive kinds of incidents ------------------------------------------------------------------


def test_a_sensitive_outcome_has_counts_by_district_and_month_only(tmp_path, sqlite_database, root):
    town = Publisher(tmp_path, alerts=0)
    town.city += '\n[publish]\nsensitive_outcomes = ["burglary"]\n'
    town.bring(sqlite_database)
    keep_run(sqlite_database, town_run("c" * 12), outcome="burglary", used=False)
    record = draft_release(sqlite_database, root, "town", "ana", today=TODAY)
    folder = ReleaseFolder(path=root / "town" / record.id)
    assert record.manifest.run is None
    assert not {"data/zones.csv", "data/zones.geojson", "data/surface.tif"} & set(folder.files)
    rows = rows_of(folder.read("data/incidents_monthly.csv"))
    assert {row["outcome"] for row in rows} == {"burglary"}
    assert {row["district"] for row in rows} == {"", "D1", "D2"}
    assert max(row["month"] for row in rows) == "2024-04"
    for row in rows:
        assert (row["number"] == "") == (row["shown"] != "")
        assert row["number"] == "" or int(row["number"]) not in range(1, 5)
    measured = {row["measure"] for row in rows_of(folder.read("data/measures.csv"))}
    assert "zones.hit_rate" not in measured
    keep_run(sqlite_database, town_run("d" * 12), created_at=dt.datetime(2025, 1, 1))
    again = draft_release(sqlite_database, root, "town", "ana", today=TODAY)
    assert again.manifest.run.outcome == "robbery"  # though the other one is newer


def test_zones_of_a_sensitive_outcome_are_refused(made):
    material, draft = made
    manifest = dataclasses.replace(draft.manifest, sensitive_outcomes=("robbery",))
    rule, told = refused(material, dataclasses.replace(draft, manifest=manifest))
    assert rule == "outcomes"
    assert "the run aaaaaaaaaaaa is about robbery" in told
    assert "data/zones.csv is about robbery" in told


# -- properties of places --------------------------------------------------------------------------


class UndoneError(Exception):
    """Takes back what an example stored."""


@pytest.fixture
def shore(tmp_path, sqlite_database):
    """A town with streets and homes but few rows, and the sites that the rule gives it."""
    Publisher(tmp_path, alerts=1, homes=9).bring(sqlite_database)
    with sqlite_database.session() as session:
        bare = gather(session, get_city(session, "town"), TODAY, [])
        return sqlite_database, drawn_sites(bare), bare.places.sites


places = st.tuples(st.floats(1, 3999), st.floats(1, 3999))
days = st.integers(0, 85)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(places, days), min_size=1, max_size=25), st.integers(1, 20))
def test_public_places_are_those_of_the_rule_and_more_rows_move_none(shore, drawn, fewer):
    """Each published place was chosen without any row, k addresses share it or none do."""
    database, chosen, sites = shore
    position = {str(name): at for at, name in enumerate(sites.name)}
    try:
        with database.session(write=True) as session:
            store_alerts(session, drawn[:fewer])
            first = published(session)
            store_alerts(session, drawn)
            second = published(session)
            assert len(second) == len(drawn) + 1
            assert not Counter(map(place_of, first)) - Counter(map(place_of, second))
            for row in second:
                at = position[row["site"]]
                said = [float(row[name]) for name in ("longitude", "latitude", "radius_m")]
                assert said == [chosen.longitude[at], chosen.latitude[at], chosen.radius_m[at]]
                shared = sites.addresses[at]
                assert row["rule"] == "district" or shared == 0 or shared >= 8
            raise UndoneError
    except UndoneError:
        pass


def place_of(row):
    return tuple(row[name] for name in ("day", "site", "longitude", "latitude", "radius_m"))


def store_alerts(session, drawn):
    start = dt.datetime(2024, 3, 1, 17, tzinfo=dt.UTC)
    moments = [start + dt.timedelta(days=day) for _, day in drawn]
    frame = pd.DataFrame(
        {
            "row_key": [f"H{i}" for i in range(len(drawn))],
            "district": ["D1" if x < 2000 else "D2" for (x, _), _ in drawn],
            "triggered_ms": [int(moment.timestamp() * 1000) for moment in moments],
            "x": [WEST + x for (x, _), _ in drawn],
            "y": [SOUTH + y for (_, y), _ in drawn],
        }
    )
    store_records(session, 1, "alerts", "hypothesis", frame)


def published(session):
    material = gather(session, get_city(session, "town"), TODAY, [])
    return rows_of(alert_files(material)["data/alerts.csv"])
