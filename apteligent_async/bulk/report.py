"""What became of a pull: counts, causes, and a way to try again what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from apteligent_async._scheduling.journal import tells_of_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from apteligent_async._scheduling.signals import Event
    from apteligent_async.bulk.runner import Pull
    from apteligent_async.bulk.units import Unit
    from apteligent_async.errors import ApteligentError
    from apteligent_async.models.result import HttpExchange

__all__ = ["FailureCause", "PullReport", "Tally"]


@frozen(kw_only=True)
class FailureCause:
    """Why units could not be had.

    Attributes:
        name: the kind of error, such as ``NotFoundError``.
        example: the first such error.
        units: keys of the units that it kept from being had.
    """

    name: str
    example: ApteligentError
    units: tuple[str, ...]


@frozen(kw_only=True)
class PullReport:
    """How far a pull is, or what became of it.

    Attributes:
        units: units that the plan wants and the service can still answer for.
        ok: units that this run brought.
        skipped: units that were there already.
        failed: units that could not be had.
        causes: why, the most frequent first.
        retried: requests that were sent again.
        waited_s: seconds that all its calls together waited for the budget.
        calls: requests, tokens and retries included, of all that shares the client's budget in this process.
        rate_limited: answers of 429 among them.
        seconds: how long it has taken.
        drift: keys and values, by endpoint, that the service sent and this version does not know.
        gaps: keys of units that were wanted once, never had, and can be had no more.
        is_finished: whether everything was tried: not so while it runs, nor after it was left or cancelled.
    """

    units: int
    ok: int
    skipped: int
    failed: int
    causes: tuple[FailureCause, ...]
    retried: int
    waited_s: float
    calls: int
    rate_limited: int
    seconds: float
    drift: Mapping[str, Mapping[str, int]] = field(repr=False)
    gaps: tuple[str, ...]
    is_finished: bool
    _again: Callable[[], Pull] = field(repr=False, eq=False, alias="again")

    @property
    def is_complete(self) -> bool:
        """Whether every unit is there; gaps are none any more."""
        return self.is_finished and not self.failed

    def retry(self) -> Pull:
        """Give a pull that asks for what is missing, and for nothing else."""
        return self._again()


@define(eq=False, kw_only=True)
class Tally:
    """The counts of a running pull, which are its state; see `PullReport` for what they mean.

    Attributes:
        errors: those of the calls that failed, each once.
    """

    units: int = 0
    ok: int = 0
    skipped: int = 0
    failed: int = 0
    retried: int = 0
    waited_s: float = 0.0
    calls: int = 0
    rate_limited: int = 0
    gaps: Sequence[str] = ()
    errors: list[ApteligentError] = field(factory=list, init=False)
    _causes: dict[str, tuple[ApteligentError, list[str]]] = field(factory=dict, init=False)

    def note_event(self, event: Event) -> None:
        """Count what happens in the line."""
        if tells_of_request(event):
            self.calls += 1
            self.rate_limited += event.detail["outcome"] == "limited"

    def note_answer(self, exchange: HttpExchange | None) -> None:
        """Count one answer's waits and repetitions."""
        if exchange is not None:
            self.waited_s += exchange.timeline.waited_s
            self.retried += exchange.timeline.attempts - 1

    def note_failure(self, units: Sequence[Unit], error: ApteligentError) -> None:
        """Count units that one error kept from being had."""
        if error not in self.errors[-1:]:
            self.errors.append(error)
        self.failed += len(units)
        _, keys = self._causes.setdefault(type(error).__name__, (error, []))
        keys += [unit.key for unit in units]

    def note_attempts(self, error: ApteligentError) -> None:
        """Count what a call that failed cost."""
        self.waited_s += error.waited
        self.retried += max(error.attempts - 1, 0)

    @property
    def causes(self) -> tuple[FailureCause, ...]:
        """Why units could not be had, the most frequent cause first."""
        causes = (
            FailureCause(name=name, example=error, units=tuple(keys)) for name, (error, keys) in self._causes.items()
        )
        return tuple(sorted(causes, key=lambda cause: -len(cause.units)))
