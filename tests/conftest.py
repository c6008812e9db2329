"""Both event loops in virtual time, for every test that waits."""

from __future__ import annotations

import anyio
import pytest
import trio.testing
from virtual_loop import VirtualLoop


def pytest_addoption(parser):
    """Let a person widen the search for cancellations that leave something behind."""
    parser.addoption("--cancellations", type=int, default=300, help="how many random cancellations to try, per backend")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run the test on a loop whose clock jumps to the next timer."""
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def runs(request):
    """Give what runs one coroutine function to its end in virtual time, again and again: for property tests."""

    def run(function, *arguments):
        if request.param == "trio":
            options = {"clock": trio.testing.MockClock(autojump_threshold=0)}
            return anyio.run(function, *arguments, backend="trio", backend_options=options)
        return anyio.run(function, *arguments, backend_options={"loop_factory": VirtualLoop})

    return run
