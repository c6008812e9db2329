"""A made-up company's apps: seeded, consistent, and cheap to make.

`World` holds the apps; each `App` has a `profile` (what never changes), a `calendar` (its local days), `series` (app
loads and crashes by day), `groups` of crashes and of handled exceptions (`error_groups`), `userflows`, and `traffic`
(network requests by minute). `usage` and `grouping` turn those into metrics.
"""

from __future__ import annotations

from apteligent_async.simulator.world.world import App, World

__all__ = ["App", "World"]
