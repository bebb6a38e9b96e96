"""The demonstration city as the files that a real city would bring."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.random import Generator

    from geodata.demo.crime import OutcomeTruth
    from geodata.demo.geography import Land
    from geodata.demo.places import Layers
    from geodata.demo.streets import Network

CRS = "EPSG:32624"
EAST, NORTH = 455_000.0, 3_984_000.0  # where the city hall stands: open ocean
DECIMALS = 6
CELL_M, BLOCK_M = 100, 200
OPERATIONS = {"parks": "proximity", "trails": "proximity", "rail_stops": "proximity"}
DIRTY_SHARE = 0.0025  # of each kind of fault
TO_THE_PUBLIC = """
[contact]
name = "Open data desk of Alder Falls (it does not exist)"
email = "data@alder-falls.example"
address = "1 City Hall Square, Alder Falls"

[publish]
license = "CC0 1.0 Universal"
license_url = "https://creativecommons.org/publicdomain/zero/1.0/"
"""
TODAY = "2026-01-05"  # where the city's calendar stands


def to_degrees(shape: Any) -> Any:
    """Carry a shape from metres around the city hall to degrees, as the files hold them."""
    transformer = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)

    def carry(xy: Any) -> Any:
        lon, lat = transformer.transform(xy[:, 0] + EAST, xy[:, 1] + NORTH)
        return np.round(np.column_stack([lon, lat]), DECIMALS)

    return shapely.transform(shape, carry)


def write_layer(
    path: Path, shapes: Sequence[shapely.Geometry], properties: Mapping[str, Sequence[Any]]
) -> None:
    """Write GeoJSON with the same bytes for the same shapes."""
    features = [
        {
            "type": "Feature",
            "properties": {name: values[i] for name, values in properties.items()},
            "geometry": json.loads(shapely.to_geojson(to_degrees(shape))),
        }
        for i, shape in enumerate(shapes)
    ]
    document = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


def write_land(folder: Path, land: Land, network: Network) -> None:
    """Write districts and everything that is drawn under the map."""
    districts = land.districts
    write_layer(
        folder / "districts.geojson",
        list(districts.values()),
        {"district": list(districts), "name": [f"District {code[1:]}" for code in districts]},
    )
    write_layer(folder / "water.geojson", list(shapely.get_parts(land.water)), {})
    write_layer(
        folder / "parks.geojson",
        [shape for _, shape in land.parks],
        {"name": [name for name, _ in land.parks]},
    )
    write_layer(
        folder / "neighbourhoods.geojson",
        [part.shape for part in land.neighbourhoods],
        {"name": [part.name for part in land.neighbourhoods]},
    )
    write_layer(
        folder / "streets.geojson",
        [street.line for street in network.streets],
        {
            "name": [street.name for street in network.streets],
            "rank": [street.rank for street in network.streets],
        },
    )
    write_layer(folder / "rail.geojson", [network.rail], {"name": ["Union Line"]})


def write_factors(folder: Path, layers: Layers) -> None:
    """Write each factor layer; parks are the base layer's own file."""
    for name, shapes in layers.items():
        if name != "parks":
            write_layer(
                folder / f"{name}.geojson", shapes, {"number": list(range(1, len(shapes) + 1))}
            )


def write_incidents(folder: Path, incidents: pd.DataFrame, rng: Generator) -> dict[str, int]:
    """Write incidents as a police export; give how many rows are faulty, by reason.

    Faults are those of real exports: no coordinates, zeros, a repeated id, a date that is none,
    a place in another city.
    """
    rows = incidents.sort_values(["moment", "x", "y"], ignore_index=True)
    degrees = shapely.get_coordinates(to_degrees(shapely.points(rows[["x", "y"]].to_numpy())))
    table = pd.DataFrame(
        {
            "case_number": [
                f"{moment:%y}-{number:06d}" for number, moment in enumerate(rows["moment"], start=1)
            ],
            "offense": rows["outcome"].map(OFFENCES),
            "date": [f"{m.month}/{m.day}/{m.year}" for m in rows["moment"]],
            "time": [f"{m:%H:%M}" for m in rows["moment"]],
            "longitude": [f"{value:.6f}" for value in degrees[:, 0]],
            "latitude": [f"{value:.6f}" for value in degrees[:, 1]],
        }
    )
    number = round(DIRTY_SHARE * len(table))
    fakes = table.iloc[rng.choice(len(table), 4 * number, replace=False)].copy()
    fakes["case_number"] = [f"99-{i:06d}" for i in range(len(fakes))]
    blank, zero, undated, away = (fakes.iloc[i * number : (i + 1) * number].index for i in range(4))
    fakes.loc[blank, ["longitude", "latitude"]] = ""
    fakes.loc[zero, ["longitude", "latitude"]] = "0"
    fakes.loc[undated, "date"] = "unknown"
    fakes.loc[away, "longitude"] = "-38.100000"
    twins = table.iloc[rng.choice(len(table), number, replace=False)]
    whole = pd.concat([table, fakes, twins], ignore_index=True)
    whole.to_csv(folder / "incidents.csv", index=False, lineterminator="\n")
    return {
        "no coordinates": 2 * number,
        "bad date": number,
        "far from the city": number,
        "repeated id": number,
    }


def write_city_file(folder: Path, name: str, slug: str, layers: Layers, sections: str) -> None:
    """Write the city file; ``sections`` are those of everything besides incidents and layers."""
    outcomes = "\n".join(f'"{text}" = "{outcome}"' for outcome, text in OFFENCES.items())
    factors = "\n".join(
        f'[[factors]]\nname = "{factor}"\nsource = "{factor}.geojson"\n'
        f'operation = "{OPERATIONS.get(factor, "both")}"\nmax_blocks = 3\nstep = "half"\n'
        for factor in layers
    )
    base = "\n".join(
        f'[[base]]\nkind = "{kind}"\nsource = "{source}.geojson"\n{columns}'
        for kind, source, columns in (
            ("street", "streets", 'name = "name"\nrank = "rank"\n'),
            ("water", "water", ""),
            ("park", "parks", 'name = "name"\n'),
            ("rail", "rail", 'name = "name"\n'),
            ("neighbourhood", "neighbourhoods", 'name = "name"\n'),
        )
    )
    text = f"""# Generated. A synthetic city: no street, place, incident or number of it is real.

[city]
slug = "{slug}"
name = "{name}"
crs = "{CRS}"
timezone = "Atlantic/Azores"
synthetic = true
today = "{TODAY}"

[districts]
source = "districts.geojson"
id = "district"
name = "name"

[grid]
cell = {CELL_M}
block = {BLOCK_M}

[[incidents]]
source = "incidents.csv"
outcome_field = "offense"
id = "case_number"
date = "date"
time = "time"
x = "longitude"
y = "latitude"
crs = "EPSG:4326"

[incidents.outcomes]
{outcomes}

{factors}
{base}{sections}"""
    (folder / "city.toml").write_text(text, encoding="utf-8")


def write_truth(
    folder: Path,
    seed: int,
    truths: Sequence[OutcomeTruth],
    pilot: Mapping[str, object],
    measures: Mapping[str, object],
) -> None:
    """Write what the city was drawn from, for whoever wants to check what is made of its files."""
    document = {
        "seed": seed,
        "outcomes": [dataclasses.asdict(truth) for truth in truths],
        "pilot": pilot,
        "measures": measures,
    }
    path = folder / "demo_truth.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


OFFENCES = {
    "robbery": "ROBBERY - INDIVIDUAL",
    "assault": "ASSAULT - AGGRAVATED",
    "burglary": "BURGLARY - RESIDENTIAL",
}
