"""What it costs to make results of JSON: ours with and without the extra `speed`, pydantic, msgspec, and json alone.

    python -m benchmarks.decode --json
    python -m benchmarks.decode --quick

Figures are µs of processor time per answer, from its bytes to objects whose types have been checked; each decoder has
a process of its own, with Python's collector as it is by default. `orjson alone` and `json alone` make nothing but
dictionaries; they are what ours parses with, with the extra and without.

What is unknown to a client is counted twice: by what it costs in all, and by what its parser takes of that.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from statistics import median
from typing import TYPE_CHECKING, Final

from attrs import asdict, frozen

from benchmarks.bodies import BODIES, body, known
from benchmarks.decode_sample import OWN
from benchmarks.rivals.environment import RivalError, ask, ask_own, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Row", "main", "ratios_of"]

_RIVALS: Final = ("msgspec", "pydantic")
_PARSERS: Final = {OWN[0]: OWN[2], OWN[1]: OWN[3]}  # of ours
_SLOWEST_S: Final = 120.0  # real time for one decoder


@frozen(kw_only=True)
class Row:
    """One decoder on one body: the median over all rounds; `spread` is (most - least) / median."""

    client: str
    body: str
    cpu_us: float
    mb_per_s: float
    spread: float


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decode", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="a moment of each, and no other packages")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each decoder (5)")
    wanted = parser.parse_args(given)
    if wanted.quick:
        rows = _measured(OWN, rounds=1, seconds=0.01)
    else:
        prepare()
        rows = _measured((*OWN, *_RIVALS), rounds=wanted.rounds, seconds=0.2)
    ratios = ratios_of(rows)
    _show(rows, ratios)
    if wanted.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "ratios": ratios}))


def ratios_of(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Compare ours with speed to each other decoder, by body; and a body with something unknown to the one without."""
    cost = {(row.client, row.body): row.cpu_us for row in rows}
    ratios: dict[str, dict[str, float]] = {}
    for (client, name), cpu_us in cost.items():
        if client != OWN[0]:
            ratios.setdefault(f"{OWN[0]} / {client}", {})[name] = round(cost[OWN[0], name] / cpu_us, 2)
        if known(name) != name:
            before_us = cost[client, known(name)]
            ratios.setdefault(f"{client}, unknown / none", {})[name] = round(cpu_us / before_us, 2)
            if parser := _PARSERS.get(client):
                parsing_us = cost[parser, name] - cost[parser, known(name)]
                ratios.setdefault(f"{client}, of which parsing", {})[name] = round(parsing_us / before_us, 2)
    return ratios


def _measured(clients: Sequence[str], *, rounds: int, seconds: float) -> list[Row]:
    found: dict[str, list[Mapping[str, float]]] = {client: [] for client in clients}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for client in random.sample(clients, len(clients)):
            asked = ask_own if client in OWN else ask
            try:
                found[client].append(asked("benchmarks.decode_sample", [client, str(seconds)], timeout_s=_SLOWEST_S))
            except RivalError as error:
                if client in OWN:
                    raise
                print(f"{client}: not measured: {error}", file=sys.stderr)
    sizes = {name: len(body(name)) for name in BODIES}
    return [_row(client, name, sizes[name], samples) for client, samples in found.items() if samples for name in BODIES]


def _row(client: str, name: str, size: int, samples: Sequence[Mapping[str, float]]) -> Row:
    costs = [sample[name] for sample in samples]
    middle = median(costs)
    return Row(
        client=client,
        body=name,
        cpu_us=round(middle, 1),
        mb_per_s=round(size / middle, 1),
        spread=round((max(costs) - min(costs)) / middle, 3),
    )


def _show(rows: Iterable[Row], ratios: Mapping[str, Mapping[str, float]]) -> None:
    print(f"{'decoder':30} {'body':26} {'CPU µs':>9} {'MB/s':>7} {'spread':>7}")
    for row in rows:
        print(f"{row.client:30} {row.body:26} {row.cpu_us:9.1f} {row.mb_per_s:7.1f} {row.spread:7.0%}")
    for name, by_body in ratios.items():
        print(name, *(f"  {key:26} {value:g}" for key, value in by_body.items()), sep="\n")


if __name__ == "__main__":
    main()
