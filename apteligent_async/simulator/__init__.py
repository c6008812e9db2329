"""The service at the other end of the wire, faithful and hard on its clients.

The real service needs an account, so demos, tests and benchmarks run against this one. It shares no code with the
client: it writes its JSON by hand, so that a name that the client has wrong is found out.

| module | what it is |
| --- | --- |
| `world` | made-up apps: seeded, consistent, told the date |
| `service` | a pure model of the service: tokens, quota, resources; told the instant of every call |
| `quota`, `windows` | the rate limit in all of its possible readings, with the truth for benchmarks |
| `resources` | what each path answers, one file per family |
| `faults` | what goes wrong, by a schedule: in Python or as a TOML file |
| `link` | an httpx transport to the service in process, in virtual time if need be |
| `app` | the same over a socket on loopback; needs ``apteligent-async[simulator]`` |
"""

from __future__ import annotations

from apteligent_async.simulator.accounts import DEMO_ACCOUNT, Account
from apteligent_async.simulator.app import CannotListen, asgi_app, serve
from apteligent_async.simulator.faults import BadFaults, FaultRule, FaultSchedule, read_faults
from apteligent_async.simulator.link import Delay, SimulatorTransport, uniform
from apteligent_async.simulator.messages import Answer, Call
from apteligent_async.simulator.quota import (
    Counts,
    LogEntry,
    Quota,
    QuotaSettings,
    Reading,
    Refused,
    Rounding,
    WindowKind,
)
from apteligent_async.simulator.service import Service, running_from
from apteligent_async.simulator.world import App, World

__all__ = [
    "DEMO_ACCOUNT",
    "Account",
    "Answer",
    "App",
    "BadFaults",
    "Call",
    "CannotListen",
    "Counts",
    "Delay",
    "FaultRule",
    "FaultSchedule",
    "LogEntry",
    "Quota",
    "QuotaSettings",
    "Reading",
    "Refused",
    "Rounding",
    "Service",
    "SimulatorTransport",
    "WindowKind",
    "World",
    "asgi_app",
    "read_faults",
    "running_from",
    "serve",
    "uniform",
]
