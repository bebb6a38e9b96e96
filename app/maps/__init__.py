"""Maps: Folium composes them, the product owns the page around them.

``surface`` paints the risk, ``shapes`` prepares outlines, ``layers`` are the Folium elements,
``compose`` puts a map together and splits it, ``bundle`` keeps the result on disk, ``picture``
draws the same map without JavaScript.
"""
