"""Pictures as files: Vega-Lite charts by altair, drawn without a browser."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from functools import cache
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

from apteligent_async.errors import ConfigurationError
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from apteligent_async.cli.showing.pictures import Picture

__all__ = ["ENDINGS", "write"]

ENDINGS = (".svg", ".png", ".html")
"""What the name of a chart's file may end in."""

_WIDTH = 720
_LINE_HEIGHT = 320
_BAR_HEIGHT = 24
_TITLE_COLUMNS = 90
_PNG_SCALE = 2
# Told apart by people who see colours in other ways too (Okabe and Ito); all of them show on white.
_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
_SNIPPET = "window.vegaEmbed = vegaEmbed;"
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>body {{ margin: 1rem; background: #fff; font-family: sans-serif }}</style>
<script>{bundle}</script>
</head>
<body>
<div id="chart"></div>
<script>
vegaEmbed("#chart", {chart}, {{actions: {{export: true, source: false, compiled: false, editor: false}}}});
</script>
</body>
</html>
"""


def write(picture: Picture, path: Path) -> None:
    """Write a chart; the file's ending says how: ``.svg``, ``.png``, or ``.html``, which needs nothing else to show.

    Raises:
        ConfigurationError: the ending is none of these, or the extra ``charts`` is not installed.
        OSError: the file cannot be written.
    """
    kinds: dict[str, Callable[[dict[str, Any], str], bytes]] = dict(zip(ENDINGS, (_svg, _png, _html), strict=True))
    encode = kinds.get(path.suffix.lower())
    if encode is None:
        raise ConfigurationError(f"{path.name!r} names no kind of chart: end it in {', '.join(ENDINGS)}.")
    try:
        chart = _chart(picture)
    except ModuleNotFoundError as missing:
        raise ConfigurationError(
            f"Charts need {missing.name}, which is not installed: pip install 'apteligent-async[charts]'."
        ) from None
    path.write_bytes(encode(chart, picture.title))


def _svg(chart: dict[str, Any], _: str) -> bytes:
    import vl_convert  # noqa: PLC0415  an extra

    return vl_convert.vegalite_to_svg(chart, allowed_base_urls=[]).encode()


def _png(chart: dict[str, Any], _: str) -> bytes:
    import vl_convert  # noqa: PLC0415  an extra

    return vl_convert.vegalite_to_png(chart, scale=_PNG_SCALE, allowed_base_urls=[])


def _html(chart: dict[str, Any], title: str) -> bytes:
    """Write a page of our own: those of the libraries let a name that holds markup end their script."""
    harmless = json.dumps(chart).replace("<", "\\u003c")
    page = _PAGE.format(title=escape(printable(title)), bundle=_bundle(), chart=harmless)
    return page.encode()


@cache
def _bundle() -> str:
    """Give all that the page needs to draw; putting it together takes seconds."""
    import vl_convert  # noqa: PLC0415  an extra

    return vl_convert.javascript_bundle(_SNIPPET)


def _chart(picture: Picture) -> dict[str, Any]:
    import altair as alt  # noqa: PLC0415  an extra

    import_module("vl_convert")  # each kind of file needs it

    chart = _bars(alt, picture) if picture.kind == "bars" else _lines(alt, picture)
    note = _wrapped(picture.note) if picture.note else alt.Undefined
    title = alt.TitleParams(_wrapped(picture.title), subtitle=note, anchor="start", offset=12)
    styled = chart.properties(title=title, width=_WIDTH, background="white", padding=16)
    described: dict[str, Any] = styled.configure_view(stroke=None).to_dict()
    return described


def _bars(alt: Any, picture: Picture) -> Any:
    bars = zip(_distinct(picture.labels), picture.series[0].points, strict=True)
    rows: list[dict[str, Any]] = [
        {"name": name, "place": place, "value": value} for place, (name, value) in enumerate(bars) if value is not None
    ]
    written = ",.0f" if all(row["value"] % 1 == 0 for row in rows) else ",.2f"
    longest_name = alt.Axis(labelLimit=_WIDTH // 3, title=None, ticks=False, domain=False)
    names = alt.Y("name:N", sort=alt.EncodingSortField("place", order="ascending"), axis=longest_name)
    values = alt.X("value:Q", title=printable(picture.unit), axis=alt.Axis(format=",~r", grid=False))
    both = alt.Chart(alt.Data(values=rows)).encode(y=names, x=values)
    figures = both.mark_text(align="left", dx=4).encode(text=alt.Text("value:Q", format=written))
    return (both.mark_bar(color=_COLOURS[0]) + figures).properties(height=_BAR_HEIGHT * max(len(rows), 1))


def _lines(alt: Any, picture: Picture) -> Any:
    rows = [
        {"at": label, "name": name, "value": value}
        for name, line in zip(_distinct([line.name for line in picture.series]), picture.series, strict=True)
        for label, value in zip(map(_utc, picture.labels), line.points, strict=True)
    ]
    values = alt.Y("value:Q", title=printable(picture.unit), axis=alt.Axis(format=",~r"))
    dots = alt.OverlayMarkDef(size=20, color=_COLOURS[0])
    chart = alt.Chart(alt.Data(values=rows)).mark_line(point=dots, color=_COLOURS[0])
    chart = chart.encode(x=_time_axis(alt, picture), y=values)
    if len(picture.series) > 1:
        chart = chart.mark_line(point=alt.OverlayMarkDef(size=20)).encode(color=_legend(alt, picture))
    return chart.properties(height=_LINE_HEIGHT)


def _time_axis(alt: Any, picture: Picture) -> Any:
    """Make an axis of days or instants.

    Vega reads a plain day as midnight UTC: shown in the reader's own zone, it could be the day before.
    """
    days = all(len(label) == len("2016-12-12") for label in picture.labels)
    axis = alt.Axis(format="%b %-d" if days else "%b %-d %H:%M", labelOverlap=True, labelFlush=True, grid=False)
    return alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=axis)


def _legend(alt: Any, picture: Picture) -> Any:
    names = _distinct([line.name for line in picture.series])
    legend = alt.Legend(title=None, labelLimit=_WIDTH // 3)
    colours = alt.Scale(range=_COLOURS) if len(names) <= len(_COLOURS) else alt.Scale(scheme="category20")
    return alt.Color("name:N", sort=names, legend=legend, scale=colours)


def _utc(label: str) -> str:
    """Read a label as an instant; what is none is left to Vega, which draws nothing there."""
    try:
        return f"{datetime.fromisoformat(label):%Y-%m-%dT%H:%M:%SZ}"
    except ValueError:
        return printable(label)


def _distinct(names: Iterable[str]) -> list[str]:
    """Number names that come again: Vega would draw their bars as one."""
    seen: Counter[str] = Counter()
    found: list[str] = []
    for name in map(printable, names):
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _wrapped(text: str) -> list[str]:
    """Break a text into lines that are no wider than the chart."""
    lines = [""]
    for word in printable(text).split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= _TITLE_COLUMNS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
