"""Ids of measures, for those who name measures without working them out."""

TALLIED = (  # measures that take dated points or totals
    "dirtbike.complaints",
    "dirtbike.ride_outs",
    "dirtbike.seizures",
    "dirtbike.citations",
    "dirtbike.arrests",
    "dirtbike.injury_crashes",
    "dirtbike.contacts",
)
