"""Lists that come in pages: asked for one after the other, or some ahead, whatever the service says of their number.

What the service states of a list's length cannot be trusted to end. So an empty page ends a list, and so does a page
that the service itself counts as beyond the last; a page other than the one that was asked for, a page that repeats
the one before, and a number of pages that nobody can mean are errors, not endless loops.

Iterators are plain objects, not generators: nothing runs between two pages, so nothing is left behind when a loop
ends early, on trio as on asyncio.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import anyio
from attrs import define, field, frozen

from apteligent_async.errors import ApteligentError, ConfigurationError, ResponseError
from apteligent_async.models.result import Listing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Items", "Paged", "Pages", "Place"]

MOST_PAGES = 10_000
"""Eight hours of nothing else at the documented rate, and far above any list that was ever seen."""

Item = TypeVar("Item")
Page = TypeVar("Page", bound=Listing[Any])


@frozen(kw_only=True)
class Place:
    """Where a page stands, as the service tells it.

    Attributes:
        number: its own number, from 1.
        last: number of the last page that is known to exist.
    """

    number: int
    last: int


@frozen(kw_only=True)
class _Source(Generic[Page]):
    """Where pages come from.

    Attributes:
        fetch: asks for the page of a number.
        place: reads where a page stands, given the number that was asked for.
        prefetch: how many pages to ask for ahead.
    """

    fetch: Callable[[int], Awaitable[Page]]
    place: Callable[[Page, int], Place]
    prefetch: int


class Paged(Generic[Item, Page]):
    """A list that comes in pages: ``async for`` gives its items in order, `pages` its pages with all they hold.

    Making one sends nothing. Every iteration begins at the first page, and asks for each page once.
    """

    def __init__(
        self, fetch: Callable[[int], Awaitable[Page]], place: Callable[[Page, int], Place], *, prefetch: int = 0
    ) -> None:
        if isinstance(prefetch, bool) or not isinstance(cast("object", prefetch), int) or prefetch < 0:
            raise ConfigurationError(f"prefetch must be a number of pages, 0 or more, not {prefetch!r}.")
        self._source = _Source(fetch=fetch, place=place, prefetch=prefetch)

    def __aiter__(self) -> Items[Item, Page]:
        return Items(self.pages())

    def pages(self) -> Pages[Page]:
        """Iterate over the pages, each a result with ``.http`` and ``.to_rows()``."""
        return Pages(self._source)


@define(eq=False, repr=False)
class Pages(Generic[Page]):
    """An iterator over pages. Its state: which page comes next, which is the last known, what was fetched ahead.

    Where a page fails, asking again begins with that page. Tasks may share an iterator: each page goes to one of them.
    """

    _source: _Source[Page]
    _number: int = field(default=1, init=False)
    _last: int = field(default=1, init=False)
    _before: Page | None = field(default=None, init=False)
    _ahead: deque[Page | ApteligentError] = field(factory=deque, init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page:
        async with self._turn:
            if self._number > self._last:
                raise StopAsyncIteration
            if not self._ahead:
                self._ahead = await self._fetched()
            try:
                return self._accepted(self._ahead.popleft())
            except ApteligentError:
                self._ahead.clear()
                raise

    async def aclose(self) -> None:
        """End the iteration; twice does no harm."""
        self._last = 0
        self._ahead.clear()

    async def _fetched(self) -> deque[Page | ApteligentError]:
        """Fetch the next page and those ahead of it at once; all have come when the first is handed out."""
        if self._number > MOST_PAGES:
            raise ResponseError(f"The service goes on after {MOST_PAGES} pages; its count cannot be right.")
        until = min(self._number + self._source.prefetch, self._last, MOST_PAGES)
        found: dict[int, Page | ApteligentError] = {}

        async def fetch(number: int) -> None:
            try:
                found[number] = await self._source.fetch(number)
            except ApteligentError as error:
                found[number] = error

        if until == self._number:
            await fetch(until)
        else:
            async with anyio.create_task_group() as group:
                for number in range(self._number, until + 1):
                    group.start_soon(fetch, number)
        return deque(found[number] for number in sorted(found))

    def _accepted(self, page: Page | ApteligentError) -> Page:
        if isinstance(page, ApteligentError):
            raise page
        place = self._source.place(page, self._number)
        if place.number != self._number:
            if place.last >= self._number:
                raise ResponseError(f"The service sent page {place.number} when it was asked for page {self._number}.")
            self._last = 0
            raise StopAsyncIteration
        if page.items and self._before is not None and page.items == self._before.items:
            raise ResponseError(f"The service sent page {self._number - 1} again for page {self._number}.")
        self._before, self._number = page, self._number + 1
        self._last = place.last if page.items else 0
        return page


@define(eq=False, repr=False)
class Items(Generic[Item, Page]):
    """An iterator over the items of pages. Its state: what is left of the present page."""

    _pages: Pages[Page]
    _left: deque[Item] = field(factory=deque, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        while not self._left:
            self._left.extend(await anext(self._pages))
        return self._left.popleft()

    async def aclose(self) -> None:
        """End the iteration; twice does no harm."""
        self._left.clear()
        await self._pages.aclose()
