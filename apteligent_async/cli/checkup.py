"""What `apteligent doctor` can tell without the network: Python, extras, credentials and what is stored."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from apteligent_async import ApteligentError, ConfigurationError
from apteligent_async._private_files import check_folder, state_folder
from apteligent_async.cli.accounts import (
    DEFAULT,
    access_for,
    environment_has_credentials,
    login_command,
    login_named,
    logins_folder,
    names,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from apteligent_async.cli.accounts import Access

__all__ = ["Check", "check_credentials", "check_extras", "check_python", "check_store"]

Verdict = Literal["ok", "note", "broken", "skipped"]

_DISTRIBUTION = "apteligent-async"
_EXTRA = re.compile(r"""([\w.-]+)[^;]*;.*\bextra\s*==\s*["']([\w.-]+)["']""")
_CLASSIFIER = re.compile(r"Programming Language :: Python :: (\d+)\.(\d+)")


@frozen(kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is, in a word or two.
        verdict: ``ok``; ``note``, which needs no mending; ``broken``; or ``skipped``, for want of something broken.
        found: what was seen; never a secret.
        mend: what to do about it; empty where there is nothing to do.
        calls: how many calls of the budget it cost.
    """

    name: str
    verdict: Verdict
    found: str
    mend: str = ""
    calls: int = 0


def check_python() -> Check:
    """Compare the interpreter with those that the package is tested with."""
    classifiers = metadata(_DISTRIBUTION).get_all("Classifier") or []
    tested = [(int(found[1]), int(found[2])) for found in map(_CLASSIFIER.fullmatch, classifiers) if found]
    running = sys.version_info[:2]
    found = f"{platform.python_implementation()} {platform.python_version()}, {_DISTRIBUTION} {version(_DISTRIBUTION)}"
    if running in tested:
        return Check(name="Python", verdict="ok", found=found)
    least, most = (".".join(map(str, pick(tested))) for pick in (min, max))
    return Check(name="Python", verdict="note", found=found, mend=f"It is tested with {least} to {most} only.")


def check_extras() -> Check:
    """Say which optional parts are complete, and how to get the others; those are no fault."""
    missing = {extra: [name for name in needed if not _is_installed(name)] for extra, needed in _extras().items()}
    complete = [extra for extra, absent in missing.items() if not absent]
    wanting = [extra for extra, absent in missing.items() if absent]
    found = f"installed: {', '.join(complete) or 'none'}"
    if not wanting:
        return Check(name="extras", verdict="ok", found=found)
    return Check(
        name="extras",
        verdict="note",
        found=f"{found}; not installed: {', '.join(wanting)}",
        mend=f"Those that you want: pip install '{_DISTRIBUTION}[{','.join(wanting)}]'",
    )


def check_credentials(account: str | None, *, base_url: str | None, region: str | None) -> tuple[Check, Access | None]:
    """Find what a command would log in with; None if there is nothing that could work."""
    try:
        access = access_for(account, base_url=base_url, region=region)
    except (ConfigurationError, OSError) as problem:
        mend = "" if "apteligent login" in str(problem) else "Run `apteligent login`."
        return Check(name="credentials", verdict="broken", found=str(problem), mend=mend), None
    return Check(name="credentials", verdict="ok", found=_source(account)), access


def check_store() -> Check:
    """Look at the folder that logins are kept in, and at each of them."""
    folder = logins_folder()
    try:
        check_folder(folder)
        for name in names():
            login_named(name)
    except (ApteligentError, OSError) as problem:
        return Check(name="store", verdict="broken", found=str(problem), mend="Mend it as it says; then ask again.")
    home = _nearest(folder)
    if not os.access(home, os.W_OK | os.X_OK):
        return Check(
            name="store",
            verdict="broken",
            found=f"{home} cannot be written",
            mend=f"Make it writable, or set XDG_STATE_HOME so that {state_folder()} is elsewhere.",
        )
    found = f"{len(names())} kept in {folder}" if folder.is_dir() else f"nothing is kept yet; it would be in {folder}"
    return Check(name="store", verdict="ok", found=f"logins: {found}")


def _source(account: str | None) -> str:
    if account is None and environment_has_credentials():
        if os.environ.get("APTELIGENT_TOKEN"):
            return "APTELIGENT_TOKEN"
        return "APTELIGENT_CLIENT_ID, APTELIGENT_USERNAME and APTELIGENT_PASSWORD"
    name = account or DEFAULT
    login = login_named(name)
    ends = login and login.expires_at
    until = f"good until {ends:%Y-%m-%d %H:%M} UTC" if ends else "its end is not known"
    return f"the login {name!r}, {until} (a new one: `{login_command(name)}`)"


def _extras() -> Mapping[str, Sequence[str]]:
    """Read from the package's own metadata which distributions each extra needs."""
    needed: defaultdict[str, list[str]] = defaultdict(list)
    for requirement in requires(_DISTRIBUTION) or []:
        found = _EXTRA.match(requirement)
        if found:
            needed[found[2]].append(found[1])
    return needed


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _nearest(folder: Path) -> Path:
    """Give the folder itself, or the nearest one above it that exists."""
    return next(each for each in _upwards(folder) if each.exists())


def _upwards(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents
