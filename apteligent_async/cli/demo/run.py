"""What the demo does with a client: log in, find out what there is, pull all of it."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, field

from apteligent_async import AppAttribute, ApteligentClient, MemoryBudget, PasswordGrant, RatePolicy
from apteligent_async.cli.demo.cuts import Cut, ask, plan_of, questions_about
from apteligent_async.cli.demo.recording import rows_of
from apteligent_async.cli.demo.summary import Stretch
from apteligent_async.cli.progress import SILENT, showing
from apteligent_async.cli.pulling import WORKERS, Batch, run_batch, watched
from apteligent_async.models.tables import printable
from apteligent_async.simulator import DEMO_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from apteligent_async import Event
    from apteligent_async.cli.demo.cuts import Question
    from apteligent_async.cli.demo.recording import Recorder
    from apteligent_async.models.monitoring import Pie

__all__ = ["DemoRun"]

_ATTRIBUTES = (AppAttribute.APP_NAME, AppAttribute.APP_TYPE, AppAttribute.DAU)


@define(eq=False)
class DemoRun:
    """One run; the state is what was asked, what came, and when.

    Attributes:
        batch: the pies that were asked for, and those that wait.
        questions: what the answers are for; none before the apps are known.
        answers: the pies that the questions need, as they come.
        free_calls: requests that spend no budget.
    """

    _console: Console
    _listeners: Sequence[Callable[[Event], object]] = ()
    _is_quiet: bool = field(default=False, kw_only=True, alias="is_quiet")
    batch: Batch[Cut] = field(factory=Batch[Cut])
    questions: tuple[Question, ...] = ()
    answers: dict[Cut, Pie] = field(factory=dict)
    free_calls: int = 0
    _began_at: float = field(factory=time.monotonic)
    _ended_at: float = field(factory=time.monotonic)

    @property
    def stretch(self) -> Stretch:
        """From before the login to the last answer, on the clock that the simulator's quota runs on."""
        return Stretch(began_at=self._began_at, ended_at=self._ended_at)

    @property
    def exit_code(self) -> int:
        """0 if all pies came, 3 if some did, 1 if none did."""
        if not self.batch.failures:
            return 0
        return 3 if self.batch.done else 1

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why pies could not be had, the most frequent reason first."""
        counted = Counter(error.message for _, error in self.batch.failures)
        return tuple(printable(f"{times} x {message}") for message, times in counted.most_common())

    async def perform(self, url: str, recorder: Recorder) -> None:
        """Log in to the simulator and write down everything that it has to say.

        Raises:
            ApteligentError: it does not let us in.
            CannotWrite: the rows cannot be kept.
        """
        credentials = PasswordGrant(DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password)
        policy = RatePolicy(mode="exclusive", max_in_flight=WORKERS)
        self._began_at = time.monotonic()
        try:
            async with ApteligentClient(credentials, base_url=url, policy=policy, budget=MemoryBudget()) as client:
                for listener in self._listeners:
                    client.on_event(listener)
                await self._look_around(client)
                work = partial(run_batch, self.batch, partial(ask, client), self._keeping(recorder))
                with nullcontext(SILENT) if self._is_quiet else showing(self._console) as display:
                    await watched(client, self.batch, work, display=display)
        finally:
            self._ended_at = time.monotonic()

    async def _look_around(self, client: ApteligentClient) -> None:
        apps = await client.apps.list(_ATTRIBUTES)
        self._console.print(f"Logged in as {DEMO_ACCOUNT.username} with the password grant")
        self.free_calls += 1
        self._console.print(printable(f"Discovered {(await client.discover()).headline()}"))
        self.questions = questions_about(apps)
        self.batch.plan(plan_of(apps, self.questions))
        self._console.print(f"Found {len(apps)} apps: {self.batch.total} pies to pull, {WORKERS} at once\n")

    def _keeping(self, recorder: Recorder) -> Callable[[Cut, Pie], None]:
        wanted = {question.cut for question in self.questions}

        def keep(cut: Cut, pie: Pie) -> None:
            recorder.record(rows_of(cut, pie))
            if cut in wanted:
                self.answers[cut] = pie

        return keep
