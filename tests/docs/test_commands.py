"""The commands that documents show are there, with the options that they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from apteligent_async.cli import COMMANDS
from apteligent_async.cli.application import run

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = re.compile(r"^ {4}(apteligent .*)$|`(apteligent [^`]*)`", re.MULTILINE)
TABLE = re.compile(r"^## All commands\n(.*?)^## ", re.MULTILINE | re.DOTALL)


def shown():
    """Give every command line of the documents, without its program's name and comment."""
    for path in sorted(DOCS.glob("*.md")):
        for match in SHOWN.finditer(path.read_text()):
            yield shlex.split(match[1] or match[2], comments=True)[1:]


@pytest.mark.parametrize("words", list(shown()), ids=" ".join)
def test_shown_commands_are_there(words, capsys):
    """Nobody who types what a document shows is told that there is no such thing."""
    assert words[0] in COMMANDS
    run([words[0], "--help"], COMMANDS)
    known = re.findall(r"--[\w-]+", capsys.readouterr().out)
    assert {word for word in words if word.startswith("--")} <= set(known)


def test_every_command_is_told():
    """The table of commands leaves none out, and makes none up."""
    (table,) = TABLE.findall((DOCS / "command-line.md").read_text())
    firsts = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| ")]
    told = {name for first in firsts for name in re.findall(r"`([\w-]+)`", first)}
    assert told == COMMANDS.keys()
