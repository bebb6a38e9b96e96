"""The measure registry: definition, rows and formula of each measure, side by side."""
