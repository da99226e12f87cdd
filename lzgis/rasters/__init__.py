"""Rasters of a city: what the ground is, how it changes, where the rules leave room.

A raster is read in its own grid and never resampled: vector layers are brought to the raster, and two rasters are
compared only where their grids agree.
"""
