"""How a command asks the service: with which login, where, for how long, and what is shown meanwhile."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

import anyio
from attrs import define, evolve, field, frozen
from cyclopts import Parameter

from apteligent_async import ApteligentClient, RetryPolicy, UnattestedWarning
from apteligent_async._budgets import budget_from
from apteligent_async._settings import Settings, resolve
from apteligent_async.cli.accounts import access_for
from apteligent_async.cli.flags import PositiveDuration  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.progress import SILENT, showing
from apteligent_async.cli.pulling import Batch, run_batch, watched
from apteligent_async.cli.selection import find_apps
from apteligent_async.cli.showing.drawing import NO_DRAWING, present
from apteligent_async.cli.showing.output import open_progress_console
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.apps import App
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from apteligent_async import CacheStore
    from apteligent_async._budgets import Budget
    from apteligent_async._settings import ResolvedSettings
    from apteligent_async.cli.progress import Display
    from apteligent_async.cli.showing.drawing import Drawing
    from apteligent_async.cli.showing.formats import Output
    from apteligent_async.cli.showing.views import View

__all__ = ["AS_USUAL", "Asker", "Connection", "answer"]

Found = TypeVar("Found")


@Parameter(name="*", group="Connection")
@frozen(kw_only=True)
class Connection:
    """How a command gets at the service.

    Attributes:
        account: A stored login (`apteligent login`). Without, APTELIGENT_TOKEN, or APTELIGENT_CLIENT_ID,
            APTELIGENT_USERNAME and APTELIGENT_PASSWORD count, and then the login "default".
        region: The service's site.
        base_url: Another origin in place of a region, such as that of a simulator; APTELIGENT_BASE_URL does the same.
        deadline: Seconds that each call may take, its wait for the rate budget included; one that cannot make it
            fails at once.
        budget: With whom the rate budget is shared: sqlite:///path/to/file between processes, redis://host:port
            between hosts. APTELIGENT_BUDGET does the same, and may hold a password.
    """

    account: str | None = None
    region: Literal["us", "eu"] | None = None
    base_url: str | None = None
    deadline: PositiveDuration | None = None
    budget: str | None = None

    @property
    def shared_budget(self) -> Budget | None:
        """With whom the rate budget is shared, if the command line says so.

        Raises:
            ConfigurationError: the address is none, or holds a password.
        """
        return None if self.budget is None else _budget_at(self.budget)

    def client(self, retry: RetryPolicy | None = None, *, cache: CacheStore | None = None) -> ApteligentClient:
        """Make the client; it is not open yet.

        Args:
            retry: when failed calls are sent again, if not as usual.
            cache: where answers are kept, if they are.

        Raises:
            ConfigurationError: there is no login, or it belongs elsewhere; or the budget's address is none.
        """
        access = access_for(self.account, base_url=self.base_url, region=self.region)
        return ApteligentClient(
            access.credentials,
            base_url=access.base_url,
            region=access.region,
            retry=retry,
            budget=self.shared_budget,
            cache=cache,
        )

    def settings(self) -> ResolvedSettings:
        """Say what the client will be made with, the environment's part included.

        Raises:
            ConfigurationError: as for `client`.
        """
        access = access_for(self.account, base_url=self.base_url, region=self.region)
        given = Settings(
            credentials=access.credentials, base_url=access.base_url, region=access.region, budget=self.shared_budget
        )
        return resolve(given)


AS_USUAL = Connection()
"""What the environment and the stored login say."""


def _budget_at(address: str) -> Budget | None:
    if urlsplit(address).password:
        raise ConfigurationError("A command line is no place for a password: set APTELIGENT_BUDGET to this address.")
    return budget_from(address)


@define(eq=False)
class Asker:
    """A command's access to the service; the state is how far it has come.

    Attributes:
        client: makes the calls.
        batch: those that were made for several apps.
    """

    client: ApteligentClient
    batch: Batch[App] = field(factory=Batch[App])

    async def apps(self, wanted: Sequence[str]) -> tuple[App, ...]:
        """Find the apps that were named on the command line."""
        return await find_apps(self.client, wanted)

    async def app(self, wanted: str) -> App:
        """Find the one app that was named on the command line.

        Raises:
            ConfigurationError: there is none, or more than one.
        """
        first, *others = await self.apps([wanted])
        if others:
            names = ", ".join(app.name for app in (first, *others[:7]))
            raise ConfigurationError(
                f"{wanted!r} fits {1 + len(others)} apps, and this takes one: {names}, for example."
            )
        return first

    async def each(self, apps: Sequence[App], ask: Callable[[App], Awaitable[Found]]) -> list[tuple[App, Found]]:
        """Ask for every app, many at once, and give the answers in the order of the apps.

        Apps whose call fails are left out and noted.

        Raises:
            ApteligentError: no call was answered.
        """
        found: dict[str, Found] = {}
        self.batch.plan(apps)
        await run_batch(self.batch, ask, lambda app, answered: found.update({app.id: answered}))
        if self.batch.failures and not found:
            raise self.batch.failures[0][1]
        return [(app, found[app.id]) for app in apps if app.id in found]


def answer(
    connection: Connection,
    output: Output,
    find: Callable[[Asker], Awaitable[View]],
    *,
    drawing: Drawing = NO_DRAWING,
) -> int:
    """Find something out, show it, and give the exit code: 0, or 3 where some of it could not be had.

    Args:
        connection: how to get at the service.
        output: how to show what was found.
        find: finds it; what it raises ends the command.
        drawing: how to draw it.
    """
    view, asker = _find_out(connection, output, find)
    failures = tuple((app.name, error.message) for app, error in asker.batch.failures)
    present(evolve(view, failures=failures), output, drawing)
    for name, reason in failures:
        print(f"apteligent: {printable(name)}: {printable(reason)}", file=sys.stderr)
    return 3 if failures else 0


def _find_out(connection: Connection, output: Output, find: Callable[[Asker], Awaitable[View]]) -> tuple[View, Asker]:
    """Find something out under a display that suits the terminal."""
    _ = output.chosen  # flags that contradict each other are refused before a call is spent
    with _display(is_quiet=output.quiet) as display, _noting_warnings():
        return anyio.run(partial(_find, connection, find, display))


async def _find(
    connection: Connection, find: Callable[[Asker], Awaitable[View]], display: Display
) -> tuple[View, Asker]:
    async with connection.client() as client:
        asker = Asker(client.with_options(deadline=connection.deadline))
        return await watched(client, asker.batch, partial(find, asker), display=display), asker


@contextmanager
def _display(*, is_quiet: bool) -> Generator[Display]:
    if is_quiet:
        yield SILENT
        return
    with showing(open_progress_console()) as display:
        yield display


@contextmanager
def _noting_warnings() -> Generator[None]:
    """Print what nothing attests as a note in a line, where Python would quote our source."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnattestedWarning)
        try:
            yield
        finally:
            for text in dict.fromkeys(str(warning.message) for warning in caught):
                print(f"apteligent: note: {printable(text)}", file=sys.stderr)
