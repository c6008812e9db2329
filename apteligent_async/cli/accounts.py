"""Stored logins: one token each, by account name; and which one a command uses."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from apteligent_async import ConfigurationError, Region, StaticToken
from apteligent_async._private_files import check_folder, read_private, remove_private, state_folder, write_private

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "DEFAULT",
    "Access",
    "Login",
    "access_for",
    "address_of",
    "check_name",
    "environment_has_credentials",
    "forget",
    "keep",
    "login_command",
    "login_named",
    "logins_folder",
    "names",
    "origin_of",
]

DEFAULT = "default"
"""The account that is meant where none is named."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@.+-]{0,63}")
_GRANT = ("APTELIGENT_CLIENT_ID", "APTELIGENT_USERNAME", "APTELIGENT_PASSWORD")


@frozen(kw_only=True)
class Login:
    """A token that was stored, and nothing else that could open anything.

    Attributes:
        token: the token, unprintable.
        origin: the only place that it may be sent to: scheme, host and port.
        expires_at: when it ends, in UTC; None where the service did not say.
    """

    token: StaticToken
    origin: str
    expires_at: datetime | None = None

    @property
    def is_expired(self) -> bool:
        """Whether its end has passed, by the clock of this machine."""
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)

    def to_json(self) -> bytes:
        """Write it as the file holds it."""
        ends = None if self.expires_at is None else self.expires_at.isoformat()
        return json.dumps({"token": self.token.token, "origin": self.origin, "expires_at": ends}).encode()

    @classmethod
    def from_json(cls, written: bytes) -> Login:
        """Read what `to_json` wrote; raises ValueError, KeyError or TypeError for anything else."""
        found = json.loads(written)
        ends = found["expires_at"]
        expires_at = None if ends is None else datetime.fromisoformat(ends).astimezone(UTC)
        return cls(token=StaticToken(found["token"]), origin=str(found["origin"]), expires_at=expires_at)


@frozen(kw_only=True)
class Access:
    """How a client gets in: what it is made with. None leaves a thing to the environment."""

    credentials: StaticToken | None = None
    base_url: str | None = None
    region: str | None = None


def access_for(account: str | None, *, base_url: str | None, region: str | None) -> Access:
    """Find what a command logs in with: the named account, else the environment, else the stored default.

    A stored token goes to the place that it came from and to no other.

    Raises:
        ConfigurationError: there is no login of that name, it has expired, it belongs elsewhere, or its file is not
            safe; the message says what to do.
    """
    if account is None and environment_has_credentials():
        return Access(base_url=base_url, region=region)
    name = account or DEFAULT
    login = login_named(name)
    if login is None:
        raise ConfigurationError(_missing(account))
    if login.is_expired:
        raise ConfigurationError(
            f"The login {name!r} expired on {login.expires_at:%Y-%m-%d %H:%M} UTC: log in again with "
            f"`{login_command(name)}`."
        )
    wanted = origin_of(base_url, region)
    if wanted not in {None, login.origin}:
        raise ConfigurationError(
            f"The login {name!r} is one of {login.origin}, not of {wanted}: log in there, under another name, with "
            "`apteligent login --account NAME`."
        )
    site = next((each for each in Region if each.origin == login.origin), None)
    return Access(credentials=login.token, base_url=None if site else login.origin, region=site)


def environment_has_credentials() -> bool:
    """Tell whether the environment names a token, or all that it takes to get one."""
    return bool(os.environ.get("APTELIGENT_TOKEN")) or all(os.environ.get(name) for name in _GRANT)


def address_of(base_url: str | None, region: str | None) -> str | None:
    """Say which address the flags ask for, else the environment, as it was given; None if neither does."""
    place = base_url or (None if region else os.environ.get("APTELIGENT_BASE_URL"))
    if place:
        return place
    site = (region or os.environ.get("APTELIGENT_REGION") or "").lower()
    return next((each.origin for each in Region if each == site), None)


def origin_of(base_url: str | None, region: str | None) -> str | None:
    """Say which place that is: scheme, host and port."""
    place = address_of(base_url, region)
    return None if place is None else _normal(place)


def login_command(account: str) -> str:
    """Write the command that makes a login of this name."""
    return "apteligent login" if account == DEFAULT else f"apteligent login --account {account}"


def logins_folder() -> Path:
    """Name the folder that the files are in; it may not exist yet."""
    return state_folder() / "accounts"


def names() -> list[str]:
    """List the accounts that are stored, sorted.

    Raises:
        ConfigurationError: the folder is not safe.
        OSError: it cannot be read.
    """
    folder = logins_folder()
    check_folder(folder)
    return sorted(path.stem for path in folder.glob("*.json") if _NAME.fullmatch(path.stem))


def login_named(account: str) -> Login | None:
    """Read a stored login; None if there is none.

    Raises:
        ConfigurationError: the name is none, or its file is not safe or not readable as a login.
        OSError: it cannot be read.
    """
    path = _path(account)
    try:
        written = read_private(path)
    except FileNotFoundError:
        return None
    try:
        return Login.from_json(written)
    except (ValueError, KeyError, TypeError):
        problem = f"{path} does not hold a login: log in again with `{login_command(account)}`."
    raise ConfigurationError(problem)  # out here, as the cause may quote the file


def keep(account: str, login: Login) -> None:
    """Store a login in place of the one of the same name.

    Raises:
        ConfigurationError: the name is none, or the folder is not safe.
        OSError: it cannot be written.
    """
    write_private(_path(account), login.to_json())


def forget(account: str) -> bool:
    """Remove a stored login; tell whether there was one.

    Raises:
        ConfigurationError: the name is none.
        OSError: it cannot be removed.
    """
    return remove_private(_path(account))


def check_name(account: str) -> None:
    """Refuse what is no account name; raises `ConfigurationError`, which says what is one."""
    if not _NAME.fullmatch(account):
        raise ConfigurationError(
            f"{account!r} is no account name: up to 64 letters, digits and _ @ . + -, the first a letter or a digit."
        )


def _path(account: str) -> Path:
    check_name(account)
    return logins_folder() / f"{account}.json"


def _normal(place: str) -> str:
    """Write an origin in one way, so that two can be compared; what is none is left to the client to refuse."""
    try:
        parts = urlsplit(place.lower())
        port = parts.port
    except ValueError:
        return place
    if not parts.scheme or not parts.hostname:
        return place
    is_usual = port is None or port == {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{port}")


def _missing(account: str | None) -> str:
    if account is None:
        return f"No credentials: run `apteligent login`, or set APTELIGENT_TOKEN, or {', '.join(_GRANT)}."
    others = ", ".join(names())
    known = f"; there are {others}" if others else ""
    return f"There is no login {account!r}{known}. Make it with `{login_command(account)}`."
