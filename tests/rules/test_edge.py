"""Distances from the edge of an area, and rules whose distance would not be used."""

from __future__ import annotations

import pytest
import toy
from toy import square

from lzgis.errors import ConfigError

BUFFER = """
[rule.buffer]
kind = "keep_away"
layer = "redline"
distance_m = 500
title = "红线外 500 米"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""


def city(folder, baseline, rule=BUFFER):
    toy.city(folder)
    toy.changed(
        folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\nbaseline = "{baseline}"')
    )
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text("utf-8") + rule, "utf-8")
    return folder


@pytest.mark.parametrize(("gap", "state"), [(200, "涉及"), (499, "涉及"), (501, "不涉及")])
def test_the_distance_counts_from_the_edge_of_the_area(tmp_path, gap, state):
    # The redline ends at y = 1000.
    report = toy.screened(city(tmp_path / "city", "edge"), square(200, 1000 + gap))
    found = toy.row(report, "buffer")
    assert found["state"] == state
    assert found["distance_m"] == pytest.approx(gap, abs=1e-3)
    assert found["baseline"] == "edge"


def test_a_site_in_the_area_is_too_near(tmp_path):
    report = toy.screened(city(tmp_path / "city", "edge"), square(100, 100))
    assert toy.row(report, "buffer")["area_m2"] == pytest.approx(10_000, rel=1e-6)


def test_a_rule_whose_distance_would_not_be_used_is_refused(tmp_path):
    folder = city(tmp_path / "city", "delimited-zone")
    with pytest.raises(ConfigError) as error:
        toy.screened(folder, square(200, 1200))
    assert str(error.value) == (
        "catalogue, layer 'redline': rule 'buffer' requires 500 m, but of a delimited zone only zone_distance_m counts, "
        'and it gives none; baseline = "edge" if the distance counts from its border, or add zone_distance_m to the rule'
    )


def test_a_distance_from_a_delimited_zone_is_stated_even_if_it_is_nought(tmp_path):
    for number, (metres, state) in enumerate(((0, "不涉及"), (300, "涉及"))):
        rule = BUFFER.replace("distance_m = 500", f"distance_m = 500\nzone_distance_m = {metres}")
        report = toy.screened(city(tmp_path / f"city{number}", "delimited-zone", rule), square(200, 1200))
        assert toy.row(report, "buffer")["state"] == state
