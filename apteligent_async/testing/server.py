"""A simulated service for one test: what it answers, what goes wrong with it, and what it was asked."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from apteligent_async import ApteligentClient, MemoryBudget, Region, StaticToken
from apteligent_async.simulator import FaultSchedule, QuotaSettings, Service, SimulatorTransport, World, serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from apteligent_async.simulator import Account, Answer, Call, Delay, FaultRule

__all__ = ["ApteligentServer", "SeenRequest"]

_NOW = datetime(2016, 12, 12, 18, tzinfo=UTC)


@frozen(repr=False)
class SeenRequest:
    """One request that reached the server.

    Attributes:
        at: the instant of its arrival, in seconds: on the event loop's clock through a transport, on
            `time.monotonic` over loopback.
        call: the request, with its headers and body.
        answer: what it was answered.
    """

    at: float
    call: Call
    answer: Answer

    @property
    def method(self) -> str:
        """The HTTP verb, upper case."""
        return self.call.method

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.call.path

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the query, decoded, in order."""
        return self.call.query

    @property
    def status(self) -> int:
        """The status that it was answered."""
        return self.answer.status

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} {self.status} at {self.at:.3f}>"


class ApteligentServer:
    """A simulated service in this process, with an account, a token, and a memory of what it was asked.

    Its state is the service's own (budgets, tokens, faults) and the requests that it saw. Everything is made from the
    settings alone: the same ones give the same apps, figures and tokens in every run.

    Args:
        apps: how many apps the account has.
        seed: chooses what they are like.
        now: the service's calendar, which stands still: aware; 2016-12-12 18:00 UTC if not given.
        faults: what goes wrong; nothing if not given.
        quota: settings of `apteligent_async.simulator.QuotaSettings`, each by its name, such as ``limit=3``. By
            default the service allows 20 calls a minute.

    Raises:
        TypeError: there is no such setting.
        ValueError: a setting is not possible.

    Attributes:
        service: the `apteligent_async.simulator.Service` itself; ``service.quota()`` tells the truth about its budget.
        account: whose client id, user name and password it knows.
        token: a bearer token that it accepts and that never expires.
    """

    def __init__(
        self,
        *,
        apps: int = 40,
        seed: int = 1,
        now: datetime = _NOW,
        faults: FaultSchedule | Iterable[FaultRule] = (),
        **quota: Any,
    ) -> None:
        self._requests: list[SeenRequest] = []
        self.service = Service(
            _world(apps, seed, now), quota=QuotaSettings(**quota), faults=_schedule(faults), witness=self._remember
        )
        self.account: Account = self.service.accounts[0]
        self.token = self.service.issue_token(self.account.client_id)

    @property
    def world(self) -> World:
        """What the service answers from: apps by id, with all that is true of them."""
        return self.service.world

    @property
    def requests(self) -> Sequence[SeenRequest]:
        """Every request that arrived so far, oldest first, refused ones and token calls included."""
        return tuple(self._requests)

    @property
    def faults(self) -> FaultSchedule:
        """What goes wrong. A schedule or rules may be set at any time; they begin to count with the next request."""
        return self.service.faults

    @faults.setter
    def faults(self, faults: FaultSchedule | Iterable[FaultRule]) -> None:
        self.service.faults = _schedule(faults)

    def transport(self, *, up: Delay = 0.0, down: Delay = 0.0, connect: Delay = 0.0) -> SimulatorTransport:
        """Make an httpx transport to the server, whatever the URL; it needs no socket and keeps to the loop's clock.

        Args:
            up: seconds to the server, or a function that gives them for each request.
            down: seconds back, likewise.
            connect: seconds before a request can be sent, likewise.
        """
        return SimulatorTransport(self.service, up=up, down=down, connect=connect)

    def client(self, **options: Any) -> ApteligentClient:
        """Make a client of the server in process, with the token and a budget of its own; entering it is yours.

        Args:
            options: arguments of `ApteligentClient`, which replace the ones it is made with here.
        """
        ready: dict[str, Any] = {"credentials": StaticToken(self.token), "region": Region.US, "budget": MemoryBudget()}
        if "http_client" not in options:
            ready["transport"] = self.transport()
        return ApteligentClient(**{**ready, **options})

    def listening(self) -> AbstractContextManager[str]:
        """Listen on loopback, in a thread, while the block runs; gives the origin. Runs in real time.

        Raises:
            ModuleNotFoundError: the extra ``apteligent-async[simulator]`` is not installed.
        """
        return serve(self.service)

    def _remember(self, call: Call, answer: Answer, now: float) -> None:
        self._requests.append(SeenRequest(now, call, answer))


@cache
def _world(apps: int, seed: int, now: datetime) -> World:
    """Make a world once: no service changes it."""
    return World(apps=apps, seed=seed, now=now)


def _schedule(faults: FaultSchedule | Iterable[FaultRule]) -> FaultSchedule:
    return faults if isinstance(faults, FaultSchedule) else FaultSchedule(tuple(faults))
