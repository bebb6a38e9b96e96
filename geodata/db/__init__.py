"""The tables of the database, a module a group; importing the package brings every table in."""

from geodata.db import staff_tables, tables

__all__ = ["staff_tables", "tables"]
