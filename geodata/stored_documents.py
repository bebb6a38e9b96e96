"""What stored documents are made of: notes as codes, days and minutes as JSON has them.

A document is a frozen class, written and read by pydantic's ``TypeAdapter``. What it has to say in
words it says as a :class:`Note`; ``app.i18n`` makes the sentence, in the language of the reader.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from spatial.notes import Note as Note
from spatial.notes import Parameter as Parameter

EARLIER = "earlier"  # the code of a sentence that an earlier version stored


@dataclasses.dataclass(frozen=True, slots=True)
class EditionUsed:
    """The edition of a run's zones that a person made: its steps, the day (UTC) of the last."""

    edition: int
    steps: int
    on: dt.date


def _read_notes(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return tuple(Note(EARLIER, {"text": one}) if isinstance(one, str) else one for one in value)


def _write_notes(notes: tuple[Note, ...]) -> list[object]:
    return [
        note.parameters["text"] if note.code == EARLIER else dataclasses.asdict(note)
        for note in notes
    ]


# Notes of a document that was sentences in earlier versions. A stored sentence is read as a note
# with the code "earlier" and the parameter "text", and written as the sentence it was: documents
# of runs that are public are known by their digest.
Notes = Annotated[tuple[Note, ...], BeforeValidator(_read_notes), PlainSerializer(_write_notes)]


def _half_open(value: Any) -> Any:
    return (value["from"], value["to"]) if isinstance(value, dict) else value


# A half-open period, {"from": ..., "to": ...} in JSON.
Days = Annotated[
    tuple[dt.date, dt.date],
    BeforeValidator(_half_open),
    PlainSerializer(lambda days: {"from": days[0].isoformat(), "to": days[1].isoformat()}),
]
# A local moment without a zone, to the minute.
Minute = Annotated[
    dt.datetime, PlainSerializer(lambda moment: moment.isoformat(timespec="minutes"))
]
