"""What an answer means for the line: a reply or a failure becomes one of the scheduler's outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._scheduling.signals import Limited, LinkFailed, Outcome, Overloaded, Refused, Succeeded
from apteligent_async._wire.dialects import retry_after_s
from apteligent_async._wire.messages import LinkFailure, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apteligent_async._scheduling.signals import Reading
    from apteligent_async._wire.dialects import Dialect

__all__ = ["is_refusal", "outcome_of"]


def is_refusal(status: int) -> bool:
    """Whether a status says that the budget is used up, so that the body may tell more of it."""
    return status == 429


def outcome_of(answer: Reply | LinkFailure, dialect: Dialect) -> Outcome:
    """Say how an attempt ended, with what its answer stated of the budget."""
    if isinstance(answer, LinkFailure):
        return LinkFailed(reading=_reading_of_headers(answer.headers, dialect), was_sent=answer.was_sent)
    reading = dialect.read(answer)
    if is_refusal(answer.status):
        return Limited(reading=reading)
    if answer.status >= 500:
        return Overloaded(reading=reading, retry_after_s=retry_after_s(answer))
    return Refused(reading=reading) if answer.status >= 400 else Succeeded(reading=reading)


def _reading_of_headers(headers: Mapping[str, str] | None, dialect: Dialect) -> Reading | None:
    return None if headers is None else dialect.read(Reply(status=200, headers=headers, body=b""))
