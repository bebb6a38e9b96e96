"""Write docs/risk-factors.md from the library of risk factors: python scripts/risk_factors.py."""

from pathlib import Path

from geodata.cityfile.risk_factors import library

PAGE = Path(__file__).parents[1] / "docs" / "risk-factors.md"
HEAD = """# The library of risk factors

<!-- written by scripts/risk_factors.py from geodata/cityfile/risk_factors.toml; change it there -->

What studies of crime and place tried, and the tags by which OpenStreetMap has it. In a city file
`osm = "bars"` takes a factor of this list from the extract of `[osm]`, and
`osm = { amenity = ["bar"] }` takes any tags, of which a feature has one or more. `saferground new`
offers those that a city has, each with its number and the share of the districts that have any:
strike out what does not fit.

A factor of this list is a guess to be tried, not a finding: which of them matter, and how far they
reach, is what a fit finds out, and it differs from city to city (Barnum et al., 2017). Where a city
has its own list (licenses, inspections, GTFS), that is better than the map: name it as a source.

Nearness takes shapes as they are mapped: the edge of a park. Where a number of places counts as
well, an outline is one point inside of it, so that a place counts once.

| factor | pages say | tags (any of them) | tried as | blocks | studied by |
|---|---|---|---|---|---|
"""
OPERATIONS = {"both": "nearness and number", "proximity": "nearness", "density": "number"}


def document() -> str:
    """Return the page."""
    rows, misses = [], []
    cited: dict[str, int] = {}
    for one in library().values():
        tags = ", ".join(f"`{key}={value}`" for key, values in one.osm.items() for value in values)
        sources = [cited.setdefault(source, len(cited) + 1) for source in one.sources]
        rows.append(
            f"| `{one.name}` | {one.title} | {tags} | {OPERATIONS[one.operation]} "
            f"| {one.max_blocks} | {', '.join(f'[{number}]' for number in sources)} |"
        )
        misses.append(f"- **{one.title}**: {one.misses}")
    return (
        HEAD
        + "\n".join(rows)
        + "\n\n## What OpenStreetMap misses\n\n"
        + "\n".join(misses)
        + "\n\nWhat it has not at all: who lives or works where, how busy a place is, "
        "foreclosures, public housing,\ncomplaints and calls. Those are the city's own to give.\n"
        + "\n## Sources\n\n"
        + "\n".join(f"{number}. {source}" for source, number in cited.items())
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
