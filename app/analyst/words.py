"""Values of columns that mean something to a city: outcomes, kinds of place, words of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from app.analyst.source_kinds import guess_name, guess_word
from geodata.gathering.sources import texts_of

if TYPE_CHECKING:
    from app.analyst.answers import Answers

MOST_WORDS = 60
FEW = 12  # kinds of place that may all be meant


@dataclass(frozen=True, kw_only=True)
class Word:
    """One value of a column: how often it comes, and what it means so far."""

    value: str
    rows: int
    means: str


@dataclass(frozen=True, kw_only=True)
class Words:
    """The values of a column with a role; ``choices`` are what they may mean, if not any name.

    ``more`` is how many values are not asked for: the rarest.
    """

    role: str
    column: str
    label: str
    choices: tuple[str, ...]
    words: tuple[Word, ...]
    more: int


def words_of(frame: pd.DataFrame, answers: Answers) -> tuple[Words, ...]:
    """Give the values of each column whose values mean something, the most frequent first."""
    found = []
    for name, code in answers.roles.items():
        role = answers.source_kind.role(code)
        if role is None or role.words is None or name not in frame.columns:
            continue
        texts = pd.Series(texts_of(frame[name]), dtype=object)
        counts = texts[texts != ""].value_counts()
        given = answers.words.get(code, {})
        found.append(
            Words(
                role=code,
                column=name,
                label=role.label,
                choices=role.words,
                words=tuple(
                    Word(
                        value=str(value),
                        rows=int(rows),
                        means=given.get(
                            str(value), _guess(answers.kind, code, str(value), len(counts))
                        ),
                    )
                    for value, rows in counts.head(MOST_WORDS).items()
                ),
                more=max(0, len(counts) - MOST_WORDS),
            )
        )
    return tuple(found)


def _guess(kind: str, role: str, value: str, values: int) -> str:
    """Guess what a value means: a word of ours, or a factor where there are few kinds of place."""
    if kind == "alerts":
        return guess_word(role, value)
    return guess_name(value) if kind == "factors" and values <= FEW else ""
