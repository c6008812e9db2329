"""Lists that come in pages, without a client: any sequence of pages is read once, in order, and to an end."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apteligent_async.client.paging import Paged, Place
from apteligent_async.models.error_groups import ErrorPage, ErrorRow


def page_of(number, rows):
    """Make a page of so many rows, unlike any other page."""
    return ErrorPage(items=tuple(ErrorRow(hash=f"{number}-{row}") for row in range(rows)))


class Shelf:
    """Pages by number, each with what it says of the last; what is beyond is empty. It notes who asked for what."""

    def __init__(self, pages):
        self.pages = pages
        self.asked = []

    async def fetch(self, number):
        """Give one page."""
        self.asked.append(number)
        await anyio.lowlevel.checkpoint()
        rows, _ = self.pages.get(number, (0, 0))
        return page_of(number, rows)

    def place(self, page, asked):
        """Say what the page says of itself."""
        _, last = self.pages.get(asked, (0, 0))
        return Place(number=asked, last=last)

    def paged(self, prefetch=0):
        """Make the list."""
        return Paged(self.fetch, self.place, prefetch=prefetch)


def rows_told(pages):
    """Say which rows a patient reader gets: pages in turn, until one is empty or counts itself as the last."""
    rows, number = [], 1
    while True:
        count, last = pages.get(number, (0, 0))
        rows += [f"{number}-{row}" for row in range(count)]
        if not count or last <= number:
            return rows, number
        number += 1


LAST = st.one_of(st.integers(0, 12), st.sampled_from([-1, 10**9]))
SHELVES = st.lists(st.tuples(st.integers(0, 3), LAST), max_size=12).map(lambda pages: dict(enumerate(pages, start=1)))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=150, deadline=None)
@given(pages=SHELVES, prefetch=st.integers(0, 4))
def test_any_sequence_of_pages_is_read_once_in_order_and_to_an_end(backend, pages, prefetch):
    """Whatever each page says of the last, grown, shrunk, none or absurd: prefetching changes nothing but the speed."""
    shelf = Shelf(pages)
    expected, last = rows_told(pages)

    async def read():
        return [row.hash async for row in shelf.paged(prefetch)]

    assert anyio.run(read, backend=backend) == expected
    assert sorted(set(shelf.asked)) == sorted(shelf.asked)
    assert shelf.asked[0] == 1
    assert last <= max(shelf.asked) <= last + prefetch


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(1, 4), min_size=1, max_size=10), prefetch=st.integers(0, 5), stop=st.integers(0, 40))
def test_reading_stops_within_its_prefetch(backend, counts, prefetch, stop):
    """Whoever leaves after some rows has asked for the pages up to there, and for no more than `prefetch` beyond."""
    shelf = Shelf({number: (rows, len(counts)) for number, rows in enumerate(counts, start=1)})

    async def read():
        rows = []
        async for row in shelf.paged(prefetch):
            rows.append(row.hash)
            if len(rows) > stop:
                break
        return rows

    rows = anyio.run(read, backend=backend)
    assert rows == rows_told(shelf.pages)[0][: stop + 1]
    reached = int(rows[-1].split("-")[0])
    assert reached <= max(shelf.asked) <= min(reached + prefetch, len(counts))
