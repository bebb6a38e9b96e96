"""How long files wait that people handed in and never came back to.

A module of its own because every worker does this, and what reads files takes long to import.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def forget_old(folder: Path, older_than_s: float) -> int:
    """Remove uploads that nobody came back to, and their rows; return how many files went."""
    end, gone = time.time() - older_than_s, 0
    for path in folder.glob("upload-*"):
        if path.is_file() and path.stat().st_mtime < end:
            path.unlink(missing_ok=True)
            gone += path.suffix != ".rows"
    return gone
