"""``apteligent pull`` and ``export``, as a program runs them: without a terminal, killed, cut off, and again."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

COMMAND = [sys.executable, "-c", "from apteligent_async.cli import main; main()"]
NAMES = ["units", "ok", "failed", "calls", "rate_limited", "seconds", "output"]
PLAN = """
[[want]]
what = "error_monitoring.graph"
graph = ["crashes", "appLoads"]
days = 4

[[want]]
what = "crashes.details"
most = 2
"""
APPS = 3
UNITS = APPS * (2 * 4 + 1 + 2)
CALLS = 2 + APPS * (2 + 1 + 2)


@pytest.fixture
def plan(tmp_path):
    """Give the file of a plan."""
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


@contextmanager
def simulating(*flags, port=0):
    """Serve a simulated account in a process of its own; give the process, its address and a token."""
    command = [*COMMAND, "simulate", "--now", "2016-12-12T20:00:00Z", "--apps", str(APPS), "--limit", "60000"]
    process = subprocess.Popen([*command, "--port", str(port), *flags], stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().removeprefix("listening on ").strip()
        told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(4))
        yield process, url, told["token"]
    finally:
        process.kill()
        process.communicate()


def arguments(plan, out, url, *flags):
    """Write the command line of a pull."""
    return [*COMMAND, "pull", str(plan), "--out", str(out), "--base-url", url, "--json", *flags]


def pulled(plan, out, url, token, *flags):
    """Run a pull to its end; give its exit code, its figures and what it told people."""
    run = subprocess.run(
        arguments(plan, out, url, *flags),
        env={**os.environ, "APTELIGENT_TOKEN": token},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    lines = run.stdout.splitlines()
    return run.returncode, json.loads(lines[-1]) if lines else None, run.stderr


def test_it_tells_its_figures_and_is_no_work_again(plan, tmp_path):
    """Exit code 0, one line on standard output, and at the second time neither a call nor another byte."""
    out = tmp_path / "out"
    with simulating() as (_, url, token):
        code, figures, _ = pulled(plan, out, url, token)
        assert (code, list(figures)) == (0, NAMES)
        assert (figures["units"], figures["ok"], figures["failed"]) == (UNITS, UNITS, 0)
        assert (figures["calls"], figures["rate_limited"], figures["output"]) == (CALLS, 0, str(out))
        before = (out / "rows.jsonl").read_bytes()
        code, figures, _ = pulled(plan, out, url, token)
        assert (code, figures["calls"], figures["ok"]) == (0, 0, UNITS)
        assert (out / "rows.jsonl").read_bytes() == before


def test_the_simulator_may_die_and_come_back(plan, tmp_path):
    """What could not be had is exit code 3; the next run brings it, and the output is that of a quiet day."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with simulating("--latency", "0.1", port=port) as (service, url, token):
        run = subprocess.Popen(
            arguments(plan, tmp_path / "out", url, "--concurrency", "1"),
            env={**os.environ, "APTELIGENT_TOKEN": token},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ledger, until = tmp_path / "out" / "ledger.sqlite", time.monotonic() + 20
        while not ledger.exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(0.6)
        service.kill()
        assert run.wait(timeout=50) == 3
    with simulating("--token", token, port=port) as (_, url, token):
        code, figures, _ = pulled(plan, tmp_path / "out", url, token)
        assert (code, figures["ok"]) == (0, UNITS)
        assert 0 < figures["calls"] < CALLS
        pulled(plan, tmp_path / "quiet", url, token)
    assert (tmp_path / "out" / "rows.jsonl").read_bytes() == (tmp_path / "quiet" / "rows.jsonl").read_bytes()


@pytest.fixture
def small_disk(tmp_path):
    """Give a file system with next to no room, and what makes it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes a privilege that there is not")
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_with_room_it_goes_on(plan, tmp_path, small_disk):
    """Exit code 1 and a line; nothing that was committed is asked for again, and the output is that of a quiet day."""
    folder, enlarge = small_disk
    with simulating() as (_, url, token):
        flags = ("--ledger", str(folder / "ledger"), "--concurrency", "1")
        code, figures, said = pulled(plan, tmp_path / "out", url, token, *flags)
        assert (code, figures) == (1, None)
        assert "is full" in said or "disk I/O error" in said
        assert "Traceback" not in said
        enlarge()
        code, figures, _ = pulled(plan, tmp_path / "out", url, token, *flags)
        assert (code, figures["ok"]) == (0, UNITS)
        assert figures["calls"] < CALLS
        pulled(plan, tmp_path / "quiet", url, token)
    assert (tmp_path / "out" / "rows.jsonl").read_bytes() == (tmp_path / "quiet" / "rows.jsonl").read_bytes()


def test_a_token_that_is_not_accepted_is_said(plan, tmp_path):
    """Before anything is known there is nothing to be partly done with: exit code 1."""
    with simulating() as (_, url, _):
        code, figures, said = pulled(plan, tmp_path / "out", url, "unknown")
    assert (code, figures) == (1, None)
    assert "Traceback" not in said


def test_a_dry_run_names_units_calls_and_time(plan, tmp_path):
    """And the grounds of every saving; nothing is written."""
    with simulating() as (_, url, token):
        code, figures, said = pulled(plan, tmp_path / "out", url, token, "--dry-run")
    assert code == 0
    assert (figures["units"], figures["calls"], figures["is_lower_bound"]) == (APPS * 9, APPS * 3, True)
    assert figures["calls_before"] >= figures["calls"]
    assert {use["grade"] for use in figures["savings"] if use["is_used"]} <= {"A", "B"}
    assert "graph=appLoads" in said
    assert not (tmp_path / "out").exists()


def test_export_writes_other_formats_without_a_call(plan, tmp_path):
    """Also after the service has gone."""
    with simulating() as (_, url, token):
        pulled(plan, tmp_path / "out", url, token)
    flags = ["--out", str(tmp_path / "out"), "--format", "csv", "--with-fetched-at", "--json"]
    run = subprocess.run(
        [*COMMAND, "export", str(tmp_path / "out" / "ledger.sqlite"), *flags],
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(run.stdout)
    lines = (tmp_path / "out" / "rows.csv").read_text().splitlines()
    assert figures["output"] == str(tmp_path / "out")
    assert lines[0].endswith(",query,fetched_at")
    assert figures["rows"] == len((tmp_path / "out" / "rows.jsonl").read_text().splitlines())


@pytest.mark.parametrize(
    ("text", "said"), [("want = 3", "nothing is wanted"), ("[[want]]\nwhat = 'crashes.tabel'", "did you mean")]
)
def test_a_plan_that_cannot_work_is_explained(text, said, tmp_path):
    """In a line, with exit code 1, before anything is asked."""
    (tmp_path / "plan.toml").write_text(text)
    code, figures, errors = pulled(tmp_path / "plan.toml", tmp_path / "out", "http://127.0.0.1:9", "t")
    assert (code, figures) == (1, None)
    assert said in errors
    assert "Traceback" not in errors


def test_settle_days_come_from_the_flag(plan, tmp_path):
    """The command takes them in place of the plan's."""
    with simulating() as (_, url, token):
        assert pulled(plan, tmp_path / "out", url, token, "--settle-days", "5", "--quiet")[0] == 0
        assert pulled(plan, tmp_path / "out", url, token, "--settle-days", "-1")[0] == 2


def test_a_ledger_in_use_names_its_holder(plan, tmp_path):
    """The second pull ends at once and says which process has it."""
    with simulating("--latency", "0.3") as (_, url, token):
        first = subprocess.Popen(
            arguments(plan, tmp_path / "out", url, "--concurrency", "1"),
            env={**os.environ, "APTELIGENT_TOKEN": token},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 20
        while not (tmp_path / "out" / "ledger.sqlite-wal").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(0.1)
        code, _, said = pulled(plan, tmp_path / "out", url, token)
        first.kill()
        first.wait()
    assert code == 1
    assert f"process {first.pid} on" in said
