"""The clock of this machine, read in one place."""

from __future__ import annotations

import datetime as dt


def utc_now() -> dt.datetime:
    """Return the time now in UTC, without a zone, as the tables keep it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
