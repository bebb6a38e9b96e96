"""``[schedule]`` of a city file: when something is due, in the city's time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAILY = "daily"
WRITTEN = re.compile(r"([A-Za-z, ]{3,60}) ([01]?\d|2[0-3]):([0-5]\d)")
REMEDY = f'write it as "Mon 05:00", "Mon, Thu 05:00" or "{DAILY} 05:00", in the city\'s time'


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Days of the week (0 is Monday) and the minute of the day, in the city's time."""

    days: frozenset[int]
    minute: int

    def last_due(self, now: dt.datetime, timezone: str) -> dt.datetime:
        """Return the latest moment not after ``now`` that it names; both in UTC without a zone."""
        zone = ZoneInfo(timezone)
        local = now.replace(tzinfo=dt.UTC).astimezone(zone)
        for back in range(9):
            day = local.date() - dt.timedelta(days=back)
            clock = dt.time(self.minute // 60, self.minute % 60, tzinfo=zone)
            due = dt.datetime.combine(day, clock).astimezone(dt.UTC).replace(tzinfo=None)
            if day.weekday() in self.days and due <= now:
                return due
        msg = "a schedule names a day of the week at least"
        raise AssertionError(msg)


def read_schedule(text: str) -> Schedule | None:
    """Return what a schedule says; nothing where it cannot be read.

    >>> read_schedule("Mon, Thu 05:30").minute, sorted(read_schedule("Mon, Thu 05:30").days)
    (330, [0, 3])
    >>> len(read_schedule("daily 5:00").days), read_schedule("sometimes")
    (7, None)
    """
    found = WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    words = [word.strip()[:3].title() for word in found[1].split(",")]
    if found[1].strip().casefold() == DAILY:
        words = list(DAYS)
    if not all(word in DAYS for word in words):
        return None
    days = frozenset(DAYS.index(word) for word in words)
    return Schedule(days=days, minute=int(found[2]) * 60 + int(found[3]))
