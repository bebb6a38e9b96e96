"""The demonstration city: generated, synthetic, with its truth known.

Land, then streets on it, then places along them, then incidents drawn from a known risk, then the
files that a real city would bring. Each step is a module of that name.
"""

from geodata.demo.city import DemoTruth, write_city

__all__ = ["DemoTruth", "write_city"]
