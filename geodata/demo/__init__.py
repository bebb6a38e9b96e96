"""The demonstration city: generated, synthetic, with its truth known.

Land, then streets on it, then places along them, then incidents drawn from a known risk, then what
is recorded besides (gunfire and the response to it, patrols, dirt bikes), then the files that a
real city would bring and the truth of every measure.
"""

from geodata.demo.generate import DemoTruth, write_city

__all__ = ["DemoTruth", "write_city"]
