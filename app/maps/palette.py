"""The colours of maps, in one place. Risk classes are cividis, reversed: darker is higher."""

RISK = ((255, 255, 255, 0), (233, 214, 107, 150), (150, 142, 112, 200), (0, 34, 78, 205))
RISK_HEX = ("none", "#e9d66b", "#968e70", "#00224e")

# More or fewer than expected: purple to orange, reported apart by every kind of eye.
RESIDUAL = (
    (255, 255, 255, 0),
    (94, 60, 153, 215),
    (178, 171, 210, 205),
    (253, 184, 99, 205),
    (200, 84, 0, 220),
)
RESIDUAL_HEX = ("none", "#5e3c99", "#b2abd2", "#fdb863", "#c85400")
OTHER_ZONE = "#1c4a86"
INCIDENT = "#7a1f5c"

SHADES = ("#f6ebbf", "#d6c58a", "#a39b86", "#66759a")  # of a measure by district; darker is more

GROUND = "#fbfaf7"
WATER = "#bdd3e2"
PARK = "#dfe7d6"
STREET = {1: "#a8a297", 2: "#c6c1b7", 3: "#dedad2"}
RAIL = "#8b8579"
LIMIT = "#5b6475"
DISTRICT = "#3d4a63"
ZONE = "#b8431b"
CASING = "#ffffff"
INK = "#16233b"
