"""What a pull is made of: rows, the units that are had or missing, and the calls that fill them.

A unit is one thing to be had: one question about one app for one window. Its rows belong together and are committed
together. A fetch is what the service is asked, once or page by page, for one unit or for several at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, cast

from attrs import define, field, frozen

from apteligent_async.models.choices import Unchecked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from datetime import date, datetime

    from apteligent_async.client import ApteligentClient
    from apteligent_async.models.days import DayLabels
    from apteligent_async.models.result import Number, Result

__all__ = ["Fetch", "Question", "Row", "RowReader", "Saving", "Unit"]


class Row(NamedTuple):
    """One cell of what was pulled; the columns and their order are stable.

    Attributes:
        app: the app id.
        metric: what was measured, in the service's word, such as ``crashes``.
        grouping: what `key` is, such as ``appVersion`` or ``hash``; None where there is one value for the app.
        key: the group, to join on; None as above.
        label: the group as shown to people; for a figure that is no number, its text.
        start: where the window begins: a day (``2016-12-12``, inclusive) in the app's own days, or an instant in ISO,
            with an offset where the service gives one; None where the service states no window.
        end: where it ends, exclusive, written like `start`.
        value: the number; None where the service sent none, or a text.
        query: the question it answers, which also names the convention of its days.
    """

    app: str
    metric: str
    grouping: str | None
    key: str | None
    label: str | None
    start: str | None
    end: str | None
    value: Number | None
    query: str


@frozen(kw_only=True)
class Question:
    """One call's worth of asking about one app, whenever it is asked.

    Attributes:
        endpoint: the call, such as ``error_monitoring.pie``.
        app: the app id.
        arguments: what the client's method is given besides the app, by name.
        day_labels: how days that the service does not date are read.
        top: how many groups of a pie are wanted, those of the highest values; None for all.
    """

    endpoint: str
    app: str
    arguments: tuple[tuple[str, Any], ...]
    day_labels: DayLabels
    top: int | None = None

    def argument(self, name: str) -> Any:
        """Give one argument; None if it is not given."""
        return dict(self.arguments).get(name)

    @cached_property
    def query(self) -> str:
        """The question as a text, the app left out: the same arguments make the same text, in any process."""
        given = "&".join(f"{name}={_text(value)}" for name, value in sorted(self.arguments))
        top = "" if self.top is None else f"&top={self.top}"
        return f"{self.endpoint}{'?' if given else ''}{given}#days={self.day_labels.value}{top}"


@frozen(kw_only=True)
class Unit:
    """One thing that must be had.

    Attributes:
        question: what is asked.
        day: the app's day that it is about; for what the service tells only of the present, the day of asking.
        settles_at: when its data are final: had after this instant, it is never asked for again.
        order: its place in the plan, from 0.
        age_days: how many days it lies before the newest day that its kind tells of.
        offset_hours: hours from GMT at which the app's days begin, east counted positive; None if nobody said.
        is_gone: whether the service no longer answers for it, so that it is a gap if it was not had in time.
        is_listing: whether the keys of its rows name what other units of the plan are about: `expand` wants them.
    """

    question: Question
    day: date
    settles_at: datetime
    order: int
    age_days: int = 0
    offset_hours: float | None = None
    is_gone: bool = False
    is_listing: bool = False

    @cached_property
    def key(self) -> str:
        """Its name in a ledger: the same for the same plan, app and day, in any process."""
        return f"{self.question.app}|{self.question.query}|{self.day.isoformat()}"

    @property
    def app(self) -> str:
        """The app id."""
        return self.question.app

    @property
    def endpoint(self) -> str:
        """The call that answers it, for reports by kind."""
        return self.question.endpoint

    def is_due(self, fetched_at: datetime | None, *, now: datetime, renewed_at: datetime | None = None) -> bool:
        """Whether to ask for it: it was never had, or before it settled and on an earlier day (UTC) than this.

        Args:
            fetched_at: when it was had; None if it was not. On the same clock as `now`.
            now: the instant that the plan was expanded at.
            renewed_at: in place of the day, the instant before which whatever has not settled is out of date.
        """
        if self.is_gone:
            return False
        if fetched_at is None:
            return True
        is_old = fetched_at.date() < now.date() if renewed_at is None else fetched_at < renewed_at
        return is_old and fetched_at < self.settles_at


@frozen(kw_only=True)
class Saving:
    """A way to ask less often, and the fact about the service that allows it.

    Attributes:
        name: its short name, as options spell it.
        fact: what must be true of the service.
        source: who attests the fact, and where.
        grade: how far it can be trusted, ``A`` to ``D``; C and D must be allowed by name.
    """

    name: str
    fact: str
    source: str
    grade: str


_ESCAPED = {ord(mark): f"%{ord(mark):02X}" for mark in "%&#|,"}

RowReader: TypeAlias = "Callable[[Any, tuple[Unit, ...]], Mapping[str, Iterable[Row]]]"
"""Reads an answer: the rows of each unit that it answers for, by the unit's key."""


@frozen(kw_only=True)
class Fetch:
    """One call, or one list of pages, and the units it fills.

    Attributes:
        endpoint: the client's method, such as ``crashes.table``.
        arguments: what the method is given.
        units: what it fills, in plan order.
        saving: why it may fill more than one question; None for a plain call.
        is_paged: whether it may take more calls than one.
    """

    endpoint: str
    arguments: Mapping[str, Any]
    units: tuple[Unit, ...]
    saving: Saving | None = None
    is_paged: bool = False
    _read: RowReader = field(repr=False, eq=False, alias="read")

    def answers(self, client: ApteligentClient) -> AsyncIterator[Result]:
        """Ask: one answer, or one per page. The units are had when the iteration has ended, and not before."""
        group, _, method = self.endpoint.partition(".")
        call = getattr(getattr(client, group), method)
        return call(**self.arguments).pages() if self.is_paged else _OneAnswer(lambda: call(**self.arguments))

    def rows_of(self, answer: Result) -> Mapping[str, Iterable[Row]]:
        """Give the rows of each unit by its key, in a stable order; those of several pages are to be put together.

        A unit that no answer of the fetch has a key for was not answered, which is not the same as empty: the service
        keeps other days than the plan thinks, or does not reach back that far.
        """
        return self._read(answer, self.units)


@define(eq=False, repr=False)
class _OneAnswer:
    """An iterator over a single answer: a plain object, so that nothing is left behind on cancellation."""

    _call: Callable[[], Any] | None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Result:
        call, self._call = self._call, None
        if call is None:
            raise StopAsyncIteration
        answer: Result = await call()
        return answer


def _text(value: Any) -> str:
    if isinstance(value, Unchecked):
        return _text(value.value)
    if isinstance(value, Mapping):
        named = cast("Mapping[str, Any]", value)
        return ",".join(f"{name}:{_text(named[name])}" for name in sorted(named))
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return ",".join(map(_text, items))
    return str(value).lower() if isinstance(value, bool) else str(value).translate(_ESCAPED)
