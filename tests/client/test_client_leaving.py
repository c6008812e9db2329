"""Readers of pages that leave early, fail, or share an iterator: nothing is left behind."""

from __future__ import annotations

import asyncio

import anyio
import pytest
import trio
from counterparts import bare
from served import client_of, served
from tables import APP, ONCE, Table, body_of, client_at, hashes

from apteligent_async import (
    ServerError,
)


def tasks():
    """Count what runs."""
    try:
        return trio.lowlevel.current_statistics().tasks_living
    except RuntimeError:
        return len(asyncio.all_tasks())


async def leave_by_break(table):
    """Leave a loop early."""
    async for _ in table:
        break


async def leave_by_closing(table):
    """Close an iterator early, twice."""
    rows = aiter(table)
    await anext(rows)
    await rows.aclose()
    await rows.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(rows)


async def leave_after_some(table):
    """Leave with pages in hand that were fetched ahead."""
    pages = table.pages()
    await anext(pages)
    await anext(pages)
    await pages.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(pages)


async def leave_by_cancellation(table):
    """Be cancelled while pages are under way."""
    with anyio.move_on_after(1.5) as scope:
        async for _ in table:
            pass
    assert scope.cancelled_caught


@pytest.mark.anyio
@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("leave", [leave_by_break, leave_by_closing, leave_after_some, leave_by_cancellation])
async def test_leaving_early_leaves_nothing_behind(leave, prefetch):
    """No task, no call under way, no place in line: by break, by closing, by cancellation, with pages ahead or not."""
    recorder = served(up=1.0)
    async with client_of(recorder) as client:
        before = tasks()
        await leave(client.crashes.table(APP, prefetch=prefetch))
        assert tasks() == before
        assert recorder.in_flight == 0
        assert "0 calls" in repr(client)
        sent = len(recorder.sent)
        await anyio.sleep(600)
        assert len(recorder.sent) == sent
        snapshot = client.budget()
        assert snapshot.in_flight == 0


@pytest.mark.anyio
async def test_without_prefetch_no_task_is_started():
    """A page is fetched by the reader's own task."""
    seen = set()
    table = Table(body_of)
    table.script, script = lambda request, number: (seen.add(tasks()), script(request, number))[1], table.script
    before = tasks()
    assert len(await hashes(table)) == 6
    assert seen == {before}


@pytest.mark.anyio
@pytest.mark.parametrize("prefetch", [0, 1, 5])
async def test_a_page_that_fails_comes_after_those_before_it_and_can_be_asked_for_again(prefetch):
    """Rows before it are handed out first; asking on begins with the page that failed."""
    broken = [2]
    table = Table(body_of)
    plain = table.script

    def script(request, number):
        if table.number_of(request) in broken:
            return bare(500, body={})
        return plain(request, number)

    table.script = script
    async with client_at(table, retry=ONCE) as client:
        rows = aiter(client.crashes.table(APP, prefetch=prefetch))
        found = [(await anext(rows)).hash, (await anext(rows)).hash]
        with pytest.raises(ServerError) as raised:
            await anext(rows)
        assert raised.value.endpoint == "crashes.table"
        broken.clear()
        found += [row.hash async for row in rows]
    assert found == ["1-0", "1-1", "2-0", "2-1", "3-0", "3-1"]


@pytest.mark.anyio
async def test_tasks_may_share_an_iterator():
    """Each row goes to one of them, each page is asked for once."""
    table, found = Table(body_of), []
    async with client_at(table) as client:
        rows = aiter(client.crashes.table(APP, prefetch=1))

        async def work():
            async for row in rows:
                found.append(row.hash)
                await anyio.sleep(0.01)

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(work)
    assert sorted(found) == ["1-0", "1-1", "2-0", "2-1", "3-0", "3-1"]
    assert len(table.asked) == 3
