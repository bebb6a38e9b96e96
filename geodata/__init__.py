"""Everything that touches disk, database or network."""
