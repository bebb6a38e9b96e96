"""Patrols of a shift: planned, kept in versions, told in words, handed out as sheets and files."""
