"""What the groups need of the client: somewhere to send a row of the table of endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from apteligent_async._options import CallOptions  # noqa: TC001  attrs shows them
from apteligent_async.client.answers import Answers  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from apteligent_async._wire.calls import Endpoint
    from apteligent_async._wire.messages import Request
    from apteligent_async.models.filters import FilterEncoder
    from apteligent_async.models.result import Part

__all__ = ["Caller"]

Found = TypeVar("Found", bound="Part")


@frozen(kw_only=True, repr=False)
class Caller:
    """Where calls go, and how they are made.

    Attributes:
        answers: where results come from.
        options: the priority, deadline and so on of every call.
        encode_filters: how filters are written in a query.
    """

    answers: Answers
    options: CallOptions
    encode_filters: FilterEncoder

    async def call(self, endpoint: Endpoint[Found], **arguments: Any) -> Found:
        """Make one call of the table; arguments that are None are left out.

        Raises:
            ConfigurationError: an argument cannot work, or an app lives on another site; no call was spent.
        """
        if isinstance(arguments.get("app_ids"), Iterator):
            arguments["app_ids"] = tuple(arguments["app_ids"])  # looked at twice
        request = self.request(endpoint, **arguments)
        for app_id in _app_ids(arguments):
            self.answers.session.require_site_of(app_id)
        return await self.send(endpoint, request)

    def page_fetcher(self, endpoint: Endpoint[Found], **arguments: Any) -> Callable[[int], Awaitable[Found]]:
        """Give what makes a call for the page of a number; the first is asked for without one, as clients did.

        Raises:
            ConfigurationError: an argument cannot work.
        """
        self.request(endpoint, **arguments)

        def fetch(number: int) -> Awaitable[Found]:
            return self.call(endpoint, page_num=None if number == 1 else number, **arguments)

        return fetch

    def request(self, endpoint: Endpoint[Any], **arguments: Any) -> Request:
        """Build the request of a call, and so check its arguments."""
        return endpoint.request(encode_filters=self.encode_filters, **arguments)

    async def send(self, endpoint: Endpoint[Found], request: Request) -> Found:
        """Send a request that was built already."""
        return await self.answers.call(endpoint, request, self.options)


def _app_ids(arguments: Mapping[str, Any]) -> Iterator[str]:
    for given in (arguments.get("app_id"), *(arguments.get("app_ids") or ())):
        if isinstance(given, str):
            yield given
