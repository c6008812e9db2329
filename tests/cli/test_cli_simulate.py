"""The command ``apteligent simulate``, run as a user runs it."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import pytest

from apteligent_async.simulator.faults import KINDS

COMMAND = [sys.executable, "-c", "from apteligent_async.cli import main; main()"]
NAMES = ["client_id", "username", "password", "token"]


@contextmanager
def simulating(*flags):
    """Run the command; give the process, the address and what it printed."""
    process = subprocess.Popen(
        [*COMMAND, "simulate", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().removeprefix("listening on ").strip()
        printed = dict(process.stdout.readline().strip().split("=", 1) for _ in NAMES)
        yield process, url, printed
    finally:
        process.kill()
        process.communicate()


def test_it_prints_what_one_needs_and_takes_calls_at_once():
    """The five lines, in order; the printed token and the printed password both work."""
    flags = ["--now", "2016-12-12T20:00:00Z", "--apps", "3", "--limit", "7", "--bucket", "120", "--reading", "count"]
    with simulating(*flags) as (_, url, printed):
        assert list(printed) == NAMES
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        connection.request("GET", "/v2/apps", headers={"Authorization": f"Bearer {printed['token']}"})
        answer = connection.getresponse()
        assert len(json.load(answer)["data"]) == 3
        assert (answer.headers["Rate-Limit-Limit"], answer.headers["Rate-Limit-Remaining"]) == ("7", "13")
        connection.close()


def test_the_curl_line_of_the_introduction_works():
    """``curl -u CLIENTID: -d ...`` gets a token that lists the apps."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with simulating("--apps", "2", "--client-id", "MyId", "--username", "me@example.com", "--password", "a b&c") as (
        _,
        url,
        printed,
    ):
        assert printed["client_id"] == "MyId"
        form = urlencode({"grant_type": "password", "username": "me@example.com", "password": "a b&c"})
        curl = ["curl", "-s", "-X", "POST", "-u", "MyId:", "-d", form, f"{url}/v2/token"]
        token = json.loads(subprocess.run(curl, capture_output=True, check=True).stdout)["access_token"]
        curl = ["curl", "-s", "-H", f"Authorization: Bearer {token}", f"{url}/v2/apps?attributes=appName"]
        assert len(json.loads(subprocess.run(curl, capture_output=True, check=True).stdout)["data"]) == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_without_a_traceback(number, code):
    """Ctrl-C is 130, as documented; being told to stop is its ordinary end."""
    with simulating("--apps", "1") as (process, _, _):
        process.send_signal(number)
        _, errors = process.communicate(timeout=5)
        assert (process.returncode, errors) == (code, "")


def test_a_port_in_use_is_one_line():
    """Exit code 1, and the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run([*COMMAND, "simulate", "--port", str(port)], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == f"apteligent: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    "flags",
    [
        ["--limit", "0"],
        ["--window", "round"],
        ["--now", "soon"],
        ["--nonsense"],
        ["--bucket", "-1"],
        ["--bucket", "nan"],
        ["--bucket", "1e300"],
        ["--latency", "inf"],
    ],
)
def test_wrong_flags_are_a_usage_error(flags):
    """Exit code 2 and no traceback."""
    run = subprocess.run([*COMMAND, "simulate", *flags], capture_output=True, text=True, check=False, timeout=20)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


def test_what_goes_wrong_comes_from_a_file(tmp_path):
    """The first call fails as the file says, the second is answered."""
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nkind = "fail"\nstatus = 502\ncount = 1\n')
    with simulating("--apps", "1", "--faults", str(path)) as (_, url, printed):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        for status in (502, 200):
            connection.request("GET", "/v2/apps", headers={"Authorization": f"Bearer {printed['token']}"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()


def test_a_bad_file_of_faults_is_a_usage_error(tmp_path):
    """The line and the key are named; nothing is served."""
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nkind = "fail"\nstatus = 1\n')
    run = subprocess.run([*COMMAND, "simulate", "--faults", str(path)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    said = " ".join(run.stderr.replace("│", " ").split())
    assert "line 3, fault 1: status must be a whole number from 400 to 599, not 1" in said


def test_the_help_names_every_fault():
    """So that a file can be written from it."""
    run = subprocess.run([*COMMAND, "simulate", "--help"], capture_output=True, text=True, check=True)
    said = " ".join(run.stdout.replace("│", " ").split())
    assert not [kind for kind in KINDS if kind not in said]


@pytest.mark.parametrize(
    "flags",
    [["--client-id", "a:b"], ["--client-id", "a b"], ["--client-id", "a\n"], ["--token", "x y"], ["--token", "x\ty"]],
)
def test_credentials_that_no_header_carries_are_a_usage_error(flags):
    """They would be printed, and nobody could use them."""
    run = subprocess.run([*COMMAND, "simulate", *flags], capture_output=True, text=True, check=False, timeout=20)
    assert (run.returncode, run.stdout) == (2, "")
    assert "Traceback" not in run.stderr


def test_the_version_is_printed():
    """One line, no server."""
    run = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.strip().count(".") == 2


@pytest.mark.parametrize("missing", ["cyclopts", "starlette", "uvicorn"])
def test_a_missing_extra_is_said_in_one_line(missing):
    """The line names what to install."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['apteligent', 'simulate'];"
        "from apteligent_async.cli import main; main()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "pip install 'apteligent-async[" in run.stderr


def test_calls_are_written_down_as_they_come(tmp_path):
    """With where they went and what became of them, and no token."""
    calls = tmp_path / "calls.jsonl"
    with simulating("--apps", "2", "--calls", str(calls)) as (_, url, printed):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        for token in (printed["token"], "no-token"):
            connection.request("GET", "/v2/apps?attributes=dau", headers={"Authorization": f"Bearer {token}"})
            connection.getresponse().read()
        connection.close()
        first, second = map(json.loads, calls.read_text().splitlines())
    assert first == {"method": "GET", "path": "/v2/apps", "query": [["attributes", "dau"]], "status": 200}
    assert second["status"] == 401
    assert printed["token"] not in calls.read_text()
