"""What a command has to show besides its table: bars or lines, as a value that plots and charts draw alike."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["Line", "Picture"]


@frozen(kw_only=True)
class Line:
    """One run of values: the bars of one colour, or one line.

    Attributes:
        name: what it shows, for the legend.
        points: one value per label of its picture; None where there is none.
    """

    name: str
    points: tuple[float | None, ...]


@frozen(kw_only=True)
class Picture:
    """Something to draw. Its texts hold no control characters; whoever writes HTML or SVG escapes them.

    Attributes:
        kind: ``bars``, largest first and at most fifty, or ``lines`` over time, oldest first.
        title: what is shown, of which app and which window.
        series: what to draw; one run of bars, or any number of lines.
        labels: under each point: the names of bars, or days (``2016-12-12``) and instants (``2016-12-12 18:05``).
        unit: what the values count, such as ``crashes`` or ``% of app loads``.
        note: how labels are to be read, such as which day a point stands for; empty if they speak for themselves.
    """

    kind: Literal["bars", "lines"]
    title: str
    series: tuple[Line, ...]
    labels: tuple[str, ...]
    unit: str
    note: str = ""
