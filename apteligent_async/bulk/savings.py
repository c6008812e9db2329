"""What lets a pull ask less often: each saving with the fact about the service that it relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteligent_async.bulk.units import Saving
from apteligent_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ALL_APPS", "DEFAULT_SAVINGS", "MIXED_DAY_TOTALS", "SAME_DAY_TOTALS", "SAVINGS", "TOP_FIVE", "allowed"]

ALL_APPS = Saving(
    name="all-apps",
    fact="one call of /apps answers for every app, with as many attributes as are asked for",
    source="both official integrations and the mobile app",
    grade="A",
)
SAME_DAY_TOTALS = Saving(
    name="same-day-totals",
    fact="a pie by appId takes many appIds, a repeated name in the query, and has one slice per app; apps whose days "
    "begin at one offset share the window that it states",
    source="the New Relic integration sends lists of appIds and knows the grouping; no answer was captured",
    grade="B",
)
MIXED_DAY_TOTALS = Saving(
    name="mixed-day-totals",
    fact="the one window that a pie by appId states holds for apps of any time zone",
    source="nobody; where it is wrong, rows of some apps are dated a day or some hours off",
    grade="D",
)
TOP_FIVE = Saving(
    name="top-five",
    fact="today's values in trends are those of the pies of a day, and their five keys are the five that a pie would "
    "rank highest; labels of devices and systems are not told",
    source="nobody; one integration took crashes by version from trends in place of many calls",
    grade="D",
)
SAVINGS = {saving.name: saving for saving in (ALL_APPS, SAME_DAY_TOTALS, MIXED_DAY_TOTALS, TOP_FIVE)}
"""Every saving by its name."""

DEFAULT_SAVINGS = frozenset(name for name, saving in SAVINGS.items() if saving.grade not in {"C", "D"})
"""Those that rest on official client code at least."""


def allowed(names: Iterable[str] | None) -> frozenset[str]:
    """Check names of savings; None stands for those of grade B or better.

    Raises:
        ConfigurationError: there is no such saving.
    """
    if names is None:
        return DEFAULT_SAVINGS
    found = frozenset(names)
    unknown = sorted(found - SAVINGS.keys())
    if unknown:
        raise ConfigurationError(f"There is no saving {unknown[0]!r}; there are {', '.join(SAVINGS)}.")
    return found
