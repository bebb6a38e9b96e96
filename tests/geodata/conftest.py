import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from run_documents import BARS_OF_ZONE, run_document, run_spec

from geodata.db.tables import City, District
from geodata.repositories.runs import RunRecord
from spatial.grid import lay_grid

CRS = "EPSG:32617"
AREA = shapely.box(500_000, 4_000_000, 502_000, 4_001_000)


@pytest.fixture
def make_city_record():
    """Store a small city of two districts."""

    def make(database, slug):
        with database.session() as session:
            city = City(
                slug=slug,
                name=slug.title(),
                crs=CRS,
                timezone="America/New_York",
                cell_units=100.0,
                block_units=200.0,
                study_area=shapely.set_srid(AREA, 32617),
                imported_at=dt.datetime(2026, 1, 1),
            )
            session.add(city)
            session.flush()
            for position in range(2):
                half = shapely.box(
                    500_000 + position * 1000, 4_000_000, 501_000 + position * 1000, 4_001_000
                )
                session.add(
                    District(
                        city_id=city.id,
                        code=f"D{position + 1}",
                        name=f"D{position + 1}",
                        position=position,
                        geom=shapely.set_srid(half, 32617),
                    )
                )
            return city.id

    return make


@pytest.fixture
def make_run():
    def make(city, run, **change):
        grid = lay_grid(AREA, {"D1": AREA}, 100)
        score = np.linspace(1, 9, len(grid))
        zones = gpd.GeoDataFrame(
            {
                "id": [f"{run[:8]}-d1-1", f"{run[:8]}-d1-2"],
                "district": ["D1", "D1"],
                "rank": [1, 2],
                "area": [40_000.0, 50_000.0],
                "n_cells": [4, 5],
                "expected": [3.25, 1.5],
                "past": [4, 0],
                "environment_share": [0.75, 0.5],
                "factors": [(BARS_OF_ZONE,), ()],
            },
            geometry=[
                shapely.box(500_000, 4_000_000, 500_200, 4_000_200),
                shapely.box(500_300, 4_000_000, 500_800, 4_000_100),
            ],
            crs=CRS,
        )
        fields = {
            "id": run,
            "city": city,
            "outcome": "robbery",
            "scope": "city",
            "period_from": dt.date(2025, 1, 1),
            "period_to": dt.date(2026, 1, 1),
            "seed": 1,
            "spec": run_spec(100.0, 200.0),
            "data_sha256": "0" * 64,
            "code_version": "0.1.0",
            "created_at": dt.datetime(2026, 1, 2, 3, 4, 5),
            "grid": grid,
            "cells": pd.DataFrame(
                {
                    "count": np.arange(len(grid)) % 3,
                    "score": score,
                    "risk_class": (score // 3).astype(np.int8),
                    "expected": score / 10,
                    "combined": score / score.mean(),
                    "environment": 0.6 * score / score.mean(),
                    "history": 0.4 * score / score.mean(),
                }
            ),
            "zones": zones,
        }
        fields |= change
        return RunRecord(**{"result": run_document(run, fields["zones"], city=city), **fields})

    return make
