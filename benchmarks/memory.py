"""What a large pull takes: peak memory and speed for a million rows, against the simulator in this process.

The simulator's own memory is in the figure: its world, its books, and the thousand bodies that it remembers. The
ledger and the output are files. The account is large: a hundred and ten apps.

The plan is one of everything, where few calls bring many rows, or one of graphs alone, where each of a million points
is a unit of its own and seventeen thousand calls bring them (many minutes).

    python -m benchmarks.memory --json
    python -m benchmarks.memory --plan graphs --apps 560 --json
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from attrs import asdict, frozen

from apteligent_async import ApteligentClient, MemoryBudget, Plan, RatePolicy, StaticToken
from apteligent_async.bulk.outputs import write_output
from apteligent_async.bulk.wanted import Wanted
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, SimulatorTransport, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.bulk.report import PullReport

__all__ = ["Figures", "measure"]

_NOW: Final = datetime(2016, 12, 12, 20, tzinfo=UTC)

_EVERYTHING: Final = Plan(
    want=[
        Wanted("error_monitoring.graph", graph=["crashes", "appLoads", "dau", "crashPercent"], days=57),
        Wanted("trends.app", days=29),
        Wanted("crashes.summaries"),
        Wanted("crashes.table"),
        Wanted("crashes.details", most=20),
        Wanted("live_stats.get"),
        Wanted("transactions.traces", most=20),
    ],
    personal_data=True,
)


_GRAPHS: Final = Plan(
    want=[
        Wanted(
            "error_monitoring.graph",
            graph=["crashes", "appLoads", "dau", "crashPercent", "affectedUsers"],
            app_version=["all", "*"],
            days=57,
        )
    ]
)

_PLANS: Final = {"everything": _EVERYTHING, "graphs": _GRAPHS}


@frozen(kw_only=True)
class Figures:
    """What a pull took.

    Attributes:
        rows: rows that came.
        units: units that came.
        calls: requests.
        seconds: from the first call to the last commit.
        rows_per_second: rows by those seconds.
        output_seconds: how long it took to write them as JSON lines.
        idle_mb: resident memory before the pull, the simulator's world included, in megabytes.
        peak_mb: the same at its highest, over the pull and the output.
    """

    rows: int
    units: int
    calls: int
    seconds: float
    rows_per_second: int
    output_seconds: float
    idle_mb: float
    peak_mb: float


def measure(apps: int, plan: Plan = _EVERYTHING) -> Figures:
    """Pull a plan of so many apps into a ledger, and write it out.

    Raises:
        RuntimeError: some of it failed.
    """
    service = Service(World(seed=1, apps=apps, now=_NOW), quota=QuotaSettings(limit=10**8))
    idle_mb = _peak_mb()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.sqlite"
        report = anyio.run(_pull, service, plan, ledger)
        began_at = time.monotonic()
        rows = write_output(ledger, Path(folder), "jsonl")
        output_s = time.monotonic() - began_at
    if not report.is_complete:
        raise RuntimeError(f"{report.failed} units failed: {report.causes}")
    return Figures(
        rows=rows,
        units=report.ok,
        calls=report.calls,
        seconds=round(report.seconds, 1),
        rows_per_second=round(rows / report.seconds),
        output_seconds=round(output_s, 1),
        idle_mb=round(idle_mb, 1),
        peak_mb=round(_peak_mb(), 1),
    )


async def _pull(service: Service, plan: Plan, ledger: Path) -> PullReport:
    token = StaticToken(service.issue_token(DEMO_ACCOUNT.client_id))
    async with ApteligentClient(
        token,
        base_url="http://127.0.0.1:9",
        transport=SimulatorTransport(service),
        policy=RatePolicy(mode="exclusive"),
        budget=MemoryBudget(),
    ) as client:
        pull = client.pull(plan, ledger=ledger)
        async for _ in pull:
            pass
        return pull.report


def _peak_mb() -> float:
    """Give the most memory that this process has had, in megabytes of a million bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__.splitlines()[0])
    parser.add_argument("--apps", type=int, default=110, help="apps of the account (%(default)s)")
    parser.add_argument("--plan", choices=_PLANS, default="everything", help="what to pull (%(default)s)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    wanted = parser.parse_args(given)
    figures = asdict(measure(wanted.apps, _PLANS[wanted.plan]))
    for name, value in figures.items():
        print(f"{name:16} {value}")
    if wanted.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
