"""Geometry: areas, distances and common parts of arrays of shapely geometries in one plane.

It knows no files, no tables, no rules and no reference systems. Lengths are in the unit of the plane (metres), areas in its
square. `__init__.pyi` lists the public names; a name is imported when it is first used, so that numba is imported only where
something is computed.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
