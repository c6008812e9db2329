"""``apteligent doctor``: what works here, what does not, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from attrs import asdict
from rich.table import Table
from rich.text import Text

from apteligent_async import Region
from apteligent_async.cli.accounts import address_of
from apteligent_async.cli.asking import AS_USUAL, Connection
from apteligent_async.cli.checkup import check_credentials, check_extras, check_python, check_store
from apteligent_async.cli.checkup_online import ask_around
from apteligent_async.cli.flags import AsJson  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.showing.output import open_console, print_json
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from apteligent_async.cli.accounts import Access
    from apteligent_async.cli.checkup import Check

__all__ = ["doctor"]

_STYLES = {"ok": "green", "note": "yellow", "broken": "bold red", "skipped": "dim"}


def doctor(
    *,
    connection: Connection = AS_USUAL,
    as_json: AsJson = False,
) -> int:
    """Check Python, extras, credentials, store, DNS, TLS, token, clock and budget, and say how to mend each.

    The token's check costs one cheap call of the budget, and a login where there is no token; the others cost none.
    No secret is printed. Exits with 1 if something is broken.

        apteligent doctor
        apteligent doctor --account eu-team --json
        apteligent doctor --base-url http://127.0.0.1:8080

    Args:
        connection: Where the service is.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    credentials, access = check_credentials(connection.account, base_url=connection.base_url, region=connection.region)
    here = [check_python(), check_extras(), check_store(), credentials]
    checks = [*here, *anyio.run(ask_around, _address(access, connection), connection if access else None)]
    _report(open_console(as_json=as_json), checks)
    is_well = all(check.verdict != "broken" for check in checks)
    if as_json:
        print_json({"ok": is_well, "calls": _calls(checks), "checks": [asdict(check) for check in checks]})
    return 0 if is_well else 1


def _address(access: Access | None, connection: Connection) -> str:
    place = access or connection
    return address_of(place.base_url, place.region) or Region.US.origin


def _calls(checks: Sequence[Check]) -> int:
    return sum(check.calls for check in checks)


def _report(console: Console, checks: Sequence[Check]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        told = Text(printable(check.found))
        if check.mend:
            told.append(f"\n{printable(check.mend)}", style="italic")
        table.add_row(Text(check.verdict, style=_STYLES[check.verdict]), check.name, told)
    console.print(table)
    broken = [check.name for check in checks if check.verdict == "broken"]
    health = f"Broken: {', '.join(broken)}." if broken else "Nothing is broken."
    calls = _calls(checks)
    cost = (
        "No call of the budget was spent." if not calls else f"It cost {calls} call{'s' * (calls > 1)} of the budget."
    )
    console.print(f"{health} {cost}", soft_wrap=True)
