"""``apteligent login``, ``logout`` and ``accounts``: tokens that are kept between commands."""

from __future__ import annotations

import getpass
import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.box import SIMPLE_HEAD
from rich.table import Table

from apteligent_async import AppAttribute, ApteligentClient, ConfigurationError, PasswordGrant, Region, StaticToken
from apteligent_async._private_files import check_folder
from apteligent_async.cli.accounts import (
    DEFAULT,
    Login,
    check_name,
    environment_has_credentials,
    forget,
    keep,
    login_command,
    login_named,
    logins_folder,
    names,
    origin_of,
)
from apteligent_async.cli.flags import AsJson, Flag  # noqa: TC001  the command line reads the annotations
from apteligent_async.cli.progress import showing
from apteligent_async.cli.pulling import Batch, watched
from apteligent_async.cli.showing.output import open_console, open_progress_console, print_json
from apteligent_async.models.tables import printable

if TYPE_CHECKING:
    from apteligent_async.cli.progress import Display
    from apteligent_async.models.access import Token

__all__ = ["accounts", "login", "logout"]

Days = Annotated[int, Parameter(validator=Number(gte=1, lte=365))]


def login(
    *,
    account: str = DEFAULT,
    token_stdin: Flag = False,
    days: Days = 30,
    base_url: str | None = None,
    region: Literal["us", "eu"] | None = None,
    as_json: AsJson = False,
) -> None:
    """Get a token and keep it for later commands: the token alone, in a file that only you can read.

    Asks for the client id, the user name and the password; from a pipe it reads them, one a line. What
    APTELIGENT_CLIENT_ID, APTELIGENT_USERNAME and APTELIGENT_PASSWORD hold is not asked for. Nothing secret is taken
    from the command line, and no password is kept. Costs one call of the budget.

        apteligent login
        apteligent login --account eu-team --region eu --days 365
        pass show apteligent/token | apteligent login --token-stdin

    Args:
        account: The name to keep it under.
        token_stdin: Keep a token that you have: it is asked for, or read from a pipe, and tried with one cheap call.
        days: How long a new token shall live.
        base_url: Another origin in place of a region, such as that of a simulator.
        region: The service's site.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    check_folder(logins_folder())
    check_name(account)
    credentials = _pasted() if token_stdin else _grant(days)
    with showing(open_progress_console()) as display:
        found = anyio.run(_try_out, credentials, base_url, region, display)
    keep(account, found)
    console = open_console(as_json=as_json)
    console.print(f"Logged in on {found.origin}; token: {_end_of(found)}.", soft_wrap=True)
    console.print(f"The token is kept as the account {account!r} in {logins_folder()}.", soft_wrap=True)
    if environment_has_credentials():
        console.print("The environment holds credentials too, and they go first: name the account with --account.")
    if as_json:
        print_json({"account": account, **_figures(found)})


def logout(*, account: str = DEFAULT, as_json: AsJson = False) -> int:
    """Remove the token that `apteligent login` kept.

    The service has no call that ends a token: whoever has a copy can use it until its end.

        apteligent logout --account eu-team

    Args:
        account: The name that it is kept under.
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    was_there = forget(account)
    told = "is removed" if was_there else f"was not there; there are {', '.join(names()) or 'none'}"
    open_console(as_json=as_json).print(f"The login {account!r} {told}.", soft_wrap=True)
    if as_json:
        print_json({"account": account, "removed": was_there})
    return 0 if was_there else 1


def accounts(*, as_json: AsJson = False) -> int:
    """List the logins that are kept: of which place, and until when. Costs no call.

        apteligent accounts
        apteligent accounts --json

    Args:
        as_json: Print one JSON object at the end; everything else goes to standard error.

    """
    console = open_console(as_json=as_json)
    listed = [_row(name) for name in names()]
    if listed:
        table = Table("account", "place", "token", box=SIMPLE_HEAD)
        for row in listed:
            table.add_row(row["account"], row["origin"], row["state"])
        console.print(table)
    else:
        console.print("No login is kept: make one with `apteligent login`.")
    problems = [row["problem"] for row in listed if row["problem"]]
    for problem in problems:
        console.print(printable(problem), soft_wrap=True)
    if as_json:
        print_json({"accounts": listed})
    return 1 if problems else 0


def _grant(days: int) -> PasswordGrant:
    client_id, username, password = (
        os.environ.get(f"APTELIGENT_{name}") or _ask(prompt, is_hidden=is_hidden)
        for name, prompt, is_hidden in (
            ("CLIENT_ID", "Client id (not shown)", True),
            ("USERNAME", "User name", False),
            ("PASSWORD", "Password (not shown)", True),
        )
    )
    return PasswordGrant(client_id, username, password, duration=timedelta(days=days))


def _pasted() -> StaticToken:
    return StaticToken(_ask("Token (not shown)", is_hidden=True))


def _ask(prompt: str, *, is_hidden: bool) -> str:
    """Ask at a terminal, where there is one; else take the next line of standard input."""
    if sys.stdin.isatty() and is_hidden:
        given = getpass.getpass(f"{prompt}: ")
    else:
        if sys.stdin.isatty():
            print(f"{prompt}: ", end="", file=sys.stderr, flush=True)
        given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        what = prompt.removesuffix(" (not shown)").lower()
        raise ConfigurationError(f"No {what} was given: type it at the prompt, or write it to standard input.")
    return given


async def _try_out(
    credentials: PasswordGrant | StaticToken, base_url: str | None, region: str | None, display: Display
) -> Login:
    """Fetch a token, or make sure that the service takes the one in hand; a long wait is told."""
    async with ApteligentClient(credentials, base_url=base_url, region=region) as client:
        token = await watched(client, Batch[None](), partial(_good_token, client), display=display)
    ends = None if token.expires_in is None else datetime.now(UTC) + timedelta(seconds=token.expires_in)
    origin = origin_of(base_url, region) or Region.US.origin
    return Login(token=StaticToken(token.access_token), origin=origin, expires_at=ends)


async def _good_token(client: ApteligentClient) -> Token:
    token = await client.token()
    if token.expires_in is None:  # it was pasted: nothing has shown yet that it is good
        await client.apps.list([AppAttribute.APP_NAME])
    return token


def _row(account: str) -> dict[str, Any]:
    """Describe one login; one that cannot be used has a problem that names the mend."""
    unusable = {"account": account, "origin": None, "expires_at": None, "state": "not usable"}
    try:
        found = login_named(account)
    except (ConfigurationError, OSError) as error:
        return {**unusable, "problem": str(error)}
    if found is None:
        return {**unusable, "problem": f"The login {account!r} went while it was looked at."}
    problem = f"Log in again with `{login_command(account)}`." if found.is_expired else None
    return {"account": account, **_figures(found), "state": _end_of(found), "problem": problem}


def _figures(found: Login) -> dict[str, Any]:
    return {"origin": found.origin, "expires_at": found.expires_at and found.expires_at.isoformat()}


def _end_of(found: Login) -> str:
    if found.expires_at is None:
        return "end not known"
    return f"{'ended' if found.is_expired else 'good until'} {found.expires_at:%Y-%m-%d %H:%M} UTC"
