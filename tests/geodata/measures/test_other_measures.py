import datetime as dt

import pandas as pd
import pytest
from gunfire import NOON, SPRING, degrees
from using import put_to_use

from geodata.repositories.runs import RunRecord
from spatial.measures.scopes import Scope

VISITS = """
[[visits]]
source = "visits.csv"
[visits.fields]
id = "id"
start = "start"
end = "end"
unit = "unit"
x = "lon"
y = "lat"
"""
FIGURES = """
[[occurrences]]
source = "points.csv"
measure = "dirtbike.complaints"
[occurrences.fields]
id = "id"
date = "day"
value = "n"
x = "lon"
y = "lat"
[[counts]]
source = "counts.csv"
[counts.fields]
measure = "measure"
from = "from"
to = "to"
district = "district"
value = "value"
"""


def write_visits(town, *rows):
    """Rows of (minutes after noon of March 1, minutes long, metres east)."""
    table = []
    for i, (start, length, x) in enumerate(rows):
        lon, lat = degrees(x, 1000)
        begin = NOON + dt.timedelta(minutes=start)
        end = "" if length is None else (begin + dt.timedelta(minutes=length)).isoformat()
        table.append([f"S{i}", begin.isoformat(), end, "A1", lon, lat])
    columns = ["id", "start", "end", "unit", "lon", "lat"]
    pd.DataFrame(table, columns=columns).to_csv(town.folder / "visits.csv", index=False)
    if VISITS not in town.city:
        town.city += VISITS


def write_figures(town, points, totals):
    rows = []
    for i, (day, n, x) in enumerate(points):
        rows.append([f"P{i}", day, n, *degrees(x, 1000)])
    pd.DataFrame(rows, columns=["id", "day", "n", "lon", "lat"]).to_csv(
        town.folder / "points.csv", index=False
    )
    pd.DataFrame(totals, columns=["measure", "from", "to", "district", "value"]).to_csv(
        town.folder / "counts.csv", index=False
    )
    town.city += FIGURES


def test_dosage(town, figures):
    write_visits(
        town, (0, 10, 500), (60, 16, 500), (120, 9.9, 500), (180, 16.1, 500), (200, None, 500)
    )
    found = figures()
    assert found["dosage.visits"].figure.value == 5
    assert found["dosage.minutes"].figure.value == pytest.approx(52.0)
    share = found["dosage.share_10_16"].figure
    assert (share.numerator, share.denominator, share.missing) == (2, 4, 1)
    assert found["dosage.gap_minutes.p50"].figure.value is None  # no zones yet
    assert found["dosage.plan_met"].status == "not enough data"


@pytest.fixture
def zoned(town, ledger_of, make_run, sqlite_database):
    """A run whose two zones lie at 0 to 200 m and 300 to 800 m east, 900 to 1,100 m north."""
    import shapely
    from town import SOUTH, WEST

    from geodata.repositories import runs
    from geodata.repositories.cities import get_city
    from spatial.grid import lay_grid

    def make():
        ledger_of()
        record: RunRecord = make_run("town", "feedfacecafe")
        with sqlite_database.session() as session:
            city = get_city(session, "town")
        shapes = dict(zip(city.districts["code"], city.districts.geometry, strict=True))
        grid = lay_grid(city.study_area, shapes, 100)
        zones = record.zones.set_geometry(
            [
                shapely.box(WEST, SOUTH + 900, WEST + 200, SOUTH + 1100),
                shapely.box(WEST + 300, SOUTH + 900, WEST + 800, SOUTH + 1000),
            ]
        )
        cells = pd.DataFrame({name: [1.0] * len(grid) for name in record.cells.columns})
        with sqlite_database.session() as session:
            runs.save_run(
                session,
                make_run(
                    "town",
                    "feedfacecafe",
                    grid=grid,
                    zones=zones,
                    cells=cells,
                    period_from=dt.date(2023, 1, 1),
                    period_to=dt.date(2024, 3, 1),
                ),
            )
        put_to_use(sqlite_database, "feedfacecafe")
        return ledger_of()

    return make


def test_gaps_are_those_within_a_zone_and_a_shift(town, zoned):
    from geodata.measures.registry import work_out

    write_visits(
        town,
        (0, 10, 100),
        (40, 10, 400),  # the other zone
        (70, 15, 100),  # 60 minutes after the first left
        (205, 10, 100),  # 120 minutes
        (30 * 60, 10, 100),  # the next day: another shift
        (31 * 60, 10, 2500),  # in no zone
    )
    (value,) = work_out(zoned(), SPRING, ["dosage.gap_minutes.p50"])
    assert (value.figure.value, value.figure.n, value.figure.missing) == (90.0, 2, 1)


def test_zones_are_judged_on_later_incidents_only(town, zoned):
    from geodata.measures.registry import work_out

    inside, outside = degrees(100, 1000), degrees(3000, 3000)
    town.incidents["offense"] = "ROBBERY"
    town.incidents["date"] = "2/28/2024"
    town.incidents[["lon", "lat"]] = inside
    later = town.incidents.index[:12]
    town.incidents.loc[later, "date"] = "3/5/2024"
    town.incidents.loc[later[3:], ["lon", "lat"]] = outside
    town.save()
    ledger = zoned()
    rate, pai = work_out(ledger, SPRING, ["zones.hit_rate", "zones.pai"])
    assert (rate.figure.numerator, rate.figure.denominator) == (3, 12)
    assert pai.figure.value == pytest.approx(0.25 / (9 / 1600))
    (of_d2,) = work_out(
        ledger, Scope(start=SPRING.start, end=SPRING.end, district="D2"), ["zones.hit_rate"]
    )
    assert (of_d2.figure.numerator, of_d2.figure.denominator) == (0, 9)


def test_totals_and_points_add_up_without_counting_twice(town, figures):
    write_figures(
        town,
        points=[("2024-03-02", 1, 500), ("2024-03-20", 2, 500), ("2024-03-20", 4, 2500)],
        totals=[
            ["dirtbike.complaints", "2024-03-01", "2024-03-11", "D1", 5],  # speaks for March 2
            ["dirtbike.seizures", "2024-03-01", "2024-04-01", "D1", 3],
            ["dirtbike.seizures", "2024-02-01", "2024-03-01", "D1", 9],
            ["dirtbike.seizures", "2024-03-20", "2024-04-20", "D2", 7],  # reaches beyond March
            ["dirtbike.citations", "2024-02-01", "2024-03-01", "", 9],
        ],
    )
    found = figures()
    complaints = found["dirtbike.complaints"].figure
    assert (complaints.value, complaints.n, complaints.missing) == (11, 3, 0)
    seizures = found["dirtbike.seizures"].figure
    assert (seizures.value, seizures.n, seizures.missing) == (3, 1, 1)
    assert found["dirtbike.citations"].figure.value == 0
    assert found["dirtbike.arrests"].figure.value is None
    d2 = figures(Scope(start=SPRING.start, end=SPRING.end, district="D2"))
    assert d2["dirtbike.complaints"].figure.value == 4
    assert d2["dirtbike.seizures"].figure.value is None
    assert d2["dirtbike.seizures"].figure.missing == 1


def write_plan(session, number, start_h, visits, **change):
    """A plan of eight hours from ``start_h`` hours after noon of March 1 for the two zones."""
    from patrolling import a_zone, plan_document

    from geodata.repositories.patrol_plans import PlanRecord, save_plan

    start = int(NOON.replace(tzinfo=dt.UTC).timestamp() * 1000) + 5 * 3_600_000  # Eastern
    start += int(start_h * 3_600_000)
    save_plan(
        session,
        PlanRecord(
            **{
                "id": f"plan-{number}",
                "city": "town",
                "run": "feedfacecafe",
                "district": "D1",
                "shift_start_ms": start,
                "shift_end_ms": start + 8 * 3_600_000,
                "seed": 1,
                "version": 1,
                "parent": None,
                "document": plan_document(
                    zones=tuple(
                        a_zone(f"feedface-d1-{rank}", rank, visit)
                        for rank, visit in enumerate(visits, start=1)
                    )
                ),
                "created_at": dt.datetime(2024, 3, 1, 0, number),
                "created_by": None,
                **change,
            }
        ),
    )


def test_zone_shifts_that_met_their_plan(town, zoned, ledger_of, sqlite_database):
    from geodata.measures.registry import work_out

    write_visits(
        town,
        (0, 10, 100),
        (60, None, 100),  # a visit without an end is a visit
        (120, 10, 400),
        (8 * 60, 10, 400),  # belongs to the shift that begins then
        (48 * 60, 10, 2500),  # the log goes on to March 3
    )
    zoned()
    with sqlite_database.session() as session:
        write_plan(session, 1, 0, [9, 9])  # gives way to the next version
        write_plan(session, 2, 0, [2, 2], version=2, parent="plan-1")
        write_plan(session, 3, 8, [0, 1])  # one zone is not planned
        write_plan(session, 4, 72, [1, 1])  # after the last day that visits were logged of
        write_plan(session, 6, 56, [1, 1])  # goes on beyond the last day
        write_plan(session, 5, -40, [1, 1], district="D2")  # the day before the first, in February
    ledger = ledger_of()
    (met,) = work_out(ledger, SPRING, ["dosage.plan_met"])
    assert (met.figure.numerator, met.figure.denominator) == (2, 3)
    assert met.figure.missing == 4
    assert met.figure.low < met.figure.value < met.figure.high
    other = Scope(start=SPRING.start, end=SPRING.end, district="D2")
    (none,) = work_out(ledger, other, ["dosage.plan_met"])
    assert (none.figure.value, none.status) == (None, "not enough data")
