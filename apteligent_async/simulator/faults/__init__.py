"""What goes wrong at the other end of the wire: faults, and a schedule that says which calls they strike.

In Python, for the service in process and over a socket alike::

    faults = FaultSchedule([FaultRule(Refuse(body=False), path="/v2/crash/*", count=10)], seed=7)
    service = Service(World(now=...), faults=faults)

As a file, for ``apteligent simulate --faults faults.toml`` and `read_faults`::

    seed = 7

    [[fault]]
    kind = "refuse"
    path = "/v2/crash/*"
    count = 10
    body = false

    [[fault]]
    kind = "slow_body"
    seconds = 90
    probability = 0.05

Every ``[[fault]]`` has a ``kind``; ``path``, ``method``, ``skip``, ``count``, ``probability``, ``from_s`` and
``until_s`` say which calls it strikes (see `FaultRule`), and the rest are the settings of its kind. Several may strike
one call; the first in the file is done first.

==================  ==================================================  ===========================================
kind                what happens                                        settings (default)
==================  ==================================================  ===========================================
``refuse``          429, with budget left                               ``body`` (true), ``headers`` (true),
                                                                        ``reset_s``, ``retry_after``
``limit_cut``       another limit while the rule strikes                ``limit`` (1)
``clock_skew``      resets and dates are wrong                          ``seconds`` (30)
``fail``            500, 502, 503, 504, ...                             ``status`` (503), ``body`` ("html", "json",
                                                                        "none"), ``headers`` (false), ``counted``
                                                                        (true), ``retry_after``
``slow_headers``    the status line comes late                          ``seconds`` (5)
``slow_body``       the body comes drop by drop                         ``seconds`` (5)
``no_answer``       the connection closes before the status line
``reset``           it is reset in the middle of the body               ``at`` (0.5)
``truncated``       it closes in the middle of the body                 ``at`` (0.5)
``oversized``       the body goes on and on                             ``megabytes`` (100)
``gzip_bomb``       it unpacks to any size                              ``megabytes`` (200), ``layers`` (1)
``content_type``    it is called something else                         ``value`` ("text/html")
``bad_json``        it is no JSON
``bad_utf8``        it is no UTF-8
``not_a_number``    its numbers are none                                ``literal`` ("NaN", "Infinity",
                                                                        "-Infinity", "1e999")
``deep``            it is nested                                        ``levels`` (100000)
``duplicate_keys``  it has ``data`` twice, once null                    ``null`` ("first", "last")
``schema_drift``    its keys or types are others                        ``change`` ("rename", "retype", "add",
                                                                        "remove"), ``share`` (0.3)
``error_with_200``  200 with an ``error`` and no ``data``               ``message``
``redirect``        the caller is sent elsewhere                        ``to``, ``status`` (302)
``revoked_token``   the call's token is revoked first
``expired_token``   the call's token expires first
==================  ==================================================  ===========================================

A fault that is not in the table is a class with one method, `Fault.strike`, and needs nothing else.
"""

from __future__ import annotations

from apteligent_async.simulator.faults.bodies import (
    BadJson,
    BadUtf8,
    ContentType,
    Deep,
    DuplicateKeys,
    GzipBomb,
    NotANumber,
    SchemaDrift,
)
from apteligent_async.simulator.faults.deliveries import (
    NoAnswer,
    Oversized,
    Reset,
    SlowBody,
    SlowHeaders,
    Truncated,
)
from apteligent_async.simulator.faults.file import KINDS, BadFaults, parse_faults, read_faults
from apteligent_async.simulator.faults.refusals import (
    ClockSkew,
    ErrorWith200,
    ExpiredToken,
    Fail,
    LimitCut,
    Redirect,
    Refuse,
    RevokedToken,
)
from apteligent_async.simulator.faults.schedule import Controls, Fault, FaultRule, FaultRun, FaultSchedule, Scene

__all__ = [
    "KINDS",
    "BadFaults",
    "BadJson",
    "BadUtf8",
    "ClockSkew",
    "ContentType",
    "Controls",
    "Deep",
    "DuplicateKeys",
    "ErrorWith200",
    "ExpiredToken",
    "Fail",
    "Fault",
    "FaultRule",
    "FaultRun",
    "FaultSchedule",
    "GzipBomb",
    "LimitCut",
    "NoAnswer",
    "NotANumber",
    "Oversized",
    "Redirect",
    "Refuse",
    "Reset",
    "RevokedToken",
    "Scene",
    "SchemaDrift",
    "SlowBody",
    "SlowHeaders",
    "Truncated",
    "parse_faults",
    "read_faults",
]
