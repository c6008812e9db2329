"""What importing the package costs, beside its core packages and beside other SDKs.

    python -m benchmarks.imports --json
    python -m benchmarks.imports --quick

Each import has an interpreter of its own, with compiled files in place. `ms` is processor time, `modules` what came
into memory, `extras` the optional packages among them that the core packages did not bring in, and `ratio_core` the
time against the five core packages imported together, in the same run. The package brings its names in when they are
first asked for: `ratio_core` is `import apteligent_async`, and `ratio_core_in_use` is with `ApteligentClient` taken
from it, which is what a program pays that calls the service.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from importlib.metadata import requires
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from attrs import asdict, frozen

from benchmarks.rivals.environment import RivalError, ask, ask_own, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Row", "main"]

_OURS: Final = "apteligent_async"
_CORE: Final = "core packages"
_IN_USE: Final = f"{_OURS}, in use"
_OWN: Final = {
    _OURS: (_OURS,),
    _IN_USE: (f"{_OURS}:ApteligentClient",),
    _CORE: ("httpx", "anyio", "attrs", "cattrs", "tenacity"),
}
_RIVALS: Final = {name: (name,) for name in ("openai", "stripe", "githubkit")}
_SLOWEST_S: Final = 60.0  # real time for one import


@frozen(kw_only=True)
class Row:
    """One import: medians over all rounds; `spread` is (most - least) / median."""

    client: str
    ms: float
    modules: int
    spread: float


def main(given: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    parser.add_argument("--quick", action="store_true", help="one import of each, and no other packages")
    parser.add_argument("--rounds", type=int, default=11, help="imports of each (11)")
    wanted = parser.parse_args(given)
    if not wanted.quick:
        prepare()
    samples = _measured(_OWN if wanted.quick else {**_OWN, **_RIVALS}, rounds=1 if wanted.quick else wanted.rounds)
    rows = {client: _row(client, found) for client, found in samples.items() if found}
    print(f"{'import':24} {'CPU ms':>8} {'modules':>8} {'spread':>7}")
    for row in rows.values():
        print(f"{row.client:24} {row.ms:8.1f} {row.modules:8} {row.spread:7.0%}")
    found = {
        "ms": rows[_OURS].ms,
        "modules": rows[_OURS].modules,
        "extras": _extras(samples[_IN_USE][0]["packages"], beside=samples[_CORE][0]["packages"]),
        "ratio_core": round(rows[_OURS].ms / rows[_CORE].ms, 3),
        "ratio_core_in_use": round(rows[_IN_USE].ms / rows[_CORE].ms, 3),
    }
    print("  ".join(f"{name} {value}" for name, value in found.items()))
    if wanted.json:
        print(json.dumps({**found, "rows": [asdict(row) for row in rows.values()]}))


def _measured(wanted: Mapping[str, Sequence[str]], *, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Import everything once unmeasured, so that compiled files are there, and then in turns."""
    found: dict[str, list[dict[str, Any]]] = {client: [] for client in wanted}
    for number in range(rounds + 1):
        for client in random.sample(list(wanted), len(wanted)):
            asked = ask_own if client in _OWN else ask
            try:
                sample = asked("benchmarks.import_sample", wanted[client], timeout_s=_SLOWEST_S)
            except RivalError as error:
                if client in _OWN:
                    raise
                print(f"{client}: not measured: {error}", file=sys.stderr)
                continue
            if number:
                found[client].append(sample)
    return found


def _row(client: str, samples: Sequence[Mapping[str, Any]]) -> Row:
    times = [sample["ms"] for sample in samples]
    return Row(
        client=client,
        ms=round(median(times), 1),
        modules=samples[0]["modules"],
        spread=round((max(times) - min(times)) / median(times), 3),
    )


def _extras(packages: Iterable[str], *, beside: Iterable[str]) -> list[str]:
    """Name the packages of our extras that were imported for us alone: httpx itself brings rich in where it can."""
    optional = {re.split(r"[^\w.-]", each)[0].replace("-", "_") for each in requires(_OURS) or () if "extra ==" in each}
    return sorted((optional & set(packages)) - set(beside))


if __name__ == "__main__":
    main()
