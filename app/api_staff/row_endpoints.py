"""Rows that programs send as they happen: alerts, calls, visits and other records."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from flask import request

from app.api.answers import require_known
from app.api.document import CSV, JSON, Answer, Operation, Parameter, describe
from app.api_staff.blueprint import CITY, bp, require_plain, require_word, send
from app.auth.guard import require_bearer
from app.extensions import workroom
from geodata.cityfile.sections import RECORD_KINDS
from geodata.ingest.arrivals import MOST_ROWS, store_batch
from spatial.errors import SpecError

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

KIND = Parameter(
    name="kind",
    meaning="A section of records of the city file.",
    where="path",
    schema={"type": "string", "enum": sorted(RECORD_KINDS)},
)
SOURCE = Parameter(
    name="source",
    meaning="Which source of the section, where the city file has several.",
    schema={"type": "string", "minLength": 1},
)


class RowsAccount(TypedDict):
    """What became of a batch: read = stored + left out."""

    city: str
    kind: str
    source: str
    read: int
    stored: Annotated[int, "New rows, and those that took the place of an earlier one."]
    left_out: Annotated[dict[str, int], "Rows by reason."]
    notes: list[str]


class Batch(TypedDict):
    """Rows by the columns that the city file names."""

    rows: list[dict[str, object]]


# Other words below a city are other endpoints, with their own methods.
@bp.post(f"/cities/<city>/<any({', '.join(RECORD_KINDS)}):kind>")
@describe(
    Operation(
        summary="Send rows",
        meaning=(
            f"Up to {MOST_ROWS:,} rows under the columns that the city file names, as JSON or CSV. "
            "A row is known by its id: one that comes again stores nothing, one that says "
            "something else takes the place of the earlier. For analysts."
        ),
        tag="staff",
        scope="rows",
        parameters=(CITY, KIND, SOURCE),
        body=Batch,
        answers={200: Answer(meaning="What became of them.", forms={JSON: RowsAccount})},
        problems=(404, 413, 415, 422),
    )
)
def send_rows(city: str, kind: str) -> ResponseReturnValue:
    """Store a batch of rows."""
    require_known("source")
    rows = _rows_of_csv() if request.mimetype == CSV else _rows_of_json(request.get_json())
    require_plain(rows)
    report = store_batch(
        workroom().database,
        require_word(city, "city"),
        kind,
        rows,
        require_bearer().person.name,
        source=request.args.get("source", ""),
    )
    document: RowsAccount = {
        "city": city,
        "kind": report.kind,
        "source": report.source,
        "read": report.read,
        "stored": report.stored,
        "left_out": report.left_out,
        "notes": report.notes,
    }
    return send(document)


def _rows_of_csv() -> list[dict[str, object]]:
    """Read a table; a row of another width is refused, as its values may stand in wrong columns."""
    try:
        text = request.get_data().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = "the table is not UTF-8; send it as UTF-8"
        raise SpecError(msg, code="table_encoding") from error
    found: list[dict[str, object]] = []
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text), strict=True), start=2):
            if None in row or None in row.values():
                msg = f"row {number} has another number of cells than the header"
                raise SpecError(msg, code="table_row_length")
            found.append(dict(row))
    except csv.Error as error:
        msg = f"the table cannot be read ({error}); quote cells as RFC 4180 has it"
        raise SpecError(msg, code="table_unreadable") from error
    return found


def _rows_of_json(body: Any) -> list[dict[str, object]]:
    rows = body.get("rows") if isinstance(body, dict) else body
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        msg = 'write rows as {"rows": [{"column": "value", ...}, ...]}'
        raise SpecError(msg, code="rows_body")
    return rows
