"""A pull that is spread over workers by taskiq, on any number of hosts, with one budget for all of them.

Redis or Valkey keeps the line of parts, their results, and the budget. Start workers wherever you like, then the pull:

    pip install 'apteligent-async[redis]' taskiq-redis
    export APTELIGENT_BUDGET=redis://127.0.0.1:6379                      and the credentials, on every host
    taskiq worker spread:broker --app-dir examples --workers 4 --max-async-tasks 1 --ack-type when_executed
    python examples/spread.py plan.toml

A part is the plan for a few apps. Its rows come to rest in its ledger, in the folder that SPREAD_FOLDER names. If a
worker dies, taskiq hands its part to another one; on a disk that they share, that one goes on where the ledger ends.
Who calls when is decided by the budget alone: more workers make a pull no faster than its limit, and never refused.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

import anyio
from attrs import evolve
from taskiq import Context, TaskiqDepends, TaskiqEvents, TaskiqState
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from apteligent_async import ApteligentClient, Plan

REDIS = os.environ.get("APTELIGENT_BUDGET", "redis://127.0.0.1:6379")
LEDGERS = Path(os.environ.get("SPREAD_FOLDER", "spread"))
APPS_IN_A_PART = 5
DEAD_AFTER_MS = 3_600_000
"""A part that nobody has finished for so long is given to another worker: longer than any part takes."""

broker = RedisStreamBroker(
    REDIS,
    queue_name="apteligent:parts",
    consumer_id="0",  # parts that were sent before the first worker came count, too
    xread_count=1,  # a worker takes one part, and leaves the others to others
    idle_timeout=DEAD_AFTER_MS,
).with_result_backend(RedisAsyncResultBackend(REDIS, result_ex_time=86_400))


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def open_client(state: TaskiqState) -> None:
    """Give a worker its client: credentials and the budget's address are in the environment."""
    await anyio.Path(LEDGERS).mkdir(parents=True, exist_ok=True)
    state.client = await ApteligentClient().__aenter__()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def close_client(state: TaskiqState) -> None:
    """Tell the budget how the last calls ended."""
    await state.client.__aexit__(None, None, None)


@broker.task(task_name="pull_part")
async def pull_part(plan: str, apps: list[str], context: Context = TaskiqDepends()) -> dict[str, int]:  # noqa: B008  how taskiq hands it in
    """Pull a plan for some apps into their ledger; a part that was had already costs one call, for the list of apps."""
    client: ApteligentClient = context.state.client
    part = evolve(Plan.from_toml(plan), apps=tuple(apps))
    async with client.pull(part, ledger=LEDGERS / f"{apps[0]}.sqlite") as pull:
        async for _ in pull:
            pass
    return {"had": pull.report.ok + pull.report.skipped, "failed": pull.report.failed, "worker": os.getpid()}


async def spread(plan: str) -> list[dict[str, int]]:
    """Cut a plan into parts, hand them to the workers, and wait for what became of each."""
    async with ApteligentClient() as client:
        ids = sorted(app.id for app in await client.apps.list())
    await broker.startup()
    try:
        parts = [ids[first : first + APPS_IN_A_PART] for first in range(0, len(ids), APPS_IN_A_PART)]
        tasks = [await pull_part.kiq(plan, part) for part in parts]
        results = await asyncio.gather(*[task.wait_result() for task in tasks])
    finally:
        await broker.shutdown()
    for result in results:
        result.raise_for_error()
    return [result.return_value for result in results]


def main() -> None:
    """Spread the plan of a file."""
    parser = argparse.ArgumentParser(description="Spread a pull over workers.")
    parser.add_argument("plan", type=Path, help="a plan, as `apteligent pull` takes it")
    done = asyncio.run(spread(parser.parse_args().plan.read_text(encoding="utf-8")))
    workers = {each["worker"] for each in done}
    had, failed = (sum(each[name] for each in done) for name in ("had", "failed"))
    print(f"{had} units in {len(done)} parts by {len(workers)} workers, {failed} failed")


if __name__ == "__main__":
    main()
