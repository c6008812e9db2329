"""Text that must not be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import SupportsIndex

__all__ = ["Secret", "hidden"]


class Secret(str):
    """A text whose repr hides it, so that no traceback that shows local variables, and no debugger, prints it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[secret]'"

    def __getitem__(self, key: SupportsIndex | slice) -> Secret:
        """Keep parts hidden, too: printers of tracebacks cut a long text before they ask for its repr."""
        return Secret(super().__getitem__(key))


def hidden(given: Any) -> Any:
    """Hide a text; what is none is left for others to refuse."""
    return Secret(given) if isinstance(given, str) else given
