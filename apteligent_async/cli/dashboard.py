"""``apteligent dashboard``: apps, their charts and the live rate budget in a browser."""

from __future__ import annotations

import secrets
import time
import webbrowser
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

from attrs import frozen
from cyclopts import Parameter

from apteligent_async import ApteligentClient, MemoryCache, StaticToken
from apteligent_async.cli.asking import AS_USUAL, Connection
from apteligent_async.cli.ending import end_on_sigterm
from apteligent_async.cli.flags import Amount, Duration, Port  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.simulate import Counting
from apteligent_async.simulator import DEMO_ACCOUNT, Service, World, running_from, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["dashboard"]

_AS_DOCUMENTED = Counting()


def dashboard(
    *,
    host: str = "127.0.0.1",
    port: Port = 0,
    name: tuple[str, ...] = (),
    open_browser: Annotated[bool, Parameter(name="--open", negative="")] = False,
    connection: Connection = AS_USUAL,
    counting: Counting = _AS_DOCUMENTED,
    apps: Amount = 40,
    seed: int = 1,
    latency: Duration = 0.1,
) -> None:
    """Show apps, their charts and the live rate budget in a browser, until interrupted.

    Prints the address as soon as it is served. The account is a simulated one unless --account, --region or --base-url
    says otherwise; a real account's address has a token in it, which lets in the first browser that opens it.

        apteligent dashboard --open
        apteligent dashboard --region us --budget sqlite:///var/tmp/budget.db

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        name: A further name that browsers may know this host by. May be given several times.
        open_browser: Open the page in a browser.
        connection: Where the service is. --deadline bounds no panel: those wait five seconds at most.
        counting: How the simulated service counts calls.
        apps: How many apps the simulated account has.
        seed: Chooses the simulated world.
        latency: Seconds that every answer of the simulated service takes.

    """
    _require_extra()
    from apteligent_async.dashboard.door import Door  # noqa: PLC0415  an extra
    from apteligent_async.dashboard.server import listening, run_dashboard  # noqa: PLC0415  an extra

    is_real = any([connection.account, connection.region, connection.base_url])
    door = Door({host, *name}, secrets.token_urlsafe() if is_real else None)
    end_on_sigterm()
    with (
        _asked(connection) if is_real else _simulated(connection, counting, apps, seed, latency) as account,
        listening(host, port) as (listener, origin),
    ):
        address = f"{origin}/" + (f"?token={door.token}" if door.token else "")
        print("\n".join([f"listening on {address}", *account.notes]), flush=True)
        if open_browser:
            webbrowser.open(address)
        run_dashboard(listener, account.make_client, door)


@frozen
class _Account:
    """Whose figures are shown: what makes its client, and what else there is to print."""

    make_client: Callable[[], ApteligentClient]
    notes: Sequence[str] = ()


@contextmanager
def _asked(connection: Connection) -> Generator[_Account]:
    """Find out that there is a login before anything is served."""
    client = connection.client(cache=MemoryCache())
    yield _Account(lambda: client)


@contextmanager
def _simulated(connection: Connection, counting: Counting, apps: int, seed: int, latency: float) -> Generator[_Account]:
    """Serve a simulated account, which others may use, too: that is how a pull beside the page is tried out."""
    began = datetime.now(UTC)
    world = World(seed=seed, apps=apps, now=began)
    service = Service(world, quota=counting.settings, calendar=running_from(began, at=time.monotonic()))
    token = service.issue_token(DEMO_ACCOUNT.client_id)
    credentials = StaticToken(token, client_id=DEMO_ACCOUNT.client_id)
    with serve(service, latency=latency) as origin:
        make_client = partial(
            ApteligentClient, credentials, base_url=origin, budget=connection.shared_budget, cache=MemoryCache()
        )
        yield _Account(make_client, [f"simulator on {origin}", f"client_id={DEMO_ACCOUNT.client_id}", f"token={token}"])


def _require_extra() -> None:
    for name in ("fastapi", "jinja2", "uvicorn"):
        if find_spec(name) is None:
            message = f"the dashboard needs {name}: pip install 'apteligent-async[dashboard]'"
            raise ModuleNotFoundError(message, name=name)
