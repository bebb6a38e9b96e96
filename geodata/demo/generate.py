"""Draw the demonstration city from one seed and write it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.demo import city_files, crime, geography, pilots, places, recording, residents, streets
from geodata.demo.truth import true_measures
from spatial.grid import lay_grid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from geodata.demo.crime import OutcomeTruth
    from geodata.demo.geography import Land
    from geodata.demo.pilots import Pilot
    from geodata.demo.places import Layers
    from geodata.demo.recording import Recorded
    from geodata.demo.streets import Network
    from spatial.grid import Grid

NAME = "Alder Falls (synthetic demonstration city)"
SLUG = "alder-falls"
STEPS = ("land", "streets", "places", "incidents", "records", "files")
# of their own: incidents of 2023 to 2025 depend on none, but for those that the pilot prevents
RECORDS_STREAM, HOMES_STREAM, PEOPLE_STREAM, PILOT_STREAM, EARLIER_STREAM = 2, 3, 4, 6, 10


@dataclass(frozen=True, kw_only=True, eq=False)
class DemoTruth:
    """What the city was drawn from; grid and layers are in metres around the city hall.

    ``expected`` holds the expected incidents by cell for each outcome, without the leftover field;
    ``dirty`` counts the faulty rows of the incident file by the reason an import should give.
    ``recorded`` are alerts, calls, visits and dirt bikes as they were drawn, ``measures`` what
    every measure of them truly is, ``pilot`` what the visits did about robbery.
    """

    seed: int
    outcomes: dict[str, OutcomeTruth]
    expected: dict[str, NDArray[np.float64]]
    dirty: dict[str, int]
    incidents: int
    grid: Grid
    layers: Layers
    land: Land
    network: Network
    recorded: Recorded
    pilot: Pilot
    measures: dict[str, object]


def write_city(
    folder: Path,
    *,
    seed: int = 2026,
    progress: Callable[[str, int, int], None] | None = None,
) -> DemoTruth:
    """Generate the demonstration city into a folder; the same seed gives the same bytes.

    Parameters
    ----------
    folder, seed
        Where it goes, over files of an earlier call; what everything is drawn from.
    progress
        Called with a stage, how many are done and how many there are.
    """
    done = count(1)

    def step() -> None:
        if progress:
            progress("drawing the city", next(done), len(STEPS))

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    land = geography.make_land(rng)
    step()
    network = streets.lay_streets(land, rng)
    step()
    layers = places.place_factors(land, network, rng)
    step()
    grid = _grid(land)
    truths, expected, rates, drawn = _draw_crime(grid, layers, network, land, rng, seed)
    step()
    stream = np.random.default_rng([seed, RECORDS_STREAM])
    recorded = recording.draw_records(grid, expected, rates[pilots.OUTCOME], network, land, stream)
    every = pd.concat(drawn, ignore_index=True)
    piloted, incidents = pilots.run_pilot(
        grid, recorded.spots, every, np.random.default_rng([seed, PILOT_STREAM])
    )
    step()
    _write_ground(folder, land, network, layers, seed)
    dirty = city_files.write_incidents(folder, incidents, rng)
    measures = true_measures(recorded, recording.write_records(folder, recorded, stream))
    sections = recording.SECTIONS + residents.section() + city_files.TO_THE_PUBLIC
    city_files.write_city_file(folder, NAME, SLUG, layers, sections)
    city_files.write_truth(folder, seed, list(truths.values()), piloted.document(), measures)
    step()
    return DemoTruth(
        seed=seed,
        outcomes=truths,
        expected=expected,
        dirty=dirty,
        incidents=len(incidents),
        grid=grid,
        layers=layers,
        land=land,
        network=network,
        recorded=recorded,
        pilot=piloted,
        measures=measures,
    )


def _draw_crime(
    grid: Grid, layers: Layers, network: Network, land: Land, rng: np.random.Generator, seed: int
) -> tuple[
    dict[str, OutcomeTruth],
    dict[str, NDArray[np.float64]],
    dict[str, NDArray[np.float64]],
    list[pd.DataFrame],
]:
    """Return truth, expected counts and rates of each outcome, and incidents drawn from them."""
    earlier = np.random.default_rng([seed, EARLIER_STREAM])
    truths, expected, rates, drawn = {}, {}, {}, []
    for outcome in crime.PLANS:
        truth, plain, mean = crime.expected_counts(grid, layers, network, land, outcome, rng)
        truths[outcome], expected[outcome] = truth, plain
        rates[outcome] = crime.draw_rates(mean, rng)
        for days, stream in ((crime.EARLIER, earlier), (crime.DAYS, rng)):
            drawn.append(
                crime.draw_incidents(grid, rates[outcome], days, network, land, outcome, stream)
            )
    return truths, expected, rates, drawn


def _write_ground(folder: Path, land: Land, network: Network, layers: Layers, seed: int) -> None:
    """Write the land, its streets and places, and who lives where."""
    homes = residents.place_addresses(land, network, np.random.default_rng([seed, HOMES_STREAM]))
    city_files.write_land(folder, land, network)
    residents.write_addresses(folder, homes)
    residents.write_residents(folder, land, homes, np.random.default_rng([seed, PEOPLE_STREAM]))
    city_files.write_factors(folder, layers)


def _grid(land: Land) -> Grid:
    """Lay the grid that an import of the files lays, moved to the city hall."""
    area = shapely.union_all(list(land.districts.values()))
    return lay_grid(area, land.districts, city_files.CELL_M)
