"""The transport for any httpx client: other services' budgets are used up and never overdrawn."""

from __future__ import annotations

import gzip
import math
from email.utils import formatdate
from functools import partial
from itertools import pairwise

import anyio
import httpx
import pytest
from attrs import define, field
from counterparts import Scripted, WindowService, gather
from line import CancelledAt

from apteligent_async import (
    ApteligentClient,
    ClientStateError,
    ConfigurationError,
    DeadlineExceeded,
    IetfDialect,
    MemoryBudget,
    RateLimitedTransport,
    RatePolicy,
    RetryPolicy,
    StaticToken,
    XRateLimitDialect,
)

pytestmark = pytest.mark.anyio

URL = "https://api.example.com/things"
NOON = 1_391_688_000  # an instant since 1970 at which the virtual clocks begin
EXCLUSIVE = RatePolicy(mode="exclusive")
TRIP_S = 0.2


def delta_headers(service, left, ends_s, now):
    """State the reset as seconds."""
    return {
        "X-RateLimit-Limit": f"{service.calls}",
        "X-RateLimit-Remaining": f"{left}",
        "X-RateLimit-Reset": _up(ends_s),
    }


def epoch_headers(service, left, ends_s, now):
    """State the reset as an instant, as GitHub does."""
    reset = f"{NOON + math.ceil(now + ends_s)}"
    return {"Date": formatdate(NOON + now, usegmt=True), "X-RateLimit-Remaining": f"{left}", "X-RateLimit-Reset": reset}


def ietf_headers(service, left, ends_s, now):
    """State the policy and what is left of it."""
    policy = f'"default";q={service.calls};w={service.window_s:.0f}'
    return {"RateLimit-Policy": policy, "RateLimit": f'"default";r={left};t={_up(ends_s)}'}


def no_headers(service, left, ends_s, now):
    """State nothing."""
    return {}


def _up(seconds):
    return str(math.ceil(seconds))


@define
class Elsewhere(httpx.AsyncBaseTransport):
    """Another service: so many calls in fixed windows, stated in its own way; refusals are counted by nobody."""

    state: object = delta_headers
    calls: int = 20
    window_s: float = 60.0
    before: bool = False
    retry_after: bool = False
    arrived: list[float] = field(factory=list)
    refused: list[float] = field(factory=list)
    used: dict[int, int] = field(factory=dict)
    began_at: float = field(factory=anyio.current_time)

    async def handle_async_request(self, request):
        """Count the call half a trip after it was sent, and answer another half later."""
        await anyio.sleep(TRIP_S / 2)
        now = anyio.current_time() - self.began_at
        window, ends_s = int(now // self.window_s), self.window_s - now % self.window_s
        used = self.used.get(window, 0)
        is_refused = used >= self.calls
        self.used[window] = used if is_refused else used + 1
        (self.refused if is_refused else self.arrived).append(now)
        left = self.calls - (used if self.before else self.used[window])
        headers = self.state(self, left, ends_s, now)
        if is_refused and self.retry_after:
            headers |= {"Retry-After": _up(ends_s)}
        await anyio.sleep(TRIP_S / 2)
        return httpx.Response(429 if is_refused else 200, headers=headers, json={})


async def pull(count, service, dialect, **options):
    """Send so many requests at once; give their statuses and the seconds they took."""
    began_at = anyio.current_time()
    transport = RateLimitedTransport(service, dialect=dialect, **options)
    async with httpx.AsyncClient(transport=transport) as client:
        answers = await gather(*[partial(client.get, URL)] * count)
    return [answer.status_code for answer in answers], anyio.current_time() - began_at


@pytest.mark.parametrize("policy", [None, EXCLUSIVE])
@pytest.mark.parametrize("window_s", [60.0, 300.0])
@pytest.mark.parametrize(
    ("dialect", "state"),
    [(XRateLimitDialect(), delta_headers), (XRateLimitDialect(), epoch_headers), (IetfDialect(), ietf_headers)],
)
async def test_three_windows_are_used_up_without_a_refusal(dialect, state, window_s, policy):
    """Whatever the dialect and the window: nobody is refused, and all is done within a twentieth of the bound."""
    service = Elsewhere(state, window_s=window_s)
    statuses, took_s = await pull(60, service, dialect, policy=policy)
    assert statuses == [200] * 60
    assert service.refused == []
    assert took_s <= 1.05 * (2 * window_s + TRIP_S)


async def test_a_service_that_counts_otherwise_is_found_out_by_one_refusal():
    """Where the number does not hold its own call yet, the first refusal shows it, and there is no second."""
    service = Elsewhere(delta_headers, before=True)
    statuses, took_s = await pull(100, service, XRateLimitDialect(), policy=EXCLUSIVE)
    assert statuses == [200] * 100
    assert len(service.refused) == 1
    assert took_s < 7 * 60


async def test_retry_after_alone_paces_a_service_that_states_nothing_else():
    """Calls begin slowly and grow faster until they are refused, and then the time that was asked for is kept."""
    service = Elsewhere(no_headers, calls=10, retry_after=True)
    statuses, _ = await pull(60, service, XRateLimitDialect())
    assert statuses == [200] * 60
    assert len(service.refused) <= 6
    for at in service.refused:
        ends_at = (at // 60 + 1) * 60
        assert not [each for each in service.arrived + service.refused if at + TRIP_S < each < ends_at]


async def test_without_any_header_calls_go_one_by_one_and_slowly_faster():
    """No stampede: never two at once, some seconds apart at first, and never slower than the call before."""
    service = Elsewhere(no_headers, calls=1000)
    statuses, _ = await pull(40, service, IetfDialect())
    assert statuses == [200] * 40
    gaps = [later - earlier for earlier, later in pairwise(service.arrived)]
    assert 2 < gaps[0] < 4
    assert gaps[-1] < 1.5
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(gaps))
    assert min(gaps) > TRIP_S


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Remaining": "9999999999", "X-RateLimit-Reset": "-5"},
        {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "5"},
        {"X-RateLimit-Remaining": "500", "X-RateLimit-Reset": "5", "Age": "30"},
        {"X-RateLimit-Remaining": "500", "X-RateLimit-Reset": "99999999"},
        {"X-RateLimit-Remaining": "500", "X-RateLimit-Reset": f"{NOON}"},
    ],
)
async def test_headers_gone_bad_start_no_stampede(headers):
    """Numbers that cannot be true open nothing: the second call waits as if there were none."""
    service = Scripted(lambda request, number: httpx.Response(200, headers=headers))
    statuses, _ = await pull(3, service, XRateLimitDialect())
    assert statuses == [200] * 3
    assert all(later - earlier > 2 for earlier, later in pairwise(service.arrived))


def limited(**options):
    """A refusal that ends in five seconds."""
    return httpx.Response(429, headers={"Retry-After": "5"}, **options)


def allowed(**options):
    """An answer that leaves plenty."""
    return httpx.Response(200, headers={"X-RateLimit-Remaining": "50", "X-RateLimit-Reset": "50"}, **options)


def scripted(*answers, **options):
    """A client over a service that gives these answers, one after the other, then only good ones."""
    left = list(answers)
    service = Scripted(lambda request, number: left.pop(0) if left else allowed())
    transport = RateLimitedTransport(service, dialect=XRateLimitDialect(), **options)
    return httpx.AsyncClient(transport=transport), transport, service


async def test_a_refused_request_is_sent_again_whatever_its_method():
    """The service has not acted on it; whoever asked sees one good answer, and how it came about."""
    client, _, service = scripted(limited(), limited())
    async with client:
        response = await client.post(URL, json={"a": 1})
    assert response.status_code == 200
    assert [request.content for request in service.requests] == [b'{"a":1}'] * 3
    timeline = response.extensions["apteligent"]
    assert timeline.attempts == 3
    assert 10 < timeline.waited_s <= timeline.total_s < 14


async def test_a_streamed_body_is_sent_once():
    """Its parts are gone: the caller gets the refusal or the failure itself."""

    async def parts():
        yield b"part"

    for answer in (limited(), httpx.Response(503)):
        client, _, service = scripted(answer)
        async with client:
            response = await client.put(URL, content=parts())
        assert response.status_code == answer.status_code
        assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("method", "wishes", "attempts"),
    [
        ("GET", {}, 2),
        ("PUT", {}, 2),
        ("POST", {}, 1),
        ("POST", {"repeatable": True}, 2),
        ("GET", {"repeatable": False}, 1),
    ],
)
@pytest.mark.parametrize("failure", [httpx.Response(503, headers={"Retry-After": "9"}), httpx.ReadError("cut")])
async def test_failures_are_repeated_where_that_does_no_harm(method, wishes, attempts, failure):
    """Idempotent methods are, and what is said to be; the last answer, or httpx's own error, is the caller's."""
    client, _, service = scripted(failure)
    async with client:
        call = client.request(method, URL, extensions={"apteligent": wishes})
        if attempts == 2:
            assert (await call).status_code == 200
        elif isinstance(failure, httpx.Response):
            assert (await call).status_code == 503
        else:
            with pytest.raises(httpx.ReadError):
                await call
    assert len(service.requests) == attempts
    if attempts == 2 and isinstance(failure, httpx.Response):
        assert service.arrived[1] - service.arrived[0] >= 9


async def test_a_request_that_never_left_costs_nothing_and_is_tried_again():
    """A connection that could not be opened is retried even for a POST; one that cannot be sent at all is not."""
    client, transport, service = scripted(httpx.ConnectError("no"), httpx.UnsupportedProtocol("gopher"))
    async with client:
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.post(URL, content=b"x")
        assert len(service.requests) == 2
        assert transport.budget().in_flight == 0
        assert transport.budget().left_low == 1


async def test_attempts_end_as_the_policy_says():
    """The default of the transport, or the request's own wish, decides; the last response is given as it is."""
    client, _, service = scripted(
        *[httpx.Response(500, text="broken") for _ in range(9)], retry=RetryPolicy(max_attempts=2)
    )
    async with client:
        response = await client.get(URL)
        assert (response.status_code, response.text, len(service.requests)) == (500, "broken", 2)
        await client.get(URL, extensions={"apteligent": {"retry": RetryPolicy(max_attempts=3)}})
        assert len(service.requests) == 5


class Body(httpx.AsyncByteStream):
    """A body in parts; it notes how many were asked for, and whether it was closed."""

    def __init__(self, *parts):
        self.parts, self.given, self.is_closed = parts, 0, False

    async def __aiter__(self):
        for part in self.parts:
            self.given += 1
            await anyio.sleep(0.01)
            if isinstance(part, Exception):
                raise part
            yield part

    async def aclose(self):
        """Note it, once it is done."""
        await anyio.sleep(0.01)
        self.is_closed = True


async def test_a_body_streams_past_untouched_and_others_need_not_wait_for_it():
    """The call is settled with its headers: nothing is read ahead, and the next call starts meanwhile."""
    body = Body(b"one", b"two")
    client, transport, _ = scripted(allowed(stream=body))
    async with client:
        async with client.stream("GET", URL) as response:
            assert body.given == 0
            assert transport.budget().in_flight == 0
            assert (await client.get(URL)).status_code == 200
            assert await response.aread() == b"onetwo"
        assert body.is_closed


@pytest.mark.parametrize("answer", [429, 503])
async def test_an_answer_that_is_followed_by_another_is_closed_before_the_wait(answer):
    """Its connection is free while the request waits for its next turn."""
    body = Body(b"busy")
    client, _, service = scripted(httpx.Response(answer, headers={"Retry-After": "5"}, stream=body))
    async with client, anyio.create_task_group() as group:
        group.start_soon(client.get, URL)
        await anyio.sleep(1)
        assert body.is_closed
        assert len(service.requests) == 1
    assert len(service.requests) == 2


async def test_the_beginning_of_a_refusal_is_read_and_given_to_its_reader_all_the_same():
    """Of a long body no more than the beginning; of a cut one what there was, and then the cut."""
    once = {"retry": RetryPolicy(max_rate_limited=1)}
    long = Body(*[b"x" * 1000] * 100)
    cut = Body(b"x", httpx.ReadError("cut"))
    client, _, _ = scripted(limited(stream=long), limited(stream=cut))
    async with client:
        async with client.stream("GET", URL, extensions={"apteligent": once}) as response:
            assert 16 < long.given < 20
            assert len(await response.aread()) == 100_000
        assert long.is_closed
        async with client.stream("GET", URL, extensions={"apteligent": once}) as response:
            assert response.status_code == 429
            with pytest.raises(httpx.ReadError):
                await response.aread()
        assert cut.is_closed


@pytest.mark.parametrize("packed", [True, False])
async def test_a_refusals_body_is_unpacked_for_the_dialect(packed):
    """Where the body alone names the reset it is kept, packed or not; garbage in its place opens nothing."""
    raw = b'{"actual":25,"limit":20,"reset":42}'
    answer = httpx.Response(
        429, headers={"Content-Encoding": "gzip"}, stream=Body(gzip.compress(raw) if packed else raw)
    )
    service = Scripted(lambda request, number: answer if number == 1 else allowed())
    async with httpx.AsyncClient(transport=RateLimitedTransport(service)) as client:
        assert (await client.get(URL)).status_code == 200
    waited_s = service.arrived[1] - service.arrived[0]
    assert 42 < waited_s < 44 if packed else 60 <= waited_s < 62


def test_outside_an_event_loop_there_is_no_budget():
    """And whoever asks is told so in our words."""
    with pytest.raises(ClientStateError, match="No event loop"):
        RateLimitedTransport(httpx.MockTransport(lambda _: httpx.Response(200))).budget()


async def test_every_origin_has_its_own_budget():
    """A refusal by one service keeps nobody from another; a key may say otherwise."""
    client, transport, service = scripted(limited())
    async with client, anyio.create_task_group() as group:
        with pytest.raises(ConfigurationError, match="no budget"):
            transport.budget()
        group.start_soon(client.get, URL)
        await anyio.sleep(1)
        await client.get("https://other.example.com:8443/")
        assert [request.url.host for request in service.requests] == ["api.example.com", "other.example.com"]
        assert transport.budget("https://api.example.com").is_gated
        assert not transport.budget("https://other.example.com:8443").is_gated
        with pytest.raises(ConfigurationError, match="https://api"):
            transport.budget()
    client, transport, service = scripted(limited(), key=lambda request: request.headers["x-user"])
    async with client, anyio.create_task_group() as group:
        group.start_soon(partial(client.get, URL, headers={"x-user": "one"}))
        await anyio.sleep(1)
        await client.get(URL, headers={"x-user": "two"})
        assert transport.budget("one").is_gated


async def test_a_budget_may_be_shared_with_a_client():
    """What the one spends the other sees, and nobody is refused."""
    service, budget = WindowService(calls=20, unit="count"), MemoryBudget()
    transport = RateLimitedTransport(service, budget=budget)
    client = ApteligentClient(StaticToken("t"), base_url="http://127.0.0.1:9", transport=service, budget=budget)
    async with client, httpx.AsyncClient(transport=transport) as other:
        both = [partial(client.apps.list), partial(other.get, "http://127.0.0.1:9/v2/apps")] * 30
        ends = await gather(*both)
        assert not [end for end in ends if isinstance(end, Exception)]
        assert transport.budget().left_low == client.budget().left_low
    assert service.refused == []


async def test_an_urgent_request_goes_before_those_that_are_not():
    """Its own wish counts, or the transport's default; within a lane first come is first served."""
    scarce = {"X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "50"}
    client, _, service = scripted(limited(), *[httpx.Response(200, headers=scarce) for _ in range(4)], priority="bulk")
    async with client, anyio.create_task_group() as group:
        for name, wishes in [("first", {}), ("a", {}), ("b", {"priority": "bulk"}), ("c", {"priority": "interactive"})]:
            group.start_soon(partial(client.get, f"{URL}/{name}", extensions={"apteligent": wishes}))
            await anyio.sleep(0.01)
    assert [path.rsplit("/", 1)[1] for path in service.paths] == ["first", "c", "first", "a", "b"]


async def test_a_dear_request_is_charged_what_it_costs():
    """While it is under way its tokens are nobody else's."""

    async def slow():
        await anyio.sleep(1)
        return allowed()

    client, transport, _ = scripted(allowed(), slow())
    async with client, anyio.create_task_group() as group:
        await client.get(URL)
        assert transport.budget().left_low == 50
        group.start_soon(partial(client.get, URL, extensions={"apteligent": {"cost": 4, "flow": "x"}}))
        await anyio.sleep(0.5)
        assert transport.budget().left_low == 46


@pytest.mark.parametrize(
    "wishes",
    [{"prio": "bulk"}, {"priority": "first"}, {"deadline": 0}, {"cost": 0}, {"cost": 1.5}],
)
async def test_an_impossible_wish_is_refused_before_anything_is_sent(wishes):
    """A typing error must not be taken for no wish."""
    client, _, service = scripted()
    async with client:
        with pytest.raises(ConfigurationError):
            await client.get(URL, extensions={"apteligent": wishes})
    assert service.requests == []


async def test_a_deadline_ends_the_wait_or_forbids_it():
    """One that passes on the way ends the request; one that is hopeless is told at once, with an estimate."""

    async def slow():
        await anyio.sleep(30)

    client, transport, _ = scripted(slow(), limited())
    wish = {"apteligent": {"deadline": 3.0}}
    async with client, anyio.create_task_group() as group:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.get(URL, extensions=wish)
        assert (caught.value.cause, caught.value.attempts) == ("answer", 1)
        group.start_soon(client.get, URL)
        await anyio.sleep(8)
        assert transport.budget().is_gated
        before = anyio.current_time()
        with pytest.raises(DeadlineExceeded) as caught:
            await client.get(URL, extensions={"apteligent": {"deadline": 0.5}})
        assert caught.value.eta > 0
        assert anyio.current_time() == before
    assert transport._lines == {}


async def test_a_full_line_says_so():
    """The policy's bound holds here as well."""

    async def slow():
        await anyio.sleep(1)
        return allowed()

    client, _, _ = scripted(slow(), policy=RatePolicy(max_queue=1))
    async with client:
        ends = await gather(*[partial(client.get, URL)] * 3)
    assert sorted(type(end).__name__ for end in ends) == ["QueueFull", "Response", "Response"]


async def test_closing_fails_who_waits_and_closes_what_is_within():
    """Nobody sleeps on, nobody comes in any more, and the inner transport is closed."""
    client, transport, service = scripted(limited())
    ends = []

    async def call():
        with pytest.raises(ClientStateError):
            await client.get(URL)
        ends.append("failed")

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)
        await anyio.sleep(1)
        await transport.aclose()
    assert ends == ["failed"] * 2
    assert service.is_closed
    with pytest.raises(ClientStateError):
        await transport.handle_async_request(httpx.Request("GET", URL))


async def test_cancellation_at_every_await_leaves_no_trace():
    """Wherever the caller is taken away: bodies are closed, nothing stays booked, and the next call gets through."""
    step, is_done = 0, False
    while not is_done:
        step += 1
        bodies = [Body(b"busy"), Body(b"failed"), Body(b"fine")]
        answers = [limited(stream=bodies[0]), httpx.Response(500, stream=bodies[1]), allowed(stream=bodies[2])]
        client, transport = _slow(answers)
        async with client:
            with anyio.CancelScope() as scope:
                await CancelledAt(client.get(URL), scope, step=step)
                is_done = True
            # The last body is httpx's own to close.
            assert all(body.is_closed for body in bodies[: min(3 - len(answers), 2)])
            assert transport.budget().in_flight == 0
            assert sum(transport.budget().queued.values()) == 0
            assert not next(iter(transport._lines.values())).visits
            answers.clear()
            assert (await client.get(URL, extensions={"apteligent": {"deadline": 300}})).status_code == 200
    assert step > 10


def _slow(answers):
    async def answer():
        await anyio.sleep(0.1)
        return answers.pop(0) if answers else allowed()

    transport = RateLimitedTransport(Scripted(lambda request, number: answer()), dialect=XRateLimitDialect())
    return httpx.AsyncClient(transport=transport), transport


@pytest.mark.parametrize("status", [429, 500])
async def test_a_body_that_fails_to_close_harms_nobody(status):
    """The request goes on all the same."""

    class Stubborn(Body):
        async def aclose(self):
            raise httpx.CloseError("no")

    client, _, _ = scripted(httpx.Response(status, headers={"Retry-After": "1"}, stream=Stubborn(b"x")))
    async with client:
        assert (await client.get(URL)).status_code == 200


async def test_a_body_that_breaks_when_it_is_closed_keeps_no_place():
    """A foreign fault is the caller's to see; the line goes on without that request."""

    class Broken(Body):
        async def aclose(self):
            raise RuntimeError("broken")

    client, transport, _ = scripted(httpx.Response(500, stream=Broken(b"x")))
    async with client:
        with pytest.raises(RuntimeError, match="broken"):
            await client.get(URL)
        assert transport.budget().in_flight == 0
        assert sum(transport.budget().queued.values()) == 0
        assert (await client.get(URL)).status_code == 200
