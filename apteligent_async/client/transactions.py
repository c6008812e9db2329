"""Userflows: what users set out to do, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from attrs import frozen

from apteligent_async._wire import endpoints
from apteligent_async.client.caller import Caller  # noqa: TC001  attrs shows it
from apteligent_async.client.paging import Paged, Place
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import timedelta

    from apteligent_async.models.choices import Unchecked
    from apteligent_async.models.transactions import (
        RankedTransactions,
        TransactionGroup,
        TransactionGroups,
        TransactionOutcomes,
        TransactionSummary,
        TransactionTrace,
        TransactionTraces,
    )

__all__ = ["Transactions"]


@frozen(repr=False)
class Transactions:
    """Userflows: ``client.transactions``.

    Rates are percent from 0 to 100, times on the screen are seconds, and money is in a unit that nobody knows. Answers
    were never captured: paths are grade B, values less. Periods are ISO durations such as ``P1M`` or ``PT15M``, or
    timedeltas.
    """

    _caller: Caller

    async def summary(self, app_id: str) -> TransactionSummary:
        """Sum up all userflows of an app, with the change against the period before (grade B: the Splunk integration).

        Path: ``GET /v2/transactions/{app_id}/summary/``.

        Args:
            app_id: the app.

        Raises:
            ConfigurationError: the id cannot work; no call was spent.
        """
        return await self._caller.call(endpoints.TRANSACTIONS_SUMMARY, app_id=app_id)

    async def ranked(self, app_id: str, category: str = "failed") -> RankedTransactions:
        """Rank userflows by how often they fail (grade B: the Splunk integration).

        Path: ``GET /v2/transactions/{app_id}/ranked/{category}/``.

        Args:
            app_id: the app.
            category: ``failed``; others, such as ``succeeded``, are guesses (grade D).

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
        """
        return await self._caller.call(endpoints.TRANSACTIONS_RANKED, app_id=app_id, category=category)

    def details(
        self,
        app_id: str,
        period: str | timedelta | Unchecked,
        *,
        page_size: int | None = None,
        sort_by: str | Unchecked | None = None,
        sort_order: str | Unchecked | None = None,
    ) -> Paged[TransactionGroup, TransactionGroups]:
        """List an app's userflows with their figures, page by page (grade B: both integrations).

        Path: ``GET /v2/transactions/{app_id}/details/change/{period}``. Iterate over what this gives for userflows, or
        over its ``pages()``. Each page tells only whether another follows, so none can be asked for ahead.

        Args:
            app_id: the app.
            period: how far to look back.
            page_size: userflows to a page; 10 and, by a third party, 1000 were seen in use.
            sort_by: ``name`` is the only value that was ever seen.
            sort_order: ``ascending`` is the only value that was ever seen.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
            ResponseError: on the way: the pages cannot be right.
        """
        fetch = self._caller.page_fetcher(
            endpoints.TRANSACTIONS_DETAILS,
            app_id=app_id,
            period=period,
            page_size=page_size,
            sort_by=sort_by,
            sort_order=sort_order,
        )
        return Paged(fetch, _place)

    @overload
    async def group(self, app_id: str, name: str) -> TransactionOutcomes: ...
    @overload
    async def group(self, app_id: str | None = None, *, link: str) -> TransactionOutcomes: ...
    async def group(
        self, app_id: str | None = None, name: str | None = None, *, link: str | None = None
    ) -> TransactionOutcomes:
        """Tell how one userflow ended, and how often (grade B: the Splunk integration).

        Path: ``GET /v2/transactions/{app_id}/group/{name}``.

        Args:
            app_id: the app.
            name: the userflow's name: free text, encoded whole.
            link: a userflow's ``link``, in place of its name; links to the service's old host are understood.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
            UnsafeLinkError: the link leads elsewhere; no call was spent.
        """
        app_id, name = self._flow(app_id, name, link)
        return await self._caller.call(endpoints.TRANSACTIONS_GROUP, app_id=app_id, name=name)

    @overload
    def traces(
        self, app_id: str, name: str, period: str | timedelta | Unchecked
    ) -> Paged[TransactionTrace, TransactionTraces]: ...
    @overload
    def traces(
        self, app_id: str | None = None, *, link: str, period: str | timedelta | Unchecked
    ) -> Paged[TransactionTrace, TransactionTraces]: ...
    def traces(
        self,
        app_id: str | None = None,
        name: str | None = None,
        period: str | timedelta | Unchecked | None = None,
        *,
        link: str | None = None,
    ) -> Paged[TransactionTrace, TransactionTraces]:
        """List single ways through a userflow, page by page: personal data (grade B: the New Relic integration).

        Path: ``GET /v2/transactions/{app_id}/group/{name}/traces/{period}``. Iterate over what this gives for traces,
        or over its ``pages()``.

        Args:
            app_id: the app.
            name: the userflow's name: free text, encoded whole.
            period: how far to look back.
            link: a userflow's ``link``, in place of its name; links to the service's old host are understood. The
                client must be open to tell where a link may lead.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
            UnsafeLinkError: the link leads elsewhere; no call was spent.
            ResponseError: on the way: the pages cannot be right.
        """
        app_id, name = self._flow(app_id, name, link)
        fetch = self._caller.page_fetcher(endpoints.TRANSACTIONS_TRACES, app_id=app_id, name=name, period=period)
        return Paged(fetch, _place)

    def _flow(self, app_id: str | None, name: str | None, link: str | None) -> tuple[str | None, str | None]:
        """Give a userflow's app and name, read off its link if there is one."""
        if link is None:
            return app_id, name
        path, _ = self._caller.answers.session.link_target(link)
        found = endpoints.TRANSACTIONS_GROUP.arguments_of(path)
        if found is None:
            raise ConfigurationError("The link does not lead to a userflow; take one from transactions.details().")
        if name is not None or app_id not in {None, found["app_id"]}:
            raise ConfigurationError("A link says which app and which userflow it is: give no name, and no other app.")
        return found["app_id"], found["name"]


def _place(page: TransactionGroups | TransactionTraces, asked: int) -> Place:
    return Place(number=asked, last=asked + 1 if page.has_next_page else asked)
