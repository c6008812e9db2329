"""The command `apteligent`: a table of commands, each imported only when it is called.

Exit codes: 0 done, 1 an error that the command explains in a line, 2 usage, 3 partly done, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from apteligent_async._version import __version__
from apteligent_async.errors import ApteligentError
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["main"]

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("apteligent_async.cli.demo:demo", "Pull metrics of a simulated account within its rate budget."),
    "simulate": ("apteligent_async.cli.simulate:simulate", "Serve a simulated Apteligent until interrupted."),
    "limits": ("apteligent_async.cli.limits:limits", "Show the rate budget; costs one cheap call."),
    "login": ("apteligent_async.cli.login:login", "Get a token and keep it for later commands."),
    "logout": ("apteligent_async.cli.login:logout", "Remove the token that login kept."),
    "accounts": ("apteligent_async.cli.login:accounts", "List the logins that are kept; costs no call."),
    "explain": ("apteligent_async.cli.explain:explain", "Tell from a log of events why its calls waited."),
}


def main() -> None:
    """Run the command line in `sys.argv` and exit with its code."""
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        sys.exit(130)


def _run() -> int:
    try:
        from cyclopts import App, CycloptsError  # noqa: PLC0415  an extra
    except ModuleNotFoundError as missing:
        return _explain(f"the command line needs {missing.name}: pip install 'apteligent-async[cli]'")
    app = App(name="apteligent", version=__version__, help="Mobile app metrics from the Apteligent REST API v2.")
    for name, (function, purpose) in COMMANDS.items():
        app.command(function, name=name, help=purpose)
    try:
        return app(sys.argv[1:], exit_on_error=False, result_action="return_value") or 0
    except CycloptsError:
        return 2
    except ApteligentError as error:
        return _explain(error.message)
    except (OSError, ModuleNotFoundError) as error:
        return _explain(str(error))


def _explain(problem: str) -> int:
    print(f"apteligent: {printable(problem)}", file=sys.stderr)
    return 1
