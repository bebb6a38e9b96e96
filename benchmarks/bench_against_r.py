"""The whole fit against an R pipeline, on the same points and the same cores, in one run.

R gets its 0/1 columns ready made, so its time leaves out what it would need for distances,
densities and zones; ours counts all of it, from points to zones, with three families searched
against R's two. R's search keeps several columns of one factor, ours one: the R models are larger,
so their BIC can be lower. Compilation is warmed up first and named apart.

    python -m benchmarks.bench_against_r 25000 [--without-nb]
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.town import make_metropolis
from spatial.analysis import Inputs, analyse_city
from spatial.spec import GridSpec, ModelSpec, RunSpec
from spatial.terrain.candidates import build_design, encode
from spatial.terrain.penalised import draw_folds, fit_path
from spatial.terrain.stepwise import choose_columns

HERE = Path(__file__).parent


def timed(work):
    """Wall seconds and the answer."""
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def ours(area, districts, grid, layers, points, block):
    """Seconds of each part and of the whole fit, and what it found."""
    inputs = Inputs(study_area=area, districts=districts, incidents=points, layers=layers)
    parts = {}
    parts["columns"], design = timed(lambda: build_design(grid, layers, block))
    counts = grid.count(points.x, points.y)
    folds = draw_folds(len(counts), 10, 1)
    parts["net"], path = timed(lambda: fit_path(encode(design), counts, folds))
    kept = design.keep(path.kept)
    names = [candidate.factor for candidate in kept.candidates]
    chosen = {}
    for family in ("poisson", "nb2"):
        parts[family], chosen[family] = timed(
            lambda family=family: choose_columns(kept.columns, names, counts, family)
        )
    free = [str(i) for i in range(len(names))]  # every column its own factor, as in R
    for family in ("poisson", "nb2"):
        parts[f"{family}, free"], chosen[f"{family}, free"] = timed(
            lambda family=family: choose_columns(kept.columns, free, counts, family)
        )
    whole = {}
    for label, families in (("whole", ("poisson", "nb1", "nb2")), ("whole, Poisson", ("poisson",))):
        spec = RunSpec(
            grid=GridSpec(cell_units=grid.cell_units, block_units=block),
            factors=tuple(layers),
            model=ModelSpec(families=families),
        )
        whole[label], _ = timed(lambda spec=spec: analyse_city(inputs, spec))
    return parts, whole, design, counts, folds, path, chosen


def in_r(design, counts, folds, path, *, nb):
    """The same selection in R: its seconds, and its exact path."""
    with tempfile.TemporaryDirectory() as folder:
        row, column = np.nonzero(design.columns)
        pd.DataFrame({"row": row + 1, "column": column + 1}).to_csv(
            f"{folder}/design.csv", index=False
        )
        pd.DataFrame({"count": counts, "fold": folds}).to_csv(f"{folder}/counts.csv", index=False)
        pd.DataFrame({"lambda": path.lambdas}).to_csv(f"{folder}/lambdas.csv", index=False)
        done = subprocess.run(
            ["Rscript", str(HERE / "against_r.R"), folder, "nb" if nb else "no-nb"],
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout.splitlines()[-1]), pd.read_csv(f"{folder}/exact.csv")


def main(cells, *, nb):
    """Print both sides and their ratios."""
    warm, _ = timed(lambda: ours(*make_metropolis(4_000)))
    print(f"warmed up (compilation or its cache) in {warm:.1f} s")
    made = make_metropolis(cells)
    parts, whole, design, counts, folds, path, chosen = ours(*made)
    print(
        f"{len(counts):,} cells x {len(design.candidates)} candidates, {counts.sum():,} incidents"
    )
    for name, seconds in (parts | whole).items():
        print(f"  ours {name:16} {seconds:8.2f} s")
    told, exact = in_r(design, counts, folds, path, nb=nb)
    for name, value in told.items():
        print(f"  R    {name:16} {value:10.3f}")
    r_cv = exact["cvm"].to_numpy()
    coefficients = exact.filter(regex="^V").to_numpy()
    gap = np.abs(coefficients - path.coefficients).max()
    print(f"largest coefficient difference from glmnet at thresh 1e-13: {gap:.1e}")
    print(f"same penalty at the minimum: {int(np.argmin(r_cv)) == int(np.argmin(path.cv_mean))}")
    for family, key in (("poisson", "poisson_bic"), ("nb2", "nb_bic")):
        if key in told:
            print(
                f"{family} BIC: ours {chosen[family].fit.bic:.3f} ({len(chosen[family].columns)} "
                f"terms), free {chosen[f'{family}, free'].fit.bic:.3f} "
                f"({len(chosen[f'{family}, free'].columns)} terms), R {told[key]:.3f}"
            )
    print(
        f"elastic net: {told['cv'] / parts['net']:.1f} times default cv.glmnet, "
        f"{told['cv_exact'] / parts['net']:.1f} times at matched accuracy"
    )
    print(f"stepwise Poisson: {told['poisson'] / parts['poisson, free']:.0f} times")
    without = told["cv"] + told["poisson"]
    print(f"without the negative binomial: {without / whole['whole, Poisson']:.1f} times")
    if nb:
        print(f"stepwise negative binomial: {told['nb'] / parts['nb2, free']:.0f} times")
        print(f"whole fit: {(without + told['nb']) / whole['whole']:.0f} times")
        same = sum(parts[step] for step in ("columns", "net", "poisson", "nb2"))
        print(
            f"only the steps that R does, and columns: {(without + told['nb']) / same:.0f} times "
            "(the whole fit also searches NB1, combines with history, diagnoses and cuts zones)"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25_000, nb="--without-nb" not in sys.argv)
