"""Text that must not be shown."""

from __future__ import annotations

__all__ = ["Secret"]


class Secret(str):
    """A text whose repr hides it, so that no traceback that shows local variables, and no debugger, prints it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[secret]'"
