"""Files that people hand in: kept apart, looked at, described, before anything is imported."""
