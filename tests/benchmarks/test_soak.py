"""The soak, in seconds: a hostile simulator in a process of its own, a mixed load, and nothing left at the end."""

from __future__ import annotations

import json
import time
from functools import partial

import anyio
import anyio.lowlevel
import pytest

from apteligent_async.simulator.faults import KINDS, parse_faults
from benchmarks import soak as module
from benchmarks.soak import FAULTS, hostile_simulator, soak


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_mixed_load_under_faults_leaves_nothing(backend):
    """Every call comes back, none with a foreign error, and tasks and sockets are gone with the client."""
    with hostile_simulator() as (url, credentials):
        report = anyio.run(partial(soak, 2.0, url, credentials, seed=3), backend=backend)
    assert report.calls == report.ok + report.typed_errors + report.given_up
    assert (report.untyped_errors, report.hangs, report.leaked_tasks, report.leaked_connections) == (0, 0, 0, 0)
    assert report.ok > 10
    assert report.typed_errors > 0


def test_what_leaks_hangs_or_fails_is_counted():
    """A call that never ends, one that fails in a foreign way, and one that is given up."""
    tally = module._Tally()

    async def fail():
        raise RuntimeError("not ours")

    async def run():
        async with anyio.create_task_group() as watch:
            watch.start_soon(tally.keep_time)
            await tally.count(anyio.sleep_forever, deadline_s=0.0, patience_s=1e9)
            await tally.count(anyio.sleep_forever, deadline_s=9.0, patience_s=0.01)
            await tally.count(fail, deadline_s=9.0, patience_s=1e9)
            watch.cancel_scope.cancel()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "GRACE_S", 0.01)
        anyio.run(run)
    assert tally.ends == {"hangs": 1, "given_up": 1, "untyped_errors": 1}


def test_a_machine_that_is_busy_elsewhere_makes_nobody_hang():
    """Patience is counted in the time that the process could run: here it could not for longer than that."""
    tally = module._Tally()

    async def come_back_late():
        time.sleep(0.3)  # noqa: ASYNC251  nothing else runs meanwhile: that is the point
        await anyio.lowlevel.checkpoint()

    async def run():
        async with anyio.create_task_group() as watch:
            watch.start_soon(tally.keep_time)
            await anyio.sleep(0.05)
            await tally.count(come_back_late, deadline_s=0.0, patience_s=1e9)
            watch.cancel_scope.cancel()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "GRACE_S", 0.1)
        anyio.run(run)
    assert tally.ends == {"ok": 1}


def test_it_soaks_in_every_kind_of_fault():
    """None is left out."""
    assert {type(rule.fault) for rule in parse_faults(FAULTS).rules} == set(KINDS.values())


def test_the_last_line_is_json(capsys):
    """One object with the figures that were promised."""
    module.main(["--minutes", "0.01", "--json"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {
        "calls",
        "ok",
        "typed_errors",
        "untyped_errors",
        "hangs",
        "leaked_tasks",
        "leaked_connections",
        "rss_growth_mb",
    } <= figures.keys()
