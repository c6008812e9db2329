"""A service to call."""

from __future__ import annotations

import pytest
from front_desk import FrontDesk


@pytest.fixture
def desk():
    """A service with an allowance that no test exhausts, and a token."""
    return FrontDesk.open(limit=1_000_000)
