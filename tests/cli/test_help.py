"""Help and wrong use of the command line are in the language of the output."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest
import typer
from command_line import run

from lzgis import __version__
from lzgis.cli.app import app
from lzgis.cli.help import commands_below


def wording(language):
    return tomllib.loads((files("lzgis") / "wording" / f"{language}.toml").read_text("utf-8"))


def help_texts(command):
    """Return the help texts of a command, of its options and of all commands below it."""
    texts = set()
    for _, one in commands_below(command):
        texts |= {text for text in (one.help, one.short_help) if text}
        texts |= {param.help for param in one.params if getattr(param, "help", None)}
    return {" ".join(text.split()) for text in texts}


def test_every_text_of_the_help_has_a_chinese_wording_and_none_is_left_over():
    # The last two are those of the option --help.
    known = set(wording("zh")["help"]) - {"Show this message and exit."}
    assert help_texts(typer.main.get_command(app)) == known


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_command_that_can_be_run_has_an_example_with_options_that_it_has(language):
    examples = wording(language)["example"]
    commands = {path: one for path, one in commands_below(typer.main.get_command(app)) if not hasattr(one, "commands")}
    assert set(examples) == set(commands)
    for path, text in examples.items():
        options = {opt for param in commands[path].params for opt in param.opts}
        for line in text.strip().splitlines():
            assert line.startswith(f"lzgis {path}")
            assert set(re.findall(r"--[a-z-]+", line)) <= options


def test_the_help_of_a_command_is_in_one_language():
    chinese, english = run("screen", "--help").stdout, run("screen", "--help", "--lang", "en").stdout
    assert "示例：" in chinese and "Show this message" not in chinese
    assert "Examples:" in english and not re.search("[一-鿿]", english.replace("未核查", ""))


def test_the_version_is_printed():
    done = run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"lzgis {__version__}")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["sceen"], "lzgis：没有命令“sceen”；是否为“screen”？"),
        (["screen"], "lzgis screen：缺少 SITES；参见：lzgis screen --help"),
        (["screen", "a.gpkg", "--fromat", "xlsx"], "lzgis screen：没有选项 --fromat；是否为“--format”？"),
        (["screen", "a.gpkg", "--lang", "fr"], "--lang：“fr”未定义；允许：en, zh"),
        (["avoid", "P12", "--within", "far"], "--within：取值不是数字；参见：lzgis avoid --help"),
        (["screen", "a.gpkg", "--shard-size", "0"], "--shard-size：不得小于 1；参见：lzgis screen --help"),
    ],
)
def test_wrong_use_is_one_line_with_the_nearest_word(arguments, text):
    done = run(*arguments)
    assert (done.returncode, done.stderr.strip()) == (64, text)
