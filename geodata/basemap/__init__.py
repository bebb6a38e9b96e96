"""The base map of a city: streets, water, parks, rail and names as vector tiles in one file.

``tile_layers`` prepares shapes by layers of the Protomaps schema, ``tiling`` is the child process
in which GDAL cuts them into tiles, ``tiles_file`` puts the tiles into one PMTiles file and checks
one that a city brings, ``renewal`` makes the file anew when the shapes have changed.
"""
