"""Lists that come in pages: every row once and in order, an end to everything, and nothing left behind."""

from __future__ import annotations

import itertools
import math

import anyio
import pytest
from counterparts import bare
from served import app, client_of, served
from tables import APP, Table, body_of, client_at, hashes

from apteligent_async import (
    ConfigurationError,
    NotFoundError,
    ResponseError,
)
from apteligent_async.client import paging


@pytest.mark.anyio
@pytest.mark.parametrize("prefetch", [0, 1, 2, 9])
async def test_the_first_page_is_asked_for_once_and_without_a_number(prefetch):
    """Then 2 and 3, up to the number of pages that the first one told."""
    table = Table(body_of)
    assert await hashes(table, prefetch) == ["1-0", "1-1", "2-0", "2-1", "3-0", "3-1"]
    assert sorted(table.asked, key=str) == ["2", "3", None]
    assert table.asked[0] is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "pages"),
    [
        (lambda number: {"data": {"errors": [{"hash": "a"}]}}, 1),
        (lambda number: {"data": {"errors": [{"hash": "a"}], "pagination": {}}}, 1),
        (lambda number: body_of(number, total=0), 1),
        (lambda number: body_of(number, total=-5), 1),
        (lambda number: body_of(number, total=6 - number), 3),
        (lambda number: body_of(number, total=number + 1 if number < 4 else 4), 4),
        (lambda number: body_of(number, total=10**12, rows=number < 5), 5),
        (lambda number: body_of(number, total=4) if number < 3 else body_of(2, total=2), 3),
        (lambda number: body_of(number, pageNum=None), 3),
    ],
)
async def test_a_count_of_pages_that_lies_ends_all_the_same(body, pages):
    """None, nothing, less than nothing, shrinking, growing, huge, moved: one call per page, and an end."""
    table = Table(body)
    rows = await hashes(table)
    assert len(set(rows)) == len(rows) >= 1
    assert len(table.asked) == pages


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "message", "calls"),
    [
        (lambda number: body_of(1), "sent page 1 when it was asked for page 2", 2),
        (lambda number: body_of(1, pageNum=None), "sent page 1 again for page 2", 2),
        (lambda number: body_of(number, total=number + 1), "after 6 pages", 6),
        (lambda number: body_of(number, total=10**9), "after 6 pages", 6),
    ],
)
@pytest.mark.parametrize("prefetch", [0, 1])
async def test_a_list_without_end_is_an_error(body, message, calls, prefetch, monkeypatch):
    """The same page over and over, or always one more: what was right is handed out, then a ResponseError."""
    monkeypatch.setattr(paging, "MOST_PAGES", 6)
    table = Table(body)
    rows = []
    async with client_at(table) as client:
        with pytest.raises(ResponseError, match=message):
            rows.extend([row.hash async for row in client.crashes.table(APP, prefetch=prefetch)])
        await anext(client.crashes.table(APP).pages())
    assert calls + 1 <= len(table.asked) <= calls + 1 + prefetch


@pytest.mark.anyio
async def test_prefetching_never_goes_beyond_the_most_pages(monkeypatch):
    """However many the service promises and the caller wants at once."""
    monkeypatch.setattr(paging, "MOST_PAGES", 6)
    table = Table(lambda number: body_of(number, total=10**9))
    with pytest.raises(ResponseError, match="after 6 pages"):
        await hashes(table, prefetch=50)
    assert len(table.asked) == 6


@pytest.mark.anyio
async def test_pages_are_results():
    """Each page has its rows, its number and its own exchange; two iterations ask twice."""
    recorder = served()
    async with client_of(recorder) as client:
        table = client.crashes.table(APP)
        first = [page async for page in table.pages()]
        again = [row async for row in table]
    assert [page.page_num for page in first] == list(range(1, first[0].total_pages + 1))
    assert all(page.http.status == 200 for page in first)
    assert [row for page in first for row in page] == again
    assert len(recorder.sent) == 2 * len(first)


@pytest.mark.anyio
async def test_prefetching_asks_at_once_and_keeps_the_order():
    """Pages that come back in any order are handed out in theirs, in fewer round trips."""
    delays = itertools.cycle([5.0, 1.0, 3.0, 2.0])
    slow, fast = served(up=lambda: next(delays)), served(up=1.0)
    ends = []
    for recorder, prefetch in ((slow, 4), (fast, 0)):
        async with client_of(recorder) as client:
            await client.apps.list()
            began_at = anyio.current_time()
            ends.append([row.hash async for row in client.crashes.table(APP, prefetch=prefetch)])
            recorder.took_s = anyio.current_time() - began_at
    assert ends[0] == ends[1]
    assert slow.most_in_flight > 1 == fast.most_in_flight
    assert len(slow.sent) == len(fast.sent)


@pytest.mark.anyio
async def test_prefetching_keeps_to_the_budget():
    """More pages ahead than the budget allows wait in line like any call: no call is refused."""
    recorder = served(limit=3, up=0.1, down=0.1)
    async with client_of(recorder) as client:
        assert len([row async for row in client.crashes.table(APP, prefetch=50)]) > 40
    log = recorder.service.quota().log
    assert len(log) == 5
    assert not any(entry.is_refused for entry in log)


def flows_of(number, following):
    """Write a page of userflows as the service does."""
    body = {"data": [{"name": f"flow {number}"}]}
    return body if following is None else {**body, "pagination": {"nextPage": following}}


@pytest.mark.anyio
@pytest.mark.parametrize("following", [[2, 3, 4], ["2", "3", "4"], [True, True, True], [9, 1, "http://x/?pageNum=4"]])
@pytest.mark.parametrize("ending", [None, 0, "", False])
async def test_userflows_are_read_until_no_page_follows(following, ending):
    """First without a number, then 2, 3, ...: whatever the service writes there, as long as it writes something."""
    stated = dict(enumerate([*following, ending], start=1))
    table = Table(lambda number: flows_of(number, stated[number]))
    async with client_at(table) as client:
        names = [flow.name async for flow in client.transactions.details(APP, "P1M")]
    assert names == ["flow 1", "flow 2", "flow 3", "flow 4"]
    assert table.asked == [None, "2", "3", "4"]


@pytest.mark.anyio
async def test_userflows_and_their_traces_are_complete():
    """All pages of the simulator, in its order, and the link of a userflow leads to the same traces as its name."""
    recorder = served()
    async with client_of(recorder) as client:
        by_three = [flow async for flow in client.transactions.details(APP, "P1M", page_size=3)]
        at_once = [flow async for flow in client.transactions.details(APP, "P1M", page_size=1000)]
        assert by_three == at_once
        assert {flow.name for flow in at_once} == set(app().userflows.by_name)
        flow = next(flow for flow in at_once if "&" in flow.name)
        named = [trace async for trace in client.transactions.traces(APP, flow.name, "P1M")]
        linked = [trace async for trace in client.transactions.traces(link=flow.link, period="P1M")]
        assert named == linked
        assert len(named) == 60
        outcomes = await client.transactions.group(APP, link=flow.link)
        assert outcomes == await client.transactions.group(APP, flow.name)
    pages = math.ceil(len(at_once) / 3)
    asked = [dict(query).get("pageNum") for *_, query in recorder.sent[:pages]]
    assert asked == [None, *map(str, range(2, pages + 1))]


@pytest.mark.anyio
async def test_a_userflow_s_link_must_be_one():
    """A link to something else, or with a name, or of another app than said, is refused."""
    link = f"/v2/transactions/{APP}/group/Login"
    recorder = served()
    async with client_of(recorder) as client:
        for arguments in (
            {"link": "/v2/apps"},
            {"link": link, "name": "Login"},
            {"link": link, "app_id": "other"},
            {"link": 7},
        ):
            with pytest.raises(ConfigurationError):
                await client.transactions.group(**arguments)
            with pytest.raises(ConfigurationError):
                client.transactions.traces(period="P1M", **arguments)
        assert await client.transactions.group(link=link)
    assert len(recorder.sent) == 1


@pytest.mark.anyio
async def test_a_page_beyond_the_end_that_is_not_found_is_an_error():
    """A count that promises pages which the service then denies is not glossed over."""
    table = Table(body_of)
    plain = table.script
    table.script = lambda request, number: (
        bare(404, body={}) if table.number_of(request) > 2 else plain(request, number)
    )
    with pytest.raises(NotFoundError):
        await hashes(table)
