"""Where a command's words go: text to people, and at the end one JSON object to a program that asked for it."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CannotWrite", "open_console", "open_progress_console", "print_json"]


class CannotWrite(OSError):  # noqa: N818  says what cannot be done
    """A file cannot be written: the disk is full, or the folder is not ours. The message says which, and what to do."""


def open_console(*, as_json: bool) -> Console:
    """Give the console for people: standard output, or standard error where the former is kept for JSON.

    Nothing that is printed there is read as markup, and a character that the terminal cannot show becomes a question
    mark.
    """
    return _console(sys.stderr if as_json else sys.stdout)


def open_progress_console() -> Console:
    """Give the console for what is told meanwhile: standard error, like the other one."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    _forgive(stream)
    return Console(file=stream, markup=False, emoji=False, highlight=False)


def _forgive(stream: TextIO) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def print_json(figures: Mapping[str, Any]) -> None:
    """Print one JSON object as the last line of standard output."""
    print(json.dumps(figures), flush=True)
