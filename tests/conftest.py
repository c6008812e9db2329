"""Both event loops in virtual time, for every test that waits."""

from __future__ import annotations

import pytest
import trio.testing
from virtual_loop import VirtualLoop


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run the test on a loop whose clock jumps to the next timer."""
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": VirtualLoop}
