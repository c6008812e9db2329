"""The command `apteligent`: a table of commands, each imported only when it is called.

Exit codes: 0 done, 1 an error that the command explains in a line, 2 usage, 3 partly done, 130 interrupted.

| file | what it holds |
| --- | --- |
| `families` | what the service knows, a command for each question |
| `demo`, `explaining` | the commands that show how the client works |
| `pull`, `export`, `recipes`, `watch`, `serve_metrics` | those of bulk pulls |
| `simulate`, `dashboard`, `doctor`, `limits`, `login` | the others |
| `application`, `flags` | the table of commands as an application, and what flags take |
| `asking`, `accounts`, `selection` | how the service is asked: as whom, where, about which apps |
| `progress`, `waiting`, `pulling`, `ending` | what is told meanwhile; how it ends from outside |
| `showing`, `members`, `dry_run`, `blame` | what is told then: findings, and errors |
| `checkup`, `checkup_online` | what `doctor` looks at |
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["main"]

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("apteligent_async.cli.demo.demo:demo", "Pull metrics of a simulated account within its rate budget."),
    "simulate": ("apteligent_async.cli.simulate:simulate", "Serve a simulated Apteligent until interrupted."),
    "limits": ("apteligent_async.cli.limits:limits", "Show the rate budget and who shares it; one cheap call at most."),
    "login": ("apteligent_async.cli.login:login", "Get a token and keep it for later commands."),
    "logout": ("apteligent_async.cli.login:logout", "Remove the token that login kept."),
    "accounts": ("apteligent_async.cli.login:accounts", "List the logins that are kept; costs no call."),
    "doctor": ("apteligent_async.cli.doctor:doctor", "Say what works here, what does not, and how to mend it."),
    "apps": ("apteligent_async.cli.families.apps:apps", "List the apps, the worst first."),
    "pie": ("apteligent_async.cli.families.monitoring:pie", "Break one metric down: by OS, version, device, service."),
    "graph": ("apteligent_async.cli.families.monitoring:graph", "Follow one metric day by day."),
    "crashes": ("apteligent_async.cli.families.errors:crashes", "List an app's crashes, the worst first."),
    "crash": ("apteligent_async.cli.families.errors:crash", "Show one crash: its stack, breadcrumbs and users."),
    "exceptions": ("apteligent_async.cli.families.errors:exceptions", "List an app's handled exceptions."),
    "trends": ("apteligent_async.cli.families.trends:trends", "Show the last month of an app, day by day."),
    "live": ("apteligent_async.cli.families.live:live", "Show what happens in an app right now."),
    "services": ("apteligent_async.cli.families.network:services", "Rank the services that an app calls."),
    "endpoints": ("apteligent_async.cli.families.network:endpoints", "Rank the addresses that an app calls."),
    "userflows": (
        "apteligent_async.cli.families.userflows:userflows",
        "Show what users set out to do, and how it ended.",
    ),
    "pull": ("apteligent_async.cli.pull:pull", "Pull what a plan wants into a ledger that survives a kill."),
    "recipes": ("apteligent_async.cli.recipes:recipes", "List what can be pulled again and again, or print one."),
    "watch": ("apteligent_async.cli.watch:watch", "Run recipes on their schedules, and send what comes to Graphite."),
    "serve-metrics": (
        "apteligent_async.cli.serve_metrics:serve_metrics",
        "Serve the numbers of a watch for Prometheus.",
    ),
    "export": ("apteligent_async.cli.export:export", "Write what a pull's ledger holds as a file; costs no call."),
    "dashboard": ("apteligent_async.cli.dashboard:dashboard", "Show apps and the live rate budget in a browser."),
    "explain": ("apteligent_async.cli.explaining.explain:explain", "Tell from a log of events why its calls waited."),
}


def main() -> None:
    """Run the command line in `sys.argv` and exit with its code."""
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        sys.exit(130)


def _run() -> int:
    try:
        from apteligent_async.cli.application import run  # noqa: PLC0415  needs an extra
    except ModuleNotFoundError as missing:
        print(
            f"apteligent: the command line needs {missing.name}: pip install 'apteligent-async[cli]'", file=sys.stderr
        )
        return 1
    return run(sys.argv[1:], COMMANDS)
