"""Files in; a frame, its place and what was noticed while reading out."""

from geodata.readers.files import Layer, read_place

__all__ = ["Layer", "read_place"]
