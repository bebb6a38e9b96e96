"""Measures of dosage patrols: what was done in and for the zones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geodata.measures.figures import count, quantile_of, share_of_rows, total
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    from geodata.measures.ledger import MeasureData
    from spatial.measures.scopes import Scopes

SOURCES = ("visits",)
LEAST_MIN, MOST_MIN = 10.0, 16.0  # Koper 1995
SHIFT_MIN = 12 * 60.0
KOPER = "Koper 1995, as cited by the Police Foundation"


def _minutes(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    return total(ledger.slices("visits", scopes), ledger.visits["minutes"])


def _in_dose(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    minutes = ledger.visits["minutes"]
    return share_of_rows(
        ledger.slices("visits", scopes),
        met=minutes.between(LEAST_MIN, MOST_MIN),
        known=minutes.notna(),
    )


def _gaps(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    """Work out the gaps between the visits of each scope: one cut from the next has no gap."""
    visits = ledger.visits
    zone, start, end = (visits[c].to_numpy() for c in ("zone", "start_ms", "end_ms"))
    inside = ledger.slices("visits", scopes).where(zone >= 0)
    found = []
    for rows in inside.pieces(np.arange(len(visits))):
        order = rows[np.lexsort((start[rows], zone[rows]))]
        before, after = order[:-1], order[1:]
        gap = ((start[after] - end[before]) / 60_000)[zone[after] == zone[before]]
        known = gap[(gap >= 0) & (gap <= SHIFT_MIN)]
        found.append(quantile_of(known, 0.5, missing=len(gap) - len(known)))
    return found


def _plans(ledger: MeasureData, scopes: Scopes) -> list[Figure]:
    plans = ledger.plans
    return share_of_rows(
        ledger.slices("plans", scopes), met=plans["done"] >= plans["planned"], known=plans["known"]
    )


MEASURES = (
    Measure(
        id="dosage.visits",
        title="Dosage visits",
        unit="visits",
        direction="neither",
        definition="Stops that officers made and logged.",
        formula="number of visit rows",
        figures=partial(count, section="visits"),
        sources=SOURCES,
        disclosure="open",
        key=8,
        enforcement="Patrol visits",
    ),
    Measure(
        id="dosage.minutes",
        title="Minutes of dosage",
        unit="minutes",
        direction="neither",
        definition="Minutes that officers spent at these stops.",
        formula="sum of end - start over visits with both clocks in order",
        figures=_minutes,
        sources=SOURCES,
        disclosure="open",
        enforcement="Minutes of patrol visits",
    ),
    Measure(
        id="dosage.share_10_16",
        title="Visits of 10 to 16 minutes",
        unit="share",
        direction="up",
        definition="Share of visits that lasted from 10 to 16 minutes, both included: the length "
        "after which disorder stayed away longest.",
        formula="visits with 10 <= minutes <= 16 / visits with both clocks in order",
        figures=_in_dose,
        sources=SOURCES,
        disclosure="open",
        key=4,
        numerator="visits of 10 to 16 minutes",
        denominator="visits whose start and end are known",
        caveat=f"The length comes from one study ({KOPER}).",
    ),
    Measure(
        id="dosage.gap_minutes.p50",
        title="Median minutes between visits to a zone",
        unit="minutes",
        direction="down",
        definition="Half of the gaps between one visit to a zone and the next were at most this "
        "long. Gaps of more than 12 hours lie between shifts and are left out.",
        formula="median of next start - last end within a zone, gaps of at most 12 h; bootstrap "
        "interval",
        figures=_gaps,
        sources=SOURCES,
        disclosure="open",
        target=120.0,
        target_source=f"return at least every two hours ({KOPER})",
        caveat="Zones are those of the run in use; visits outside of them do not count.",
    ),
    Measure(
        id="dosage.plan_met",
        title="Zone-shifts that met their plan",
        unit="share",
        direction="up",
        definition="Share of planned zone-shifts that got at least the planned number of visits. A "
        "zone-shift is one zone in one shift of a patrol plan.",
        formula="zone-shifts with visits >= planned / planned zone-shifts, of shifts within the "
        "days that visits were logged of",
        figures=_plans,
        sources=SOURCES,
        disclosure="open",
        numerator="zone-shifts that met their plan",
        denominator="planned zone-shifts",
        caveat="Of several versions of a plan the one stored last counts. Visits count by where "
        "they were and when they began, whichever unit made them.",
    ),
)
