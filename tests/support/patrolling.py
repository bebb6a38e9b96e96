"""A district with zones and a plan of tonight, and the people who work in it, for tests."""

import datetime as dt
from dataclasses import replace

import numpy as np
import shapely
from run_documents import BARS_OF_ZONE
from staffing import NOW, Office, keep_city

from geodata.db.json_columns import GridShape
from geodata.db.tables import City, Run, Zone
from geodata.documents import to_json
from geodata.plan_document import (
    PlanDocument,
    PlanSettings,
    PlanUnit,
    PlanVisit,
    PlanZone,
)
from geodata.repositories.patrol_plans import PlanRecord, save_plan
from geodata.repositories.runs_in_use import use_run
from geodata.run_document import ZoneDetails
from spatial.patrol.plan import Sum

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
                grid=GridShape(
                    x0=0.0, y0=0.0, cell_units=100.0, n_cols=0, n_rows=0, district_ids=()
                ),
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
            details = ZoneDetails(
                area=44_000.0,
                n_cells=4,
                expected=3.0,
                past=2,
                environment_share=0.5,
                factors=(BARS_OF_ZONE, replace(BARS_OF_ZONE, name="bus_stops"))[: 3 - rank],
            )
            shape = shapely.transform(area, lambda xy, east=rank * 220: np.add(xy, (east, 0)))
            session.add(
                Zone(
                    run_id=RUN,
                    code=code,
                    district="D2" if code == "other" else "D1",
                    rank=1 if code == "other" else rank,
                    details=to_json(details),
                    geom=shapely.set_srid(shape, 32617),
                )
            )
        session.flush()
        use_run(session, RUN, "a test", "ana", NOW)
        save_plan(session, a_plan(slug, now_ms))


def a_unit(unit, visits):
    return PlanUnit(unit=unit, visits=tuple(visits), travel_minutes=0, rest=None, break_ms=None)


def a_zone(zone, rank, visits):
    return PlanZone(
        zone=zone,
        rank=rank,
        visits=visits,
        target=visits,
        longest_gap_minutes=60,
        expected=0.01,
        dropped=False,
    )


def plan_document(**change):
    """Give the document of a plan of no unit and no zone, but for what is changed."""
    asked = PlanSettings(
        units=2,
        minutes=15,
        break_minutes=0,
        gap_minutes=120,
        pins=(),
        dropped=(),
        limit_seconds=8.0,
        speed_kmh=32.0,
        detour=1.3,
    )
    figures = {"visits": 0, "travel_minutes": 0, "worth": 0.0, "bound": 0.0, "gap": 0.0}
    document = {
        "plan": "aaaaaaaaaaaa",
        "version": 1,
        "parent": None,
        "city": "town",
        "district": "D1",
        "run": RUN,
        "shift": (dt.datetime(2026, 3, 4, 3), dt.datetime(2026, 3, 4, 11)),
        "timezone": "America/New_York",
        "units": (),
        "zones": (),
        "seed": 3,
        "asked": asked,
        **figures,
        "travel_by": "streets",
        "greedy": Sum(visits=0, worth=0.0, travel_min=0, excess_min=0),
        "capacity": 0,
        "units_for_rule": 2,
        "finished": True,
        "incidents": 0,
        "incidents_without_time": 0,
        "synthetic": False,
    }
    return PlanDocument(**document | change)


def a_plan(slug, now_ms=NOW_MS):
    """Plan two hours behind and six ahead: unit 1 goes to z1, z2, z1; unit 2 to z3."""
    start, end = now_ms - 2 * HOUR, now_ms + 6 * HOUR

    def visit(zone, minute):
        at = dt.datetime.fromtimestamp((start + minute * MINUTE) / 1000, dt.UTC)
        local = (at - dt.timedelta(hours=5)).replace(tzinfo=None)
        end_ = local + dt.timedelta(minutes=15)
        at_ms = start + minute * MINUTE
        return PlanVisit(zone=zone, start=local, end=end_, start_ms=at_ms, pinned=False)

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
        document=plan_document(
            city=slug,
            units=tuple(a_unit(unit, visits) for unit, visits in units.items()),
            zones=tuple(
                a_zone(code, rank, number)
                for code, rank, number in (("z1", 1, 2), ("z2", 2, 1), ("z3", 3, 1))
            ),
        ),
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
