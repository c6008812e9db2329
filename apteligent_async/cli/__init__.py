"""The command `apteligent`: a table of commands, each imported only when it is called.

Exit codes: 0 done, 1 an error that the command explains in a line, 2 usage, 3 partly done, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from apteligent_async._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cyclopts import App

__all__ = ["main"]

COMMANDS: Mapping[str, str] = {
    "simulate": "apteligent_async.cli.simulate:simulate",
}


def main() -> None:
    """Run the command line in `sys.argv` and exit with its code."""
    try:
        app = _app()
    except ModuleNotFoundError as missing:
        sys.exit(f"apteligent: the command line needs {missing.name}: pip install 'apteligent-async[cli]'")
    sys.exit(_run(app))


def _app() -> App:
    from cyclopts import App  # noqa: PLC0415  an extra

    app = App(name="apteligent", version=__version__, help="Mobile app metrics from the Apteligent REST API v2.")
    for name, function in COMMANDS.items():
        app.command(function, name=name)
    return app


def _run(app: App) -> int:
    from cyclopts import CycloptsError  # noqa: PLC0415  an extra

    try:
        return app(exit_on_error=False, result_action="return_value") or 0
    except CycloptsError:
        return 2
    except KeyboardInterrupt:
        return 130
    except (OSError, ModuleNotFoundError) as error:
        print(f"apteligent: {error}", file=sys.stderr)
        return 1
