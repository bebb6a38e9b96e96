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
    from geodata.formats import sniff
    from geodata.readers.archives import check_archive

    path, label, layer = Path(document["path"]), str(document["label"]), document["layer"]
    kind = sniff(path)
    if kind == "zip":
        check_archive(path, label)  # before the readers are loaded, which takes a second
    from geodata.readers.files import read_rows
    from geodata.readers.staging import save_rows
    from geodata.readers.vectors import layers_in

    layers = layers_in(path, label) if kind in ("sqlite", "zip") else ()
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


if __name__ == "__main__":
    main()
