"""The service at the other end of the wire, as a pure model.

What this file may not know: a clock, a socket, an event loop, unseeded dice, and anything of the package that it tests.
Every call comes with the instant at which it arrives, in seconds on one monotonic clock; the same calls at the same
instants get the same answers. The calendar is another matter: it is the world's `now`, which stands still unless the
service is given a function from instants to dates; then it moves on every ten seconds.

A call passes these doors, in this order:

1. Discovery answers everybody and costs nothing.
2. The client id is read from the credentials: of a bearer token, dead or alive, or of HTTP Basic. A call from nobody
   known ends here with 401 and carries no rate header, since it has no budget.
3. The quota of that client id counts the call, whatever becomes of it: a token call, a wrong password, an expired
   token, a path that does not exist. One quota serves all tokens of the id. Over the limit the answer is 429.
4. A token call exchanges a password for a token. Any other needs a token that is still good (401), a path that exists
   (404), a method that the path has (405, with ``Allow``), and a scope that reaches it (403).
5. The resource checks its parameters (400), finds its app (404) and answers from the world.

Faults (`apteligent_async.simulator.faults`) stand outside the first door, and none where there is no schedule.

Every answer after the second door carries the three rate headers. Bodies are JSON; a refusal's body is a ``message``,
except where RFC 6749 or the documented 429 say otherwise: what the service wrote there is not known. How it met other
methods is not known either (grade D, a guess): here HEAD is GET without the body, and the rest get the 405.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from attrs import evolve

from apteligent_async.simulator.accounts import DEMO_ACCOUNT, Grant, TokenOffice, bad_token, unknown_client
from apteligent_async.simulator.delivery import Delivery
from apteligent_async.simulator.faults import FaultRun, FaultSchedule
from apteligent_async.simulator.messages import Answer, Refusal
from apteligent_async.simulator.parameters import Asked, Parameters
from apteligent_async.simulator.quota import Quota, QuotaSettings
from apteligent_async.simulator.resources.routes import ROUTES, Routes

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Generator, Sequence
    from datetime import datetime

    from apteligent_async.simulator.accounts import Account
    from apteligent_async.simulator.messages import Call
    from apteligent_async.simulator.world import World

    Calendar = Callable[[float], datetime]
    Witness = Callable[[Call, Answer, float], object]

__all__ = ["Service", "running_from"]

_DISCOVERY: dict[str, dict[str, Any]] = {
    "/allyourbase": {"versions": {"v1": {"latest": "v1.0"}}, "links": {"v1.0": {"href": "/v1.0/base"}}},
    "/v1.0/base": {"status": "active", "links": {}},
}
_TOKEN_PATHS = frozenset({"/v2/token", "/v1.0/token"})
_READING = ("GET", "HEAD")
_TICK_S = 10
_REMEMBERED_BODIES = 1024
_PUBLIC_HOST = "developers.crittercism.com"
_COMMON_HEADERS = (
    ("Content-Type", "application/json;charset=UTF-8"),
    ("Cache-Control", "no-cache"),
    ("Pragma", "no-cache"),
)


def running_from(began: datetime, *, at: float) -> Calendar:
    """Return a calendar for `Service` that shows `began` at the instant `at`, and runs with the clock from there."""
    return lambda now: began + timedelta(seconds=now - at)


class Service:
    """Answers calls about a world, for accounts that share nothing but the world.

    Its state is the tokens it gave out, one quota per client id, and how far its faults have come.

    Args:
        world: what it answers from.
        accounts: who may ask; the first is the one meant where none is named.
        quota: how every client's calls are counted.
        calendar: gives the date at an instant; None lets the world's date stand still.
        faults: what goes wrong; nothing by default.
        witness: told of every call, its answer and the instant of its arrival.
    """

    def __init__(
        self,
        world: World,
        *,
        accounts: Sequence[Account] = (DEMO_ACCOUNT,),
        quota: QuotaSettings | None = None,
        calendar: Calendar | None = None,
        faults: FaultSchedule | None = None,
        witness: Witness | None = None,
    ) -> None:
        settings = quota or QuotaSettings()
        self.world = world
        self.accounts = tuple(accounts)
        self._calendar = calendar
        self._faults = FaultRun(faults or FaultSchedule())
        self._witness = witness
        self._tokens = TokenOffice(self.accounts)
        self._quotas = {account.client_id: Quota(settings) for account in self.accounts}
        self._routes = Routes(ROUTES)
        self._body_of = lru_cache(_REMEMBERED_BODIES)(self._written)

    def handle(self, call: Call, *, now: float) -> Answer:
        """Answer one call that arrives at `now`, through the faults that strike it; never raises."""
        answer = self._faults.lead(call, now=now, answer=partial(self._passed, call, now), controls=self)
        answer = _without_body(answer) if call.method == "HEAD" else answer
        if self._witness is not None:
            self._witness(call, answer, now)
        return answer

    def _passed(self, call: Call, now: float) -> Answer:
        """Lead a call through the doors."""
        if call.path in _DISCOVERY:
            return _with_headers(_discovered(call))
        client_id = self._tokens.client_of(call)
        if client_id is None:
            is_token_call = call.path in _TOKEN_PATHS
            return _with_headers(_refused(unknown_client() if is_token_call else bad_token()))
        verdict = self._quotas[client_id].call(now)
        if not verdict.is_allowed:
            return _with_headers(Answer.of(verdict.body, status=429), verdict.headers)
        self._move_on(now)
        try:
            body = self._answer(call, now)
        except Refusal as refusal:
            return _with_headers(_refused(refusal), verdict.headers)
        return _with_headers(Answer(body=body), verdict.headers)

    def issue_token(self, client_id: str, *, token: str | None = None, scope: str = "") -> str:
        """Hand out a token that never expires, as the portal does; costs no call. `token` chooses its text."""
        if client_id not in self._quotas:
            raise ValueError("no account has this client id")
        return self._tokens.issue(Grant(client_id=client_id, scope=tuple(scope.split())), token=token)

    def revoke(self, token: str) -> None:
        """Make a token worthless: calls with it get 401, and still count for its client id."""
        self._tokens.revoke(token)

    def expire(self, token: str, *, now: float) -> None:
        """End a token's life at `now`: calls with it get 401, and still count for its client id."""
        self._tokens.expire(token, now=now)

    @contextmanager
    def limited(self, call: Call, limit: int, *, now: float) -> Generator[None]:
        """Allow the client that a call comes from another number of calls a minute while the block runs."""
        client_id = self._tokens.client_of(call)
        with nullcontext() if client_id is None else self._quotas[client_id].limited(limit, now=now):
            yield

    @property
    def faults(self) -> FaultSchedule:
        """What goes wrong; a schedule that is set begins with the next call."""
        return self._faults.schedule

    @faults.setter
    def faults(self, schedule: FaultSchedule) -> None:
        self._faults = FaultRun(schedule)

    @property
    def struck(self) -> Counter[str]:
        """How many calls each kind of fault has struck so far, by the name of its class."""
        return self._faults.struck

    def quota(self, client_id: str | None = None) -> Quota:
        """Return the truth about a client's budget, of the first account if none is named."""
        return self._quotas[client_id or self.accounts[0].client_id]

    def _move_on(self, now: float) -> None:
        if self._calendar is None:
            return
        tick = self._calendar(now).replace(microsecond=0)
        tick -= timedelta(seconds=tick.second % _TICK_S)
        if tick > self.world.now:
            self.world = self.world.at(tick)
            self._body_of.cache_clear()

    def _answer(self, call: Call, now: float) -> bytes:
        if call.path in _TOKEN_PATHS:
            _check_method(call, ("POST",))
            return json.dumps(self._tokens.exchange(call, now=now)).encode()
        grant = self._tokens.grant_of(call, now=now)
        found = self._routes.find(call.path)
        if found is None:
            raise Refusal(404, f"no such resource: {call.path}")
        _check_method(call, _READING)
        if not grant.covers(call.path, found[1].get("appId")):
            raise Refusal(403, "the token's scope does not reach this resource")
        return self._body_of(call.path, call.query, call.headers.get("host", _PUBLIC_HOST))

    def _written(self, path: str, query: tuple[tuple[str, str], ...], host: str) -> bytes:
        """Write the body of an existing path: the same for every client until the world moves on."""
        found = self._routes.find(path)
        assert found is not None  # noqa: S101  the caller looked it up
        resource, segments = found
        body = resource(Asked(self.world, segments, Parameters(query)))
        target = f"{path}?{urlencode(query)}" if query else path
        return json.dumps({**body, "links": {"self": f"http://{host}{target}"}}).encode()


def _discovered(call: Call) -> Answer:
    try:
        _check_method(call, _READING)
    except Refusal as refusal:
        return _refused(refusal)
    return Answer.of(_DISCOVERY[call.path])


def _check_method(call: Call, allowed: tuple[str, ...]) -> None:
    if call.method not in allowed:
        names = ", ".join(allowed)
        raise Refusal(405, f"{call.path} takes {names}, not {call.method}", headers=(("Allow", names),))


def _refused(refusal: Refusal) -> Answer:
    return evolve(Answer.of(refusal.body, status=refusal.status), headers=refusal.headers)


def _without_body(answer: Answer) -> Answer:
    length = ("Content-Length", str(answer.delivery.length(answer.body)))
    late = Delivery(head_after_s=answer.delivery.head_after_s)
    return evolve(answer, headers=(*answer.headers, length), body=b"", delivery=late)


def _with_headers(answer: Answer, rate: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status=answer.status, headers=(*_COMMON_HEADERS, *rate, *answer.headers), body=answer.body)
