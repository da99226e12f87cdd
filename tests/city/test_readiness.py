"""What is missing for a screening is one list in order of gravity."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from lzgis.city.catalogue import open_catalogue
from lzgis.city.new_city import start_city
from lzgis.city.readiness import missing_for_screen
from lzgis.model.report import Problem
from tests import toy

DAY = dt.date(2026, 11, 21)


def _missing(folder: Path) -> list[Problem]:
    city = open_catalogue(folder)
    loaded = {name: city.load(name).layer for name in city.layers if city.exists(name)}
    return missing_for_screen(city, loaded, DAY)


def _about(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(one.level, str(one.place)) for one in problems]


def test_a_layer_that_no_entry_describes_is_named_with_the_rules_that_need_it(tmp_path: Path) -> None:
    missing = _missing(toy.city(tmp_path / "city"))

    assert _about(missing) == [("warning", "layer 'caves'")]
    assert missing[0].what.values["count"] == 1


def test_the_gravest_comes_first(tmp_path: Path) -> None:
    folder = toy.city(tmp_path / "city")
    for name in ("redline", "town", "zones"):
        (folder / f"{name}.gpkg").unlink()
    toy.changed(folder, "catalog.toml", ('baseline = "centreline"\ngroup = "road"\n', 'group = "road"\n'))

    # No baseline: no screening. Two rules that prohibit, then one that informs. Zones are a better baseline only.
    assert _about(_missing(folder)) == [
        ("error", "layer 'roads'"),
        ("warning", "layer 'redline'"),
        ("warning", "layer 'caves'"),
        ("warning", "layer 'town'"),
    ]


def test_a_new_city_lacks_its_outline_first(tmp_path: Path) -> None:
    missing = _missing(start_city(tmp_path / "new"))

    assert _about(missing)[0] == ("error", "layer 'city'")
    levels = [level for level, _ in _about(missing)]
    assert levels == sorted(levels, key=("error", "warning", "note").index)
