"""The reference is of everything that is public, and of nothing that is not there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
TOLD = re.compile(r"^::: ([\w.]+)\.(\w+)$", re.MULTILINE)
ROOMS = [
    "",
    ".models",
    ".testing",
    ".integrations.fastapi",
    ".integrations.otel",
    ".integrations.prometheus",
    ".dashboard",
    ".simulator",
    ".simulator.faults",
]


def found(module, name):
    """Give what stands at an address; the same object by whatever address."""
    return getattr(import_module(module), name)


def test_every_public_name_is_told_once():
    """Whatever can be imported from a public room is in the reference; besides, the families of calls."""
    told = {id(found(module, name)): name for module, name in TOLD.findall(PAGE)}
    rooms = [import_module(f"apteligent_async{room}") for room in ROOMS]
    public = {id(getattr(room, name)): name for room in rooms for name in room.__all__ if name != "__version__"}
    assert {name for there, name in public.items() if there not in told} == set()
    families = {name for there, name in told.items() if there not in public}
    assert all(found("apteligent_async.client.client", name) for name in families)
    assert len(TOLD.findall(PAGE)) == len(told)
