"""The table of commands as an application of cyclopts, and the flags that every command has."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, CycloptsError, Parameter

from apteligent_async._version import __version__
from apteligent_async.cli.blame import explain, redacted
from apteligent_async.errors import ApteligentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["run"]

_HELP = """Mobile app metrics from the Apteligent REST API v2.

To try it without an account, run `apteligent simulate` in another terminal, and set APTELIGENT_BASE_URL \
and APTELIGENT_TOKEN to what it prints. Then begin with

    apteligent apps                      # which app crashes most
    apteligent pie APP --by os           # on which system
    apteligent crashes APP               # by which crash
    apteligent crash APP HASH --users    # its stack, and who met it
"""


def run(arguments: Sequence[str], commands: Mapping[str, tuple[str, str]]) -> int:
    """Run one command line and give its exit code.

    Args:
        arguments: all but the program's name.
        commands: by name, where each function is, to be imported when it is called, and what it is for.
    """
    # Markdown is slow to import: the list of all commands does without.
    shown = Parameter(show_default=_default_text)
    app = App(name="apteligent", version=__version__, help=_HELP, help_format="plaintext", default_parameter=shown)
    for name, (function, purpose) in commands.items():
        # A command's own page comes from its docstring; a list of all commands must not import them.
        app.command(function, name=name, help=None if name in arguments else purpose, help_format="markdown")
    app.register_install_completion_command()  # pyright: ignore[reportUnknownMemberType]  partly untyped

    @app.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        debug: Annotated[bool, Parameter(negative="", show_default=False, help="Add the traceback to errors.")] = False,
    ) -> int:
        try:
            return app(tokens, exit_on_error=False, result_action="return_value") or 0
        except CycloptsError:
            return 2
        except BrokenPipeError:
            return _hang_up()
        except (ApteligentError, OSError, ModuleNotFoundError) as error:
            if debug:
                print(redacted(error), end="", file=sys.stderr)
            return explain(error)

    return app.meta(arguments, exit_on_error=False, result_action="return_value") or 0


def _default_text(value: object) -> str | None:
    return str(value) if value not in (False, None, ()) else None


def _hang_up() -> int:
    """End quietly where the reader has gone, as `head` does: what is still buffered goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
