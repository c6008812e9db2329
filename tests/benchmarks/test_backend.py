"""The benchmark of the backend runs, in a short form, and what it promises but for times holds there too."""

from __future__ import annotations

import json

import pytest

from benchmarks.backend import main
from benchmarks.pages import percentile

KEYS = {"requests", "upstream_calls", "hit_ratio", "coalesced", "rate_limited", "p50_ms", "p99_ms", "healthz_p99_ms"}


@pytest.mark.parametrize(("cache", "most_calls"), [("sqlite", 5), ("memory", 10)])
def test_a_crowd_costs_a_call_for_each_page(cache, most_calls, capfd):
    """Two workers: one call for each page in all with the file, for each worker with memory; no 429, nothing failed."""
    main(["--quick", "--json", "--cache", cache])
    found = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert found.keys() >= KEYS
    assert 5 <= found["upstream_calls"] <= most_calls
    assert found["rate_limited"] == 0
    assert found["statuses"] == {"200": found["requests"]}
    assert found["bulk_calls"] > 0
    assert found["hit_ratio"] > 0.9


def test_percentiles_are_values_that_were_measured():
    """The lowest value that so many of all do not exceed."""
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 2.0
    assert percentile([1.0], 0.99) == 1.0
    assert percentile([], 0.5) is None
