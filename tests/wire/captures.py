"""Captured and invented answers of the service, read from beside the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "fixtures"


def capture(name: str) -> Any:
    """Load one capture, or skip the test where there are none."""
    if not FOLDER.is_dir():
        pytest.skip(f"the captured answers are not here: {FOLDER}")
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def exchanges(name: str) -> list[Any]:
    """Load a capture that holds several exchanges."""
    found = capture(name)
    return found.get("exchanges") or found.get("pages") or [found]
