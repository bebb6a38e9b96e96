"""Where the templates are: beside the code in a wheel, beside the packages in a checkout."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def template_dir() -> Path:
    """Give the folder of the templates.

    Raises
    ------
    RuntimeError
        If the installation holds none.
    """
    for folder in (_HERE / "templates", _HERE.parent / "templates"):
        if (folder / "base.html").is_file():
            return folder
    msg = f"no templates beside {_HERE}; the installation is incomplete"
    raise RuntimeError(msg)
