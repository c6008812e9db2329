"""The pytest plugin: three fixtures and a marker. It is imported in every run of pytest, so it imports nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apteligent_async.testing.server import ApteligentServer

__all__ = ["apteligent_server", "apteligent_token", "apteligent_url", "pytest_configure"]

_MARKER = (
    "apteligent(*, apps=40, seed=1, now=..., faults=..., limit=20, bucket_s=60.0, ...): "
    "settings of the test's apteligent_server: see apteligent_async.testing.ApteligentServer"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, also where pytest is strict about markers."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def apteligent_server(request: pytest.FixtureRequest) -> ApteligentServer:
    """Give a simulated service of the test's own: an `apteligent_async.testing.ApteligentServer`.

    The marker ``apteligent`` on the test, its class or its module sets it up; what is closer to the test counts.
    """
    from apteligent_async.testing.server import ApteligentServer  # noqa: PLC0415  only where the fixture is asked for

    settings: dict[str, Any] = {}
    for mark in request.node.iter_markers("apteligent"):
        if mark.args:
            raise pytest.UsageError("the marker apteligent takes its settings by name, such as apteligent(limit=3)")
        settings = {**mark.kwargs, **settings}
    return ApteligentServer(**settings)


@pytest.fixture
def apteligent_url(apteligent_server: ApteligentServer) -> Iterator[str]:
    """Give the origin under which `apteligent_server` listens on loopback, such as ``http://127.0.0.1:49152``.

    Needs the extra ``apteligent-async[simulator]``.
    """
    with apteligent_server.listening() as url:
        yield url


@pytest.fixture
def apteligent_token(apteligent_server: ApteligentServer) -> str:
    """Give a bearer token that `apteligent_server` accepts."""
    return apteligent_server.token
