"""Addresses of rows without coordinates -> places, by the city's own points or street segments."""
