"""Exact areas and distances of all sites to several layers, in one pass over the sites, without building geometries.

No command uses this package: `lzgis screen` overlays the pairs that `lzgis.geometry.sites_to_layer` finds. It is measured
by ``benchmarks/run.py``.
"""
