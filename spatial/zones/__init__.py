"""Zones: cut from cells, changed by a person, described."""
