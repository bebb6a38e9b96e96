"""What reports of imports say of sources and of rows that were left out, for the catalogue.

A reason is a fixed short text, stored with its number of rows: it is a code as it stands. Pages
translate it where they show it; ``app/translatable.py`` lists all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.i18n.language import N_
from geodata.cityfile.sections import RECORD_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = (
    N_("addresses"),
    N_("alerts"),
    N_("areas"),
    N_("base"),
    N_("boundary"),
    N_("calls"),
    N_("counts"),
    N_("coverage"),
    N_("districts"),
    N_("factors"),
    N_("incidents"),
    N_("occurrences"),
    N_("residents"),
    N_("verified"),
    N_("visits"),
)
REASONS = (
    N_("a coordinate without its minus sign"),
    N_("a group of more people than all"),
    N_("already stored"),
    N_("also in an earlier source"),
    N_("another number of columns than the header"),
    N_("bad date"),
    N_("bad time"),
    N_("coordinates that are no numbers"),
    N_("degrees called projected coordinates"),
    N_("beyond the city"),
    N_("far from the city"),
    N_("from is not before to"),
    N_("in no zone"),
    N_("in the future"),
    N_("latitude and longitude swapped"),
    N_("left out by where"),
    N_("no coordinates"),
    N_("no district id"),
    N_("no geometry"),
    N_("no name"),
    N_("no id"),
    N_("no number of people"),
    N_("no number of people of a group"),
    N_("no unit"),
    N_("not a district of the city"),
    N_("not a listed outcome"),
    N_("not a measure that takes figures"),
    N_("not a point but a line or an area"),
    N_("not a polygon"),
    N_("of a stop too short to be a visit"),
    N_("outside of the city"),
    N_("projected coordinates called degrees"),
    N_("of another kind later"),
    N_("repeated id"),
    N_("same id from another source with other content"),
    N_("several points in one row"),
    N_("the decimal point of degrees is missing"),
)


def reasons_of_fields() -> Iterator[str]:
    """Return why rows are left out that lack what their section requires, by field."""
    for kind in RECORD_KINDS.values():
        for field in kind.fields:
            if not field.required:
                continue
            if field.kind == "clock":
                yield f"bad {field.name} time"
            elif field.kind == "day":
                yield f"bad {field.name} date"
            else:
                yield f"{'bad' if field.kind in ('count', 'amount') else 'no'} {field.name}"
