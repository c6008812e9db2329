"""``apteligent login``, ``logout`` and ``accounts``, in a terminal and through pipes, against the simulator."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from datetime import UTC, datetime

import pytest
from terminal import in_terminal, plain

from apteligent_async.cli import main
from apteligent_async.cli.accounts import origin_of
from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

WORLD = World(apps=2, now=datetime(2016, 12, 12, 18, tzinfo=UTC))
ID, USER, PASSWORD = DEMO_ACCOUNT.client_id, DEMO_ACCOUNT.username, DEMO_ACCOUNT.password
TYPED = [
    ("Client id (not shown): ", f"{ID}\n"),
    ("User name: ", f"{USER}\n"),
    ("Password (not shown): ", f"{PASSWORD}\n"),
]


@pytest.fixture
def service():
    """Make a simulated service."""
    return Service(WORLD, quota=QuotaSettings(limit=600))


@pytest.fixture
def url(service):
    """Serve it."""
    with serve(service) as url:
        yield url


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Give the command: it takes what stands in the pipe, flags and an environment; it gives code, output, errors."""

    def call(*arguments, given="", **environment):
        for name in ["TOKEN", "CLIENT_ID", "USERNAME", "PASSWORD", "BASE_URL", "REGION", "BUDGET"]:
            monkeypatch.delenv(f"APTELIGENT_{name}", raising=False)
        for name, value in {"XDG_STATE_HOME": str(tmp_path), "COLUMNS": "120", **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["apteligent", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return call


@pytest.fixture
def folder(tmp_path):
    """Name the folder that logins are kept in."""
    return tmp_path / "apteligent-async" / "accounts"


def mode(path):
    """Give the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_it_asks_at_a_terminal_and_shows_no_secret(url, tmp_path, folder, columns):
    """Client id and password are typed blindly; what is kept holds a token and neither of them."""
    code, screen = in_terminal(
        "login", "--base-url", url, columns=columns, typed=TYPED, XDG_STATE_HOME=str(tmp_path), HOME=str(tmp_path)
    )
    assert code == 0
    assert f"Logged in on {url}" in " ".join(plain(screen).split())
    assert USER in screen
    kept = (folder / "default.json").read_text()
    token = json.loads(kept)["token"]
    for secret in (ID, PASSWORD, token):
        assert secret not in screen
    assert ID not in kept
    assert PASSWORD not in kept
    assert (mode(folder), mode(folder / "default.json")) == (0o700, 0o600)


def test_ctrl_c_at_the_prompt_ends_quietly(url, tmp_path, folder):
    """Exit code 130, no traceback, and nothing is kept."""
    code, screen = in_terminal("login", "--base-url", url, typed=[(TYPED[0][0], "\x03")], XDG_STATE_HOME=str(tmp_path))
    assert code == 130
    assert "Traceback" not in screen
    assert not folder.exists()


def test_it_reads_a_pipe_line_by_line(run, url, folder, service):
    """The three lines are client id, user name and password; what the environment holds is not read."""
    code, told, errors = run("login", "--base-url", url, given=f"{ID}\n{USER}\n{PASSWORD}\n")
    assert (code, errors) == (0, "")
    assert "The token is kept as the account 'default'" in told
    named = {"APTELIGENT_CLIENT_ID": ID, "APTELIGENT_USERNAME": USER}
    assert run("login", "--base-url", url, "--account", "two", given=f"{PASSWORD}\n", **named)[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == ["default.json", "two.json"]
    assert len(service.quota().log) == 2


def test_a_pasted_token_is_tried_before_it_is_kept(run, url, folder, service):
    """A good one costs one call; a bad one is an error in one line, and the old one stays."""
    token = service.issue_token(ID)
    code, line, _ = run("login", "--token-stdin", "--base-url", url, "--json", given=f"{token}\n")
    assert code == 0
    assert json.loads(line) == {"account": "default", "origin": url, "expires_at": None}
    code, told, errors = run("login", "--token-stdin", "--base-url", url, given="ThisTokenIsNoGood\n")
    assert (code, told) == (1, "")
    assert errors.startswith("apteligent: ")
    assert "ThisTokenIsNoGood" not in errors
    assert json.loads((folder / "default.json").read_text())["token"] == token


@pytest.mark.parametrize(
    ("arguments", "given", "problem"),
    [
        ([], "", "No client id was given"),
        ([], f"{ID}\n{USER}\n", "No password was given"),
        ([], f"{ID}\n{USER}\nwrong\n", "401|400|accept|refused"),
        (["--token-stdin"], "\n", "No token was given"),
        (["--token-stdin"], "two words\n", "one word"),
        (["--account", "../x"], "", "no account name"),
        (["--account", ".x"], "", "no account name"),
    ],
)
def test_what_cannot_work_is_said_in_few_words(run, url, arguments, given, problem):
    """In two at most; nothing is kept, and nothing that was given is repeated."""
    code, told, errors = run("login", "--base-url", url, *arguments, given=given)
    assert (code, told) == (1, "")
    assert errors.count("\n") <= 2
    assert any(words in errors for words in problem.split("|"))
    assert ID not in errors
    assert json.loads(run("accounts", "--json")[1]) == {"accounts": []}


@pytest.mark.parametrize("flag", ["--password", "--token", "--client-id"])
def test_no_secret_can_be_given_on_the_command_line(run, flag):
    """Other users of the machine could read it there: a usage error."""
    assert run("login", flag, "secret")[0] == 2


def test_later_commands_use_the_login(run, url, service):
    """With no other credentials the default is used, at the place that it came from; a named one goes first."""
    run("login", "--base-url", url, given=f"{ID}\n{USER}\n{PASSWORD}\n")
    assert run("apps")[0] == 0
    assert run("apps", APTELIGENT_TOKEN="gone")[0] == 1
    assert run("apps", "--account", "default", APTELIGENT_TOKEN="gone")[0] == 0
    code, _, errors = run("apps", "--base-url", "http://127.0.0.1:9")
    assert code == 1
    assert f"'default' is one of {url}, not of http://127.0.0.1:9" in errors
    code, _, errors = run("apps", "--account", "three")
    assert code == 1
    assert "no login 'three'; there are default" in errors


def test_an_expired_login_says_to_log_in_again(run, url, folder):
    """In a line that names the account and the command; `accounts` says the same."""
    run("login", "--base-url", url, "--account", "old", given=f"{ID}\n{USER}\n{PASSWORD}\n")
    path = folder / "old.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "expires_at": "2016-12-12T18:00:00+00:00"}))
    code, _, errors = run("apps", "--account", "old")
    assert code == 1
    assert "expired on 2016-12-12 18:00 UTC: log in again with `apteligent login --account old`" in errors
    code, told, _ = run("accounts")
    assert code == 1
    assert "ended 2016-12-12 18:00 UTC" in told
    assert "`apteligent login --account old`" in told


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_file_that_others_can_read_is_refused_with_the_mend(run, url, folder):
    """By every command that would use it; the mend that is named works."""
    run("login", "--base-url", url, given=f"{ID}\n{USER}\n{PASSWORD}\n")
    path = folder / "default.json"
    path.chmod(0o644)
    code, told, errors = run("apps")
    assert (code, told) == (1, "")
    assert f"chmod 600 '{path}'" in errors
    assert f"chmod 600 '{path}'" in run("accounts")[1]
    path.chmod(0o600)
    folder.chmod(0o755)
    assert f"chmod 700 '{folder}'" in run("apps")[2]
    folder.chmod(0o700)
    assert run("apps")[0] == 0


def test_accounts_and_logout(run, url, folder):
    """They list and remove; neither costs a call, and neither shows a token."""
    assert run("accounts")[:2] == (0, "No login is kept: make one with `apteligent login`.\n")
    run("login", "--base-url", url, "--days", "2", given=f"{ID}\n{USER}\n{PASSWORD}\n")
    token = json.loads((folder / "default.json").read_text())["token"]
    code, told, _ = run("accounts")
    assert code == 0
    assert url in told
    assert token not in told
    [row] = json.loads(run("accounts", "--json")[1])["accounts"]
    left = datetime.fromisoformat(row["expires_at"]) - datetime.now(UTC)
    assert 1.9 < left.total_seconds() / 86400 < 2.1
    assert json.loads(run("logout", "--json")[1]) == {"account": "default", "removed": True}
    assert not any(folder.iterdir())
    code, told, _ = run("logout")
    assert (code, told) == (1, "The login 'default' was not there; there are none.\n")


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"token": 5, "origin": "x", "expires_at": null}', "\x00\xff"])
def test_a_file_that_is_no_login_is_an_error_in_a_line(run, folder, written):
    """Whatever stands in it is not repeated."""
    folder.mkdir(parents=True, mode=0o700)
    path = folder / "default.json"
    path.touch(mode=0o600)
    path.write_text(written)
    code, told, errors = run("apps")
    assert (code, told, errors.count("\n")) == (1, "", 1)
    assert "log in again with `apteligent login`" in errors


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("HTTP://LocalHost:80/", "http://localhost"),
        ("https://developers.crittercism.com:443", "https://developers.crittercism.com"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("nonsense", "nonsense"),
        ("http://x:y", "http://x:y"),
    ],
)
def test_places_are_compared_by_what_they_mean(written, same):
    """Case, the usual port and a slash make no difference; what is no place is left as it is."""
    assert origin_of(written, None) == same
