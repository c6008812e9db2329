"""How hard the scheduler's proofs try: quick and repeatable by default, long and random where the environment says so.

`SCHEDULING_EFFORT=thorough` takes the thorough hypothesis profile; `SCHEDULING_FUZZ_RUNS=20000` widens the fuzz.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import settings

__all__ = ["FUZZ_RUNS", "STATEFUL", "TRIED"]

settings.register_profile("scheduling-fast", deadline=None, derandomize=True, max_examples=150, stateful_step_count=60)
settings.register_profile("scheduling-thorough", deadline=None, max_examples=5000, stateful_step_count=150)

TRIED: Final = settings.get_profile(f"scheduling-{os.environ.get('SCHEDULING_EFFORT', 'fast')}")
"""The profile for properties of pure functions."""

STATEFUL: Final = settings(TRIED, max_examples=TRIED.max_examples // 3)
"""The same for state machines, whose examples are dearer."""

FUZZ_RUNS: Final = int(os.environ.get("SCHEDULING_FUZZ_RUNS", "300"))
"""How many random runs the suite plays."""
