"""The tables of the database, a module a group; importing the package brings every table in."""

from geodata.tables import core, editions, imports, jobs, people, uses, work

__all__ = ["core", "editions", "imports", "jobs", "people", "uses", "work"]
