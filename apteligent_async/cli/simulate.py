"""``apteligent simulate``: the service on loopback, to try things against."""

from __future__ import annotations

import signal
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from apteligent_async.simulator import DEMO_ACCOUNT, Account, QuotaSettings, Service, World, running_from, serve

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["simulate"]

_Positive = Parameter(validator=Number(gt=0))
_NotNegative = Parameter(validator=Number(gte=0))


def simulate(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65_535))] = 0,
    limit: Annotated[int, _Positive] = 20,
    bucket: Annotated[float, _Positive] = 60.0,
    apps: Annotated[int, _NotNegative] = 40,
    seed: int = 1,
    reading: Literal["speed", "count"] = "speed",
    rounding: Literal["floor", "ceil", "round", "exact"] = "round",
    window: Literal["fixed", "lazy", "sliding", "gcra"] = "fixed",
    counts: Literal["after", "before"] = "after",
    refused: Literal["counted", "free"] = "counted",
    latency: Annotated[float, _NotNegative] = 0.0,
    now: datetime | None = None,
    client_id: str = DEMO_ACCOUNT.client_id,
    username: str = DEMO_ACCOUNT.username,
    password: str = DEMO_ACCOUNT.password,
    token: str | None = None,
) -> None:
    """Serve a simulated Apteligent until interrupted.

    Prints the address and the credentials, one a line, as soon as calls are taken.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        limit: Calls per minute that one client id may make.
        bucket: Length of the quota's bucket, in seconds.
        apps: How many apps the account has.
        seed: Chooses the world; the same seed and --now give the same numbers.
        reading: What Rate-Limit-Remaining means.
        rounding: How the rate headers are rounded.
        window: How calls are counted.
        counts: Whether Rate-Limit-Remaining is taken after or before the present call.
        refused: Whether calls answered 429 are charged.
        latency: Seconds that every answer takes.
        now: Fixes the world's calendar (ISO 8601, UTC if it has no offset); the quota runs on the real clock.
        client_id: OAuth2 client id to accept.
        username: User name to accept.
        password: Password to accept.
        token: A token to accept from the start; one is made up if not given.

    """
    settings = QuotaSettings(
        limit=limit,
        bucket_s=bucket,
        window=window,
        reading=reading,
        rounding=rounding,
        counts=counts,
        refused=refused,
    )
    account = Account(client_id=client_id, username=username, password=password)
    began = _aware(now)
    service = Service(
        World(seed=seed, apps=apps, now=began),
        accounts=[account],
        quota=settings,
        calendar=running_from(began, at=time.monotonic()) if now is None else None,
    )
    ready_token = service.issue_token(client_id, token=token)
    signal.signal(signal.SIGTERM, _end)
    with serve(service, host=host, port=port, latency=latency) as url:
        print(f"listening on {url}")
        print(f"client_id={client_id}\nusername={username}\npassword={password}\ntoken={ready_token}", flush=True)
        threading.Event().wait()


def _aware(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def _end(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signal module's signature
    sys.exit(0)
