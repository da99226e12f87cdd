"""Rasters of a city: land cover and slope by zone, changes of land cover, and a raster of all constraints.

A raster is read on its own grid and never resampled. Vector layers are transformed to the coordinates of the raster, and
two rasters are compared only if their grids agree.
"""
