"""Every word that a template shows is in the wording, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("django", reason="the extra web is not installed")

import lzgis.web
from lzgis.web.models import Role, Standing, State
from lzgis.web.requests import LANGUAGES, Kind
from lzgis.web.views.read import OFFERED
from lzgis.words import Words

FOLDER = Path(lzgis.web.__file__).parent
TEMPLATES = sorted((FOLDER / "templates" / "web").glob("*.html"))
CODE = sorted(FOLDER.rglob("*.py"))
#: Keys that are put together from a beginning and a value.
MADE = {"role_": list(Role), "state_": list(State), "take_": [*OFFERED, "audit"],
        "standing_": list(Standing)}  # fmt: skip


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda one: one.name)
def test_the_words_of_templates_exist(path):
    text = path.read_text("utf-8")
    keys = set(re.findall(r"""{% w ["'](\w+)["'](?!\|add)""", text))
    keys |= {f"{begin}{value}" for begin in re.findall(r"""{% w ["'](\w+)["']\|add""", text) for value in MADE[begin]}
    for language in LANGUAGES:
        assert {key for key in keys if not Words(language).has("web", key)} == set()
        for section, key in re.findall(r'{% words_of "(\w+)" "([^"]+)"', text):
            assert Words(language).has(section, key), (section, key)


def test_the_words_of_the_code_exist():
    text = "\n".join(path.read_text("utf-8") for path in CODE)
    keys = set(re.findall(r'words\("web", "(\w+)"', text)) | set(re.findall(r'key="(\w+)"', text))
    keys |= {f"why_{part}" for part in ("prohibited", "conditional", "not_checked")}
    for language in LANGUAGES:
        assert {key for key in keys if not Words(language).has("web", key)} == set()


def test_what_is_logged_has_words():
    text = "\n".join(path.read_text("utf-8") for path in CODE)
    actions = set(re.findall(r'log\(request, "([\w-]+)"', text)) | {"createadmin", *get_args(Kind)} - {
        "detail",
        "avoid",
        "decide",
        "window",
    }
    actions |= {f"account-{name}" for name in ("role", "password", "close", "open")}
    for language in LANGUAGES:
        assert {one for one in actions if not Words(language).has("logged", one)} == set()
