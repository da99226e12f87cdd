"""Geospatial zoning and ecological-redline analysis.

May this be built here; what does it hit, by how many square metres, under which clause, how near is the next constraint,
and what was not checked?
"""

import lazy_loader

__version__ = "0.1.0"

# Names are imported when first used, so that ``import lzgis`` loads nothing heavy; the stub file lists them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
