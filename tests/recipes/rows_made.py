"""Rows made by hand, and the occasion on which they are read."""

from __future__ import annotations

from datetime import UTC, datetime

from apteligent_async.bulk.recipes.points import AppLabel
from apteligent_async.bulk.recipes.readings import READINGS, Occasion
from apteligent_async.bulk.units import Row

SLOT = datetime(2016, 12, 12, 18, 10, tzinfo=UTC)
APPS = {"a": AppLabel(name="Lantern", offset_hours=-7), "b": AppLabel(name="Orbit", offset_hours=None)}


def row(metric, value, *, grouping=None, key=None, label=None, start=None, end=None, query="pie#days=end", app="a"):
    """Make a row."""
    return Row(app, metric, grouping, key, label, start, end, value, query)


def occasion(**changes):
    """Make the occasion of a run."""
    return Occasion(**{"section": "ours", "slot": SLOT, "apps": APPS, **changes})


def points(reading, rows, **changes):
    """Read rows; give values by path and instant."""
    found = list(READINGS[reading].points(rows, occasion(**changes)))
    told = {(each.path, each.at): each.value for each in found}
    assert len(told) == len(found)
    return told
