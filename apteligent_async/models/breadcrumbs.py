"""What users did before an error, and who they are: personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from apteligent_async.models.result import Listing, Part, Scalar
from apteligent_async.models.tables import Column, columns_of
from apteligent_async.models.times import parse_time

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["AffectedUser", "AffectedUsers", "Breadcrumb", "BreadcrumbTrace"]


@frozen(kw_only=True)
class Breadcrumb(Part):
    """One thing that happened (grade B).

    Attributes:
        device_occurred_ts_text: when, by the device's clock, as sent.
        type: ``crash``, ``handledException``, ``user``, ``network``, ``networkChange``, ``sessionStart``, ``viewLoad``
            or ``applicationEvent``.
        type_code: 0 unknown, 1 normal, 2 network call, 3 foreground or background, 4 connection change, 5 view,
            6 handled exception, 7 crash.
        payload: what there is to say of it; its keys depend on the type.
    """

    device_occurred_ts_text: str | int | float | None = None
    type: str | None = None
    type_code: Scalar = None
    payload: Any = None

    @property
    def device_occurred_ts(self) -> datetime | None:
        """When it happened, by the device's clock."""
        return parse_time(self.device_occurred_ts_text)


@frozen(kw_only=True)
class BreadcrumbTrace(Part):
    """What one user did in one session that ended in an error (grade B).

    Attributes:
        username: the user, as the app named him.
        trace_ts_text: when it was recorded, as sent.
        app_version: version of the app.
        device_id: the device itself.
        device: its model.
        os: its system.
        parsed_breadcrumbs: what happened, in order.
    """

    username: str | None = None
    trace_ts_text: str | int | float | None = None
    app_version: str | None = None
    device_id: str | None = None
    device: str | None = None
    os: str | None = None
    parsed_breadcrumbs: tuple[Breadcrumb, ...] | None = None

    @property
    def trace_ts(self) -> datetime | None:
        """When it was recorded."""
        return parse_time(self.trace_ts_text)


@frozen(kw_only=True)
class AffectedUser(Part):
    """A user who met an error; most of it may be None (grade A1).

    Attributes:
        username: the user, as the app named him.
        app_version: version of the app.
        crash_last_occurred_iso_text: when he last met it, as sent.
        last_login_time_iso_text: when he was last seen, as sent.
        locale: language and country.
        system: his device's system.
        system_version: its version (grade B).
        carrier: his mobile network.
        model: his device.
        metadata: what else the app told of him.
    """

    username: str | None = None
    app_version: str | None = None
    crash_last_occurred_iso_text: str | None = None
    last_login_time_iso_text: str | None = None
    locale: str | None = None
    system: str | None = None
    system_version: str | None = None
    carrier: str | None = None
    model: str | None = None
    metadata: Any = None

    @property
    def crash_last_occurred(self) -> datetime | None:
        """When he last met it."""
        return parse_time(self.crash_last_occurred_iso_text)

    @property
    def last_login_time(self) -> datetime | None:
        """When he was last seen."""
        return parse_time(self.last_login_time_iso_text)


@frozen(kw_only=True, repr=False)
class AffectedUsers(Listing[AffectedUser]):
    """The users who met a crash; no paging is attested."""

    def columns(self) -> tuple[Column, ...]:
        """Give one row per user."""
        return columns_of(
            self.items,
            username="text",
            app_version="text",
            crash_last_occurred="instant",
            last_login_time="instant",
            locale="text",
            system="text",
            system_version="text",
            carrier="text",
            model="text",
        )
