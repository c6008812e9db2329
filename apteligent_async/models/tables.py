"""Any result as a table: named columns, and from them rows, HTML and Arrow."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from apteligent_async.models.frozen import thaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Column", "Kind", "arrow", "arrow_table", "columns_of", "html_table", "inert", "printable", "rows"]

HTML_ROWS = 50

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

Kind = Literal["text", "number", "flag", "instant", "day"]


@frozen(kw_only=True)
class Column:
    """One column of a result.

    Attributes:
        name: its heading, a key of the rows.
        kind: what its cells are; any cell may be None.
        cells: one per row.
    """

    name: str
    kind: Kind
    cells: Sequence[Any]


def columns_of(items: Iterable[Any], **kinds: Kind) -> tuple[Column, ...]:
    """Make one column of each named attribute of the items."""
    items = tuple(items)
    return tuple(
        Column(name=name, kind=kind, cells=[getattr(item, name) for item in items]) for name, kind in kinds.items()
    )


def rows(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Turn columns into plain dictionaries, one per row."""
    names = [column.name for column in columns]
    cells = ([thaw(cell) for cell in column.cells] for column in columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def printable(text: str) -> str:
    """Replace everything that could steer a terminal or a reader's eye by a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text)


def inert(cell: Any) -> Any:
    """Keep a spreadsheet from taking text of the service's for a formula: an apostrophe goes before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) else cell


def html_table(caption: str, columns: Sequence[Column]) -> str:
    """Draw a table for a notebook: every text escaped, at most 50 rows."""
    head = "".join(f"<th>{_cell(column.name)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>"
        for row in zip(*(column.cells[:HTML_ROWS] for column in columns), strict=True)
    )
    n_rows = len(columns[0].cells) if columns else 0
    more = f"<p>{n_rows - HTML_ROWS} more rows</p>" if n_rows > HTML_ROWS else ""
    return (
        f"<table><caption>{_cell(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
    )


def _cell(value: object) -> str:
    return "" if value is None else escape(printable(str(value)))


def arrow(module: str = "pyarrow") -> Any:
    """Import pyarrow, or a module of it.

    Raises:
        ModuleNotFoundError: it is not installed; the message names the extra.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        message = f"Arrow and Parquet need {missing.name}: pip install 'apteligent-async[arrow]'"
        raise ModuleNotFoundError(message, name=missing.name) from None


def arrow_table(columns: Sequence[Column]) -> Any:
    """Make a `pyarrow.Table` whose types depend on the kind of result alone, never on the values of one answer.

    Times with an offset become UTC; a column of times without one stays without.
    """
    pa = arrow()

    types: dict[str, Any] = {"text": pa.string(), "number": pa.float64(), "flag": pa.bool_(), "day": pa.date32()}
    arrays: list[Any] = []
    fields: list[Any] = []
    for column in columns:
        cells = column.cells
        kind = types.get(column.kind)
        if kind is None:
            zone = "UTC" if any(cell is not None and cell.tzinfo is not None for cell in cells) else None
            kind = pa.timestamp("us", zone)
            cells = [_in_zone(cell, zone) for cell in cells]
        elif column.kind == "number":
            cells = [_finite(cell) for cell in cells]
        arrays.append(pa.array(cells, kind))
        fields.append(pa.field(column.name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _in_zone(instant: datetime | None, zone: str | None) -> datetime | None:
    if instant is None or zone is None:
        return instant
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
