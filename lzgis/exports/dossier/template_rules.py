"""What an office's template may contain: values that only render, conditions, loops over the documented lists.

A template may come from somewhere else. Its commands are checked when they are parsed; its values have no attributes but
the documented ones; whatever would load something when the document is opened is removed or refused.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree  # type: ignore[import-untyped]

from lzgis.messages import Message, library_message

#: Nodes of a template that are allowed; among those that are not: macros, calls, includes, imports, blocks, assignments.
_NODES = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem),
    *(nodes.For, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Filter, nodes.Test, nodes.Concat, nodes.Mul, nodes.Keyword, nodes.List, nodes.Tuple),
)
_FILTERS = frozenset(
    (
        "default",
        "d",
        "join",
        "length",
        "count",
        "first",
        "last",
        "upper",
        "lower",
        "trim",
        "e",
        "escape",
        "selectattr",
        "rejectattr",
        "reverse",
        "string",
        "int",
        "float",
        "round",
    )
)
_TESTS = frozenset(
    ("defined", "undefined", "none", "equalto", "eq", "==", "ne", "!=", "in", "odd", "even", "true", "false")
)
_LOOP = frozenset(("index", "index0", "revindex", "revindex0", "first", "last", "length"))
#: Loops in loops, and the length of one constant.
_MOST_LOOPS = 3
_MOST_LETTERS = 10_000

#: Limits of the file of a template: parts, and bytes when unpacked.
MOST_PARTS = 5_000
MOST_BYTES = 200 * 1024**2
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FIELDS = re.compile(
    r"^\s*(DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|INCLUDE|IMPORT|LINK|DATABASE|RD|EMBED|CONTROL|PRINT|ADDIN)\b",
    re.IGNORECASE,
)


class Fields:
    """Values by name for a template: nothing else can be reached from them."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)


class Rendered:
    """A value that can only be rendered, by a function that returns its XML."""

    __slots__ = ("_render",)

    def __init__(self, render: Callable[[], str]) -> None:
        self._render = render

    def __html__(self) -> str:
        return self._render()

    __str__ = __html__


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """The environment of templates: no globals, no calls, and no attributes but those of `Fields` and of a loop."""

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined)
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.tests = {name: self.tests[name] for name in _TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        _check(parsed, source)
        return parsed

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a field of `Fields`, or the state of a loop; undefined for everything else."""
        if isinstance(obj, Fields) and attribute in obj._values:
            return obj._values[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        # An unknown variable is named when it is rendered.
        return obj if isinstance(obj, Undefined) else self.undefined(obj=obj, name=str(attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """As `getattr`; also an item of a list by its number."""
        if isinstance(obj, list) and isinstance(argument, int):
            return obj[argument] if -len(obj) <= argument < len(obj) else self.undefined(obj=obj, name=str(argument))
        return self.getattr(obj, str(argument))

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (as in jinja2)
        """Refuse every call."""
        raise SecurityError(Message("nothing can be called in a template"))


def _check(parsed: nodes.Template, source: str) -> None:
    """Refuse a template that does more than render values, with the text near it.

    Raises
    ------
    TemplateSyntaxError
        If it does.
    """
    for node, depth in _walk(parsed, 0):
        wrong = _wrong(node, depth)
        if wrong:
            line = source.split("\n")[node.lineno - 1] if node.lineno <= source.count("\n") + 1 else ""
            near = " ".join(re.sub(r"<[^>]*>", " ", line).split())[:80]
            what = Message("{name} is not allowed, near '{text}'", name=wrong, text=near)
            raise TemplateSyntaxError(what, node.lineno)


def _walk(node: nodes.Node, depth: int) -> Iterator[tuple[nodes.Node, int]]:
    depth += isinstance(node, nodes.For)
    yield node, depth
    for child in node.iter_child_nodes():
        yield from _walk(child, depth)


def _wrong(node: nodes.Node, depth: int) -> str:  # noqa: PLR0911 (one answer a kind of node)
    kind = type(node).__name__.lower()
    if not isinstance(node, _NODES):
        return kind
    if isinstance(node, nodes.Name) and node.name.startswith("_"):
        return node.name
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return node.attr
    if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
        return kind
    if isinstance(node, nodes.Filter | nodes.Test) and node.name not in (_FILTERS | _TESTS):
        return node.name
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and len(node.value) > _MOST_LETTERS:
        return kind
    if isinstance(node, nodes.Mul) and not all(map(_is_count, (node.left, node.right))):
        return "*"
    if isinstance(node, nodes.For) and (depth > _MOST_LOOPS or node.recursive or not _is_list(node.iter)):
        return "this loop"
    return ""


def _is_count(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Const):
        return isinstance(node.value, int) and abs(node.value) < 10_000
    return isinstance(node, nodes.Getattr) and node.attr == "length" and isinstance(node.node, nodes.Name)


def _is_list(node: nodes.Node | None) -> bool:
    """Return whether a loop runs over a list of the documentation, perhaps with some of its rows left out."""
    if isinstance(node, nodes.Filter):
        return node.name in ("selectattr", "rejectattr", "reverse") and _is_list(node.node)
    if isinstance(node, nodes.Getattr):
        return node.attr in ("paragraphs", "notes") and isinstance(node.node, nodes.Name)
    return isinstance(node, nodes.Name)


def cleaned(data: bytes) -> bytes:
    """Return the file of a template without what it would load from elsewhere when it is opened.

    External relationships are removed with what refers to them; the text of a link to a web page stays.

    Raises
    ------
    ValueError
        If the file is too large when unpacked, has macros, a document type, or a field that loads something.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        if len(listed) > MOST_PARTS or sum(one.file_size for one in listed) > MOST_BYTES:
            what = Message(
                "it has more than {count} parts, or more than {mb} MB unpacked",
                count=MOST_PARTS,
                mb=MOST_BYTES // 1024**2,
            )
            raise ValueError(what)
        names = [one.filename for one in listed if not one.is_dir()]
        _check_names(names)
        parts = {one.filename: archive.read(one) for one in listed if not one.is_dir()}
    external = {name: _external(content) for name, content in parts.items() if name.lower().endswith(".rels")}
    for name, content in list(parts.items()):
        if not name.lower().endswith((".xml", ".rels")):
            continue
        folder, base = posixpath.split(name)
        gone = external.get(name) or external.get(posixpath.join(folder, "_rels", f"{base}.rels")) or set()
        parts[name] = _without(content, gone)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in parts.items():
            written.writestr(name, content)
    return packed.getvalue()


#: Parts that run or load something when the document is opened: macros, controls, objects of other programs, other documents.
_ACTIVE = re.compile(r"vbaproject|vbadata|activex|oleobject|afchunk|customui|/attachedtoolbars", re.IGNORECASE)


def _check_names(names: list[str]) -> None:
    """Refuse macros and other active parts, two parts of one name, and names outside the document."""
    for name in names:
        if "vba" in name.lower():
            raise ValueError(Message("it has macros"))
        if _ACTIVE.search(name):
            raise ValueError(Message("it has a part that runs or loads something ({name})", name=name))
        if ".." in name.split("/") or name.startswith("/") or "\\" in name or ":" in name:
            raise ValueError(Message("it has a part outside of itself ({name})", name=name))
    if len({name.lower() for name in names}) < len(names):
        raise ValueError(Message("it has two parts of one name"))


def _tree(content: bytes) -> Any:
    try:
        tree = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise ValueError(Message("a part of it is no XML ({error})", error=library_message(error))) from error
    # In any encoding: a search for its text would miss it in UTF-16.
    if tree.getroottree().docinfo.doctype:
        raise ValueError(Message("a part of it has a document type"))
    return tree


def _external(content: bytes) -> set[str]:
    return {
        one.get("Id", "")
        for one in _tree(content).iter(_RELATIONSHIP)
        if one.get("TargetMode", "Internal").lower() != "internal"
        or ":" in one.get("Target", "").split("/")[0]
        or one.get("Target", "").replace("\\", "/").startswith("//")
    }


def _without(content: bytes, gone: set[str]) -> bytes:
    tree = _tree(content)
    _check_fields(tree)
    if next(tree.iter(f"{_WORD}altChunk", f"{_WORD}control", f"{_WORD}object"), None) is not None:
        raise ValueError(Message("it has an object or another document inside"))
    if not gone:
        return content
    for one in list(tree.iter(etree.Element)):
        if one.tag == _RELATIONSHIP and one.get("Id") in gone:
            one.getparent().remove(one)
            continue
        named = [key for key, value in one.attrib.items() if key.startswith(_OFFICE) and value in gone]
        stays = one.tag.rpartition("}")[2] in ("hyperlink", "blip", "hlinkClick", "hlinkHover")
        for key in named:
            del one.attrib[key]
        if named and not stays and one.getparent() is not None:
            one.getparent().remove(one)
    written: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written


def _check_fields(tree: Any) -> None:
    """Refuse fields that load something, also behind or within other fields, and across paragraphs."""
    codes = [one.get(f"{_WORD}instr", "") for one in tree.iter(f"{_WORD}fldSimple")]
    opened: list[str] = []
    for one in tree.iter(f"{_WORD}fldChar", f"{_WORD}instrText"):
        kind = one.get(f"{_WORD}fldCharType")
        if kind == "begin":
            opened.append("")
        elif kind == "end" and opened:
            codes.append(opened.pop())
        elif kind is None:
            opened = opened or [""]
            opened[-1] += one.text or ""
    for code in (*codes, *opened):
        if found := _FIELDS.match(code):
            raise ValueError(
                Message(
                    "it has a field {name}, which loads something when the document is opened", name=found[1].upper()
                )
            )
