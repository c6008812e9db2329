"""Both event loops in virtual time, and a service to call."""

from __future__ import annotations

import pytest
import trio.testing
from front_desk import FrontDesk
from virtual_loop import VirtualLoop


@pytest.fixture(
    params=[
        pytest.param("asyncio", id="asyncio"),
        pytest.param("trio", id="trio"),
    ]
)
def anyio_backend(request):
    """Run the test on a loop whose clock jumps to the next timer."""
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture
def desk():
    """A service with an allowance that no test exhausts, and a token."""
    return FrontDesk.open(limit=1_000_000)
