"""What these tests share with those of the scheduler: the service that they believe."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "scheduling"))
