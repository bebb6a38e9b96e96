"""Imports as versions: what each did is written down, and can be taken back exactly."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import select
from town import SIDE, SOUTH, WEST, Town, write_geojson

import geodata.db.tables as tables
from geodata.cityfile.description import read_city_file
from geodata.errors import DataError, NotStoredError
from geodata.ingest.store import import_city
from geodata.repositories import audit
from geodata.repositories.cities import address_points, get_city
from geodata.repositories.import_log import (
    latest_reports,
    list_imports,
    undo_import,
    undone_imports_of,
)

NOW = dt.datetime(2030, 1, 1)
CONTENT = ("City", "District", "Incident", "Factor", "Feature", "BaseShape", "Alert", "Address")


@pytest.fixture
def town(tmp_path):
    """A town with everything that an import can store."""
    made = Town(tmp_path)
    rng = np.random.default_rng(5)
    degrees = made.incidents[["lon", "lat"]]
    made.alerts = pd.DataFrame(
        {
            "id": [f"a{i}" for i in range(20)],
            "t": [f"2024-02-{1 + i:02d}T10:00:00Z" for i in range(20)],
            "rounds": rng.integers(1, 9, 20),
            "lon": degrees["lon"][:20],
            "lat": degrees["lat"][:20],
        }
    )
    made.homes = degrees.iloc[:30]
    made.city += """
[[base]]
kind = "park"
source = "parks.geojson"
[[alerts]]
source = "alerts.csv"
[alerts.fields]
id = "id"
triggered = "t"
rounds = "rounds"
x = "lon"
y = "lat"
[addresses]
source = "homes.csv"
x = "lon"
y = "lat"
"""

    def save_more():
        made.alerts.to_csv(tmp_path / "alerts.csv", index=False)
        made.homes.to_csv(tmp_path / "homes.csv", index=False)
        made.save()

    made.save_more = save_more
    parks = [shapely.box(WEST, SOUTH, WEST + 300, SOUTH + 300)]
    write_geojson(tmp_path / "parks.geojson", parks)
    save_more()
    return made


@pytest.fixture
def bring(database, town):
    def brought():
        town.save_more()
        import_city(database, read_city_file(town.path))
        with database.session() as session:
            return list_imports(session, "town")[0]

    return brought


def state(database):
    """Give everything that is stored of the data, without numbers of rows and times of import."""
    told = {}
    with database.session() as session:
        factors = dict(session.execute(select(tables.Factor.id, tables.Factor.name)).all())
        for name in CONTENT:
            model = getattr(tables, name)
            rows = []
            for row in session.scalars(select(model)):
                values = {
                    attribute.key: getattr(row, attribute.key)
                    for attribute in model.__mapper__.column_attrs
                    if attribute.key not in ("id", "imported_at")
                }
                if name == "Feature":
                    values["factor_id"] = factors[values["factor_id"]]
                shown = {
                    k: shapely.to_wkb(v, hex=True, include_srid=True)
                    if isinstance(v, shapely.Geometry)
                    else v
                    for k, v in values.items()
                }
                rows.append(repr(sorted(shown.items())))
            told[name] = sorted(rows)
    return told


def undo(database, number, who="ann"):
    with database.session(write=True) as session:
        return undo_import(session, number, who, NOW)


def change_everything(town):
    """Change, add and remove something of every kind."""
    town.incidents.loc[0, "date"] = "12/24/2024"
    more = town.incidents.iloc[:5].assign(id=[f"new-{i}" for i in range(5)], offense="ROBBERY")
    town.incidents = pd.concat([town.incidents, more], ignore_index=True)
    town.alerts.loc[0, "rounds"] = 55
    town.alerts = pd.concat([town.alerts, town.alerts.iloc[:2].assign(id=["b1", "b2"])])
    town.homes = town.homes.iloc[5:]
    half = SIDE / 4
    write_geojson(
        town.folder / "districts.geojson",
        [
            shapely.box(WEST, SOUTH, WEST + half, SOUTH + SIDE),
            shapely.box(WEST + half, SOUTH, WEST + SIDE, SOUTH + SIDE),
        ],
        code=["D1", "D3"],
    )
    parks = [shapely.box(WEST, SOUTH, WEST + 500, SOUTH + 300)]
    write_geojson(town.folder / "parks.geojson", parks)
    town.city = town.city.replace('name = "Town"', 'name = "New Town"').replace(
        'name = "bars"\nsource = "bars.geojson"',
        'name = "inns"\nsource = "bars.geojson"\nmax_blocks = 2',
    )


def test_an_import_tells_what_it_changed(database, bring, town):
    first = bring()
    robberies = int((town.incidents["offense"] != "NOISE").sum())
    assert first.summary["incident"] == {"added": robberies, "changed": 0, "removed": 0}
    assert first.summary["feature"]["added"] == 15
    assert first.first
    town.incidents["offense"] = town.incidents["offense"].replace("NOISE", "ROBBERY")
    bring()
    before = set(state(database)["Alert"])
    change_everything(town)
    second = bring()
    moved = len(before - set(state(database)["Alert"]))  # most lie in another district now
    assert second.summary == {
        "incident": {"added": 5, "changed": 1, "removed": 0},
        "alert": {"added": 2, "changed": moved, "removed": 0},
        "feature": {"added": 15, "changed": 0, "removed": 15},
        "base_shape": {"added": 1, "changed": 0, "removed": 1},
        "address": {"added": 0, "changed": 25, "removed": 5},
    }
    assert bring().summary == {}


def test_an_import_that_is_undone_leaves_the_data_as_they_were(database, bring, town):
    town.incidents["offense"] = "ROBBERY"
    bring()
    before = state(database)
    change_everything(town)
    second = bring()
    after = state(database)
    assert all(after[name] != before[name] for name in CONTENT)
    done = undo(database, second.id)
    assert (done.undone_by, done.undone_at) == ("ann", NOW)
    assert state(database) == before
    again = bring()
    assert state(database) == after
    assert again.summary == second.summary


def test_imports_are_undone_newest_first_and_never_the_first(database, bring, town):
    first = bring()
    states = [state(database)]
    for name in ("x", "y"):
        more = town.incidents.iloc[:3].assign(id=[f"{name}{i}" for i in range(3)])
        town.incidents = pd.concat([town.incidents, more.assign(offense="BURGLARY")])
        bring()
        states.append(state(database))
    with database.session() as session:
        third, second, _ = list_imports(session, "town")
    with pytest.raises(DataError, match=f"import {third.id} came after import {second.id}"):
        undo(database, second.id)
    undo(database, third.id)
    assert state(database) == states[1]
    with pytest.raises(DataError, match="undone already"):
        undo(database, third.id)
    undo(database, second.id)
    assert state(database) == states[0]
    with pytest.raises(DataError, match="nothing to go back to"):
        undo(database, first.id)
    with pytest.raises(NotStoredError, match="no import 999"):
        undo(database, 999)


def test_reports_are_those_of_the_import_that_stands(database, bring, town):
    bring()
    with database.session() as session:
        city = get_city(session, "town")
        before = [report.as_json() for report in latest_reports(session, city.id)]
    town.incidents = town.incidents.iloc[:50]
    second = bring()
    undo(database, second.id)
    with database.session() as session:
        assert [r.as_json() for r in latest_reports(session, city.id)] == before
        assert get_city(session, "town").imported_at == NOW


def test_other_cities_are_left_alone(database, bring, town, tmp_path):
    bring()
    (tmp_path / "other").mkdir()
    other = Town(tmp_path / "other", seed=4)
    other.change('slug = "town"', 'slug = "other"')
    import_city(database, read_city_file(other.path))
    change_everything(town)
    second = bring()
    with database.session() as session:
        theirs = get_city(session, "other")
        assert len(list_imports(session, "other")) == 1
    undo(database, second.id)
    with database.session() as session:
        assert get_city(session, "other").outcomes == theirs.outcomes
        assert get_city(session, "other").period == theirs.period
        homes = address_points(session, get_city(session, "town").id)
        assert len(homes) == 30


def test_imports_and_their_undoing_are_in_the_audit(database, town, bring):
    first = bring()
    town.homes = town.homes.iloc[5:]
    town.save_more()
    import_city(database, read_city_file(town.path), who="bob")
    with database.session() as session:
        second = list_imports(session, "town")[0]
    undo(database, second.id, "ann")
    with database.session() as session:
        told = [
            (entry.person, entry.action, entry.object, entry.details)
            for entry in audit.entries(
                session, audit.AuditFilter(action="data"), newest_first=False
            )
        ]
        assert audit.verify(session).fault is None
    assert told == [
        ("", "data.import", "town", {"import": first.id, "changes": first.summary}),
        ("bob", "data.import", "town", {"import": second.id, "changes": second.summary}),
        ("ann", "data.undo", "town", {"import": second.id, "changes": second.summary}),
    ]
    assert second.summary["address"]["removed"] == 5


def test_an_import_that_fails_or_is_refused_leaves_no_entry(database, bring):
    only = bring()
    with pytest.raises(DataError, match="the first"):
        undo(database, only.id)
    with database.session() as session:
        found = list(audit.entries(session, audit.AuditFilter(action="data"), newest_first=False))
    assert [entry.action for entry in found] == ["data.import"]


def test_runs_that_used_the_data_say_so(database, bring, town, make_run):
    from geodata.repositories.runs import save_run

    bring()
    town.incidents = pd.concat([town.incidents, town.incidents.iloc[:1].assign(id="z")])
    second = bring()
    early = second.imported_at - dt.timedelta(seconds=1)
    late = NOW + dt.timedelta(days=1)
    with database.session(write=True) as session:
        for run, when in (("early", early), ("used", second.imported_at), ("late", late)):
            save_run(session, make_run("town", run, created_at=when))
    undo(database, second.id)
    with database.session() as session:
        found = {run: undone_imports_of(session, run) for run in ("early", "used", "late", "none")}
    assert {run: [r.id for r in records] for run, records in found.items()} == {
        "early": [],
        "used": [second.id],
        "late": [],
        "none": [],
    }
