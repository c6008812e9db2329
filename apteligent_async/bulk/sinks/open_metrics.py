"""Points as OpenMetrics text, for a Prometheus to scrape.

One metric, ``apteligent_value``, with the labels ``app``, ``recipe``, ``metric``, ``grouping`` and ``key``, each sample
with the instant that it is about. Labels are bounded: so many series are told of and no more, and
``apteligent_series_left_out`` says how many others there are.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apteligent_async.bulk.recipes.points import Point

__all__ = ["CONTENT_TYPE", "open_metrics_text"]

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_NAME = "apteligent_value"
_LEFT_OUT = "apteligent_series_left_out"
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def open_metrics_text(points: Iterable[Point], *, left_out: int = 0) -> str:
    """Write points as OpenMetrics text: each series in one place, its samples oldest first.

    Args:
        points: each name and instant once.
        left_out: how many series are not told of.
    """
    ordered = sorted(points, key=lambda point: (_labels(point), point.at))
    return "\n".join([*_lines(ordered), f"# TYPE {_LEFT_OUT} gauge", f"{_LEFT_OUT} {left_out}", "# EOF", ""])


def _lines(ordered: Iterable[Point]) -> Iterator[str]:
    yield f"# TYPE {_NAME} gauge"
    yield f"# HELP {_NAME} What the service told of an app, in its own words and units."
    for labels, series in groupby(ordered, key=_labels):
        for point in series:
            yield f"{_NAME}{{{labels}}} {point.value!r} {point.at}"


def _labels(point: Point) -> str:
    told = {
        "app": point.app,
        "recipe": point.section,
        "metric": point.metric,
        "grouping": point.grouping or "",
        "key": point.key or "",
    }
    return ",".join(f'{name}="{_printable(value).translate(_ESCAPED)}"' for name, value in told.items())


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() or mark == "\n" else "?" for mark in text)
