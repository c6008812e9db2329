"""The service's two sites, and the rule by which an app id tells its own."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Region"]

_SHORT_ID = re.compile(r"[0-9a-fA-F]{24}")
_LONG_ID = re.compile(r"[0-9a-fA-F]{32}([0-9a-fA-F]{8})")


class Region(StrEnum):
    """A site of the service. Tokens, apps and budgets of one site mean nothing at the other."""

    US = "us"
    EU = "eu"

    @property
    def origin(self) -> str:
        """Scheme and host of the site (US: grade A; EU: grade B)."""
        return _ORIGINS[self]

    @classmethod
    def for_app(cls, app_id: str) -> Region | None:
        """Tell the site of an app from its id; None if the id does not say (grade B).

        24 hex characters are the US site; of 40, the last eight name the site.
        """
        if _SHORT_ID.fullmatch(app_id):
            return cls.US
        match = _LONG_ID.fullmatch(app_id)
        return _SITES.get(match[1]) if match else None


_ORIGINS = {Region.US: "https://developers.crittercism.com", Region.EU: "https://developers.eu.crittercism.com"}
_SITES = {"00555300": Region.US, "00444503": Region.EU}
