"""Answers for several apps in one table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from apteligent_async.cli.showing.views import Heading
from apteligent_async.models.tables import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apteligent_async.models.apps import App
    from apteligent_async.models.tables import Kind

__all__ = ["app_headings", "joined", "named"]


def joined(parts: Sequence[tuple[App, Sequence[Column]]]) -> tuple[Column, ...]:
    """Put tables one under the other, with the app's name and id before each row; a column that one lacks is empty."""
    kinds: dict[str, Kind] = {column.name: column.kind for _, columns in parts for column in columns}
    lengths = [(app, len(columns[0].cells) if columns else 0) for app, columns in parts]
    cells: dict[str, list[Any]] = {name: [] for name in kinds}
    for (_, columns), (_, length) in zip(parts, lengths, strict=True):
        present = {column.name: column.cells for column in columns}
        for name, listed in cells.items():
            listed.extend(present.get(name, [None] * length))
    names = _unlike_names([app for app, _ in lengths])
    return (
        Column(name="app", kind="text", cells=[names[app.id] for app, length in lengths for _ in range(length)]),
        Column(name="app_id", kind="text", cells=[app.id for app, length in lengths for _ in range(length)]),
        *(Column(name=name, kind=kind, cells=cells[name]) for name, kind in kinds.items()),
    )


def app_headings(apps: Sequence[App]) -> tuple[Heading, ...]:
    """Head the app's name, where there is more than one."""
    return (Heading("app", "app"),) if len(apps) > 1 else ()


def named(apps: Sequence[App]) -> str:
    """Say in a few words which apps."""
    return apps[0].name if len(apps) == 1 else f"{len(apps)} apps"


def _unlike_names(apps: Sequence[App]) -> dict[str, str]:
    """Tell apps of one name apart: often they are the same on two platforms."""
    counted = Counter(app.name for app in apps)
    return {app.id: app.name if counted[app.name] == 1 else f"{app.name} ({app.id})" for app in apps}
