"""Tables of errors that come in pages, and a client that reads them."""

from __future__ import annotations

from counterparts import Scripted, bare
from served import app

from apteligent_async import (
    ApteligentClient,
    RetryPolicy,
    StaticToken,
)

APP = app().profile.id
ONCE = RetryPolicy(max_attempts=1)


def body_of(number, *, rows=2, total=3, **pagination):
    """Write a page of the table as the service does."""
    errors = [{"hash": f"{number}-{row}"} for row in range(rows)]
    stated = {"pageNum": number, "totalPages": total, **pagination}
    return {
        "data": {"errors": errors, "pagination": {key: value for key, value in stated.items() if value is not None}}
    }


class Table(Scripted):
    """A service that answers each page with what a function makes of its number."""

    def __init__(self, body, **options):
        super().__init__(lambda request, number: bare(body=body(self.number_of(request)), **options))

    @staticmethod
    def number_of(request):
        """Read which page is asked for."""
        return int(request.url.params.get("pageNum", "1"))

    @property
    def asked(self):
        """Give the numbers that were asked for, None where none was named."""
        return [request.url.params.get("pageNum") for request in self.requests]


def client_at(transport, **options):
    """Make a client of any transport."""
    return ApteligentClient(StaticToken("t"), base_url="http://127.0.0.1:9", transport=transport, **options)


async def hashes(transport, prefetch=0):
    """Read a whole table."""
    async with client_at(transport) as client:
        return [row.hash async for row in client.crashes.table(APP, prefetch=prefetch)]
