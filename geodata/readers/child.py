"""The other side of :mod:`geodata.readers.sandbox`: reads one file within its limits, and ends.

What is to be read comes as JSON, what was found goes back as JSON; rows go into a file.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

MOST_FILE_BYTES = 2_100_000_000  # of a part of an archive, which may unpack to 2 GB


def main() -> None:
    """Read what standard input asks for."""
    result = json.load(sys.stdin)
    _limit(int(result["memory_bytes"]), int(result["seconds"]))
    answer = _answer(result)
    sys.stdout.write(f"\n{json.dumps(answer)}\n")


def _limit(memory_bytes: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE_BYTES, MOST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(document: dict[str, Any]) -> dict[str, Any]:
    from geodata.errors import DataError

    try:
        return _read(document)
    except DataError as error:
        full = isinstance(error.__cause__, MemoryError)
        return {"memory": True} if full else {"fault": str(error)}
    except MemoryError:
        return {"memory": True}


def _read(document: dict[str, Any]) -> dict[str, Any]:
    from geodata.formats import OSM_KINDS
    from geodata.readers.staging import kind_of, save_rows

    path, label, layer = Path(document["path"]), str(document["label"]), document["layer"]
    kind = kind_of(path, label)  # before the readers are loaded, which takes a second
    if kind in OSM_KINDS:
        return _read_osm(document, kind)
    from geodata.readers.files import layers_in, read_rows

    layers = layers_in(path, label)
    if document["first_layer"] and layer is None and len(layers) > 1:
        layer = layers[0]
    found = read_rows(path, label, layer)
    if document["rows"] is not None:
        save_rows(found, Path(document["rows"]))
    return {
        "kind": kind,
        "layers": list(layers),
        "layer": layer,
        "columns": len(found.frame.columns),
    }


def _read_osm(document: dict[str, Any], kind: str) -> dict[str, Any]:
    import numpy as np

    from geodata.cityfile.risk_factors import usual_keys
    from geodata.readers.files import digest
    from geodata.readers.osm import read_extract
    from geodata.readers.staging import Layer, save_rows

    path = Path(document["path"])
    frame = read_extract(path, str(document["label"]), document["keys"] or usual_keys())
    if document["rows"] is not None:
        rows = np.arange(1, len(frame) + 1)
        layer = Layer(frame=frame, rows=rows, sha256=digest(path), notes=())
        save_rows(layer, Path(document["rows"]))
    return {"kind": kind, "layers": [], "layer": None, "columns": len(frame.columns)}


if __name__ == "__main__":
    main()
