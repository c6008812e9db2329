"""The reference names every event that is told, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import apteligent_async
from apteligent_async import Event

TOLD = re.compile(r"""\.(note_call|note|tell)\(\s*"([a-z_.]+)\"""")


def test_every_event_is_named():
    """Those that the source tells are those of the table."""
    source = "".join(path.read_text() for path in Path(apteligent_async.__file__).parent.rglob("*.py"))
    told = {f"call.{name}" if how == "note_call" else name for how, name in TOLD.findall(source)}
    rows = [line.split("|")[1] for line in Event.__doc__.splitlines() if line.lstrip().startswith("| ``")]
    assert told == set(re.findall(r"``(.+?)``", "".join(rows)))
