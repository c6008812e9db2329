"""Text that must not be shown."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import SupportsIndex

__all__ = ["Secret", "hidden", "hides"]

T = TypeVar("T")


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


def hides(*names: str) -> Callable[[type[T]], type[T]]:
    """Keep secrets out of the frames of a constructor, which a traceback shows where it refuses what it is given.

    Args:
        names: the parameters that may hold one; all that are passed by position are hidden anyway.
    """

    def decorated(cls: type[T]) -> type[T]:
        init: Callable[..., None] = vars(cls)["__init__"]

        @wraps(init)
        def hiding(self: T, *args: Any, **kwargs: Any) -> None:
            args = tuple(map(hidden, args))
            kwargs = {name: hidden(given) if name in names else given for name, given in kwargs.items()}
            init(self, *args, **kwargs)

        cls.__init__ = hiding  # type: ignore[method-assign, assignment]
        return cls

    return decorated
