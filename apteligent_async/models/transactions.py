"""Userflows: what users set out to do, and how it ended (grade B: paths are attested, values are not)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from apteligent_async.models.frozen import EMPTY, FrozenMapping
from apteligent_async.models.quantities import parse_whole
from apteligent_async.models.result import Envelope, Listing, Number, Part, Result, Scalar
from apteligent_async.models.tables import Column, columns_of
from apteligent_async.models.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "Measure",
    "MetricChange",
    "RankedTransaction",
    "RankedTransactions",
    "TransactionGroup",
    "TransactionGroups",
    "TransactionOutcome",
    "TransactionOutcomes",
    "TransactionSummary",
    "TransactionTrace",
    "TransactionTraces",
    "TransactionUnit",
    "has_next_page",
    "next_page",
]


def next_page(envelope: Envelope | None) -> int | None:
    """Number of the page after this one; None on the last, or where the service does not say."""
    return parse_whole(_stated_next_page(envelope))


def has_next_page(envelope: Envelope | None) -> bool:
    """Whether a page follows: all that clients ever looked at was whether ``nextPage`` says anything."""
    return bool(_stated_next_page(envelope))


def _stated_next_page(envelope: Envelope | None) -> Any:
    pagination = envelope.pagination if envelope else None
    return cast("FrozenMapping[object]", pagination).get("nextPage") if isinstance(pagination, FrozenMapping) else None


@frozen(kw_only=True)
class MetricChange(Part):
    """One number and how it changed.

    Attributes:
        value: the number.
        change_pct: change against the period before, in percent.
    """

    value: Number | None = None
    change_pct: Number | None = None


@frozen(kw_only=True, repr=False)
class TransactionSummary(Result):
    """All userflows of an app together.

    Attributes:
        metrics: numbers by name, such as ``failed``.
    """

    metrics: FrozenMapping[MetricChange]

    def columns(self) -> tuple[Column, ...]:
        """Give one row per metric."""
        changes = self.metrics.values()
        return (
            Column(name="metric", kind="text", cells=list(self.metrics)),
            Column(name="value", kind="number", cells=[change.value for change in changes]),
            Column(name="change_pct", kind="number", cells=[change.change_pct for change in changes]),
        )

    def headline(self) -> str:
        """Name the metrics."""
        return "of " + ", ".join(self.metrics)


@frozen(kw_only=True)
class TransactionUnit(Part):
    """What a rate is measured in.

    Attributes:
        type: such as ``percent``.
    """

    type: str | None = None


@frozen(kw_only=True)
class RankedTransaction(Part):
    """A userflow and how often it fails.

    Attributes:
        name: its name: free text.
        failure_rate: how often it fails.
        unit: in which unit.
    """

    name: str
    failure_rate: Number | None = None
    unit: TransactionUnit | None = None


@frozen(kw_only=True, repr=False)
class RankedTransactions(Listing[RankedTransaction]):
    """The userflows that fail most."""

    def columns(self) -> tuple[Column, ...]:
        """Give one row per userflow."""
        return columns_of(self.items, name="text", failure_rate="number")


@frozen(kw_only=True)
class Measure(Part):
    """A number by itself.

    Attributes:
        value: the number; money in a unit that nobody knows.
    """

    value: Number | None = None


@frozen(kw_only=True)
class TransactionGroup(Part):
    """A userflow over a period.

    Attributes:
        name: its name: free text.
        link: where its group is told of, on an old host; the client rewrites it.
        series: measures by name: ``startedTransactions``, ``meanForegroundTime`` (seconds), ``failedTransactions``,
            ``failRate`` (percent), ``succeededTransactions``, ``failedMoneyValue``.
    """

    name: str
    link: str | None = None
    series: FrozenMapping[Measure | None] | None = None

    def value(self, measure: str) -> Number | None:
        """One measure's number; None where the service did not send it."""
        found = (self.series or EMPTY).get(measure)
        return found.value if found is not None else None


@frozen(kw_only=True, repr=False)
class TransactionGroups(Listing[TransactionGroup]):
    """One page of userflows."""

    @property
    def next_page(self) -> int | None:
        """Number of the page after this one; None on the last."""
        return next_page(self.envelope)

    @property
    def has_next_page(self) -> bool:
        """Whether a page follows, however the service says so."""
        return has_next_page(self.envelope)

    def columns(self) -> tuple[Column, ...]:
        """Give one row per userflow, one column per measure that any of them has."""
        measures = dict.fromkeys(measure for group in self.items for measure in group.series or ())
        return (
            Column(name="name", kind="text", cells=[group.name for group in self.items]),
            *(
                Column(name=measure, kind="number", cells=[group.value(measure) for group in self.items])
                for measure in measures
            ),
        )


@frozen(kw_only=True)
class TransactionOutcome(Part):
    """How often a userflow ended in one way.

    Attributes:
        count: how often.
        rate: in percent of all.
        money_value: what that was worth, in a unit that nobody knows.
        mean_duration: how long it took.
    """

    count: Measure | None = None
    rate: Measure | None = None
    money_value: Measure | None = None
    mean_duration: Measure | None = None


@frozen(kw_only=True, repr=False)
class TransactionOutcomes(Result):
    """How one userflow ended.

    Attributes:
        series: outcomes by name, such as ``failed``.
    """

    series: FrozenMapping[TransactionOutcome]

    def columns(self) -> tuple[Column, ...]:
        """Give one row per outcome."""
        measures = ("count", "rate", "money_value", "mean_duration")
        return (
            Column(name="outcome", kind="text", cells=list(self.series)),
            *(
                Column(
                    name=measure, kind="number", cells=[_value(outcome, measure) for outcome in self.series.values()]
                )
                for measure in measures
            ),
        )

    def headline(self) -> str:
        """Name the outcomes."""
        return "of " + ", ".join(self.series)


def _value(outcome: TransactionOutcome, measure: str) -> Number | None:
    found: Measure | None = getattr(outcome, measure)
    return found.value if found else None


@frozen(kw_only=True)
class TransactionTrace(Part):
    """One user's way through a userflow: personal data.

    Attributes:
        id: its name.
        username: the user, as the app named him.
        trace_ts_text: when, as sent; UTC.
        breadcrumb_count: how many things happened.
        foreground_seconds: how long the app was on the screen.
        app_version: version of the app.
        value_at_risk: what it was worth, in a unit that nobody knows.
        device: the device.
        os: its system.
        completion_state: how it ended, such as ``crashed`` or ``success``.
    """

    id: Scalar = None
    username: str | None = None
    trace_ts_text: str | None = None
    breadcrumb_count: Number | None = None
    foreground_seconds: Number | None = None
    app_version: str | None = None
    value_at_risk: Number | None = None
    device: str | None = None
    os: str | None = None
    completion_state: str | None = None

    @property
    def trace_ts(self) -> datetime | None:
        """When it was recorded."""
        return parse_time(self.trace_ts_text)


@frozen(kw_only=True, repr=False)
class TransactionTraces(Listing[TransactionTrace]):
    """One page of traces."""

    @property
    def next_page(self) -> int | None:
        """Number of the page after this one; None on the last."""
        return next_page(self.envelope)

    @property
    def has_next_page(self) -> bool:
        """Whether a page follows, however the service says so."""
        return has_next_page(self.envelope)

    def columns(self) -> tuple[Column, ...]:
        """Give one row per trace."""
        return columns_of(
            self.items,
            username="text",
            trace_ts="instant",
            breadcrumb_count="number",
            foreground_seconds="number",
            app_version="text",
            value_at_risk="number",
            device="text",
            os="text",
            completion_state="text",
        )
