"""Something that a reader must know, as a code with figures; app makes the sentence of it."""

from __future__ import annotations

from dataclasses import dataclass, field

Parameter = bool | int | float | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a reader must know: a code, and the figures and names that it is about.

    Days are ISO texts, names of areas and zones are those of the document.
    """

    code: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
