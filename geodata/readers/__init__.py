"""Files in; a frame, its place and what was noticed while reading out."""

from geodata.readers.files import read_place
from geodata.readers.staging import Layer

__all__ = ["Layer", "read_place"]
