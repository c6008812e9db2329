"""The client itself: its life, its options, and the calls that belong to no family."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve

from apteligent_async._options import CallOptions
from apteligent_async._scheduling.policy import RatePolicy, RetryPolicy
from apteligent_async._session import Session
from apteligent_async._settings import Settings
from apteligent_async._wire import endpoints
from apteligent_async._wire.secret import hides
from apteligent_async.client.answers import Answers
from apteligent_async.client.apps import AppDirectory
from apteligent_async.client.caller import Caller
from apteligent_async.client.crashes import Crashes, Exceptions
from apteligent_async.client.error_monitoring import ErrorMonitoring
from apteligent_async.client.live_stats import LiveStatistics
from apteligent_async.client.performance_management import PerformanceManagement
from apteligent_async.client.raw import link_request, raw_endpoint, raw_request
from apteligent_async.client.transactions import Transactions
from apteligent_async.client.trends import AppTrends
from apteligent_async.models.filters import bracketed_filters

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Mapping
    from os import PathLike

    import httpx

    from apteligent_async._auth import Credentials
    from apteligent_async._budgets import Budget
    from apteligent_async._cache import CacheMode, CacheStore
    from apteligent_async._scheduling.forecast import BudgetSnapshot
    from apteligent_async._scheduling.signals import Event, Priority
    from apteligent_async.bulk.plan import Plan
    from apteligent_async.bulk.runner import Pull
    from apteligent_async.models.access import Discovery, Token, Untyped
    from apteligent_async.models.filters import FilterEncoder
    from apteligent_async.models.region import Region
    from apteligent_async.models.result import Result

__all__ = ["ApteligentClient"]


@hides("base_url", "proxy")
class ApteligentClient:
    """A client of the Apteligent REST API v2: any number of concurrent calls, never more than the rate budget allows.

    Making one does no I/O; entering it (``async with``, or `open` and `aclose`) reads the environment and prepares
    the connections. It belongs to the event loop it was entered on.

    Args:
        credentials: `PasswordGrant` or `StaticToken`; without, ``APTELIGENT_TOKEN`` (with ``APTELIGENT_CLIENT_ID`` if
            its budget is to be shared), else ``APTELIGENT_CLIENT_ID``, ``APTELIGENT_USERNAME`` and
            ``APTELIGENT_PASSWORD``.
        region: the service's site; without, ``APTELIGENT_REGION``, else the US.
        base_url: another origin, without ``/v2``, in place of a region; without, ``APTELIGENT_BASE_URL``.
        policy: how the rate budget is spent; see `RatePolicy`.
        budget: whom it is shared with: a `SQLiteBudget` shares it with other processes, a `RedisBudget` with other
            hosts; without, ``APTELIGENT_BUDGET``, such as ``sqlite:////var/tmp/budget.db`` or ``redis://host:6379``,
            else all clients of the same client id in this process share one.
        cache: where answers are kept and identical calls in flight are joined: `MemoryCache`, `SQLiteCache`, or any
            other `CacheStore`; None keeps nothing and joins nothing.
        retry: when failed calls are sent again; see `RetryPolicy`.
        timeout: seconds for each attempt, connecting (at most 10 s) included; None for no bound.
        transport: any httpx transport, in place of our pool of connections; the client closes it.
        http_client: a whole `httpx.AsyncClient`, in place of our own; it stays yours to close.
        proxy: a proxy's URL; without, ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` count. Loopback
            never goes through one.
        ssl_context: in place of the default one, which honours ``SSL_CERT_FILE``.
        headers: further headers for every request.
        source: the caller's tag, sent as ``CR-source`` (grade B).
        encode_filters: how filters are written in a query. The default, ``filters[appVersion]=2.0``, is a guess
            (grade D); `flat_filters` and `json_filters` are the other candidates.

    Raises:
        ConfigurationError: an option is of a wrong type or not possible; or, on entering, something is missing or
            cannot work. The message says what to do.
        ClientStateError: entered twice.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        region: Region | str | None = None,
        base_url: str | None = None,
        policy: RatePolicy | None = None,
        budget: Budget | None = None,
        cache: CacheStore | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | None = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
        source: str | None = None,
        encode_filters: FilterEncoder = bracketed_filters,
    ) -> None:
        settings = Settings(
            credentials=credentials,
            region=region,
            base_url=base_url,
            policy=policy,
            budget=budget,
            transport=transport,
            http_client=http_client,
            proxy=proxy,
            ssl_context=ssl_context,
            headers=headers,
            source=source,
        )
        options = CallOptions(timeout=timeout, retry=RetryPolicy() if retry is None else retry)
        self._most_in_flight = (policy or RatePolicy()).max_in_flight
        self._session = Session(settings, options)
        self._answers = Answers(self._session, cache)
        self._caller = Caller(answers=self._answers, options=options, encode_filters=encode_filters)

    async def __aenter__(self) -> Self:
        await self._answers.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._answers.aclose()

    def __repr__(self) -> str:
        is_made = hasattr(self, "_session")  # a traceback may show one whose constructor has refused its arguments
        return f"<ApteligentClient, {self._session.status if is_made else 'not made'}>"

    async def open(self) -> None:
        """Enter without ``async with``, as in a notebook; see the class for what is raised."""
        await self._answers.open()

    async def aclose(self) -> None:
        """Leave: waiting calls fail with `ClientStateError` at once, connections are closed; twice does no harm."""
        await self._answers.aclose()

    def with_options(
        self,
        *,
        priority: Priority | str | None = None,
        deadline: float | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        cache: CacheMode | str | None = None,
    ) -> ApteligentClient:
        """Give a cheap view of this client whose calls differ; what is None stays as it is here.

        Args:
            priority: ``interactive`` or ``bulk``: bulk calls of a budget wait behind interactive ones.
            deadline: seconds for a whole call, waiting and retries included. A call that cannot make it fails at
                once with `DeadlineExceeded`.
            timeout: seconds for each attempt.
            retry: when failed calls are sent again.
            cache: ``use`` what is kept, ``refresh`` it, or ``bypass`` the client's cache altogether.

        Raises:
            ConfigurationError: an option is not possible.
        """
        view = copy(self)
        options = self._caller.options.changed(
            priority=priority, deadline=deadline, timeout=timeout, retry=retry, cache=cache
        )
        view._caller = evolve(self._caller, options=options)  # noqa: SLF001  a copy of ourselves
        return view

    def budget(self) -> BudgetSnapshot:
        """Describe the rate budget as known now; costs no call."""
        return self._session.snapshot()

    async def refreshed_budget(self) -> BudgetSnapshot:
        """Describe the rate budget after asking the file or the server that it is shared by; costs no call.

        `budget` tells what this client heard at its own last call; others may have spent since.

        Raises:
            ConfigurationError: the file or the server cannot be used.
        """
        return await self._session.look()

    @property
    def account(self) -> str:
        """A digest that tells whose answers these are, by origin and credentials, without giving them away.

        Raises:
            ClientStateError: the client has not been entered.
        """
        return self._session.account

    def on_event(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Watch the line of this client's budget, other clients of the same budget included.

        Args:
            listener: called with each `Event` at its instant; it must be quick, and what it raises is logged.

        Returns:
            A function that ends the watching.
        """
        return self._session.subscribe(listener)

    def pull(
        self,
        plan: Plan,
        *,
        ledger: str | PathLike[str] | None = None,
        concurrency: int | None = None,
        allow: Collection[str] | None = None,
        strict: bool = False,
    ) -> Pull:
        """Pull everything that a plan wants and that is not there yet, behind interactive calls and past any cache.

            async for result in client.pull(plan, ledger="pull.sqlite"):
                ...

        Args:
            plan: what is wanted.
            ledger: the file that remembers what was had, and its rows. A run that died is taken up where it ended, one
                that is finished costs no call on the same day, and on later days adds what is new and repeats what was
                not final. It belongs to one account. Without, nothing is kept.
            concurrency: calls at once; by default as many as the policy lets be under way.
            allow: names of the savings to use; by default those that rest on facts of grade A or B.
            strict: raise an `ExceptionGroup` at the end if anything failed.

        Raises:
            ConfigurationError: `concurrency` is no whole number above 0.
        """
        from apteligent_async.bulk.runner import new_pull  # noqa: PLC0415  SQLite is for those who pull

        workers = self._most_in_flight if concurrency is None else concurrency
        view = self.with_options(priority="bulk", cache="bypass")
        return new_pull(view, plan, ledger=ledger, concurrency=workers, allow=allow, is_strict=strict)

    def drift(self) -> Mapping[str, Mapping[str, int]]:
        """Count, by endpoint, the keys and values that the service sent and this version does not know."""
        return self._session.drift.report()

    async def discover(self) -> Discovery:
        """Read what the service says of itself (grade C for v1: a third party; D for v2); no token, and no budget.

        Path: ``GET /allyourbase``. Nothing relies on the answer.
        """
        return await self._caller.call(endpoints.DISCOVER)

    async def token(self) -> Token:
        """Give the token that calls are sent with, fetched if there is none or it is at its end.

        Path, where it is fetched: ``POST /v2/token`` (grade A: the introductory page's trace; the mobile app).

        Returns:
            The token: its repr hides the secret, ``access_token`` is it. ``expires_in`` is the seconds it has left now;
            None for a pasted token, whose end nobody knows.

        Raises:
            AuthenticationError: the service refused the credentials.
        """
        return await self._session.token(self._caller.options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        repeatable: bool | None = None,
    ) -> Untyped:
        """Make a call that has no method here, in the same line and with the same token (grade D: the caller's).

        Args:
            method: the HTTP verb.
            path: an absolute path on the service, version included, such as ``/v2/apps``; its segments may be
                percent-encoded or not.
            params: the query: texts, numbers, True or False, dates, times, lists for repeated names; None is left out.
            json: what to send as JSON; None sends no body.
            repeatable: whether sending it twice does no harm; by default only GET and HEAD are.

        Returns:
            The answer without a model: ``.body``, ``.data`` and ``.http``.

        Raises:
            ConfigurationError: an argument cannot work; no call was spent.
            UnsafeLinkError: the path is none, but an address or what could pass for one; no call was spent.
        """
        endpoint = raw_endpoint(method, is_repeatable=repeatable)
        return await self._caller.send(endpoint, raw_request(endpoint, path, params=params, json=json))

    async def follow(self, link: str) -> Result:
        """Ask for what a link of the service leads to (links of trends: grade A; of all else: B or D).

        Links to the service itself are followed over the client's own connection, also those to its old host for
        userflows, which are rewritten; the token goes nowhere else.

        Args:
            link: an address or an absolute path, as in ``result.links`` or `TransactionGroup.link`.

        Returns:
            What the call of that path gives; `Untyped` where there is none.

        Raises:
            ConfigurationError: it is no text; no call was spent.
            UnsafeLinkError: it leads elsewhere, or could be read as doing so; no call was spent.
        """
        endpoint, request = link_request(*self._session.link_target(link))
        return await self._caller.send(endpoint, request)

    @property
    def apps(self) -> AppDirectory:
        """The caller's apps."""
        return AppDirectory(self._caller)

    @property
    def error_monitoring(self) -> ErrorMonitoring:
        """Loads, crashes and users: by group, or day by day."""
        return ErrorMonitoring(self._caller)

    @property
    def performance_management(self) -> PerformanceManagement:
        """Network calls of the apps: latency, data, volume, errors."""
        return PerformanceManagement(self._caller)

    @property
    def crashes(self) -> Crashes:
        """Groups of crashes: in lists, by day, page by page, in full, and their users."""
        return Crashes(self._caller, endpoints.CRASHES)

    @property
    def exceptions(self) -> Exceptions:
        """Groups of handled exceptions: in lists, by day, page by page, in full."""
        return Exceptions(self._caller, endpoints.EXCEPTIONS)

    @property
    def trends(self) -> AppTrends:
        """The last month of an app, day by day."""
        return AppTrends(self._caller)

    @property
    def live_stats(self) -> LiveStatistics:
        """What happens in an app right now."""
        return LiveStatistics(self._caller)

    @property
    def transactions(self) -> Transactions:
        """Userflows: what users set out to do, and how it ended."""
        return Transactions(self._caller)
