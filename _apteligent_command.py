"""Where the command `apteligent` begins: outside the package, so that Ctrl-C is quiet while the package is imported."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Import the command line and run it; an interrupt on the way there ends with 130, as any later one does."""
    try:
        from apteligent_async.cli import main as run  # noqa: PLC0415  its import may be interrupted

        run()
    except KeyboardInterrupt:
        sys.exit(130)
