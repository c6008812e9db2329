"""What the other end may do: hypothesis strategies for faults, and a count of what runs."""

from __future__ import annotations

import asyncio

import sniffio
import trio
from hypothesis import strategies as st

from apteligent_async.simulator import FaultRule, faults

HEADERS = st.none() | st.sampled_from(["0", "5", "-1", "1e9", "nan", "soon", "Mon, 12 Dec 2016 20:00:00 GMT", ""])
RESETS = st.none() | st.sampled_from([-1e12, -1.0, 0.0, 0.5, 30.0, 3600.0, 1e6])
SECONDS = st.sampled_from([0.0, 0.5, 10.0, 29.0, 31.0, 500.0])
AT = st.floats(0, 1)
TO = ["http://thief.example/", "//thief.example", "/v2/apps", "javascript:alert(1)", "http://[::1", ""]

FAULTS = st.one_of(
    st.builds(faults.Refuse, body=st.booleans(), headers=st.booleans(), reset_s=RESETS, retry_after=HEADERS),
    st.builds(
        faults.Fail,
        status=st.sampled_from([400, 402, 403, 404, 418, 500, 502, 503, 504, 599]),
        body=st.sampled_from(["html", "json", "none"]),
        headers=st.booleans(),
        counted=st.booleans(),
        retry_after=HEADERS,
    ),
    st.builds(faults.LimitCut, limit=st.integers(1, 100)),
    st.builds(faults.ClockSkew, seconds=st.floats(-1e5, 1e5)),
    st.builds(faults.ErrorWith200, message=st.sampled_from(["", "no", "[bold]" * 99])),
    st.builds(faults.Redirect, to=st.sampled_from(TO), status=st.integers(300, 399)),
    st.builds(faults.RevokedToken),
    st.builds(faults.ExpiredToken),
    st.builds(faults.SlowHeaders, seconds=SECONDS),
    st.builds(faults.SlowBody, seconds=SECONDS),
    st.builds(faults.NoAnswer),
    st.builds(faults.Reset, at=AT),
    st.builds(faults.Truncated, at=AT),
    st.builds(faults.Oversized, megabytes=st.sampled_from([0.0, 0.5, 3.0])),
    st.builds(faults.GzipBomb, megabytes=st.sampled_from([0.0, 0.5, 50.0]), layers=st.integers(1, 2)),
    st.builds(faults.ContentType, value=st.sampled_from(["text/html", "", "application/json; charset=utf-7"])),
    st.builds(faults.BadJson),
    st.builds(faults.BadUtf8),
    st.builds(faults.NotANumber, literal=st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999"])),
    st.builds(faults.Deep, levels=st.sampled_from([1, 90, 500, 900, 5_000, 100_000])),
    st.builds(faults.DuplicateKeys, null=st.sampled_from(["first", "last"])),
    st.builds(
        faults.SchemaDrift,
        change=st.sampled_from(["rename", "retype", "add", "remove"]),
        share=st.sampled_from([0.05, 0.3, 1.0]),
    ),
)
"""Every kind of fault, with settings that hurt."""

RULES = st.builds(
    FaultRule,
    FAULTS,
    path=st.sampled_from(["*", "*", "/v2/token", "/v2/apps", "/v2/crash*", "/v2/*"]),
    skip=st.integers(0, 3),
    count=st.none() | st.integers(1, 20),
    probability=st.sampled_from([1.0, 0.5, 0.1]),
    from_s=st.sampled_from([0.0, 0.0, 30.0]),
    until_s=st.none() | st.sampled_from([10.0, 120.0]),
)


def tasks_alive():
    """Count the tasks of the running loop, whichever it is."""
    if sniffio.current_async_library() == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())
