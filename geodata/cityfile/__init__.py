"""City files (TOML): read, checked, described, written. A city is a file, never code."""
