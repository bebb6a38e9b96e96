"""Cut prepared layers into vector tiles: run by path, in a process of its own.

GDAL's driver for vector tiles is one of those that :mod:`geodata.formats` takes out of GDAL before
it is loaded, as nothing from outside is to be read with it. So this file imports nothing of this
package. It reads every ``FIRST-LAST-LAYER.fgb`` of a folder and writes beside it a folder of the
same name with tiles from zoom ``FIRST`` to ``LAST``, as ``zoom/x/y.pbf``.
"""

import sys
from pathlib import Path

# Arrays are all that is needed here, and frames take longer to load than most cities to be cut.
SPARED = ("pandas", "geopandas", "pyarrow", "shapely", "pyproj")
MOST_TILE_BYTES = 500_000  # of one layer of one tile; GDAL coarsens what is larger


def cut(path: Path) -> None:
    """Cut one layer."""
    from pyogrio.raw import read, write

    first, last, layer = path.stem.split("-")
    meta, _, geometry, columns = read(path)
    write(
        path.with_suffix(""),
        geometry,
        columns,
        meta["fields"],
        driver="MVT",
        layer=layer,
        crs=meta["crs"],
        geometry_type=meta["geometry_type"],
        dataset_options={
            "FORMAT": "DIRECTORY",
            "COMPRESS": "NO",
            "MINZOOM": first,
            "MAXZOOM": last,
            "MAX_SIZE": str(MOST_TILE_BYTES),
        },
    )


if __name__ == "__main__":
    sys.modules |= dict.fromkeys(SPARED)  # type: ignore[arg-type]
    for found in sorted(Path(sys.argv[1]).glob("*.fgb")):
        cut(found)
