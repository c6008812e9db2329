"""The caller's apps."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from apteligent_async.models.choices import AppType  # noqa: TC001  cattrs resolves it
from apteligent_async.models.frozen import FrozenMapping
from apteligent_async.models.region import Region
from apteligent_async.models.result import Listing, Number, Part
from apteligent_async.models.tables import Column, columns_of

__all__ = ["App", "Apps"]


@frozen(kw_only=True)
class App(Part):
    """One app; an attribute that was not asked for is None (attributes: grade A, their values B).

    Attributes:
        id: the app id, 24 or 40 hexadecimal characters.
        app_name: its name.
        app_type: its platform; the text as sent if the platform is unknown.
        app_versions: its versions; may be empty.
        crash_percent: crashes per 100 app loads, 0 to 100.
        dau: users today.
        mau: users of the month.
        icon_url_text: as sent, which may be the text ``None``.
        latency: mean latency in milliseconds.
        latest_app_store_release_date_text: as sent; its form is not attested.
        latest_version_string: the version in the store.
        link_to_app_store: its page in the store.
        rating: stars in the store.
        role: what the caller may do with it; values are not attested.
        links: where to find its metrics (seen in v1 only; whether v2 kept them is not known).
    """

    id: str
    app_name: str | None = None
    app_type: AppType | str | None = None
    app_versions: tuple[str, ...] | None = None
    crash_percent: Number | None = None
    dau: Number | None = None
    mau: Number | None = None
    icon_url_text: str | None = None
    latency: Number | None = None
    latest_app_store_release_date_text: str | int | float | None = None
    latest_version_string: str | None = None
    link_to_app_store: str | None = None
    rating: Number | None = None
    role: str | None = None
    links: Any = None

    @property
    def name(self) -> str:
        """Its name, or its id where the name was not asked for."""
        return self.app_name or self.id

    @property
    def icon_url(self) -> str | None:
        """Address of its icon; None where the service says nothing, or the text ``None``."""
        return None if self.icon_url_text in {None, "", "None"} else self.icon_url_text

    @property
    def region(self) -> Region | None:
        """The site it lives on, as its id tells; None if the id does not say."""
        return Region.for_app(self.id)


@frozen(kw_only=True, repr=False)
class Apps(Listing[App]):
    """The caller's apps.

    Attributes:
        by_id: the same by app id.
    """

    by_id: FrozenMapping[App] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "by_id", FrozenMapping.of({app.id: app for app in self.items}))

    def columns(self) -> tuple[Column, ...]:
        """Give one row per app, all attributes but its versions."""
        return columns_of(
            self.items,
            id="text",
            app_name="text",
            app_type="text",
            crash_percent="number",
            dau="number",
            mau="number",
            latency="number",
            latest_version_string="text",
            rating="number",
            role="text",
        )
