"""Who may come in, and what their browsers may do.

A page of a stranger must not read the dashboard by having its own name point here (DNS rebinding), so names are
checked; nor may it spend the budget by asking for panels that it cannot read, so browsers are asked on whose behalf
they come. With a token, the first browser that brings it is let in by a cookie, and the token is worth nothing then.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define, field
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from apteligent_async.dashboard.rendering import render

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from fastapi import Request, Response

__all__ = ["Door", "guarded_by"]

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _lower(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


@define(eq=False)
class Door:
    """Decides about each request. Its state is whether the token has been used.

    Attributes:
        hosts: names that browsers may know the dashboard by, besides ``localhost`` and the address that it is
            reached at; without port.
        token: what the first visitor must bring as ``?token=``; None lets everybody in who can reach the dashboard.
            It is for one process: a backend of several workers needs a login of its own.
    """

    hosts: frozenset[str] = field(default=frozenset(), converter=_lower)
    token: str | None = field(default=None, repr=False)
    _is_used: bool = field(default=False, init=False)
    # Cookies know no ports: another dashboard on this host must not take the place of this one's.
    _cookie: str = field(factory=lambda: f"apteligent_{secrets.token_hex(4)}", init=False)
    _pass: str = field(factory=secrets.token_urlsafe, init=False, repr=False)

    def turn_away(self, request: Request) -> Response | None:
        """Give the answer to who is not let in, or not yet; None for everybody else."""
        if not self._is_name_of_ours(request):
            return _refusal(421, "This name is not served here", "Use the address that the dashboard printed.")
        if _is_for_another_page(request):
            return _refusal(403, "Another page asked for this", "Open the dashboard by its own address.")
        if self.token is None or _is_same(request.cookies.get(self._cookie), self._pass):
            return None
        if not self._is_used and _is_same(request.query_params.get("token"), self.token):
            self._is_used = True
            return self._welcome(request)
        return _refusal(
            401,
            "This dashboard shows a real account",
            "Its address, with a token in it, was printed where it was started, and opens it once, in one browser. "
            "Start it again for a new one.",
        )

    def _welcome(self, request: Request) -> Response:
        there = request.url.remove_query_params("token")
        answer = RedirectResponse(there.path + (f"?{there.query}" if there.query else ""), status_code=303)
        # A strict one would not be sent where the address was a link in a mail or a chat: the token would be lost.
        is_tls = request.url.scheme == "https"
        answer.set_cookie(self._cookie, self._pass, httponly=True, samesite="lax", secure=is_tls, path="/")
        return answer

    def _is_name_of_ours(self, request: Request) -> bool:
        name = _name_in(request.headers.get("host", ""))
        return name == "localhost" or name in self.hosts or _is_address(name, request.scope.get("server"))


def guarded_by(door: Door) -> type[APIRoute]:
    """Make the routes behind a door: who is turned away reaches no endpoint, and all answers are tied down."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                answer = door.turn_away(request) or await handle(request)
                for name, value in _HEADERS.items():
                    answer.headers[name] = value
                answer.headers.setdefault("Cache-Control", "no-store")
                return answer

            return guarded

    return Guarded


def _name_in(host: str) -> str:
    """Read a Host header, which may be anything; empty where it names nothing."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_address(name: str, server: tuple[str, int | None] | None) -> bool:
    """Whether the name is the very address that the request came to, which no foreign name can be."""
    try:
        asked = ipaddress.ip_address(name)
        return asked.is_loopback or (server is not None and asked == ipaddress.ip_address(server[0]))
    except ValueError:
        return False


def _is_for_another_page(request: Request) -> bool:
    """Whether a page of another origin wants this; it may lead people to the page, which by itself costs no call."""
    told = request.headers
    is_visit = told.get("sec-fetch-dest") == "document" and request.url.path.endswith("/")
    return told.get("sec-fetch-site") in {"cross-site", "same-site"} and not is_visit


def _is_same(given: str | None, wanted: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), wanted.encode())


def _refusal(status: int, title: str, advice: str) -> Response:
    return HTMLResponse(render("refusal.html", title=title, advice=advice), status_code=status)
