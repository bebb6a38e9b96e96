"""Measures of dosage patrols: what was done in and for the zones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from geodata.measures.figures import count, quantile, share_of_rows, total
from geodata.measures.record import Figure, Measure

if TYPE_CHECKING:
    import pandas as pd

    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Scope

SOURCES = ("visits",)
LEAST_MIN, MOST_MIN = 10.0, 16.0
SHIFT_MIN = 12 * 60.0
KOPER = "Koper 1995, as cited by the Police Foundation"


def _minutes(ledger: Ledger, scope: Scope) -> Figure:
    return total(ledger.rows("visits", scope)["minutes"])


def _in_dose(ledger: Ledger, scope: Scope) -> Figure:
    minutes = ledger.rows("visits", scope)["minutes"]
    return share_of_rows(minutes.between(LEAST_MIN, MOST_MIN), minutes.notna())


def _gaps(ledger: Ledger, scope: Scope) -> Figure:
    rows = ledger.rows("visits", scope)
    rows = rows[rows["zone"] >= 0].sort_values(["zone", "start_ms"], kind="stable")
    gap = (rows["start_ms"] - rows.groupby("zone")["end_ms"].shift()) / 60_000
    again = rows["zone"].duplicated()
    gap = gap[again]
    inside_shift: pd.Series = gap.where((gap >= 0) & (gap <= SHIFT_MIN))
    return quantile(inside_shift, 0.5)


def _plans(ledger: Ledger, scope: Scope) -> Figure:
    rows = ledger.rows("plans", scope)
    return share_of_rows(rows["done"] >= rows["planned"], rows["known"])


MEASURES = (
    Measure(
        id="dosage.visits",
        title="Dosage visits",
        unit="visits",
        direction="neither",
        definition="Stops that officers made and logged.",
        formula="number of visit rows",
        compute=partial(count, section="visits"),
        sources=SOURCES,
    ),
    Measure(
        id="dosage.minutes",
        title="Minutes of dosage",
        unit="minutes",
        direction="neither",
        definition="Minutes that officers spent at these stops.",
        formula="sum of end - start over visits with both clocks in order",
        compute=_minutes,
        sources=SOURCES,
    ),
    Measure(
        id="dosage.share_10_16",
        title="Visits of 10 to 16 minutes",
        unit="share",
        direction="up",
        definition="Share of visits that lasted from 10 to 16 minutes, both included: the length "
        "after which disorder stayed away longest.",
        formula="visits with 10 <= minutes <= 16 / visits with both clocks in order",
        compute=_in_dose,
        sources=SOURCES,
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
        compute=_gaps,
        sources=SOURCES,
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
        compute=_plans,
        sources=SOURCES,
        numerator="zone-shifts that met their plan",
        denominator="planned zone-shifts",
        caveat="Of several versions of a plan the one stored last counts. Visits count by where "
        "they were and when they began, whichever unit made them.",
    ),
)
