"""How long the parts of a call took."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Timeline"]


@frozen(kw_only=True)
class Timeline:
    """Where the time of one call went, in seconds.

    Attributes:
        waited_s: waiting for turns in the line and for a token.
        total_s: from the call to its decoded answer, waiting, sending, retries and a token fetched for it included.
        attempts: requests that were sent for it, the token's not included; 0 for an answer that was kept.
        token_s: the part of `waited_s` that was spent on a token.
        limiter_s: the part of `waited_s` that was spent at the head of the line, held by the budget alone; the rest,
            but for the token, was spent behind other calls.
        connect_s: making the connection for the last attempt; 0 where one was at hand, None where nobody measured.
        first_byte_s: from sending the last attempt, connecting included, to the beginning of its answer.
        decode_s: from bytes to the result.
    """

    waited_s: float = 0.0
    total_s: float = 0.0
    attempts: int = 0
    token_s: float = 0.0
    limiter_s: float = 0.0
    connect_s: float | None = None
    first_byte_s: float = 0.0
    decode_s: float = 0.0

    @property
    def queue_s(self) -> float:
        """Waiting behind other calls."""
        return max(self.waited_s - self.token_s - self.limiter_s, 0.0)
