"""Runs a pull: finds out what is missing, asks for it with as many workers as may be in flight, and keeps what comes.

    consumer ── async for ──┐
                            │  results, one at a time: workers wait where nobody takes them
    host, in the background ┴─ survey, units, crew of workers ── fetch, commit, hand on

What a worker has fetched is committed before anybody hears of it. So a consumer may stop, fail or be cancelled at any
point: what was finished is in the ledger, and the next run asks for the rest.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

import anyio
from attrs import define, field, frozen

from apteligent_async._background import start_in_background
from apteligent_async._scheduling.policy import checked, is_whole
from apteligent_async.bulk.crew import UnitResult
from apteligent_async.bulk.ledger import DiskLedger, MemoryLedger
from apteligent_async.bulk.report import PullReport, Tally
from apteligent_async.bulk.rounds import Rounds
from apteligent_async.errors import ClientStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from os import PathLike
    from types import TracebackType

    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

    from apteligent_async.bulk.ledger import Ledger
    from apteligent_async.bulk.plan import Plan
    from apteligent_async.client import ApteligentClient

__all__ = ["Pull", "PullOptions", "Results", "new_pull"]


def _clock() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class PullOptions:
    """How a pull is run.

    Attributes:
        concurrency: workers, each with one call at a time.
        allow: names of the savings to use; None for those on facts of grade B or better.
        is_strict: whether failures are raised together at the end.
        clock: tells this machine's time.
        renewed_at: by that clock, the instant before which whatever can still change is out of date; by default the
            day's begin, in UTC.
    """

    concurrency: int = field(validator=checked(lambda value: is_whole(value) and value >= 1, "a whole number above 0"))
    allow: Collection[str] | None = None
    is_strict: bool = False
    clock: Callable[[], datetime] = _clock
    renewed_at: datetime | None = None


def new_pull(client: ApteligentClient, plan: Plan, *, ledger: str | PathLike[str] | None, **options: Any) -> Pull:
    """Prepare a pull; `options` are those of `PullOptions`, and without a file the ledger is kept in memory.

    Raises:
        ConfigurationError: an option is not possible.
    """
    kept = MemoryLedger() if ledger is None else DiskLedger(ledger)
    return Pull(client, plan, kept, PullOptions(**options))


@define(eq=False, repr=False)
class Pull:
    """A pull of a plan. ``async for`` runs it and gives a `UnitResult` for each unit that was missing, as they come.

    Nothing is asked before the iteration begins. It may be left at any point; ``async with`` (or `aclose`) sees to it
    that everything has stopped at the end of the block, and that the ledger is free for the next.

        async with client.pull(plan, ledger="pull.sqlite") as pull:
            async for result in pull:
                ...
        print(pull.report.failed)
    """

    _client: ApteligentClient
    _plan: Plan
    _ledger: Ledger
    _options: PullOptions
    _run: _Run | None = field(default=None, init=False)

    def __aiter__(self) -> Results:
        """Run it.

        Raises:
            ClientStateError: it is running already.
            LedgerInUse: another pull holds the ledger.
            LedgerError: the ledger cannot be read or written, say as the disk is full, or is another account's.
            ApteligentError: the apps could not be listed.
            ExceptionGroup: at the end, in strict mode: the error of each call that failed.
        """
        return Results(self._begin)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def report(self) -> PullReport:
        """How far it is, or what became of it."""
        run = self._run
        tally = Tally() if run is None else run.tally
        return PullReport(
            units=tally.units,
            ok=tally.ok,
            skipped=tally.skipped,
            failed=tally.failed,
            causes=tally.causes,
            retried=tally.retried,
            waited_s=tally.waited_s,
            calls=tally.calls,
            rate_limited=tally.rate_limited,
            seconds=0.0 if run is None else run.seconds,
            drift=self._client.drift(),
            gaps=tuple(tally.gaps),
            is_finished=run is not None and run.is_finished,
            again=self._again,
        )

    @property
    def waiting(self) -> int:
        """Calls that no worker has begun with."""
        return 0 if self._run is None else self._run.rounds.waiting

    async def aclose(self) -> None:
        """Stop it, and wait until nothing of it runs; what is committed stays. Twice does no harm."""
        if self._run is not None:
            await self._run.stop()

    def _again(self) -> Pull:
        return Pull(self._client, self._plan, self._ledger, self._options)

    def _begin(self) -> _Run:
        if self._run is not None and not self._run.has_ended.is_set():
            raise ClientStateError("This pull is running already: iterate over it once at a time.")
        self._run = _Run(self._client, self._plan, self._ledger, self._options)
        start_in_background(self._run.host)
        return self._run


@define(eq=False, repr=False)
class Results:
    """The results of a pull, as they come. Its state is the run behind them, which begins with the first.

    A plain object and no generator, so that a loop may be left at any point: the run ends with its last reference.
    """

    _begin: Callable[[], _Run]
    _run: _Run | None = field(default=None, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> UnitResult:
        run = self._run = self._run or self._begin()
        try:
            result = await run.next_result()
        except BaseException:
            await run.stop()
            raise
        if result is not None:
            return result
        await run.stop()
        run.check()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop the run and wait for its end; what is committed stays. Twice does no harm."""
        if self._run is not None:
            await self._run.stop()

    def __del__(self) -> None:
        if self._run is not None and not self._run.has_ended.is_set():
            with suppress(RuntimeError):  # the event loop is gone, and with it the run
                self._run.abandon()


@define(eq=False)
class _Run:
    """One run of a pull; the state is its workers, what is counted, and how it ended.

    Attributes:
        tally: counts.
        rounds: what is done.
        is_finished: whether everything was tried.
        has_ended: set when nothing of it runs any more.
    """

    client: ApteligentClient
    plan: Plan
    ledger: Ledger
    options: PullOptions
    tally: Tally = field(factory=Tally, init=False)
    rounds: Rounds = field(init=False)
    is_finished: bool = field(default=False, init=False)
    has_ended: anyio.Event = field(factory=anyio.Event, init=False)
    _scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)
    _given: MemoryObjectSendStream[UnitResult] = field(init=False)
    _taken: MemoryObjectReceiveStream[UnitResult] = field(init=False)
    _failure: Exception | None = field(default=None, init=False)
    _began_at: float = field(factory=time.monotonic, init=False)
    _ended_at: float | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._given, self._taken = anyio.create_memory_object_stream[UnitResult](0)
        self.rounds = Rounds(
            client=self.client,
            plan=self.plan,
            ledger=self.ledger,
            options=self.options,
            tally=self.tally,
            hand_on=self._given.send,
        )

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return (time.monotonic() if self._ended_at is None else self._ended_at) - self._began_at

    async def next_result(self) -> UnitResult | None:
        """Wait for a result; None after the last."""
        try:
            return await self._taken.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return None

    def abandon(self) -> None:
        """Have it stop, soon."""
        self._scope.cancel()

    async def stop(self) -> None:
        """Stop it and wait for its end, whatever happens to the caller."""
        self.abandon()
        with anyio.CancelScope(shield=True):
            await self.has_ended.wait()

    def check(self) -> None:
        """Raise what ended it, and in strict mode what failed."""
        if self._failure is not None:
            raise self._failure
        if self.options.is_strict and self.tally.failed:
            problem = f"{self.tally.failed} of {self.tally.units} units could not be had"
            raise ExceptionGroup(problem, self.tally.errors)

    async def host(self) -> None:
        """Do all of it; never raises."""
        try:
            with self._scope:
                await self._hold_ledger()
        except Exception as error:  # noqa: BLE001  it is the consumer's, who raises it
            self._failure = _first(error)
        finally:
            self._ended_at = time.monotonic()
            self._given.close()
            self._taken.close()
            self.has_ended.set()

    async def _hold_ledger(self) -> None:
        unsubscribe = self.client.on_event(self.tally.note_event)
        try:
            await self.ledger.open()
            try:
                await self.rounds.work_off()
            finally:
                await self.ledger.aclose()
        finally:
            unsubscribe()
        self.is_finished = True


def _first(error: Exception) -> Exception:
    """Give the first of the errors that ended all workers at once."""
    if not isinstance(error, ExceptionGroup):
        return error
    return _first(cast("ExceptionGroup[Exception]", error).exceptions[0])
