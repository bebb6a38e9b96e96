"""``python -m app.cli`` is ``saferground``."""

from app.cli import main

main(prog_name="saferground")
