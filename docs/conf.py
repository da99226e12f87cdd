"""The documentation as a site: ``sphinx-build -W -b html docs out/site``. It is built without a network and reads offline.

The pages of commands and keys are written from the code before each build, into ``docs/reference/generated``.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.search import languages as search_languages
from sphinx.search.en import SearchEnglish

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import lzgis  # noqa: E402 (from this folder)

project, author, copyright = "lzgis", "lzgis developers", "lzgis developers"
version = release = lzgis.__version__
language = "en"

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "lzgis"
html_show_sourcelink = False
html_theme_options: dict[str, Any] = {
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
}

# The notebooks are executed by scripts/render_notebooks.py, whose pages are the tutorials; nothing runs in a build.
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Links from pages to files of the project that are no pages (../layers/README.md) and code blocks of plain text.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False


class MixedSearch(SearchEnglish):
    """English words, and of Chinese each pair of characters as well: the search of the pages finds whole words only."""

    def split(self, input: str) -> list[str]:
        """Return the words of a text."""
        runs = re.findall(r"[\u4e00-\u9fff]{3,}", input)
        return [*super().split(input), *(run[i : i + 2] for run in runs for i in range(len(run) - 1))]


search_languages["en"] = MixedSearch


def write_generated() -> None:
    """Write the pages that come from the code."""
    from _generated import pages

    folder = HERE / "reference" / "generated"
    folder.mkdir(exist_ok=True)
    # Pages of names that are public no longer would belong to no list; autosummary writes the others anew.
    shutil.rmtree(folder / "api", ignore_errors=True)
    for name, text in pages().items():
        path = folder / name
        # An unchanged page keeps its date, so that Sphinx does not read it again.
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


# Now, and not when the build begins: autosummary then already looks for the names on these pages.
sys.path.insert(0, str(HERE))
write_generated()
