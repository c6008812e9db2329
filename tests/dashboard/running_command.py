"""The command ``apteligent dashboard``, and clients of the account that it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

from attrs import frozen

COMMAND = [sys.executable, "-c", "from apteligent_async.cli import main; main()", "dashboard"]


@frozen
class Shown:
    """A running command: its process, the address that it printed, and what else it printed, by name."""

    process: subprocess.Popen[str]
    address: str
    printed: dict[str, str]


@contextmanager
def showing(*flags, notes=3, **environment):
    """Run the command until the block ends; give it once it has said where it is."""
    told = {name: value for name, value in os.environ.items() if not name.startswith("APTELIGENT_")}
    process = subprocess.Popen(
        [*COMMAND, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**told, "PYTHONWARNINGS": "error", **environment},
    )
    try:
        address = process.stdout.readline().removeprefix("listening on ").strip()
        lines = [process.stdout.readline().strip() for _ in range(notes)]
        printed = dict(line.split(" on " if " on " in line else "=", 1) for line in lines)
        yield Shown(process, address, printed)
    finally:
        process.kill()
        process.communicate()
