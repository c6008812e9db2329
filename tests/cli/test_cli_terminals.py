"""The commands of the families in a terminal of their own: widths, colours, and the display of a wait."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from terminal import in_terminal, plain

from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve


@pytest.fixture
def shown(simulator, tmp_path):
    """Give the command in a terminal: it tells its exit code and what the screen was sent."""
    service, url = simulator
    token = service.issue_token(DEMO_ACCOUNT.client_id)

    def run(*arguments, **options):
        told = {"APTELIGENT_BASE_URL": url, "APTELIGENT_TOKEN": token, "XDG_STATE_HOME": str(tmp_path)}
        return in_terminal(*arguments, **(told | options))

    return run


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_a_table_fits_the_terminal(shown, columns):
    """Nothing wraps at any width, and the first columns are always there."""
    code, screen = shown("crashes", "*", "--top", "30", columns=columns)
    lines = plain(screen).splitlines()
    assert code == 0
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("app") and "users" in line for line in lines)


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_help_fits_the_terminal(shown, columns):
    """The first page and a command's own."""
    for arguments in [["--help"], ["pie", "--help"]]:
        code, screen = shown(*arguments, columns=columns)
        assert code == 0
        assert max(map(len, plain(screen).splitlines())) <= columns


def test_a_terminal_gets_colours_unless_they_are_not_wanted(shown):
    """NO_COLOR is honoured: no code sets a colour."""
    assert "\x1b[1m" in shown("apps", "--top", "2")[1]
    assert "\x1b[3" not in shown("apps", "--top", "2", NO_COLOR="1")[1]


def test_a_terminal_gets_a_bar_that_counts_the_apps(shown):
    """Its last state stays above the table."""
    _, screen = shown("live", "*", "--top", "3")
    assert "12 of 12 done" in plain(screen)
    assert "━" in screen
    assert "━" not in shown("live", "*", "--period", "P1D", "--quiet", "--format", "csv")[1]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_wait_says_what_for_and_until_when(is_terminal, command, tmp_path):
    """Where the budget is used up, the screen says so, and the answer comes after the reset."""
    service = Service(
        World(apps=3, now=datetime(2016, 12, 12, 18, tzinfo=UTC)), quota=QuotaSettings(limit=72, bucket_s=2.5)
    )
    with serve(service) as url:
        told = {"APTELIGENT_TOKEN": service.issue_token(DEMO_ACCOUNT.client_id), "APTELIGENT_BASE_URL": url}
        if is_terminal:
            code, screen = in_terminal("pie", "*", "--by", "os", XDG_STATE_HOME=str(tmp_path), **told)
        else:
            ended = command("pie", "*", "--by", "os", **told)
            code, screen = ended.code, ended.err
    assert code == 0
    assert "Waiting" in screen
    assert " s, until " in plain(screen)


def test_ctrl_c_ends_a_wait_quietly(tmp_path):
    """Exit code 130, no traceback, and the cursor comes back."""
    world = World(apps=12, now=datetime(2016, 12, 12, 18, tzinfo=UTC))
    service = Service(world, quota=QuotaSettings(limit=3, bucket_s=60))
    with serve(service) as url:
        told = {"APTELIGENT_TOKEN": service.issue_token(DEMO_ACCOUNT.client_id), "APTELIGENT_BASE_URL": url}
        code, screen = in_terminal("live", "*", typed=[("Waiting", "\x03")], XDG_STATE_HOME=str(tmp_path), **told)
    assert code == 130
    assert "Traceback" not in screen
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")


def test_a_reader_that_has_gone_is_no_error_to_tell(simulator, tmp_path):
    """As with `head`: nothing on standard error."""
    service, url = simulator
    told = {"APTELIGENT_TOKEN": service.issue_token(DEMO_ACCOUNT.client_id), "APTELIGENT_BASE_URL": url}
    arguments = ["trends", "*", "--series", "all", "--format", "csv", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from apteligent_async.cli import main; main()", *arguments],
        env={**os.environ, **told, "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert (process.stderr.read(), process.wait(timeout=30)) == (b"", 1)
    process.stderr.close()


def test_completion_knows_the_commands_and_their_choices(command, tmp_path, monkeypatch):
    """It is put where the shell looks for it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert command("--install-completion").code == 0
    [script] = [path for path in tmp_path.rglob("*") if path.is_file() and path.name == "apteligent"]
    assert {"userflows", "crashPercent", "--deadline"} <= set(re.findall(r"[\w-]+", script.read_text()))
