"""A drawing of lines, dots, bars and words as SVG: small, readable as text, and at home on light and dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["INKS", "Drawing", "Scale"]

INKS: Final = {
    "ink": ("#1f2328", "#e6e8eb"),
    "quiet": ("#5c6670", "#9aa4ae"),
    "grid": ("#dfe3e8", "#30363d"),
    "wait": ("#c3cad2", "#4b545e"),
    "first": ("#2467c9", "#5b9bf0"),
    "second": ("#c8501a", "#f0834a"),
    "third": ("#128a63", "#3cbf93"),
    "alarm": ("#c4202f", "#ff6b6b"),
}
"""Each ink on light paper and on dark; every use of a colour has a word or a shape beside it."""

_PAPER: Final = ("#ffffff", "#0d1117")
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif"


@frozen
class Scale:
    """Maps values to places on the drawing, evenly."""

    values: tuple[float, float]
    places: tuple[float, float]

    def __call__(self, value: float) -> float:
        """Give the place of a value, to a tenth."""
        (low, high), (start, end) = self.values, self.places
        return round(start + (value - low) / (high - low) * (end - start), 1)


@frozen
class Drawing:
    """A sheet of paper; its state is what has been drawn so far, in order.

    Args:
        width: in pixels, like every length.
        height: likewise.
        words: what is to be seen, for those who do not see it.
    """

    width: int
    height: int
    words: str
    _parts: list[str] = field(factory=list, init=False)

    def text(self, x: float, y: float, words: str, *, ink: str = "ink", size: int = 12, anchor: str = "start") -> None:
        """Write words whose baseline begins, has its middle or ends at a place."""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text x="{x:g}" y="{y:g}" class="{ink}" font-size="{size}"{place}>{escape(words)}</text>')

    def line(self, points: Sequence[tuple[float, float]], *, ink: str, width: float = 1, dashes: str = "") -> None:
        """Join points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._parts.append(f'<polyline points="{path}" class="{ink}-line" stroke-width="{width:g}"{dashed}/>')

    def bar(self, x: float, y: float, width: float, height: float, *, ink: str) -> None:
        """Fill a rectangle, at least half a pixel wide."""
        size = f'width="{max(round(width, 1), 0.5):g}" height="{height:g}"'
        self._parts.append(f'<rect x="{x:g}" y="{y:g}" {size} class="{ink}"/>')

    def dots(self, places: Iterable[tuple[float, float]], *, ink: str, radius: float = 2.5) -> None:
        """Put a dot on each place."""
        dots = "".join(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}"/>' for x, y in places)
        self._parts.append(f'<g class="{ink}">{dots}</g>')

    def to_svg(self) -> str:
        """Give the whole as the text of a file."""
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(self.words)}>'
        paper = f'<rect width="{self.width}" height="{self.height}" rx="6" class="paper"/>'
        title = f"<title>{escape(self.words)}</title>"
        return "\n".join([head, title, f"<style>{_style()}</style>", paper, *self._parts, "</svg>"]) + "\n"


def _style() -> str:
    light, dark = (_rules(shade) for shade in range(2))
    return f"text {{ font-family: {_FONT} }} {light} @media (prefers-color-scheme: dark) {{ {dark} }}"


def _rules(shade: int) -> str:
    inks = [
        f".{name} {{ fill: {inks[shade]} }} .{name}-line {{ fill: none; stroke: {inks[shade]} }}"
        for name, inks in INKS.items()
    ]
    return " ".join([f".paper {{ fill: {_PAPER[shade]} }}", *inks])
