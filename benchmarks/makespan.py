"""How long a backlog takes, and at whose cost: our scheduler in each mode beside the real packages of others.

Ours knows nothing in advance and reads the service's own headers, in which Remaining is a speed. The others get the
count headers that they know, and those marked `told` are told the budget and the window. Everything runs in virtual
time: ours in a discrete-event player, the others on an asyncio loop that jumps.

    python -m benchmarks.makespan --json
    python -m benchmarks.makespan --only "idle,ours"
"""

from __future__ import annotations

import argparse
import json
from random import Random
from typing import TYPE_CHECKING, Final, cast, get_args

from attrs import asdict, fields

from apteligent_async._scheduling.policy import Mode
from apteligent_async._scheduling.signals import Job
from benchmarks.core import new_brain
from benchmarks.player import Client, Player, StuckError
from benchmarks.rivals.clients import CLIENTS
from benchmarks.rivals.environment import RivalError, ask, prepare
from benchmarks.scenarios import QUICK, SCENARIOS, START_AT, Row, Scenario, row
from benchmarks.zoo import Dialect, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.player import Brain

__all__ = ["measure_ours", "measure_rival"]

OURS: Final = "apteligent_async"
_RIVAL_S: Final = 600.0  # of real time per scenario; the slowest polls every 10 virtual milliseconds


def measure_ours(mode: Mode, scenario: Scenario, *, brain: Callable[[Mode], Brain] = new_brain) -> Row:
    """Play one scenario with as many schedulers as it has processes, none of which knows of another."""
    dice = Random(f"{mode} {scenario.name}")
    server = Server(meter=scenario.meter(), dialect=Dialect(), dice=dice)
    player = Player(
        server=server,
        link=scenario.link,
        dice=dice,
        now=START_AT,
        foreign=scenario.foreign,
        horizon_at=START_AT + 20 * scenario.bound_s() + 600,
    )
    clients = [Client(brain(mode)) for _ in range(scenario.processes)]
    for client in clients:
        player.submit(client, [Job() for _ in range(scenario.n // scenario.processes)])
    try:
        player.run()
    except StuckError as stuck:
        return Row(client=OURS, mode=mode, scenario=scenario.name, bound=scenario.bound_s(), note=str(stuck))
    served_at = [client.served_at for client in clients]
    return row(OURS, mode, scenario, served_at=served_at, refused=server.refused, visits=player.visits)


def measure_rival(client: tuple[str, str], scenarios: Sequence[Scenario]) -> list[Row]:
    """Run one real package in its environment; one that cannot be driven gets rows that say why."""
    names = ",".join(scenario.name for scenario in scenarios)
    try:
        found = ask("benchmarks.rivals.runs", [*client, names], timeout_s=_RIVAL_S * len(scenarios))
    except RivalError as error:
        return [
            Row(client=client[0], mode=client[1], scenario=scenario.name, bound=scenario.bound_s(), note=str(error))
            for scenario in scenarios
        ]
    return [Row(**each) for each in found]


def _rows(clients: Iterable[tuple[str, str]], scenarios: Sequence[Scenario]) -> Iterator[Row]:
    for client in clients:
        if client[0] == OURS:
            yield from (measure_ours(cast("Mode", client[1]), scenario) for scenario in scenarios)
        else:
            yield from measure_rival(client, scenarios)


def _chosen(only: str) -> tuple[list[tuple[str, str]], list[Scenario]]:
    """Pick clients and scenarios by name; whichever of the two is not named at all is taken whole."""
    words = {word.strip() for word in only.split(",") if word.strip()}
    everybody = [*((OURS, mode) for mode in get_args(Mode)), *CLIENTS]
    clients = [client for client in everybody if words & {*client, "ours" if client[0] == OURS else "others"}]
    scenarios = [scenario for name, scenario in SCENARIOS.items() if name in words]
    return clients or everybody, scenarios or list(SCENARIOS.values())


def _print_row(found: Row) -> None:
    if found.note:
        print(f"{found.client:22} {found.mode:14} {found.scenario:12} {found.note}")
        return
    foreign = "" if found.foreign_success is None else f"{found.foreign_success:8.3f}"
    print(
        f"{found.client:22} {found.mode:14} {found.scenario:12} {found.makespan:9.2f} {found.bound:8.2f} "
        f"{found.ratio:8.3f} {found.rate_limited:6d} {found.mean_wait:9.2f} {found.jain:6.3f} {foreign}"
    )


def _print_head() -> None:
    names = [field.name for field in fields(Row)]
    print("columns:", ", ".join(names))
    print(
        f"{'client':22} {'mode':14} {'scenario':12} {'makespan':>9} {'bound':>8} "
        f"{'ratio':>8} {'429s':>6} {'mean wait':>9} {'jain':>6} {'foreign':>8}"
    )


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.makespan", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help=f"ours only, in the scenarios {', '.join(QUICK)}")
    parser.add_argument("--only", default="", help="names of clients (also `ours`, `others`), modes and scenarios")
    wanted = parser.parse_args(given)
    clients, scenarios = _chosen(",".join((OURS, *QUICK)) if wanted.quick else wanted.only)
    if any(client[0] != OURS for client in clients):
        prepare()
    _print_head()
    rows = []
    for found in _rows(clients, scenarios):
        _print_row(found)
        rows.append(asdict(found))
    if wanted.json:
        print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
