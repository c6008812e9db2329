"""Makes the rivals' environment, and runs a module of ours in it."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RivalError", "ask", "ask_own", "is_ready", "prepare"]

_ROOT: Final = Path(__file__).parents[2]
_PINS: Final = _ROOT / "benchmarks" / "rivals.txt"
_HOME: Final = _ROOT / ".venv-rivals"
_PYTHON: Final = _HOME / "bin" / "python"
_STAMP: Final = _HOME / "rivals.stamp"


class RivalError(Exception):
    """A process in the rivals' environment failed; the text is the end of what it had to say."""


def is_ready() -> bool:
    """Say whether the environment holds exactly what is pinned."""
    return _STAMP.exists() and _STAMP.read_text() == _PINS.read_text()


def prepare() -> None:
    """Make the environment anew if it is missing or out of date; needs a package index.

    Raises:
        RivalError: a package could not be installed.

    """
    if is_ready():
        return
    print(f"installing {_PINS.name} into {_HOME.name}", file=sys.stderr)
    venv.create(_HOME, with_pip=True, clear=True)
    _run([str(_PYTHON), "-m", "pip", "install", "--quiet", "--requirement", str(_PINS)], timeout_s=900)
    _STAMP.write_text(_PINS.read_text())


def ask(module: str, arguments: Sequence[str], *, timeout_s: float) -> Any:
    """Run a module of the kit in the rivals' environment; return the JSON on the last line that it prints.

    Raises:
        RivalError: it failed, or took longer than `timeout_s`.

    """
    return _asked(str(_PYTHON), module, arguments, timeout_s)


def ask_own(module: str, arguments: Sequence[str], *, timeout_s: float) -> Any:
    """Do the same in the environment that this process runs in, so that ours and theirs are measured alike.

    Raises:
        RivalError: it failed, or took longer than `timeout_s`.

    """
    return _asked(sys.executable, module, arguments, timeout_s)


def _asked(python: str, module: str, arguments: Sequence[str], timeout_s: float) -> Any:
    said = _run([python, "-W", "ignore", "-m", module, *arguments], timeout_s=timeout_s)
    return json.loads(said.splitlines()[-1])


def _run(command: Sequence[str], *, timeout_s: float) -> str:
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=timeout_s, check=True)
    except subprocess.TimeoutExpired as error:
        raise RivalError(f"no end within {timeout_s:g} s of real time") from error
    except subprocess.CalledProcessError as error:
        raise RivalError((error.stderr.strip().splitlines() or [f"exit status {error.returncode}"])[-1]) from error
    return done.stdout
