"""Reading of files, databases and downloads: one table of readers, and the table of sites made from what was read."""

import lazy_loader

# Names are imported when first used: a separate process starts reading before anything heavy is imported here.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
