"""``apteligent simulate``: the service on loopback, to try things against."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from attrs import frozen
from cyclopts import Parameter

from apteligent_async.cli.ending import end_on_sigterm
from apteligent_async.cli.flags import (  # noqa: TC001  the command line reads the annotations
    Amount,
    ClientId,
    Duration,
    Port,
    PositiveAmount,
    PositiveDuration,
    Token,
)
from apteligent_async.simulator import (
    DEMO_ACCOUNT,
    Account,
    QuotaSettings,
    Service,
    World,
    read_faults,
    running_from,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from apteligent_async.simulator import Answer, Call

    Witness = Callable[[Call, Answer, float], object]

__all__ = ["Counting", "simulate"]


@Parameter(name="*")
@frozen(kw_only=True)
class Counting:
    """How the service counts calls.

    Attributes:
        limit: Calls per minute that one client id may make.
        bucket: Length of the quota's bucket, in seconds.
        reading: What Rate-Limit-Remaining means.
        rounding: How the rate headers are rounded.
        window: How calls are counted.
        counts: Whether Rate-Limit-Remaining is taken after or before the present call.
        refused: Whether calls answered 429 are charged.
    """

    limit: PositiveAmount = 20
    bucket: PositiveDuration = 60.0
    reading: Literal["speed", "count"] = "speed"
    rounding: Literal["floor", "ceil", "round", "exact"] = "round"
    window: Literal["fixed", "lazy", "sliding", "gcra"] = "fixed"
    counts: Literal["after", "before"] = "after"
    refused: Literal["counted", "free"] = "counted"

    @property
    def settings(self) -> QuotaSettings:
        """The same, as the service takes it."""
        return QuotaSettings(
            limit=self.limit,
            bucket_s=self.bucket,
            window=self.window,
            reading=self.reading,
            rounding=self.rounding,
            counts=self.counts,
            refused=self.refused,
        )


_AS_DOCUMENTED = Counting()


def _fit_to_read(_: type, path: Path | None) -> None:
    if path is not None:
        read_faults(path)


Faults = Annotated[Path, Parameter(validator=_fit_to_read)]
"""A file of faults; what is wrong with it is a usage error."""


def simulate(
    *,
    host: str = "127.0.0.1",
    port: Port = 0,
    counting: Counting = _AS_DOCUMENTED,
    apps: Amount = 40,
    seed: int = 1,
    latency: Duration = 0.0,
    faults: Faults | None = None,
    calls: Path | None = None,
    now: datetime | None = None,
    client_id: ClientId = DEMO_ACCOUNT.client_id,
    username: str = DEMO_ACCOUNT.username,
    password: str = DEMO_ACCOUNT.password,
    token: Token | None = None,
) -> None:
    """Serve a simulated Apteligent until interrupted.

    Prints the address and the credentials, one a line, as soon as calls are taken.

        apteligent simulate --apps 5 --limit 600

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        counting: How calls are counted.
        apps: How many apps the account has.
        seed: Chooses the world; the same seed and --now give the same numbers.
        latency: Seconds that every answer takes.
        faults: A TOML file of what goes wrong. Each fault is a table under [[fault]] with a kind (refuse, limit_cut,
            clock_skew, fail, error_with_200, redirect, revoked_token, expired_token, slow_headers, slow_body,
            no_answer, reset, truncated, oversized, gzip_bomb, content_type, bad_json, bad_utf8, not_a_number, deep,
            duplicate_keys, schema_drift), what says which calls it strikes (path = "/v2/crash/*", method, skip, count,
            probability, from_s, until_s), and settings of its kind, such as status = 502 or seconds = 30; the
            documentation of apteligent_async.simulator.faults lists them.
        calls: A file to add a line of JSON to for every call: method, path, query and status; nothing secret.
        now: Fixes the world's calendar (ISO 8601, UTC if it has no offset); the quota runs on the real clock.
        client_id: OAuth2 client id to accept.
        username: User name to accept.
        password: Password to accept.
        token: A token to accept from the start; one is made up if not given.

    """
    account = Account(client_id=client_id, username=username, password=password)
    with nullcontext() if calls is None else _written(calls) as witness:
        service = _service(account, counting.settings, faults=faults, seed=seed, apps=apps, now=now, witness=witness)
        _run(service, account, service.issue_token(client_id, token=token), host=host, port=port, latency=latency)


@contextmanager
def _written(path: Path) -> Generator[Witness]:
    """Give what writes every call down, at once, so that others can follow."""
    with path.open("a", buffering=1, encoding="utf-8") as file:

        def note(call: Call, answer: Answer, arrived_at: float) -> None:  # noqa: ARG001  a witness's signature
            told = {"method": call.method, "path": call.path, "query": call.query, "status": answer.status}
            file.write(json.dumps(told) + "\n")

        yield note


def _service(
    account: Account,
    quota: QuotaSettings,
    *,
    faults: Path | None,
    seed: int,
    apps: int,
    now: datetime | None,
    witness: Witness | None,
) -> Service:
    began = _aware(now)
    return Service(
        World(seed=seed, apps=apps, now=began),
        accounts=[account],
        quota=quota,
        calendar=running_from(began, at=time.monotonic()) if now is None else None,
        faults=None if faults is None else read_faults(faults),
        witness=witness,
    )


def _run(service: Service, account: Account, token: str, *, host: str, port: int, latency: float) -> None:
    """Serve until interrupted, after telling where and to whom."""
    end_on_sigterm()
    with serve(service, host=host, port=port, latency=latency) as url:
        print(f"listening on {url}")
        print(f"client_id={account.client_id}\nusername={account.username}\npassword={account.password}")
        print(f"token={token}", flush=True)
        threading.Event().wait()


def _aware(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)
