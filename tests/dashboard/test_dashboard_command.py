"""The command ``apteligent dashboard``, run as a user runs it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest
from running_command import COMMAND, showing

from apteligent_async.simulator import DEMO_ACCOUNT, QuotaSettings, Service, World, serve

WORLD = World(apps=2, now=datetime(2016, 12, 12, 18, tzinfo=UTC))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_cleanly_while_a_browser_listens(number, code):
    """The stream ends, nothing is complained about, and the exit code is the documented one."""
    with (
        showing("--apps", "1") as shown,
        httpx.stream("GET", f"{shown.address}budget", timeout=20) as stream,
    ):
        lines = stream.iter_lines()
        assert next(line for line in lines if line) == "retry: 100"
        shown.process.send_signal(number)
        assert shown.process.wait(timeout=15) == code
        list(lines)
        assert shown.process.stderr.read() == ""


def test_a_simulated_account_needs_no_token_and_others_can_use_it():
    """The three lines after the address are what a pull beside the page wants."""
    with showing("--apps", "2") as shown:
        assert shown.address.startswith("http://127.0.0.1:")
        assert list(shown.printed) == ["simulator", "client_id", "token"]
        assert httpx.get(shown.address).status_code == 200
        headers = {"Authorization": f"Bearer {shown.printed['token']}"}
        assert len(httpx.get(f"{shown.printed['simulator']}/v2/apps", headers=headers).json()["data"]) == 2


def test_a_real_account_is_shown_to_the_first_browser_that_brings_the_token():
    """Nobody else sees it, and foreign names are refused before that is looked at."""
    service = Service(WORLD, quota=QuotaSettings(limit=100))
    token = service.issue_token(DEMO_ACCOUNT.client_id)
    with (
        serve(service) as origin,
        showing("--base-url", origin, notes=0, APTELIGENT_TOKEN=token) as shown,
        httpx.Client(follow_redirects=True) as browser,
    ):
        page, _, ticket = shown.address.partition("?token=")
        assert len(ticket) > 20
        assert token not in shown.address
        assert httpx.get(page).status_code == 401
        assert httpx.get(shown.address, headers={"Host": "evil.example"}).status_code == 421
        opened = browser.get(shown.address)
        assert (opened.status_code, str(opened.url)) == (200, page)
        assert browser.get(f"{page}apps").text.count('id="open-') == 2
        assert httpx.get(shown.address).status_code == 401


def test_a_missing_login_is_said_before_anything_is_served(tmp_path):
    """One line, and exit code 1."""
    environment = {"PATH": "", "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    run = subprocess.run(
        [*COMMAND, "--region", "us"], capture_output=True, text=True, check=False, env=environment, timeout=30
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("apteligent: No credentials")


def test_a_port_in_use_is_one_line():
    """Exit code 1, and the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True, check=False, timeout=30)
    assert run.returncode == 1
    assert run.stderr == f"apteligent: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("missing", ["fastapi", "jinja2", "uvicorn"])
def test_a_missing_extra_is_said_in_one_line(missing):
    """The line names what to install."""
    code = (
        "import sys, importlib.util as util; find = util.find_spec\n"
        f"util.find_spec = lambda name, *rest: None if name == {missing!r} else find(name, *rest)\n"
        "sys.argv = ['apteligent', 'dashboard']\n"
        "from apteligent_async.cli import main; main()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert run.returncode == 1
    assert run.stderr == f"apteligent: the dashboard needs {missing}: pip install 'apteligent-async[dashboard]'\n"
