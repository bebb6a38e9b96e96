"""Use cases: what pages, commands and jobs all call; each one calls geodata and spatial."""
