"""How long the parts of a call took."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Timeline"]


@frozen(kw_only=True)
class Timeline:
    """Where the time of one call went, in seconds.

    Attributes:
        waited_s: waiting for turns in the line.
        total_s: from the call to its decoded answer, waiting, sending, retries and a token fetched for it included.
        attempts: requests that were sent for it, the token's not included.
    """

    waited_s: float
    total_s: float
    attempts: int
