"""The kinds of rule for layers. Each has a module with the keys that it adds to a rule and its check.

To add a kind, write a module and add a line to `LAYER_KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lzgis.model.audit import Topic
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, LayerFinding
from lzgis.rules.for_layers.declared_total import DeclaredTotal, check_declared_total
from lzgis.rules.for_layers.inside import Inside, check_inside
from lzgis.rules.for_layers.matches_code import MatchesCode, check_matches_code
from lzgis.rules.for_layers.no_gaps import NoGaps, check_no_gaps
from lzgis.rules.for_layers.no_overlap import NoOverlap, check_no_overlap
from lzgis.rules.for_layers.not_less import NotLess, check_not_less
from lzgis.rules.for_layers.not_shifted import NotShifted, check_not_shifted
from lzgis.rules.for_layers.same_edge import SameEdge, check_same_edge
from lzgis.rules.for_layers.share import Share, check_share


class LayerKind(NamedTuple):
    """A kind of rule for layers.

    Attributes
    ----------
    rule : type
        The record that its TOML is parsed into.
    check : callable
        Returns the findings of a rule of this kind; at least one.
    topic : Topic
        What its findings are about.
    between_versions : bool
        Whether it compares two versions of a layer; ``diff`` checks it then, not ``audit``.
    """

    rule: type[LayerRule]
    check: Callable[[LayerRule, AuditContext], list[LayerFinding]]
    topic: Topic
    between_versions: bool = False


LAYER_KINDS: dict[str, LayerKind] = {
    "no_overlap": LayerKind(NoOverlap, check_no_overlap, Topic.CONFLICT),
    "no_gaps": LayerKind(NoGaps, check_no_gaps, Topic.CONFLICT),
    "inside": LayerKind(Inside, check_inside, Topic.CONFLICT),
    "same_edge": LayerKind(SameEdge, check_same_edge, Topic.CONFLICT),
    "not_shifted": LayerKind(NotShifted, check_not_shifted, Topic.SHIFT),
    "matches_code": LayerKind(MatchesCode, check_matches_code, Topic.CODE),
    "declared_total": LayerKind(DeclaredTotal, check_declared_total, Topic.FIGURE),
    "share": LayerKind(Share, check_share, Topic.FIGURE),
    "not_less": LayerKind(NotLess, check_not_less, Topic.FIGURE, between_versions=True),
}
