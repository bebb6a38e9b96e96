"""Everything that touches disk, database and network."""

from geodata.formats import restrict_gdal

restrict_gdal()  # before anything loads GDAL
