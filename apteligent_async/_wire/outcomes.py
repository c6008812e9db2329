"""What an answer means for the line: a reply or a failure becomes one of the scheduler's outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async._scheduling.signals import (
    Limited,
    LinkFailed,
    Outcome,
    Overloaded,
    Reading,
    Refused,
    Succeeded,
)
from apteligent_async._wire.messages import LinkFailure, Reply
from apteligent_async._wire.replies import rate_figures, retry_after_s

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["outcome_of"]


def outcome_of(answer: Reply | LinkFailure) -> Outcome:
    """Say how an attempt ended, with what its answer stated of the budget."""
    if isinstance(answer, LinkFailure):
        return LinkFailed(reading=_reading_of_headers(answer.headers), was_sent=answer.was_sent)
    reading = _reading(answer)
    if answer.status == 429:
        return Limited(reading=reading)
    if answer.status >= 500:
        return Overloaded(reading=reading, retry_after_s=retry_after_s(answer))
    return Refused(reading=reading) if answer.status >= 400 else Succeeded(reading=reading)


def _reading_of_headers(headers: Mapping[str, str] | None) -> Reading | None:
    return None if headers is None else _reading(Reply(status=200, headers=headers, body=b""))


def _reading(reply: Reply) -> Reading | None:
    figures = rate_figures(reply)
    if figures is None:
        return None
    return Reading(limit=figures.limit, remaining=figures.remaining, reset_s=figures.reset_s, actual=figures.actual)
