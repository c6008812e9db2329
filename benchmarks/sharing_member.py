"""One process of many that share a budget: it calls as fast as it is let, and tells its parent of every answer.

python -m benchmarks.sharing_member URL TOKEN CLIENT_ID BUDGET CALLERS

It begins when it is told, by a line, for how many seconds.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import anyio

from apteligent_async import AppAttribute, ApteligentClient, ApteligentError, StaticToken
from apteligent_async._budgets import budget_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async import Event

__all__ = ["main"]


def say(**words: Any) -> None:
    """Tell the parent, at once: this process may be killed at any instant."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def main(service: Sequence[str], budget: str, seconds: float, callers: int) -> None:
    """Call until the time is up, and say what became of every call."""
    url, token, client_id = service
    counts = {"begun": 0, "done": 0, "failed": 0}

    def watch(event: Event) -> None:
        if event.name == "call.answer":
            detail = event.detail
            say(at=time.monotonic(), outcome=detail["outcome"], reset_s=detail.get("reset_s"))
        elif event.name.startswith("store."):
            say(store=event.name)

    credentials = StaticToken(token, client_id=client_id)
    async with ApteligentClient(credentials, base_url=url, budget=budget_from(budget)) as client:
        client.on_event(watch)
        ends_at = time.monotonic() + seconds

        async def call_on() -> None:
            while time.monotonic() < ends_at:
                counts["begun"] += 1
                try:
                    await client.apps.list([AppAttribute.APP_NAME])
                    counts["done"] += 1
                except ApteligentError as error:
                    counts["failed"] += 1
                    say(error=repr(error))

        async with anyio.create_task_group() as group:
            for _ in range(callers):
                group.start_soon(call_on)
            await anyio.sleep(seconds)
            group.cancel_scope.cancel()  # a scope's deadline would be honoured before: hopeless calls are not begun
        unanswered = counts["begun"] - counts["done"] - counts["failed"]
        courier = client._session._dispatcher._courier  # noqa: SLF001  what no user needs to know
        assert courier is not None
        say(**counts, unanswered=unanswered, visits=courier.visits, trips=getattr(courier.store, "trips", None))


if __name__ == "__main__":
    *service, budget, callers = sys.argv[1:]
    say(ready=True)
    anyio.run(main, service, budget, float(sys.stdin.readline()), int(callers))
