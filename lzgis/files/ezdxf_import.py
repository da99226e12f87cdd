"""Import ezdxf without the search for fonts that it starts when it is imported.

ezdxf scans the fonts of the system at its first import and stores the list in the cache folder of the user
(``~/.cache/ezdxf``); it has no option against it. Fonts are needed to draw texts, which lzgis never does. Modules that
use ezdxf therefore import this module before it. If the user has such a list already, or has imported ezdxf before,
nothing is changed. Otherwise ezdxf starts with an empty list; a program that draws texts with ezdxf in the same process
calls ``ezdxf.fonts.fonts.load()`` first.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path

#: A folder with an empty list of fonts, in the form of the cache of ezdxf.
_NO_FONTS = Path(__file__).with_name("ezdxf_fonts")
_LIST = "font_manager_cache.json"


def _import_ezdxf() -> None:
    """Import ezdxf; while it is imported, its own options name a cache folder that holds an empty list of fonts."""
    package = find_spec("ezdxf")
    places = None if package is None else package.submodule_search_locations
    # The module of the options imports nothing of the package, so it can be loaded before the package.
    spec = PathFinder.find_spec("ezdxf._options", places)
    if spec is None or spec.loader is None:
        return  # Another version of ezdxf may keep its options elsewhere: it then searches for fonts, and works as well.
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    options = module.options
    if hasattr(options, "xdg_path") and not (options.xdg_path("XDG_CACHE_HOME", ".cache") / _LIST).exists():
        options.xdg_path = lambda _variable, _directory: _NO_FONTS
    import ezdxf  # noqa: F401

    vars(options).pop("xdg_path", None)


if "ezdxf" not in sys.modules:
    _import_ezdxf()
