"""The first slice: 30,000 cells, 18 factors, 108 candidates, 8,000 incidents.

Shown: the whole fit and its peak memory; columns against a k-d tree and elastic net against
glmnet in R on the same columns and folds; the weight and speed of the map against Folium drawing
every cell.
"""

import json
import re
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import folium
import numpy as np
import shapely
from scipy.spatial import cKDTree

from app import create_app
from app.config import Settings
from app.site_documents import make_city_preview
from app.usecases.risk.fit import FitRequest, fit
from benchmarks.town import make_region
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.exporting import cells_frame
from geodata.ingest.store import import_city
from spatial.analysis import Inputs, analyse_city
from spatial.spec import GridSpec, RunSpec
from spatial.terrain.candidates import build_design, encode
from spatial.terrain.penalised import PathSettings, draw_folds, fit_path

CELLS, FACTORS, INCIDENTS = 30_000, 18, 8_000
STATIC = re.compile(r'/static/([^"?]+)')  # what a page asks for


def timed(work, repeat=1):
    """Best wall time of a few, in seconds, and the last answer."""
    best, answer = np.inf, None
    for _ in range(repeat):
        started = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - started)
    return best, answer


def k_d_tree_columns(grid, layers):
    """The same proximity columns by nearest-neighbour queries."""
    centres = np.column_stack([grid.x, grid.y])
    columns = []
    for factor, shapes in layers.items():
        xy = shapely.get_coordinates(np.asarray(shapes.array))
        nearest = cKDTree(xy).query(centres)[0]
        columns += [nearest <= d for d in factor.distances_units(200.0)]
    return np.column_stack(columns)


def glmnet_seconds(design, counts, folds):
    """Default cv.glmnet on a sparse matrix, without reading the files."""
    with tempfile.TemporaryDirectory() as folder:
        np.savetxt(f"{folder}/x.csv", design.columns, fmt="%d", delimiter=",")
        np.savetxt(f"{folder}/y.csv", np.column_stack([counts, folds]), fmt="%d", delimiter=",")
        script = """
        suppressMessages({library(glmnet); library(Matrix)})
        x <- Matrix(as.matrix(read.csv("x.csv", header = FALSE)), sparse = TRUE)
        d <- read.csv("y.csv", header = FALSE)
        t <- system.time(cv.glmnet(x, d[, 1], family = "poisson", alpha = 0.5, foldid = d[, 2],
                                   lower.limits = 0))
        cat(t[["elapsed"]])
        """
        done = subprocess.run(
            ["Rscript", "-e", script], cwd=folder, check=True, capture_output=True, text=True
        )
        return float(done.stdout)


def fit_part():
    area, districts, grid, layers, points = make_region(CELLS, FACTORS, INCIDENTS)
    spec = RunSpec(grid=GridSpec(cell_units=100, block_units=200), factors=tuple(layers))
    inputs = Inputs(study_area=area, districts=districts, incidents=points, layers=layers)
    first, _ = timed(lambda: analyse_city(inputs, spec))
    whole, analysis = timed(lambda: analyse_city(inputs, spec), 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"cells {len(grid):,}, candidates {analysis.terrain.n_candidates}, "
        f"incidents {analysis.incidents:,}"
    )
    print(
        f"whole fit, three families, zones: {whole:.1f} s ({first:.1f} s with compiling); "
        f"peak memory {peak:,.0f} MB"
    )
    counts = grid.count(points.x, points.y)
    ours, design = timed(lambda: build_design(grid, layers, 200.0), 3)
    theirs, _ = timed(lambda: k_d_tree_columns(grid, layers), 2)
    print(f"proximity columns: {ours:.2f} s, k-d tree {theirs:.2f} s: {theirs / ours:.1f} times")
    folds = draw_folds(len(counts), 10, 1)
    patterns = encode(design)
    ours, _ = timed(lambda: fit_path(patterns, counts, folds, settings=PathSettings()), 2)
    if shutil.which("Rscript"):
        theirs = glmnet_seconds(design, counts, folds)
        print(
            f"elastic net, 10 folds: {ours:.2f} s, cv.glmnet {theirs:.2f} s: "
            f"{theirs / ours:.1f} times"
        )


def write_region(folder):
    _, districts, _, layers, points = make_region(CELLS, FACTORS, INCIDENTS)
    import geopandas as gpd
    import pandas as pd

    frame = gpd.GeoDataFrame(
        {"code": list(districts)}, geometry=list(districts.values()), crs=points.crs
    )
    frame.to_file(folder / "districts.gpkg")
    text = [
        '[city]\nslug = "region"\nname = "Region (synthetic)"\ncrs = "EPSG:32617"\n'
        'timezone = "America/New_York"\nsynthetic = true\n[districts]\n'
        'source = "districts.gpkg"\nid = "code"\n[grid]\ncell = 100\nblock = 200\n'
    ]
    days = pd.date_range("2024-01-01", periods=365)
    table = pd.DataFrame(
        {
            "date": days[np.arange(len(points)) % 365].strftime("%Y-%m-%d"),
            "x": points.x,
            "y": points.y,
        }
    )
    table.to_csv(folder / "incidents.csv", index=False)
    text.append(
        '[[incidents]]\nsource = "incidents.csv"\noutcome = "robbery"\ndate = "date"\n'
        'x = "x"\ny = "y"\ncrs = "EPSG:32617"\n'
    )
    for factor, shapes in layers.items():
        gpd.GeoDataFrame(geometry=shapes).to_file(folder / f"{factor.name}.gpkg")
        text.append(
            f'[[factors]]\nname = "{factor.name}"\nsource = "{factor.name}.gpkg"\n'
            'operation = "proximity"\n'
        )
    (folder / "city.toml").write_text("\n".join(text))


def map_part():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_region(folder)
        settings = Settings(
            database_url=f"sqlite:///{folder}/db.sqlite", instance=folder, preview=True
        )
        upgrade(settings.database_url)
        database = open_database(settings.database_url)
        seconds, _ = timed(lambda: import_city(database, read_city_file(folder / "city.toml")))
        print(f"import of {INCIDENTS:,} incidents and {FACTORS} layers: {seconds:.1f} s")
        (record,) = fit(database, FitRequest(city="region", outcome="robbery"))
        make_city_preview(database, settings, "region")
        client = create_app(settings).test_client()
        cold, _ = timed(lambda: client.get("/map"))
        warm, page = timed(lambda: client.get("/map"), 20)
        folder_of = next(settings.preview_maps.iterdir())
        bundle = json.loads((folder_of / "map.json").read_text())["en"]
        names = [bundle["script"], bundle["style"], bundle["zones"]]
        names += [path.name for path in folder_of.glob("*.png")]
        names += [
            path.name for path in folder_of.glob("*.json") if path.name[:4] in ("base", "dist")
        ]
        weight = len(page.data) + sum(
            (folder_of / f"{n}.br").stat().st_size
            if (folder_of / f"{n}.br").exists()
            else (folder_of / n).stat().st_size
            for n in names
        )
        static = Path(__file__).parents[1] / "app" / "static"
        assets = sum(
            path.stat().st_size
            for path in (
                static / "vendor/fonts/source-serif-4.woff2",
                *(static / name for name in sorted(set(STATIC.findall(page.text)))),
            )
        )

        def every_cell():
            chart = folium.Map()
            folium.GeoJson(cells_frame(record).to_crs(4326)).add_to(chart)
            return len(chart.get_root().render())

        seconds, naive = timed(every_cell)
        print(
            f"map page: first {cold * 1000:.0f} ms, warm {warm * 1000:.0f} ms; page and its data "
            f"{weight / 1000:.0f} kB compressed, shared assets {assets / 1000:.0f} kB"
        )
        print(
            f"Folium with every cell: {seconds * 1000:,.0f} ms and {naive / 1000:,.0f} kB a page: "
            f"{seconds / warm:,.0f} times the time, {naive / weight:,.0f} times the bytes"
        )
        database.close()


if __name__ == "__main__":
    fit_part()
    map_part()
