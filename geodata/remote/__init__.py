"""Sources by address: fetched once, kept as a snapshot, read as any file."""

from geodata.remote.fetch import Fetching, fetch_city

__all__ = ["Fetching", "fetch_city"]
