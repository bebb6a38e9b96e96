"""Ids that imports must know: measures that take dated points or totals."""

TALLIED = (
    "dirtbike.complaints",
    "dirtbike.ride_outs",
    "dirtbike.seizures",
    "dirtbike.citations",
    "dirtbike.arrests",
    "dirtbike.injury_crashes",
    "dirtbike.contacts",
)
