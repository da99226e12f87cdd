"""What every message has: a place, what is wrong there, and what to do."""

from __future__ import annotations

import ast
import pickle
import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import lzgis
from lzgis import errors
from lzgis.messages import GEOS_TEXTS, LIBRARY_TEXTS, SYSTEM_TEXTS, Message, library_message
from lzgis.model.report import Problem
from lzgis.words import Words

TREE = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
MODULES = sorted(Path(lzgis.__file__).parent.rglob("*.py"))


def test_all_errors_are_one_family():
    assert set(TREE) == {"LzgisError", "ConfigError", "SourceError", "LayerError", "ExportError"}
    assert all(issubclass(kind, errors.LzgisError) for kind in TREE.values())


@pytest.mark.parametrize("name", TREE)
def test_an_error_reads_place_what_remedy(name):
    error = TREE[name]("sites.gpkg, row 3", "has no id", "give it one")
    assert str(error) == "sites.gpkg, row 3: has no id; give it one"
    assert (error.place, error.what, error.remedy) == ("sites.gpkg, row 3", "has no id", "give it one")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert str(Problem("note", "a", "b", "c")) == "a: b; c"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.name)
def test_errors_and_problems_are_made_of_their_parts(path):
    """No message leaves out its place or its remedy, and none ends as a sentence, since they are joined."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = node.func.id
        wanted = 3 if name in TREE else 4 if name == "Problem" else None
        if wanted is None:
            continue
        assert len(node.args) + len(node.keywords) == wanted, f"{path.name}:{node.lineno}"
        for part in node.args:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                assert part.value, f"{path.name}:{node.lineno}"
                assert not part.value.endswith((".", ";", ":")), f"{path.name}:{node.lineno}"


_CAUGHT = ("manifest.py", "result_folder.py", "lock.py", "template_rules.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.name)
def test_no_bare_exception_is_raised_on_purpose_for_a_user(path):
    """Only programming mistakes raise anything else: a name that is not there, an argument that cannot be."""
    # The geometry package handles no files and no users.
    allowed = {"ValueError"} if "geometry" in path.relative_to(Path(lzgis.__file__).parent).parts else set()
    # Validators raise ValueError for pydantic; a lock raises OSError, as the system does. Callers turn both into answers.
    allowed |= {"ValueError", "OSError"} if path.name in _CAUGHT else set()
    allowed |= {*TREE, "AttributeError", "KeyError", "TypeError", "Exit", "_config_error", "_unknown_activity"}
    # Raised for parsers of templates and for signals, and caught by lzgis itself.
    allowed |= {"TemplateSyntaxError", "SecurityError", "_Signal", "BrokenPipeError", "PydanticCustomError"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            function = node.exc.func
            name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            assert name in allowed, f"{path.name}:{node.lineno}: raises {name}"


#: What may be done with the text of an error: clean it, look at it, or hand it to the answers of the service, in English.
_MAY_SEE_TEXTS = {"library_message", "search", "fullmatch", "_exception"}


def test_no_text_of_a_library_reaches_a_message_uncleaned():
    """The text of an error goes through `library_message`, or stands in a comparison or a warning of Python."""
    assert [found for path in MODULES for found in _uncleaned(path)] == []


def _uncleaned(path: Path) -> Iterator[str]:
    parents: dict[ast.AST, ast.AST] = {}
    errors_here: set[str] = set()
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    for node in nodes:
        parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
        if isinstance(node, ast.ExceptHandler) and node.name:
            errors_here.add(node.name)
        if isinstance(node, ast.arg) and node.annotation is not None:
            kind = ast.unparse(node.annotation)
            errors_here |= {node.arg} if re.search(r"(Error|Exception)$", kind) and "Lzgis" not in kind else set()
    for node in nodes:
        is_text = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr")
        argument = (
            node.args[0] if is_text and node.args else node.value if isinstance(node, ast.FormattedValue) else None
        )
        is_error = isinstance(argument, ast.Name) and argument.id in errors_here
        if is_error and not _is_seen_only(node, parents):
            yield f"{path.name}:{node.lineno}: {ast.unparse(node)}"


def _is_seen_only(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    while (node := parents.get(node)) is not None and not isinstance(node, ast.stmt):
        name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if name in _MAY_SEE_TEXTS or isinstance(node, ast.Compare):
            return True
    return False


def test_the_check_for_texts_of_libraries_finds_them():
    tree = ast.parse("f(str(e)); library_message(str(e)); 'a' in str(e)")
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    texts = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and ast.unparse(one) == "str(e)"]
    assert [_is_seen_only(one, parents) for one in texts] == [False, True, True]


def templates() -> set[str]:
    """Every sentence in the code that is written as a literal template."""
    return {
        node.args[0].value
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Message"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def test_a_message_has_the_same_values_in_chinese():
    known = tomllib.loads((Path(lzgis.__file__).parent / "wording" / "zh.toml").read_text("utf-8"))["message"]
    assert len(templates()) > 50
    assert templates() - set(known) == set()
    # English texts of libraries and servers are left out in Chinese.
    english = {"{library_text}": {"library_text"}, "HTTP Error {code}: {reason}": {"reason"}}
    for template, translation in known.items():
        if template in LIBRARY_TEXTS:
            assert fields(translation) <= fields(template), template
        else:
            assert fields(translation) == fields(template) - english.get(template, set()), template


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_a_message_is_its_english_sentence_and_survives_being_sent():
    message = Message("holds {count} layers", count=2)
    assert message == "holds 2 layers"
    assert (message.template, message.values) == ("holds {count} layers", {"count": 2})
    sent = pickle.loads(pickle.dumps(message))
    assert (sent, sent.template, sent.values) == (message, message.template, message.values)
    assert Words("zh").message(message) != message
    assert Words("en").message(message) == message
    assert Words("zh").message("a sentence without translation") == "a sentence without translation"


@pytest.mark.parametrize(
    "text", [*SYSTEM_TEXTS, *(f"{one}[1.5 2.5]" for one in GEOS_TEXTS), "HTTP Error 404: Not Found"]
)
def test_texts_of_libraries_are_translated(text):
    message = library_message(text)
    assert str(message) == text
    assert not re.search("[A-Za-z]", Words("zh").message(message))


@pytest.mark.parametrize("template", LIBRARY_TEXTS)
def test_templates_of_libraries_are_translated(template):
    text = re.sub(r"\{(\w+)\}", lambda found: {"why": "mismatched tag"}.get(found[1], "7"), template)
    message = library_message(text)
    assert str(message) == text
    assert message.template != "{library_text}"
    # Names of formats, keys and marks are data.
    assert not re.search("[a-z]{3,} [a-z]{2,} ", Words("zh").message(message))


def test_an_error_made_of_a_message_gives_it():
    inner = Message("{name} is a link", name="a")
    assert library_message(ValueError(inner)) is inner
    assert Message("not so ({why})", why=ValueError(inner)).values["why"] is inner


def test_an_unknown_text_of_a_library_is_shown_in_english_alone():
    message = Message("is damaged ({error})", error=library_message(ValueError("{odd} thing")))
    assert str(message) == "is damaged ({odd} thing)"
    assert Words("zh").message(message) == "已损坏（原因为英文，用 --lang en 可见）"


def test_errors_of_the_system_are_known_by_their_text():
    with pytest.raises(OSError) as error:
        Path("/nowhere/at/all").read_bytes()
    assert library_message(error.value).template == "No such file or directory"
