import os
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
import shapely
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql.base import ischema_names as postgresql_names
from sqlalchemy.dialects.sqlite.base import ischema_names as sqlite_names
from sqlalchemy.exc import DBAPIError, IntegrityError

from geodata.db.engine import open_database, schema_of, upgrade
from geodata.db.geometry import Geometry, meets_box
from geodata.db.tables import Base, City, Factor, Feature
from geodata.errors import StoreError


def a_city(slug="town"):
    import datetime as dt

    return City(
        slug=slug,
        name="Town",
        crs="EPSG:32617",
        timezone="America/New_York",
        cell_units=100.0,
        block_units=200.0,
        study_area=shapely.set_srid(shapely.box(0, 0, 10, 10), 32617),
        imported_at=dt.datetime(2026, 1, 1),
    )


def test_models_and_migrations_agree(database, monkeypatch):
    for names in (sqlite_names, postgresql_names):  # reflection knows no geometry by itself
        monkeypatch.setitem(names, "geometry", Geometry)
        monkeypatch.setitem(names, "GEOMETRY", Geometry)

    def ours(_thing, name, kind, _reflected, _compare_to):
        """Leave out what PostGIS brings and the box indexes, which no model knows."""
        if kind == "table":
            return name in Base.metadata.tables
        return not (kind == "index" and (name or "").endswith("_box"))

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(database_url):
    said = []
    upgrade(database_url, said.append)
    assert said == [f"schema {schema_of(database_url)} is up to date"]


def test_shapes_come_back_whole(database):
    shapes = [
        shapely.Point(2_031_000.123456789, 812_345.987654321),
        shapely.LineString([(0, 0), (1.5, 2.25)]),
        shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2)),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]),
    ]
    with database.session() as session:
        for number, shape in enumerate(shapes):
            city = a_city(f"town-{number}")
            city.study_area = shapely.set_srid(shape, 2264)
            session.add(city)
    with database.session() as session:
        found = session.scalars(select(City.study_area).order_by(City.id)).all()
    for shape, back in zip(shapes, found, strict=True):
        assert shapely.equals_exact(shape, back)
    if database.engine.dialect.name == "postgresql":
        with database.session() as session:
            assert session.scalar(text("SELECT ST_SRID(study_area) FROM city LIMIT 1")) == 2264


@pytest.fixture
def points(database):
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 100_000, (3000, 2))
    with database.session() as session:
        session.add(a_city())
        session.flush()
        session.add(
            Factor(city_id=1, name="bars", operation="both", max_blocks=3, step="half", position=0)
        )
        session.flush()
        session.execute(
            insert(Feature),
            [
                {
                    "factor_id": 1,
                    "row_key": str(i),
                    "geom": shapely.set_srid(shapely.Point(p), 32617),
                }
                for i, p in enumerate(xy)
            ],
        )
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ANALYZE feature"))
    return xy


def test_a_box_finds_what_meets_it_and_uses_the_index(database, points):
    box = (20_000.0, 30_000.0, 25_000.0, 42_000.0)
    inside = (
        (points[:, 0] >= box[0])
        & (points[:, 0] <= box[2])
        & (points[:, 1] >= box[1])
        & (points[:, 1] <= box[3])
    )
    query = select(Feature.row_key).where(meets_box(Feature.geom, box))
    with database.session() as session:
        assert {int(key) for key in session.scalars(query)} == set(np.flatnonzero(inside))
        plain = query.compile(database.engine, compile_kwargs={"literal_binds": True})
        word = "EXPLAIN" if database.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = "\n".join(str(row) for row in session.execute(text(f"{word} {plain}")))
    assert "ix_feature_geom_box" in plan or "VIRTUAL TABLE INDEX" in plan
    assert "Seq Scan" not in plan
    assert "SCAN feature\n" not in plan


def test_the_index_follows_changes(database, points):
    far = (500_000.0, 500_000.0, 500_002.0, 500_002.0)
    with database.session() as session:
        row = session.scalars(select(Feature).where(Feature.row_key == "7")).one()
        row.geom = shapely.set_srid(shapely.Point(500_001, 500_001), 32617)
        session.delete(session.scalars(select(Feature).where(Feature.row_key == "8")).one())
    with database.session() as session:
        found = session.scalars(select(Feature.row_key).where(meets_box(Feature.geom, far))).all()
        assert found == ["7"]
        x, y = points[8]
        around = (x - 1, y - 1, x + 1, y + 1)
        query = select(Feature.row_key).where(meets_box(Feature.geom, around))
        assert "8" not in session.scalars(query).all()


def test_an_error_rolls_everything_back(database):
    with pytest.raises(IntegrityError), database.session() as session:
        session.add(a_city("one"))
        session.flush()
        session.add(a_city("one"))
        session.flush()
    with database.session() as session:
        assert session.scalars(select(City)).all() == []


def test_foreign_keys_are_kept(database):
    with pytest.raises(DBAPIError), database.session() as session:
        session.execute(
            insert(Feature), [{"factor_id": 99, "row_key": "a", "geom": shapely.Point(0, 0)}]
        )


KILLED = """
import sys, time, shapely
from sqlalchemy import insert
from geodata.db.engine import open_database
from geodata.db.tables import Feature
with open_database(sys.argv[1]).session(write=True) as session:
    for start in range(0, 40000, 2000):
        session.execute(insert(Feature), [
            {"factor_id": 1, "row_key": f"k{i}", "geom": shapely.Point(i, i)}
            for i in range(start, start + 2000)
        ])
    print("half-way", flush=True)
    time.sleep(60)
"""


def test_killed_half_way_the_database_is_as_before(database_url, database, points):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().strip() == "half-way"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    again = open_database(database_url)
    with again.session(write=True) as session:
        assert len(session.scalars(select(Feature.id)).all()) == len(points)
        session.add(a_city("after"))
    again.close()
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        boxes = connection.execute("SELECT count(*) FROM feature_box").fetchone()
        connection.close()
        assert boxes == (len(points),)


def test_readers_go_on_while_a_writer_works(sqlite_url, sqlite_database):
    reader = open_database(sqlite_url)
    with sqlite_database.session(write=True) as session:
        session.add(a_city())
        session.flush()
        started = time.monotonic()
        with reader.session() as other:
            assert other.scalars(select(City)).all() == []
        assert time.monotonic() - started < 5  # it would wait half a minute for a lock
    with reader.session() as other:
        assert len(other.scalars(select(City)).all()) == 1
    reader.close()


def test_what_cannot_be_opened_is_told_with_the_remedy(tmp_path):
    missing = f"sqlite:///{tmp_path / 'no' / 'where.sqlite'}"
    with pytest.raises(StoreError, match="folder exists"):
        open_database(missing)
    with pytest.raises(StoreError, match="saferground init"):
        open_database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    for url, told in (
        ("not an address", "cannot be read"),
        ("mysql://u:secret@host/db", "use sqlite or postgresql"),
        ("sqlite://", "needs a file"),
    ):
        with pytest.raises(StoreError, match=told):
            upgrade(url)
    with pytest.raises(StoreError) as caught:
        open_database("postgresql://someone:sesame@127.0.0.1:1/none")
    assert "sesame" not in str(caught.value)
    assert "server runs" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_database_of_another_version_is_told(sqlite_url, sqlite_database):
    with sqlite_database.session(write=True) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (open_database, upgrade):
        with pytest.raises(StoreError, match="newer version"):
            use(sqlite_url)


def test_a_server_database_without_schema_is_told(postgres_cluster):
    with pytest.raises(StoreError, match="saferground init"):
        open_database(postgres_cluster.bare_database())
