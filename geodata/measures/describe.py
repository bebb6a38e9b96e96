"""The registry in words: the table of docs/measures.md is made from it.

``python -m geodata.measures.describe`` prints the table.
"""

from __future__ import annotations

import sys

from geodata.measures.registry import MEASURES, groups_of

DIRECTIONS = {"up": "more is better", "down": "less is better", "neither": "neither"}


def as_markdown() -> str:
    """Describe every measure by group."""
    parts = []
    for group, called in groups_of(MEASURES).items():
        parts.append(f"### {called.title}\n")
        for measure in MEASURES.values():
            if measure.group != group:
                continue
            target = "none"
            if measure.target is not None:
                target = f"{measure.target:g} ({measure.target_source})"
            lines = [
                f"`{measure.id}` **{measure.title}** ({measure.unit}; "
                f"{DIRECTIONS[measure.direction]}). {measure.definition}",
                f"- formula: {measure.formula}",
                f"- target: {target}",
            ]
            if measure.caveat:
                lines.append(f"- mind: {measure.caveat}")
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
