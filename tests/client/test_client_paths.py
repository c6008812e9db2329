"""Paths of calls: whatever a text holds, it stays one segment of its path or is refused."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from counterparts import Scripted, bare
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async import (
    ApteligentClient,
    ConfigurationError,
    NotFoundError,
    StaticToken,
)
from apteligent_async._wire.endpoints import ENDPOINTS

APP = "519d53101386202089000007"
BY_APP = [
    lambda c, text: c.crashes.summaries(text),
    lambda c, text: c.crashes.summaries(text, alternative_path=True),
    lambda c, text: c.exceptions.counts(text),
    lambda c, text: anext(c.crashes.table(text).pages()),
    lambda c, text: c.crashes.details(APP, text),
    lambda c, text: c.crashes.affected_users(APP, text),
    lambda c, text: c.trends.app(text),
    lambda c, text: c.live_stats.get(text),
    lambda c, text: c.transactions.group(APP, text),
    lambda c, text: anext(c.transactions.traces(APP, text, "P1M").pages()),
]
HOSTILE = ["../x", "a/b", "..", ".", "", " ", "%2e%2e", "a?b#c", "@host", "//host", "ключ", "\ud800", "a\r\nb", "\0", 7]


@pytest.mark.anyio
@pytest.mark.parametrize("call", BY_APP)
async def test_a_hostile_text_stays_one_segment_of_its_path(call):
    """An id, a hash or a name is refused, or encoded whole: it never becomes another path, query or host."""
    transport = Scripted(lambda request, number: bare(404, body={}))
    seen = []
    async with ApteligentClient(StaticToken("t"), base_url="http://127.0.0.1:9", transport=transport) as client:
        with pytest.raises(NotFoundError):
            await call(client, "plain")
        plain = transport.requests[0].url.raw_path.split(b"/")
        for text in HOSTILE:
            with pytest.raises((NotFoundError, ConfigurationError)) as raised:
                await call(client, text)
            seen += [text] * (raised.type is NotFoundError)
    assert {"", ".", "..", 7, "\ud800"} & set(seen) == set()
    assert {"../x", "a/b", "ключ"} <= set(seen)
    for text, request in zip(seen, transport.requests[1:], strict=True):
        parts = request.url.raw_path.split(b"/")
        assert (request.url.host, request.url.query) == ("127.0.0.1", b"")
        assert [unquote(part.decode()) for part in parts] == [
            text if part == b"plain" else unquote(part.decode()) for part in plain
        ]


@given(text=st.text(max_size=20))
def test_any_text_is_encoded_whole_or_refused(text):
    """Decoding the segment gives the text back, and there are as many segments as ever."""
    row = ENDPOINTS["crashes.details"]
    try:
        path = row.request(app_id=APP, hash=text).path
    except ConfigurationError:
        return
    assert path.count("/") == 4
    assert row.arguments_of(path) == {"app_id": APP, "hash": text}
