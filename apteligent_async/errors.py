"""Every exception of the package; the class says whose fault it was, the fields say what to do.

    ApteligentError
    ├── ConfigurationError       the caller: settings that cannot work (also a ValueError)
    ├── ClientStateError         the caller: the client is not open, or open twice
    ├── AuthenticationError      the caller: 401, 403, or a refused token call
    ├── BadRequestError          the caller: 400
    ├── NotFoundError            the caller: 404
    ├── UnsafeLinkError          the service: a link that would take the token elsewhere
    ├── ResponseError            the service: a body that is not what the contract says
    ├── ServerError              the service: 5xx after the retries
    ├── ConnectionFailed         the link: no answer, or half of one
    ├── RateLimitedError         the budget: 429 after the policy gave up
    ├── DeadlineExceeded         the budget: too late, or hopeless from the start (also a TimeoutError)
    ├── QueueFull                the budget: more callers wait than `RatePolicy.max_queue` allows
    ├── LedgerError              this machine: a bulk pull's ledger cannot be read or written
    └── LedgerInUse              this machine: another pull writes the ledger

No message, field or repr holds a secret.
"""

from __future__ import annotations

__all__ = [
    "ApteligentError",
    "AuthenticationError",
    "BadRequestError",
    "ClientStateError",
    "ConfigurationError",
    "ConnectionFailed",
    "DeadlineExceeded",
    "LedgerError",
    "LedgerInUse",
    "NotFoundError",
    "QueueFull",
    "RateLimitedError",
    "ResponseError",
    "ServerError",
    "UnsafeLinkError",
]


class ApteligentError(Exception):
    """The root of everything that this package raises.

    Attributes:
        endpoint: name of the call, such as ``error_monitoring.pie``; None where there was no call.
        attempts: requests that were sent for it.
        waited: seconds that the call spent waiting for budget.
        status: the HTTP status of the last answer, or None.
        body: the start of the last answer's text (at most 2,000 characters), or None; never a token answer's.
    """

    def __init__(
        self,
        message: str,
        *,
        endpoint: str | None = None,
        attempts: int = 0,
        waited: float = 0.0,
        status: int | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.attempts = attempts
        self.waited = waited
        self.status = status
        self.body = body

    @property
    def message(self) -> str:
        """What happened and what to do, in one or two sentences."""
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by state: the constructor's keyword arguments would be lost otherwise."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[ApteligentError], args: tuple[object, ...], state: dict[str, object]) -> ApteligentError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(ApteligentError, ValueError):
    """A setting or an argument cannot work; nothing was sent."""


class ClientStateError(ApteligentError, RuntimeError):
    """The client was used before entering, after closing, entered twice, or on another event loop."""


class AuthenticationError(ApteligentError):
    """The service does not accept the credentials (401, 403, or a token call answered 400)."""


class BadRequestError(ApteligentError):
    """The service refused the parameters (400)."""


class NotFoundError(ApteligentError):
    """There is no such resource (404): usually an unknown app id or hash."""


class UnsafeLinkError(ApteligentError):
    """A link or a redirect leads away from the service; the token was not sent there."""


class ResponseError(ApteligentError):
    """The answer is not what the contract says.

    Attributes:
        path: where in the JSON, such as ``$.data.slices[3].value``; None if it is not JSON at all.
    """

    def __init__(self, message: str, *, path: str | None = None, **context: object) -> None:
        super().__init__(message, **context)  # type: ignore[arg-type]
        self.path = path


class ServerError(ApteligentError):
    """The service failed (5xx) and the retries are used up."""


class ConnectionFailed(ApteligentError):  # noqa: N818  a public name
    """No complete answer arrived: refused, cut, or timed out."""


class RateLimitedError(ApteligentError):
    """The service answered 429 and the policy gave up.

    Attributes:
        limit: calls per minute that the service allows, or None if it did not say.
        actual: calls per minute that the service says were made, or None.
        reset: seconds to the end of the bucket, as stated, or None.
        retry_at: instant on the event loop's clock before which a new call is hopeless, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: float | None = None,
        actual: float | None = None,
        reset: float | None = None,
        retry_at: float | None = None,
        **context: object,
    ) -> None:
        super().__init__(message, **context)  # type: ignore[arg-type]
        self.limit = limit
        self.actual = actual
        self.reset = reset
        self.retry_at = retry_at


class DeadlineExceeded(ApteligentError, TimeoutError):  # noqa: N818  a public name
    """The call's deadline passed, or could not be met and the call was not even queued.

    Attributes:
        eta: seconds after which the call would have started, or None if that was not the cause.
        cause: what the call waited for.
    """

    def __init__(self, message: str, *, eta: float | None = None, cause: str | None = None, **context: object) -> None:
        super().__init__(message, **context)  # type: ignore[arg-type]
        self.eta = eta
        self.cause = cause


class QueueFull(ApteligentError):  # noqa: N818  a public name
    """`RatePolicy.max_queue` calls wait already, or this one was shed for a more important one."""


class LedgerError(ApteligentError):
    """A ledger or its output cannot be read or written: no room, no permission, or none of ours. It lost nothing."""


class LedgerInUse(ApteligentError):  # noqa: N818  a public name
    """Another pull holds the ledger, and will until it ends, in whatever way.

    Attributes:
        pid: the process that holds it, or None if it has not said yet.
        host: the machine that it runs on, or None.
        since: when it took the ledger, as ISO 8601 in UTC, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        pid: int | None = None,
        host: str | None = None,
        since: str | None = None,
        **context: object,
    ) -> None:
        super().__init__(message, **context)  # type: ignore[arg-type]
        self.pid = pid
        self.host = host
        self.since = since
