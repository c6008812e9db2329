"""How a service states its budget: a dialect reads an answer's headers, and says what they can mean.

A dialect knows names and grammars and nothing of time or of calls under way: it gives the numbers as stated, in
seconds and calls. Whatever it cannot make sense of, it leaves out; no header of any kind makes it raise. An answer
that comes out of a cache (`Age` above zero) speaks of a past budget and is not read at all.

=====================  ==========================================  =====================================
dialect                headers                                     `remaining` is
=====================  ==========================================  =====================================
`ApteligentDialect`    ``Rate-Limit-*``, and the body of a 429     a speed or a count: learned
`XRateLimitDialect`    ``X-RateLimit-*``, ``X-Rate-Limit-*``,      a count
                       ``RateLimit-*``
`IetfDialect`          ``RateLimit``, ``RateLimit-Policy``         a count
=====================  ==========================================  =====================================

All of them know ``Retry-After``, which on a refusal wins where it names the later instant.
"""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from attrs import evolve, frozen

from apteligent_async._scheduling.readings import ALL_HYPOTHESES, Hypothesis, Unit
from apteligent_async._scheduling.signals import Reading
from apteligent_async._wire.codec import json_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apteligent_async._wire.messages import Reply

__all__ = ["ApteligentDialect", "Dialect", "IetfDialect", "XRateLimitDialect", "retry_after_s"]

COUNTS = (Hypothesis(Unit.COUNT, includes_call=True), Hypothesis(Unit.COUNT, includes_call=False, is_likely=False))
"""Calls left. That the call which brings the number is taken off already holds for every service known to us."""

LONGEST_HEADER = 4_096
"""Characters of a header that are looked at; no honest one comes near."""

LONGEST_DELTA_S = 1e8
"""A reset beyond this (three years) is an instant since 1970, not a number of seconds to wait."""

LONGEST_INSTANT_S = 1e11
"""An instant beyond this (the year 5138) is in milliseconds."""

CLOCK_DOUBT_S = 5.0
"""By how much an instant may lie before its own answer: the limiter's clock need not be the one that dates it."""

REQUESTS = '"requests"'
"""The quota unit that a policy has unless it names another (``qu``)."""

_NUMBER = re.compile(r"\s*([-+]?\d+(?:\.\d*)?)")
# A string that is never closed goes on to the end: so nothing is ever looked at twice, however hostile the header.
_STRING = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_MEMBER = re.compile(rf'(?:{_STRING}|[^",])++', re.DOTALL)
_PARAMETER = re.compile(rf"(?:^|[;\s])([a-z*][a-z0-9_.*-]*+)\s*+=\s*+({_STRING}|[^;\s]++)", re.DOTALL)


class Dialect(Protocol):
    """What the scheduler needs to know of a service.

    Three come with the package. The types that the methods take and give are not public: a dialect of one's own may
    have to change with a minor version.
    """

    @property
    def hypotheses(self) -> Sequence[Hypothesis]:
        """The ways in which the numbers may have to be read."""
        ...

    def read(self, reply: Reply) -> Reading | None:
        """Give what an answer states of the budget; None if it states nothing. Never raises."""
        ...


@frozen
class ApteligentDialect:
    """The Apteligent REST API: ``Rate-Limit-Limit``, ``-Remaining``, ``-Reset`` and the body of a 429 (grade A).

    Whether ``Remaining`` is a speed, as the service's wording says, or a count of calls (grade D either way) is left
    to be learned. Where headers and body name different resets, the later one counts.
    """

    @property
    def hypotheses(self) -> Sequence[Hypothesis]:
        """A speed or a count, with or without the call that brings it."""
        return ALL_HYPOTHESES

    def read(self, reply: Reply) -> Reading | None:
        """Read the headers, and the body of a 429."""
        headers = reply.headers
        body: Mapping[str, Any] = json_object(reply.body) if reply.status == 429 else {}
        stated = Reading(
            limit=_first(_number(body.get("limit")), _number(headers.get("rate-limit-limit"))),
            remaining=_number(headers.get("rate-limit-remaining")),
            reset_s=_later(_number(body.get("reset")), _number(headers.get("rate-limit-reset"))),
            actual=_number(body.get("actual")),
        )
        return _finished(stated, reply)


@frozen
class XRateLimitDialect:
    """The habit of most public APIs: ``X-RateLimit-Limit``, ``-Remaining``, ``-Reset``, and spellings near it.

    The spellings are tried in this order: ``X-RateLimit-*`` (GitHub), ``X-Rate-Limit-*`` (Twitter), ``RateLimit-*``
    (the first drafts of the IETF). ``Reset`` is a number of seconds, or an instant in seconds or milliseconds since
    1970, told apart by its size; an instant is measured from the answer's ``Date`` and means nothing without one.
    ``Reset-After`` (Discord) is always a number of seconds and goes first. The limit is per window, and nobody says
    how long that is: it is not read.
    """

    @property
    def hypotheses(self) -> Sequence[Hypothesis]:
        """A count of calls."""
        return COUNTS

    def read(self, reply: Reply) -> Reading | None:
        """Read the first family of headers that states anything."""
        families = (_x_family(reply, prefix) for prefix in ("x-ratelimit", "x-rate-limit", "ratelimit"))
        return _finished(next((each for each in families if each != Reading()), Reading()), reply)


@frozen
class IetfDialect:
    """The IETF's ``RateLimit`` and ``RateLimit-Policy`` fields, as in draft-ietf-httpapi-ratelimit-headers-10.

    ``RateLimit: "name";r=5;t=30`` states calls left and seconds until there are more; ``RateLimit-Policy:
    "name";q=100;w=60`` the quota and its window. Of several policies the one with the fewest calls left governs, of
    equal ones the one with the latest reset; policies that count something else than requests (``qu``) are left out.
    The form of draft 7, ``RateLimit: limit=100, remaining=5, reset=30``, is understood as well.
    """

    @property
    def hypotheses(self) -> Sequence[Hypothesis]:
        """A count of calls."""
        return COUNTS

    def read(self, reply: Reply) -> Reading | None:
        """Read the policy that governs."""
        members = _members(reply.headers.get("ratelimit"))
        policies = dict(_members(reply.headers.get("ratelimit-policy")))
        stated = [
            _ietf_reading(parameters, policies.get(name, {}))
            for name, parameters in members
            if policies.get(name, {}).get("qu", REQUESTS) == REQUESTS
        ]
        return _finished(min((_draft_7_reading(members), *stated), key=_leeway), reply)


def retry_after_s(reply: Reply) -> float | None:
    """Read ``Retry-After`` as seconds, a date by the reply's own clock; None without one (the usual: grade D)."""
    text = reply.headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None:
        return max(seconds, 0.0)
    wait_s = _wait_s(_instant(text), reply)
    return None if wait_s is None else max(wait_s, 0.0)


def _finished(stated: Reading, reply: Reply) -> Reading | None:
    """Let `Retry-After` put off the end of a refusal; give nothing for an answer that is old, or says nothing."""
    if (_number(reply.headers.get("age")) or 0) > 0:
        return None
    if reply.status == 429:
        stated = evolve(stated, reset_s=_later(stated.reset_s, retry_after_s(reply)))
    return None if stated == Reading() else stated


def _x_family(reply: Reply, prefix: str) -> Reading:
    headers = reply.headers
    after_s = _number(headers.get(f"{prefix}-reset-after"))
    return Reading(
        remaining=_leading_number(headers.get(f"{prefix}-remaining", "")),
        reset_s=after_s if after_s is not None else _x_reset_s(headers.get(f"{prefix}-reset", ""), reply),
    )


def _x_reset_s(text: str, reply: Reply) -> float | None:
    """Give the seconds to a reset that is stated as a number of seconds, or as an instant."""
    number = _leading_number(text)
    if number is None or number <= LONGEST_DELTA_S:
        return number
    wait_s = _wait_s(number if number <= LONGEST_INSTANT_S else number / 1000, reply)
    if wait_s is None or wait_s < -CLOCK_DOUBT_S:
        return None
    return max(wait_s, 0.0)


def _ietf_reading(item: Mapping[str, str], policy: Mapping[str, str]) -> Reading:
    quota, window_s = _number(policy.get("q")), _number(policy.get("w"))
    return Reading(
        limit=None if quota is None or not window_s else 60 * quota / window_s,
        remaining=_number(item.get("r")),
        reset_s=_first(_number(item.get("t")), window_s),
    )


def _draft_7_reading(members: Sequence[tuple[str, Mapping[str, str]]]) -> Reading:
    """Read members that are not names of policies but pairs themselves."""
    pairs = dict(name.split("=", 1) for name, _ in members if "=" in name and '"' not in name)
    return Reading(remaining=_number(pairs.get("remaining")), reset_s=_number(pairs.get("reset")))


def _leeway(reading: Reading) -> tuple[float, float]:
    remaining = math.inf if reading.remaining is None else reading.remaining
    return remaining, -(reading.reset_s or 0.0)


def _members(text: str | None) -> list[tuple[str, Mapping[str, str]]]:
    """Take a structured list apart: what stands before the first semicolon, and the parameters behind it.

    Laxer than RFC 9651: what is no parameter is skipped, and the last of equal keys counts.
    """
    found: list[tuple[str, Mapping[str, str]]] = []
    for member in _MEMBER.findall((text or "")[:LONGEST_HEADER]):
        name, _, parameters = member.partition(";")
        found.append((name.strip(), dict(_PARAMETER.findall(parameters))))
    return found


def _wait_s(instant: float | None, reply: Reply) -> float | None:
    """Measure how long after the reply's own date an instant lies."""
    now = _instant(reply.headers.get("date", ""))
    return None if instant is None or now is None else instant - now


def _instant(date: str) -> float | None:
    """Give the seconds since 1970 of an HTTP date; one without a zone is none."""
    try:
        moment = parsedate_to_datetime(date)
        return None if moment.tzinfo is None else moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _leading_number(text: str) -> float | None:
    """Read the first number of a header that may go on with a list or a policy: ``100, 100;w=60``."""
    found = _NUMBER.match(text[:LONGEST_HEADER])
    return None if found is None else _number(found[1])


def _number(candidate: object) -> float | None:
    if isinstance(candidate, bool) or not isinstance(candidate, str | int | float):
        return None
    try:
        number = float(candidate)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _first(*candidates: float | None) -> float | None:
    return next((each for each in candidates if each is not None), None)


def _later(*candidates: float | None) -> float | None:
    return max((each for each in candidates if each is not None), default=None)
