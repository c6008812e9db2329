"""What a run cost, measured at both ends: how long it took here, what the service counted there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from apteligent_async.simulator import Quota

__all__ = ["Figures", "Stretch", "sentences"]


@frozen(kw_only=True)
class Stretch:
    """The time of a run, on the clock of the service's quota: before the login, and after the last answer."""

    began_at: float
    ended_at: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.began_at


@frozen(kw_only=True)
class Figures:
    """The figures of one run.

    Attributes:
        calls: requests sent, those for the token, for discovery and repeated ones included.
        failed: pies that could not be had.
        seconds: from before the login to the last answer.
        bound_seconds: how soon a client that knows the budget's future could be done with as many calls; None for a
            run that was interrupted, where as many calls mean nothing.
        rate_limited: answers of 429.
        utilisation: `bound_seconds` as a part of `seconds`, None without it.
        output: the folder of the files.
    """

    calls: int
    failed: int
    seconds: float
    bound_seconds: float | None
    rate_limited: int
    utilisation: float | None
    output: str

    @classmethod
    def of(
        cls, quota: Quota, stretch: Stretch, *, free_calls: int, bound_s: float | None, failed: int, output: str
    ) -> Figures:
        """Add up a run.

        Args:
            quota: the service's books, which hold every request but the free ones.
            stretch: when the run was.
            free_calls: requests that the quota does not count.
            bound_s: the least time for as many calls, None for a run that was interrupted.
            failed: pies that could not be had.
            output: the folder of the files.
        """
        return cls(
            calls=len(quota.log) + free_calls,
            failed=failed,
            seconds=round(stretch.seconds, 3),
            bound_seconds=None if bound_s is None else round(bound_s, 3),
            rate_limited=sum(entry.is_refused for entry in quota.log),
            utilisation=None if bound_s is None else round(bound_s / stretch.seconds, 4),
            output=output,
        )


def sentences(figures: Figures, *, rows: int) -> tuple[str, ...]:
    """Say the figures to people, a line each; those that are None are left out."""
    pace = f"{figures.calls} calls in {figures.seconds:.1f} s"
    return (
        f"{pace}." if figures.utilisation is None else f"{pace}, utilisation {figures.utilisation:.1%}.",
        *_of_bound(figures.bound_seconds),
        f"429s: {figures.rate_limited}. Failed: {figures.failed}.",
        f"{rows:,} rows in each of",
        f"  {figures.output}/metrics.jsonl",
        f"  {figures.output}/metrics.csv",
    )


def _of_bound(bound_s: float | None) -> tuple[str, ...]:
    return () if bound_s is None else (f"Lower bound for so many calls on this budget: {bound_s:.1f} s.",)
