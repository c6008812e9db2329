"""The command ``apteligent demo``, run as a user runs it: over HTTP, in pipes and terminals, with things in its way."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

COMMAND = [sys.executable, "-c", "from apteligent_async.cli import main; main()", "demo"]
ROOMY = ["--apps", "3", "--limit", "60000"]
"""An account whose pull fits into the first bucket."""

PIES = 3 * 5 * 3 + 3
"""Of the roomy account: three apps, five metrics, three dimensions, and three questions about all apps together."""

QUESTIONS = ["Which version has the most users?", "Which OS crashes the most?"]
QUESTIONS += ["Which service is the slowest?", "Which app is the heaviest on data?"]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run(*flags, cwd, **environment):
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *flags],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def rows_in(folder):
    """Give the rows of both files, which must be whole lines."""
    text = (folder / "metrics.jsonl").read_text()
    assert text == "" or text.endswith("\n")
    with (folder / "metrics.csv").open(newline="") as table:
        return [json.loads(line) for line in text.splitlines()], list(csv.DictReader(table))


def start(folder, *flags):
    """Start a pull that takes long, and wait until its first rows are on disk."""
    process = subprocess.Popen(
        [*COMMAND, *flags, "--output", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    path = folder / "metrics.jsonl"
    until = time.monotonic() + 20
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < until, process.communicate()
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Give a finished run with ``--json`` and its folder."""
    folder = tmp_path_factory.mktemp("demo")
    return run(*ROOMY, "--json", cwd=folder), folder


def test_json_is_one_line_with_the_figures(finished):
    """Standard output holds nothing else; calls count the token, the apps and discovery."""
    ended, _ = finished
    assert ended.returncode == 0
    [line] = ended.stdout.splitlines()
    figures = json.loads(line)
    assert list(figures) == ["calls", "failed", "seconds", "bound_seconds", "rate_limited", "utilisation", "output"]
    assert (figures["calls"], figures["failed"], figures["rate_limited"]) == (PIES + 3, 0, 0)
    assert figures["output"] == "demo-output"
    assert 0.05 <= figures["bound_seconds"] <= figures["seconds"] < 10
    assert figures["utilisation"] == pytest.approx(figures["bound_seconds"] / figures["seconds"], abs=0.001)


def test_everything_else_goes_to_standard_error(finished):
    """Progress, four tables and the summary are for people, and carry no escape code in a pipe."""
    ended, _ = finished
    for text in [*QUESTIONS, "Logged in as demo@example.com", "Discovered", "3 apps", f"{PIES} of {PIES} done", "━━━"]:
        assert text in ended.stderr
    assert "\x1b" not in ended.stderr
    assert "rows in each of\n  demo-output/metrics.jsonl\n  demo-output/metrics.csv\n" in ended.stderr


def test_both_files_hold_every_pie(finished):
    """Crashes, loads, crash rate, users and latency of every app, by version, system and device; the same in both."""
    _, folder = finished
    lines, table = rows_in(folder / "demo-output")
    pies = {(row["app_id"], row["metric"], row["group_by"]) for row in lines}
    apps = {app_id for app_id, _, _ in pies} - {None}
    metrics = ["crashes", "appLoads", "crashPercent", "dau", "latency"]
    wanted = {(app, metric, by) for app in apps for metric in metrics for by in ["appVersion", "os", "device"]}
    together = {(None, "crashPercent", "os"), (None, "latency", "service"), (None, "dataIn", "appId")}
    assert pies == wanted | together
    assert len(apps) == 3
    assert [row["name"] for row in table] == [row["name"] for row in lines]
    assert [row["value"] for row in table] == [str(row["value"]) for row in lines]


def test_without_json_all_of_it_is_on_standard_output(tmp_path):
    """A pipe gets quiet lines, also where colours are asked not to be."""
    ended = run(*ROOMY, cwd=tmp_path, NO_COLOR="1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(question in ended.stdout for question in QUESTIONS)
    assert "\x1b" not in ended.stdout
    assert "429s: 0. Failed: 0." in ended.stdout
    assert re.search(r" s, utilisation \d+\.\d%\.\nLower bound for so many calls on this budget: \d", ended.stdout)


def test_without_progress_it_still_tells_what_it_found(tmp_path):
    """--quiet leaves the answers and their cost."""
    loud, quiet = run(*ROOMY, cwd=tmp_path), run(*ROOMY, "--quiet", cwd=tmp_path)
    assert "ETA" in loud.stdout
    assert "ETA" not in quiet.stdout
    assert all(question in quiet.stdout for question in QUESTIONS)
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_an_ascii_terminal_is_enough(tmp_path):
    """What cannot be shown there is a question mark or a hyphen, not an error."""
    ended = run(*ROOMY, cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0", COLUMNS="24")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.isascii()


@pytest.mark.parametrize("width", [60, 200])
def test_in_a_terminal_a_bar_moves(tmp_path, width):
    """It fits the width, shows the ETA, and gives the cursor back."""
    shown, code = in_terminal(tmp_path, width=width)
    assert code == 0
    assert "━" in shown
    assert "ETA 0:01" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    plain = ESCAPE.sub("", shown).replace("\r\n", "\n")
    frames = [frame for line in plain.split("\n") for frame in line.split("\r") if not line.startswith("Simulator on")]
    assert max(map(len, frames)) <= width


def test_in_a_terminal_colours_can_be_refused(tmp_path):
    """With NO_COLOR the bar still moves."""
    shown, code = in_terminal(tmp_path, width=100, NO_COLOR="1")
    assert code == 0
    assert re.search(r"\x1b\[[0-9;]*3[0-9]", shown) is None
    assert "\x1b[?25l" in shown


def in_terminal(folder, *, width, **environment):
    """Run the command with a terminal for its output; give all that it wrote, and its exit code."""
    outside, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    variables = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    process = subprocess.Popen(
        [*COMMAND, *ROOMY],
        cwd=folder,
        env={**variables, "TERM": "xterm-256color", **environment},
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    shown = b""
    try:
        while part := os.read(outside, 65_536):
            shown += part
    except OSError:  # what Linux says when the other end is closed
        pass
    finally:
        os.close(outside)
    return shown.decode(), process.wait(timeout=30)


def test_ctrl_c_ends_it_at_once_with_what_was_fetched(tmp_path):
    """Exit code 130, whole files, the summary, and no traceback; three seconds are for a machine that is busy."""
    process = start(tmp_path, "--json")
    time.sleep(0.3)
    sent_at = time.monotonic()
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=10)
    assert time.monotonic() - sent_at < 3
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert re.search(r"Interrupted: \d+ of 603 pies came", errors)
    lines, table = rows_in(tmp_path)
    assert len(lines) == len(table) > 0
    figures = json.loads(printed)
    assert (figures["rate_limited"], figures["bound_seconds"], figures["utilisation"]) == (0, None, None)
    assert re.search(r"^\d+ calls in \d+\.\d s\.$", errors, re.MULTILINE)
    assert "Lower bound" not in errors


def test_a_kill_keeps_what_was_fetched(tmp_path):
    """The files hold whole lines without the program's help."""
    process = start(tmp_path)
    process.kill()
    process.communicate()
    assert rows_in(tmp_path)[0]


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path):
    """Exit code 1, before anything is asked."""
    (tmp_path / "taken").write_text("mine")
    ended = run(*ROOMY, "--json", "--output", "taken", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "apteligent: cannot write in taken: File exists. Choose another folder with --output.\n"
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_disk_that_fills_up_is_one_line(tmp_path):
    """Exit code 1; the rows that came before stay, in whole lines."""
    resource = pytest.importorskip("resource")
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, {resource.RLIM_INFINITY}));"
    command = [sys.executable, "-c", code + COMMAND[2], "demo", *ROOMY]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        "apteligent: cannot write demo-output/metrics.jsonl: File too large. "
        "The rows before stay; make room, or choose --output elsewhere.\n"
    )
    assert len(rows_in(tmp_path / "demo-output")[0]) > 10


def test_our_own_errors_are_two_lines_at_most(tmp_path):
    """A refused login names the cause and what to do and ends with exit code 1, without a traceback."""
    code = (
        "import apteligent_async.cli.demo.run as run; from apteligent_async.simulator import Account;"
        "run.DEMO_ACCOUNT = Account(client_id=run.DEMO_ACCOUNT.client_id, username='demo@example.com', password='x');"
    )
    command = [sys.executable, "-c", code + COMMAND[2], "demo", *ROOMY]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("apteligent: ")
    assert ended.stderr.count("\n") <= 2


@pytest.mark.parametrize("flags", [["--apps", "0"], ["--bucket", "0"], ["--bucket", "inf"], ["--limit", "-1"], ["x"]])
def test_wrong_flags_are_a_usage_error(flags, tmp_path):
    """Exit code 2, no traceback, and no folder."""
    ended = run(*flags, cwd=tmp_path)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_no_command_is_a_question_for_help(tmp_path):
    """The commands are listed with what they are for."""
    ended = subprocess.run(COMMAND[:3], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0
    assert re.search(r"demo +Pull metrics", ended.stdout)
    assert re.search(r"simulate +Serve", ended.stdout)
