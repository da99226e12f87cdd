"""Everything that numba compiles: the loops over flat arrays that areas, overlaps and distances are computed with.

Importing a module of this package imports numba. The modules above import them inside functions, so that a command which
computes nothing does not load numba. `lzgis.geometry.loops.ready` compiles the loops and loads them.
"""
