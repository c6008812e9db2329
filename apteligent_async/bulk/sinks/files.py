"""All numbers that a ledger holds, as lines of JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from apteligent_async.bulk.spool import Spool
from apteligent_async.bulk.whole_files import replacing
from apteligent_async.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from apteligent_async.bulk.spool import SpooledPoint

__all__ = ["POINTS_FILE", "write_points_file"]

POINTS_FILE = "points.jsonl"

_EVERYTHING = 2**62


async def write_points_file(ledger: Path, folder: Path) -> int:
    """Write every number that a ledger holds, the oldest first, in place of an earlier file; tell how many there are.

    Raises:
        LedgerError: the ledger cannot be read, or the file not written.
    """
    async with Spool(ledger) as spool:
        points = await spool.unread(POINTS_FILE, most=_EVERYTHING)
    try:
        with replacing(folder / POINTS_FILE) as part:
            part.write_text("".join(_lines(points)), encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"cannot write in {folder}: {error.strerror}. The ledger has all numbers.") from error
    return len(points)


def _lines(points: list[SpooledPoint]) -> Iterator[str]:
    for each in sorted(points, key=lambda each: (each.point.at, each.path)):
        point, at = each.point, datetime.fromtimestamp(each.point.at, UTC).isoformat()
        group = {"grouping": point.grouping, "key": point.key}
        told = {"at": at, "path": each.path, "app": point.app, "metric": point.metric, **group, "value": point.value}
        yield json.dumps(told) + "\n"
