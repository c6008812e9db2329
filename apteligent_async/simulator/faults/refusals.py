"""Faults of the service's word: refusals, failures, redirects, tokens that end, limits and clocks that lie."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from apteligent_async.simulator.messages import Answer
from apteligent_async.simulator.settings import choice, flag, number, text, whole

if TYPE_CHECKING:
    from apteligent_async.simulator.faults.schedule import Scene

__all__ = ["ClockSkew", "ErrorWith200", "ExpiredToken", "Fail", "LimitCut", "Redirect", "Refuse", "RevokedToken"]

_RATE = "rate-limit-"
_RESET = "Rate-Limit-Reset"
_DEFAULT_LIMIT = 20
_DEFAULT_RESET_S = 60.0
_EPOCH = "Mon, 12 Dec 2016 20:00:00 GMT"
_PAGE = b"<html><head><title>%d</title></head><body><h1>Sorry</h1></body></html>"


@frozen
class Refuse:
    """Answer 429, though there may be budget left.

    Attributes:
        body: whether it carries the documented JSON; without, it is empty.
        headers: whether it carries the three rate headers.
        reset_s: the seconds to the reset that it states; None for the true ones.
        retry_after: what ``Retry-After`` says, true or not; None for no such header.
    """

    body: bool = flag(default=True)
    headers: bool = flag(default=True)
    reset_s: float | None = number(low=-1e12)
    retry_after: str | None = text()

    def strike(self, scene: Scene) -> Answer:
        """Let the service count the call, and refuse it all the same."""
        answer = scene.answer()
        stated = dict(answer.headers)
        limit = float(stated.get("Rate-Limit-Limit", _DEFAULT_LIMIT))
        reset = float(stated.get(_RESET, _DEFAULT_RESET_S)) if self.reset_s is None else self.reset_s
        refused = Answer.of(
            {"actual": limit + 1, "message": "API rate limit exceeded", "limit": limit, "reset": reset, "success": 0},
            status=429,
        )
        stated |= {"Rate-Limit-Remaining": "0", _RESET: f"{reset:g}"} if _RESET in stated else {}
        headers = tuple(stated.items()) if self.headers else _without_rate(answer)
        return evolve(
            refused, headers=headers + _retry_after(self.retry_after), body=refused.body if self.body else b""
        )


@frozen
class Fail:
    """Answer with a failure of the service, or of what stands before it.

    Attributes:
        status: 400 to 599, 503 by default.
        body: ``html`` as a proxy writes it, ``json``, or ``none``.
        headers: whether it carries the three rate headers.
        counted: whether the call gets through to the service, which counts it and may act on it.
        retry_after: what ``Retry-After`` says; None for no such header.
    """

    status: int = whole(503, low=400, high=599)
    body: str = choice("html", "json", "none")
    headers: bool = flag(default=False)
    counted: bool = flag(default=True)
    retry_after: str | None = text()

    def strike(self, scene: Scene) -> Answer:
        """Fail, after the service has done its work or before."""
        answer = scene.answer() if self.counted else Answer()
        kept = _rate(answer) if self.headers else ()
        kind = "text/html" if self.body == "html" else "application/json;charset=UTF-8"
        body = {"html": _PAGE % self.status, "json": b'{"message": "Internal error"}', "none": b""}[self.body]
        headers = (("Content-Type", kind), *kept, *_retry_after(self.retry_after))
        return Answer(status=self.status, headers=headers, body=body)


@frozen
class ErrorWith200:
    """Answer 200 with an ``error`` and no ``data``.

    Attributes:
        message: what the error says.
    """

    message: str = text("Something went wrong")

    def strike(self, scene: Scene) -> Answer:
        """Put the error in the place of the body."""
        return evolve(scene.answer(), status=200, body=json.dumps({"error": self.message}).encode())


@frozen
class Redirect:
    """Send the caller elsewhere.

    Attributes:
        to: where to: an address, or anything else that ``Location`` may hold.
        status: 300 to 399, 302 by default.
    """

    to: str = text("http://elsewhere.example/")
    status: int = whole(302, low=300, high=399)

    def strike(self, scene: Scene) -> Answer:
        """Answer with a redirect and nothing else."""
        answer = scene.answer()
        return Answer(status=self.status, headers=(*answer.headers, ("Location", self.to)))


@frozen
class RevokedToken:
    """Make the call's token worthless before the call is looked at. A call without a token passes."""

    def strike(self, scene: Scene) -> Answer:
        """Revoke, and let the service say what it says to such a token."""
        token = _bearer(scene)
        if token is not None:
            scene.controls.revoke(token)
        return scene.answer()


@frozen
class ExpiredToken:
    """End the life of the call's token before the call is looked at. A call without a token passes."""

    def strike(self, scene: Scene) -> Answer:
        """Expire the token, and let the service say what it says to such a one."""
        token = _bearer(scene)
        if token is not None:
            scene.controls.expire(token, now=scene.now)
        return scene.answer()


@frozen
class LimitCut:
    """Allow fewer calls, or more, for as long as the rule strikes; what was charged before stays charged.

    Attributes:
        limit: calls per minute.
    """

    limit: int = whole(1, low=1)

    def strike(self, scene: Scene) -> Answer:
        """Count the call against the other limit."""
        with scene.controls.limited(scene.call, self.limit, now=scene.now):
            return scene.answer()


@frozen
class ClockSkew:
    """State resets and dates by a clock that is wrong.

    Attributes:
        seconds: by how much it is fast; negative if it is slow.
    """

    seconds: float = number(30.0, low=-1e9, high=1e9)

    def strike(self, scene: Scene) -> Answer:
        """Move what the answer says of times."""
        answer = scene.answer()
        stated = dict(answer.headers)
        if _RESET in stated:
            stated[_RESET] = f"{float(stated[_RESET]) + self.seconds:g}"
        date = parsedate_to_datetime(stated.get("Date", _EPOCH)) + timedelta(seconds=self.seconds)
        stated["Date"] = format_datetime(date, usegmt=True)
        body = self._refusal(answer.body) if answer.status == 429 else answer.body
        return evolve(answer, headers=tuple(stated.items()), body=body)

    def _refusal(self, body: bytes) -> bytes:
        try:
            said = json.loads(body)
            return json.dumps({**said, "reset": said["reset"] + self.seconds}).encode()
        except (ValueError, KeyError, TypeError):
            return body


def _rate(answer: Answer) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in answer.headers if pair[0].lower().startswith(_RATE))


def _without_rate(answer: Answer) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in answer.headers if not pair[0].lower().startswith(_RATE))


def _retry_after(said: str | None) -> tuple[tuple[str, str], ...]:
    return () if said is None else (("Retry-After", said),)


def _bearer(scene: Scene) -> str | None:
    scheme, _, rest = scene.call.headers.get("authorization", "").partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else None
