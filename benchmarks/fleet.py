"""What a shared budget costs as its clients grow in number: a curve, from simulated clients of one store.

    python -m benchmarks.fleet
    python -m benchmarks.fleet --clients 1 10 100 1000 --compares --json

Lines, leases and the fleet's decisions are the real ones; store, links and service are simulated (`fleet_run`).
"""

from __future__ import annotations

import argparse
import json
import sys
from random import Random
from typing import TYPE_CHECKING

from attrs import asdict, frozen

from benchmarks.fleet_run import FleetRun, Setting, jain

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Point", "point"]


@frozen(kw_only=True)
class Point:
    """One point of the curve.

    Attributes:
        clients: how many share the budget.
        refused: answers of 429.
        utilisation: the part of all windows that was used.
        jain: how even their shares are.
        visits_per_call: how often a client went to the store for each call that was served.
        trips_per_call: round trips, those included that others' changes made vain.
        store_busy: the part of the time that the store was working.
    """

    clients: int
    refused: int
    utilisation: float
    jain: float
    visits_per_call: float
    trips_per_call: float
    store_busy: float


def point(setting: Setting, *, seed: int = 1) -> Point:
    """Play one setting."""
    run = FleetRun(setting, Random(seed))
    run.play()
    calls = max(sum(run.used.values()), 1)
    trips = sum(client.trips for client in run.clients)
    return Point(
        clients=setting.clients,
        refused=run.refused,
        utilisation=round(calls / (setting.budget * setting.windows), 4),
        jain=round(jain([client.served for client in run.clients]), 4),
        visits_per_call=round(sum(client.visits for client in run.clients) / calls, 2),
        trips_per_call=round(trips / calls, 2),
        store_busy=round(trips * setting.store_s / (setting.window_s * setting.windows), 4),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the curve and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 3, 10, 30, 100])
    parser.add_argument("--budget", type=int, default=1000, help="calls in a window")
    parser.add_argument("--window", type=float, default=60.0, dest="window_s", help="seconds")
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--trip", type=float, default=0.2, dest="trip_s", help="seconds that a call takes")
    parser.add_argument("--compares", action="store_true", help="a store that compares and sets, as Redis does")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = vars(parser.parse_args(arguments))
    as_json, clients = options.pop("as_json"), options.pop("clients")
    points = []
    for count in clients:
        points.append(asdict(point(Setting(clients=count, **options))))
        print(points[-1], file=sys.stderr if as_json else sys.stdout, flush=True)
    if as_json:
        print(json.dumps({"points": points}))


if __name__ == "__main__":
    main()
