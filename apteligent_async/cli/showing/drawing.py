"""The flags that turn what a command has found into pictures."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  the command line reads the annotations
from typing import TYPE_CHECKING, Annotated

from attrs import frozen
from cyclopts import Parameter

from apteligent_async.cli.flags import Flag  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.showing.charts import ENDINGS
from apteligent_async.cli.showing.charts import write as write_chart
from apteligent_async.cli.showing.formats import write_view
from apteligent_async.cli.showing.output import open_console
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from apteligent_async.cli.showing.formats import Output
    from apteligent_async.cli.showing.pictures import Picture
    from apteligent_async.cli.showing.views import View

__all__ = ["NO_DRAWING", "Drawing", "present"]


def _ends_as_chart(_: object, path: Path | None) -> None:
    if path is not None and path.suffix.lower() not in ENDINGS:
        raise ValueError(f"Must end in {', '.join(ENDINGS)}.")


@Parameter(name="*", group="Pictures")
@frozen(kw_only=True)
class Drawing:
    """How a command draws what it has found.

    Attributes:
        plot: Draw it in the terminal, in place of the table.
        chart: File to draw it to: .svg, .png or .html.
    """

    plot: Flag = False
    chart: Annotated[Path | None, Parameter(validator=_ends_as_chart)] = None


NO_DRAWING = Drawing()


def present(view: View, output: Output, drawing: Drawing) -> None:
    """Write a view as the flags say, draw it, or both.

    Raises:
        ConfigurationError: there is nothing to draw.
        OSError: a file cannot be written.
    """
    if drawing.plot:
        _plot(_picture_of(view), open_console(as_json=not output.is_for_people))
    if not (drawing.plot and output.is_for_people):
        write_view(view, output)
    if drawing.chart is not None:
        write_chart(_picture_of(view), drawing.chart)
        if not output.quiet:
            print(f"drawn to {drawing.chart}", file=sys.stderr)


def _plot(picture: Picture, console: Console) -> None:
    from apteligent_async.cli.showing.plots import draw  # noqa: PLC0415  an extra

    draw(picture, console)


def _picture_of(view: View) -> Picture:
    if view.picture is None:
        raise ConfigurationError("There is nothing to draw: the answer has no values.")
    return view.picture
