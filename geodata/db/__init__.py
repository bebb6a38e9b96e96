"""The tables of the database, a module a group; importing the package brings every table in."""

from geodata.db import base_map_table, staff_tables, tables

__all__ = ["base_map_table", "staff_tables", "tables"]
