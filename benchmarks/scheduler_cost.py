"""What a call costs in the scheduler, and what waiting costs, beside other limiters in the same run.

python -m benchmarks.scheduler_cost --json
python -m benchmarks.scheduler_cost --quick
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from itertools import chain
from typing import TYPE_CHECKING, Final

from attrs import asdict

from benchmarks.own_costs import ANYIO, BARE, DISPATCHER, core_costs, loop_costs, wake_up_costs
from benchmarks.rivals.costs import LIMITERS
from benchmarks.rivals.environment import RivalError, ask, prepare
from benchmarks.waiting import Cost, costs_of, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["own", "rivals"]

_FEW: Final = 1_000
_MANY: Final = 100_000
_RIVAL_S: Final = 1200.0  # real time; cancelling 100,000 waiters is quadratic in some


def own(*, few: int, many: int) -> Iterator[Cost]:
    """Measure the core, the dispatcher and anyio in this process."""
    yield from core_costs(few=few, many=many)
    yield from wake_up_costs()
    yield from asyncio.run(loop_costs(many))
    for turnstile in (DISPATCHER, BARE, ANYIO):
        yield from asyncio.run(costs_of(turnstile, few=few, many=many))


def rivals(*, few: int, many: int) -> Iterator[Cost]:
    """Measure the others, each in a process of the rivals' environment.

    Who comes to no end with many waiters is measured with a tenth of them, and so on; stderr says so.
    """
    for name in LIMITERS:
        waiters, costs = many, None
        while costs is None and waiters >= few:
            costs = _rival(name, few, waiters)
            waiters //= 10
        yield from costs or ()


def _rival(name: str, few: int, many: int) -> list[Cost] | None:
    try:
        found = ask("benchmarks.rivals.costs", [name, str(few), str(many)], timeout_s=_RIVAL_S)
    except RivalError as error:
        print(f"{name}: not measured with {many:,} waiters: {error}", file=sys.stderr)
        return None
    return [Cost(**each) for each in found]


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduler_cost", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the waiters, and no other packages")
    wanted = parser.parse_args(given)
    if wanted.quick:
        measured = own(few=_FEW // 100, many=_MANY // 100)
    else:
        prepare()
        measured = chain(own(few=_FEW, many=_MANY), rivals(few=_FEW, many=_MANY))
    print(f"{'client':28} {'measure':22} {'waiters':>8} {'value':>12}")
    costs = []
    for cost in measured:
        costs.append(cost)
        print(line_of(cost), flush=True)
    if wanted.json:
        print(json.dumps({"rows": [asdict(cost) for cost in costs]}))


if __name__ == "__main__":
    main()
