"""What a row of the table of endpoints is, and how a call becomes a request: pure, nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote, unquote

from attrs import evolve, frozen

from apteligent_async._wire.messages import Request
from apteligent_async._wire.parameters import Encoder, encoded, filter_texts, text
from apteligent_async.errors import ConfigurationError
from apteligent_async.models.filters import FilterEncoder, bracketed_filters
from apteligent_async.models.frozen import EMPTY

if TYPE_CHECKING:
    from apteligent_async.models.result import Part

__all__ = ["Endpoint", "Found", "Grade", "Parameter", "Rule"]

Found = TypeVar("Found", bound="Part")

Rule: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Looks at all arguments of a call together: refuses what cannot go together, drops what must not."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Grade(StrEnum):
    """How far a row can be trusted."""

    A = "A"
    """Official client code and a captured answer agree."""
    A1 = "A1"
    """The same, but the capture is of v1."""
    B = "B"
    """Official client code, no capture."""
    C = "C"
    """A third party's client only."""
    D = "D"
    """An inference; nothing states it."""


@frozen(kw_only=True)
class Parameter:
    """One parameter of a call's query.

    Attributes:
        sent_as: its name on the wire.
        encode: how its value is written.
        is_required: whether a call without it is pointless.
    """

    sent_as: str
    encode: Encoder = text
    is_required: bool = False


@frozen(kw_only=True)
class Endpoint(Generic[Found]):
    """One call of the service, as data.

    Attributes:
        name: what errors, events and metrics call it, such as ``error_monitoring.pie``.
        method: the HTTP verb.
        template: its path; ``{app_id}`` stands for an argument, encoded whole.
        result: the class that its answer becomes.
        grade: how far path and parameters can be trusted.
        source: who attests them, and what is guessed.
        segments: how arguments of the template are written, where they are not free text.
        parameters: the query, by argument name and in the order in which it is sent.
        takes_filters: whether ``filters`` is an argument.
        rule: what the arguments must be together.
        alternative: a second path that was seen in use.
        is_repeatable: whether sending it twice does no harm.
        is_authorized: whether it carries the bearer token.
        is_secret: whether its answer must never be quoted or kept.
        is_personal: whether its answer holds personal data.
        is_enveloped: whether its answer is wrapped in ``data``.
        is_live: whether it is about the last minutes.
        period_end: the name, as sent, of the parameter that ends the period it is about; None for the present.
    """

    name: str
    method: str = "GET"
    template: str
    result: type[Found]
    grade: Grade
    source: str
    segments: Mapping[str, Encoder] = EMPTY
    parameters: Mapping[str, Parameter] = EMPTY
    takes_filters: bool = False
    rule: Rule | None = None
    alternative: str | None = None
    is_repeatable: bool = True
    is_authorized: bool = True
    is_secret: bool = False
    is_personal: bool = False
    is_enveloped: bool = True
    is_live: bool = False
    period_end: str | None = None

    def request(self, *, encode_filters: FilterEncoder = bracketed_filters, **arguments: Any) -> Request:
        """Build the request of a call; arguments that are None are left out.

        Args:
            encode_filters: how filters are written; the default is a guess (grade D).
            **arguments: what the template and the parameters name.

        Raises:
            ConfigurationError: an argument cannot work, so nothing should be sent.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        segments = {name: given.pop(name, None) for name in _placeholders(self.template)}
        filters = given.pop("filters", None) if self.takes_filters else None
        unknown = given.keys() - self.parameters.keys()
        if unknown:
            raise TypeError(f"{self.name} has no parameter {', '.join(sorted(unknown))}")
        query = self._query(self.rule(given) if self.rule else given)
        if filters is not None:
            query += tuple(encode_filters(filter_texts("filters", filters)))
        return self.request_to(self._path(segments), query=query)

    def request_to(
        self,
        path: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Request:
        """Build the request of a call whose path and query are known already, such as that of a checked link."""
        return Request(
            method=self.method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            endpoint=self.name,
            is_repeatable=self.is_repeatable,
            is_authorized=self.is_authorized,
            is_secret=self.is_secret,
        )

    def answers(self, path: str) -> bool:
        """Whether a path, percent-encoded, is one of this call's."""
        return self.arguments_of(path) is not None

    def arguments_of(self, path: str) -> dict[str, str] | None:
        """Read the arguments off one of this call's paths, percent-encoded; None if the path is none of them."""
        for template in filter(None, (self.template, self.alternative)):
            match = _pattern(template).fullmatch(path.rstrip("/"))
            if match:
                return {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def with_alternative_path(self) -> Endpoint[Found]:
        """Give the same call on the second path that was seen in use.

        Raises:
            ConfigurationError: no second path is known.
        """
        if self.alternative is None:
            raise ConfigurationError(f"No second path of {self.name} is known.", endpoint=self.name)
        return evolve(self, template=self.alternative, alternative=self.template)

    def _path(self, segments: Mapping[str, Any]) -> str:
        if not segments:
            return self.template
        return _PLACEHOLDER.sub(lambda match: self._segment(match[1], segments[match[1]]), self.template)

    def _segment(self, name: str, value: Any) -> str:
        (sent,) = encoded(self.segments.get(name, _free_text), name, value)
        # A dot segment would be resolved on the way and lead to another path, encoded or not.
        if sent in {"", ".", ".."}:
            raise ConfigurationError(f"{name} cannot stand in a path: {value!r}.", endpoint=self.name)
        return quote(sent, safe="")

    def _query(self, given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        pairs: list[tuple[str, str]] = []
        for name, parameter in self.parameters.items():
            if name in given:
                pairs.extend((parameter.sent_as, sent) for sent in encoded(parameter.encode, name, given[name]))
            elif parameter.is_required:
                raise ConfigurationError(f"{self.name} needs {name}.", endpoint=self.name)
        return tuple(pairs)


@cache
def _placeholders(template: str) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.findall(template))


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = _PLACEHOLDER.split(template.rstrip("/"))
    return re.compile("".join(f"(?P<{piece}>[^/]+)" if i % 2 else re.escape(piece) for i, piece in enumerate(pieces)))


def _free_text(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a text, not {value!r}.")
    return text(name, value)
