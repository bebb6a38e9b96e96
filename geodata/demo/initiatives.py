"""The initiatives of the demonstration city: made up, in the form of a city's own file."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CITY = "alder-falls"
UPDATED = dt.date(2026, 1, 4)

TEXT = '''# Generated. A synthetic city: its initiative, its words and its numbers are made up.

city = "{city}"

[[initiatives]]
slug = "community-policing-strategies"
number = "2.13"
title = "Pilot and evaluate new community policing strategies"
goal = "Creating a Safer Community Together"
status = "In Progress"
owner = "Police Department of Alder Falls (synthetic)"
updated = {updated}

[initiatives.narrative]
why = """
Made up, like all of Alder Falls: residents of this synthetic city asked for fewer robberies, faster
help after gunfire and quieter streets, and wanted to see whether what is tried works.

A real city says here, in its own words, why the initiative matters to the people who live there.
"""
doing = """
Made up: since January 2024 officers visit places where robbery is likely, for 10 to 16 minutes at a
time; a part of the city is covered by gunshot detection, and complaints about dirt bikes are
gathered by month and district.

A real city says here what has been done since the last update.
"""
next = """
Made up: the visits go on, and zones are compared with similar places that had none.

A real city says here what comes next, and when.
"""
analysis = """
Made up, and worked out: the measures are computed from generated files by the code that computes
them for a real city. They show what a page holds and say nothing about any real place.

Alerts, calls and events have three different denominators, and each figure names its own.
"""

[[initiatives.strategies]]
slug = "risk-terrain-zones"
title = "Risk terrain zones"
summary = """
Places in each police district where features of the environment come together and robbery is more
likely. Patrols stop there for short visits; departments and owners change what can be changed.
"""
status = "In Progress"
measures = [
  "dosage.visits",
  "dosage.minutes",
  "dosage.share_10_16",
  "dosage.gap_minutes.p50",
  "dosage.plan_met",
  "zones.hit_rate",
  "zones.pai",
]
also_touched = ["alerts.guns", "alerts.arrests"]

[[initiatives.strategies]]
slug = "gunshot-detection"
title = "Gunshot detection"
summary = """
Sensors in a part of the city publish alerts of gunfire. They are held against 911 calls and against
gunfire proven by evidence.
"""
status = "In Progress"
measures = [
  "alerts.count",
  "alerts.published_60s.trigger",
  "alerts.published_60s.review",
  "alerts.publish_seconds.p50",
  "alerts.publish_seconds.p90",
  "alerts.performance",
  "alerts.performance.excluding_holidays",
  "alerts.located_25m",
  "alerts.confirmed",
  "alerts.unconfirmed",
  "alerts.unfounded",
  "alerts.no_disposition",
  "alerts.guns",
  "alerts.arrests",
  "alerts.casings",
  "events.count",
  "events.alert_only",
  "events.both",
  "events.call_only",
  "response.difference_minutes",
]

[[initiatives.strategies.targets]]
measure = "alerts.performance"
target = 0.9
source = "Contract (made up)"

[[initiatives.strategies]]
slug = "dirt-bike-mitigation"
title = "Dirt-bike mitigation"
summary = """
Complaints, seizures, citations and arrests, and talks with riders, compared with the same weeks of
earlier years because riding follows the seasons.
"""
status = "In Progress"
measures = [
  "dirtbike.complaints",
  "dirtbike.ride_outs",
  "dirtbike.seizures",
  "dirtbike.citations",
  "dirtbike.arrests",
  "dirtbike.injury_crashes",
  "dirtbike.contacts",
]
'''


def write_initiatives(folder: Path, *, city: str = CITY, updated: dt.date = UPDATED) -> None:
    """Write ``initiatives.toml`` of the demonstration city.

    Parameters
    ----------
    folder
        Where the city's other files are; it must exist.
    city
        Slug of the city.
    updated
        Day of the last update that the initiative states.
    """
    text = TEXT.format(city=city, updated=updated.isoformat())
    (folder / "initiatives.toml").write_text(text, encoding="utf-8")
