"""A district with zones and a plan of tonight, and the people who work in it, for tests."""

import datetime as dt

import numpy as np
import shapely
from staffing import NOW, Office, keep_city

from geodata.db.tables import City, Run, Zone
from geodata.repositories.patrol_plans import PlanRecord, save_plan
from geodata.repositories.runs_in_use import use_run

RUN, HOUR, MINUTE = "feedfacecafe", 3_600_000, 60_000
NOW_MS = round(NOW.replace(tzinfo=dt.UTC).timestamp() * 1000)
SHIFT = NOW_MS - 2 * HOUR, NOW_MS + 6 * HOUR
ZONES = ("z1", "z2", "z3")
HOSTILE = "<script>alert(1)</script>'\"\u202e${7*7}"


def keep_zones(database, slug, now_ms=NOW_MS):
    """Store a run with three zones in D1 and one in D2, and a plan of D1 for two units."""
    area = shapely.box(500_000, 4_000_000, 500_200, 4_000_200)
    with database.session(write=True) as session:
        city = session.query(City).filter_by(slug=slug).one()
        session.add(
            Run(
                id=RUN,
                city_id=city.id,
                outcome="robbery",
                scope="city",
                period_from=dt.date(2025, 1, 1),
                period_to=dt.date(2026, 1, 1),
                seed=1,
                spec={},
                data_sha256="0" * 64,
                code_version="0.1.0",
                grid={},
                result={
                    "incidents": 12,
                    "combined": {"record": None},
                    "model": {"family": "nb2", "factors": []},
                },
                cells=b"",
                created_at=NOW,
                family="nb2",
                n_factors=0,
                n_incidents=12,
                readable=True,
            )
        )
        session.flush()
        for rank, code in enumerate((*ZONES, "other"), start=1):
            shape = shapely.transform(area, lambda xy, east=rank * 220: np.add(xy, (east, 0)))
            session.add(
                Zone(
                    run_id=RUN,
                    code=code,
                    district="D2" if code == "other" else "D1",
                    rank=1 if code == "other" else rank,
                    details={"factors": [{"name": "bars"}, {"name": "bus_stops"}][: 3 - rank]},
                    geom=shapely.set_srid(shape, 32617),
                )
            )
        session.flush()
        use_run(session, RUN, "a test", "ana", NOW)
        save_plan(session, a_plan(slug, now_ms))


def a_plan(slug, now_ms=NOW_MS):
    """Plan two hours behind and six ahead: unit 1 goes to z1, z2, z1; unit 2 to z3."""
    start, end = now_ms - 2 * HOUR, now_ms + 6 * HOUR

    def visit(zone, minute):
        at = dt.datetime.fromtimestamp((start + minute * MINUTE) / 1000, dt.UTC)
        local = (at - dt.timedelta(hours=5)).replace(tzinfo=None)
        return {
            "zone": zone,
            "start": local.isoformat(timespec="minutes"),
            "end": (local + dt.timedelta(minutes=15)).isoformat(timespec="minutes"),
            "start_ms": start + minute * MINUTE,
            "pinned": False,
        }

    units = {
        "1": [visit("z1", 10), visit("z2", 60), visit("z1", 150)],
        "2": [visit("z3", 300)],
    }
    return PlanRecord(
        id="aaaaaaaaaaaa",
        city=slug,
        run=RUN,
        district="D1",
        shift_start_ms=start,
        shift_end_ms=end,
        seed=3,
        version=1,
        parent=None,
        document={
            "units": [{"unit": unit, "visits": visits} for unit, visits in units.items()],
            "zones": [
                {"zone": code, "rank": rank, "visits": number}
                for code, rank, number in (("z1", 1, 2), ("z2", 2, 1), ("z3", 3, 1))
            ],
            "asked": {"minutes": 15, "gap_minutes": 120, "units": 2},
        },
        created_at=NOW,
        created_by="cora",
    )


def make_district(url, folder, now=NOW, **options):
    """Give an office with the town, its zones and plan, officers of either district, commanders."""
    made = Office(url, folder, **options)
    made.now = now
    keep_city(made.database, "town")
    keep_zones(made.database, "town", round(now.replace(tzinfo=dt.UTC).timestamp() * 1000))
    made.add("ana", "officer", districts=["town/D1"], display="Ana Ruiz")
    made.add("olu", "officer", districts=["town/D1"])
    made.add("cora", "commander", districts=["town/D1"])
    made.add("dee", "commander", districts=["town/D2"])
    return made
