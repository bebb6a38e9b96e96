"""Sources of a city file -> rows ready to store: read, placed, checked, accounted for."""
