"""Zones that a person changed: step by step, never the run itself, and where they count."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest
import shapely
from ready import make_ready
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from town import Town
from using import put_to_use

from app.usecases.patrol.planning import PlanRequest, make_plan
from app.usecases.risk.fit import FitRequest, fit
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.db.json_columns import ZoneStep
from geodata.db.tables import Visit
from geodata.errors import DataError, NotStoredError
from geodata.exporting import export_run, zones_frame
from geodata.ingest.store import import_city
from geodata.measures.ledger import MeasureData
from geodata.release_manifest import ZonesEdited
from geodata.releases.inputs import gather
from geodata.releases.manifest import make_manifest
from geodata.releases.public_zones import zone_files
from geodata.repositories import audit, cities, patrol_plans, runs, zone_versions
from geodata.repositories.actions import (
    ANY_FACTOR,
    ActionFacts,
    add_action,
    change_action,
    get_action,
)
from geodata.repositories.visits import VisitFacts, correct_visit, log_visit
from geodata.repositories.zone_editing import (
    COLUMNS,
    Changed,
    Drop,
    Merge,
    Redraw,
    Rename,
    SplitZone,
    acting,
    change_zones,
    go_back,
)
from geodata.stored_documents import EditionUsed
from spatial.zones.cut import cells_within

WHEN = dt.datetime(2026, 3, 4, 10, 0)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A town with a run, fitted once."""
    folder = tmp_path_factory.mktemp("editions")
    url = f"sqlite:///{folder}/town.sqlite"
    make_ready(url)
    database = open_database(url)
    import_city(database, read_city_file(Town(folder, n=700).crowd(400).path))
    (run,) = fit(database, FitRequest(city="town", outcome="robbery"))
    put_to_use(database, run)
    database.close()
    return folder / "town.sqlite", run


@pytest.fixture
def town(fitted, tmp_path):
    """A copy of it that a test may change."""
    there, run = fitted
    copy = tmp_path / "town.sqlite"
    copy.write_bytes(there.read_bytes())
    database = open_database(f"sqlite:///{copy}")
    yield database, run
    database.close()


def step(database, run_id, change, after=None, why="the corner store has closed"):
    with database.session(write=True) as session:
        run = runs.get_run(session, run_id)
        newest = zone_versions.newest_number(session, run_id)
        standing = zone_versions.with_edition(session, run, newest)
        changed = change_zones(standing, change, newest + 1)
        return zone_versions.add_edition(
            session, run, changed, why, "ana", WHEN, after=newest if after is None else after
        )


def use(database, run, number):
    with database.session(write=True) as session:
        zone_versions.use_edition(session, run, number, "agreed with district 1", "ana", WHEN)


def zones_at(database, run, number):
    with database.session() as session:
        return zone_versions.with_edition(session, runs.get_run(session, run.id), number).zones


def across(shape):
    """A line from south to north through the middle of a shape."""
    west, south, east, north = shape.bounds
    x = (west + east) / 2 + 1
    return shapely.LineString([(x, south - 9), (x, north + 9)])


def test_a_split_keeps_all_that_a_zone_had_and_a_merge_gives_it_back(town):
    database, run = town
    zone = run.zones.sort_values("n_cells").iloc[-1]
    assert step(database, run.id, SplitZone(zone=zone.id, line=across(zone.geometry))) == 1
    zones = zones_at(database, run, 1)
    parts = zones[~zones["id"].isin(run.zones["id"])]
    assert len(parts) >= 2
    assert parts["n_cells"].sum() == zone.n_cells
    assert parts["past"].sum() == zone.past
    assert parts["expected"].sum() == pytest.approx(zone.expected)
    assert parts["area"].sum() == pytest.approx(zone.area)
    assert set(parts["district"]) == {zone.district}
    shared = parts.geometry.union_all().symmetric_difference(zone.geometry)
    assert shared.area == pytest.approx(0)
    assert step(database, run.id, Merge(zones=tuple(parts["id"]))) == 2
    again = zones_at(database, run, 2)
    (whole,) = again[~again["id"].isin(run.zones["id"])].itertuples()
    assert whole.id not in {*run.zones["id"], *parts["id"]}  # a code is one outline for ever
    assert whole.environment_share == pytest.approx(zone.environment_share)
    assert whole.rank == zone["rank"]
    assert [f.name for f in whole.factors] == [f.name for f in zone.factors]
    for told, was in zip(whole.factors, zone.factors, strict=True):
        assert dataclasses.asdict(told) == pytest.approx(dataclasses.asdict(was))


def test_factors_are_read_from_the_cells_as_the_fit_had_them(town):
    _, run = town
    active = acting(run)
    noted = {told.name: told.covers for told in run.result.diagnostics.factors}
    covers = [noted[factor.name] for factor in run.result.model.factors]
    assert active.mean(axis=0) == pytest.approx(covers)
    assert 0 < active.mean() < 1


def test_ranks_follow_what_is_expected_and_the_run_stays_as_it_is(town):
    database, run = town
    district = run.zones["district"].iloc[0]
    first = run.zones[run.zones["district"] == district].iloc[0]
    step(database, run.id, Drop(zone=first.id))
    zones = zones_at(database, run, 1)
    assert first.id not in set(zones["id"])
    for _, own in zones.groupby("district"):
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
        assert own["expected"].is_monotonic_decreasing
    with database.session() as session:
        back = runs.get_run(session, run.id)
    assert back.zones["id"].tolist() == run.zones["id"].tolist()
    assert back.edited is None


def test_a_zone_is_redrawn_to_cells_and_others_stay_whole(town):
    database, run = town
    zone = run.zones.iloc[0]
    district = run.zones[run.zones["district"] == zone.district]
    assert len(district) > 1
    shape = district.geometry.union_all().envelope.buffer(400)  # round all others
    step(database, run.id, Redraw(zone=zone.id, shape=shape))
    zones = zones_at(database, run, 1)
    (drawn,) = zones[~zones["id"].isin(run.zones["id"])].itertuples()
    assert drawn.n_cells > zone.n_cells
    (cells,) = cells_within(run.grid, [drawn.geometry])
    assert drawn.past == run.cells["count"].to_numpy()[cells].sum()
    assert drawn.area == pytest.approx(drawn.geometry.area)
    inside = cells_within(run.grid, zones.geometry)
    together = np.concatenate(inside)
    assert len(together) == len(set(together.tolist()))
    with pytest.raises(DataError, match="nothing would change"):
        step(database, run.id, Redraw(zone=drawn.id, shape=drawn.geometry))


def test_a_name_is_kept_through_a_merge_but_not_with_signs_that_do_not_show(town):
    database, run = town
    zone = run.zones.iloc[0]
    step(database, run.id, Rename(zone=zone.id, name="  Main and  5th "))
    zones = zones_at(database, run, 1)
    assert zones.set_index("id").loc[zone.id, "name"] == "Main and 5th"
    with pytest.raises(DataError, match="already"):
        step(database, run.id, Rename(zone=zone.id, name="Main and 5th"))
    for wrong in ("x" * 61, "evil\u202egnp", "a\x00b", "=1+1", "@x"):
        with pytest.raises(DataError, match="can be seen"):
            step(database, run.id, Rename(zone=zone.id, name=wrong))
    step(database, run.id, Redraw(zone=zone.id, shape=zone.geometry.buffer(160)))
    assert "Main and 5th" in zones_at(database, run, 2)["name"].tolist()


def test_steps_are_only_added_and_taken_back_by_a_step(town):
    database, run = town
    first, second = run.zones["id"].iloc[0], run.zones["id"].iloc[1]
    step(database, run.id, Drop(zone=first))
    step(database, run.id, Drop(zone=second))
    with database.session(write=True) as session:
        record = runs.get_run(session, run.id)
        back = go_back(zone_versions.with_edition(session, record, 1), 1)
        assert zone_versions.add_edition(session, record, back, "a slip", "ben", WHEN, after=2) == 3
        told = zone_versions.list_editions(session, run.id)
    assert [one.action for one in told] == ["back", "drop", "drop"]
    assert (told[0].made_by, told[0].details, told[0].reason) == ("ben", ZoneStep(to=1), "a slip")
    zones = zones_at(database, run, 3)
    assert second in set(zones["id"])
    assert first not in set(zones["id"])
    with database.session() as session:
        assert [e.action for e in audit.entries(session, audit.AuditFilter(action="zones"))] == [
            "zones.back",
            "zones.drop",
            "zones.drop",
        ]


def test_who_looked_at_an_older_step_is_told(town):
    database, run = town
    step(database, run.id, Drop(zone=run.zones["id"].iloc[0]))
    with pytest.raises(DataError, match="changed meanwhile"):
        step(database, run.id, Drop(zone=run.zones["id"].iloc[1]), after=0)
    with pytest.raises(DataError, match="no zone"):
        step(database, run.id, Drop(zone=run.zones["id"].iloc[0]))
    for why in ("", "  ", "x" * 501):
        with pytest.raises(DataError, match="say why"):
            step(database, run.id, Drop(zone=run.zones["id"].iloc[1]), why=why)


def test_nothing_is_in_use_until_somebody_says_so(town):
    database, run = town
    step(database, run.id, Drop(zone=run.zones["id"].iloc[0]))
    with database.session() as session:
        assert zone_versions.get_run_in_use(session, run.id).edited is None
    use(database, run, 1)
    with database.session() as session:
        used = zone_versions.get_run_in_use(session, run.id)
    assert used.edited == EditionUsed(edition=1, steps=1, on=dt.date(2026, 3, 4))
    assert len(used.zones) == len(run.zones) - 1
    with pytest.raises(DataError, match="in use already"):
        use(database, run, 1)
    with pytest.raises(NotStoredError):
        use(database, run, 9)
    use(database, run, 0)
    with database.session() as session:
        assert zone_versions.get_run_in_use(session, run.id).edited is None
        assert [one.number for one in zone_versions.list_uses(session, run.id)] == [0, 1]


def test_a_plan_is_made_of_the_zones_in_use_and_finds_them_later(town):
    database, run = town
    zone = run.zones.sort_values("n_cells").iloc[-1]
    step(database, run.id, SplitZone(zone=zone.id, line=across(zone.geometry)))
    use(database, run, 1)
    asked = PlanRequest(
        city="town",
        district=zone.district,
        run=run.id,
        shift=(dt.datetime(2026, 3, 6, 16), dt.datetime(2026, 3, 6, 20)),
        units=1,
        limit_s=1.0,
    )
    made = make_plan(database, asked)
    assert made.document.edited.edition == 1
    named = {one.zone for one in made.document.zones}
    assert zone.id not in named
    use(database, run, 0)
    with database.session() as session:
        shapes = patrol_plans.zone_shapes(session, run.id)
        assert named <= set(shapes)
        assert zone.id in shapes
        assert len(MeasureData(session, cities.get_city(session, "town"), WHEN.date()).plans)


def test_visits_and_actions_are_taken_in_zones_that_a_person_made_and_stay_in_them(town):
    database, run = town
    zone = run.zones.sort_values("n_cells").iloc[-1]
    step(database, run.id, SplitZone(zone=zone.id, line=across(zone.geometry)))
    use(database, run, 1)
    part = zones_at(database, run, 1)
    part = part[~part["id"].isin(run.zones["id"])].iloc[0]
    now_ms = round(WHEN.replace(tzinfo=dt.UTC).timestamp() * 1000)
    facts = VisitFacts(
        zone=part.id, unit="A1", start_ms=now_ms - 600_000, end_ms=now_ms, activity="foot patrol"
    )
    work = ActionFacts(
        zone=part.id,
        factor=ANY_FACTOR,
        kind="lighting",
        what="Mend the lamp",
        owner="Streets",
        due=None,
    )
    signed = {"who": "ana", "when": WHEN}
    with database.session(write=True) as session:
        city = cities.get_city(session, "town")
        args = (session, city, part.district, run.id)
        key = "5b0f1d3e-6f0a-4c67-9a39-2f5f0f6c7f11"
        assert log_visit(*args, key, facts, **signed, now_ms=now_ms) == "new"
        number = add_action(*args, work, **signed, today=WHEN.date())
        x, y = session.execute(select(Visit.x, Visit.y)).one()
    assert shapely.contains_xy(part.geometry, x, y)
    use(database, run, 0)  # neither is lost when other zones are in use
    done = dataclasses.replace(work, state="done")
    with database.session(write=True) as session:
        city = cities.get_city(session, "town")
        change_action(session, city, number, done, version=1, **signed, today=WHEN.date())
        again = dataclasses.replace(facts, note="by foot")
        correct_visit(session, city, key, again, why="a word", version=1, **signed, now_ms=now_ms)
        assert get_action(session, city.id, number).facts.zone == part.id


def test_measures_and_releases_are_about_the_zones_in_use_and_say_so(town, tmp_path):
    database, run = town
    step(database, run.id, Drop(zone=run.zones["id"].iloc[0]), why="by Ana, quietly")
    with database.session() as session:
        before = MeasureData(session, cities.get_city(session, "town"), WHEN.date()).run
        assert len(before.zones) == len(run.zones)
    use(database, run, 1)
    with database.session() as session:
        city = cities.get_city(session, "town")
        material = gather(session, city, dt.date(2025, 3, 1), [])
        assert len(material.run.zones) == len(run.zones) - 1
        files = zone_files(material)
        manifest = make_manifest(material, files, None)
        used = material.run
    told = json.loads(files["data/zones.geojson"])["features"]
    said = "changed by a person, 1 step, the last on 2026-03-04"
    assert len(told) == len(run.zones) - 1
    for feature in told:
        assert said in feature["properties"]["method"]
    assert manifest.run.zones_edited == ZonesEdited(on=dt.date(2026, 3, 4), steps=1)
    everything = json.dumps(manifest.as_json()) + "".join(
        str(content) for content in files.values()
    )
    assert "ana" not in everything.lower().replace("analysis", "")
    frame = zones_frame(used)
    assert set(frame["edited_on"]) == {"2026-03-04"}
    assert set(frame["edit_steps"]) == {1}
    for ending in ("geojson", "gpkg", "csv"):
        export_run(used, "zones", tmp_path / f"zones.{ending}")
    assert "edited_on" in (tmp_path / "zones.csv").read_text().splitlines()[0]
    assert "edited_on" not in zones_frame(run).columns


def test_both_databases_keep_steps_and_refuse_to_change_them(database, make_city_record, make_run):
    make_city_record(database, "town")
    run = make_run("town", "aaaa00000001")
    zones = run.zones.assign(name="")[list(COLUMNS)]
    zones.loc[0, "name"] = "Main and 5th"
    renamed = Changed(action="rename", zones=zones, details=ZoneStep(before=(), after=()))
    with database.session(write=True) as session:
        runs.save_run(session, run)
        assert zone_versions.add_edition(session, run, renamed, "why", "ana", WHEN, after=0) == 1
        zone_versions.use_edition(session, run, 1, "why", "ana", WHEN)
    with database.session() as session:
        used = zone_versions.get_run_in_use(session, run.id)
        assert set(zone_versions.shapes_of(session, run.id)) == set(run.zones["id"])
    assert used.zones["name"].tolist()[0] == "Main and 5th"
    assert shapely.equals(used.zones.geometry.array, run.zones.geometry.array).all()
    assert used.zones["factors"].tolist() == run.zones["factors"].tolist()
    for table in ("zone_edition", "edited_zone", "edition_use"):
        for sql in (f"UPDATE {table} SET id = id + 100", f"DELETE FROM {table}"):
            with (
                pytest.raises((DBAPIError, IntegrityError), match="never changed"),
                database.engine.begin() as connection,
            ):
                connection.execute(text(sql))
