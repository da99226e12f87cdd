"""Settings that every test shares."""

import os

from hypothesis import settings

# Nothing opens a window, in this process or in those that tests start.
os.environ["MPLBACKEND"] = "Agg"

# No test fails for being slow: the machine may be busy with the other half of the tests.
settings.register_profile("lzgis", deadline=None)
settings.load_profile("lzgis")
