"""The command ``apteligent explain``: a run as a timeline, one call from end to end, no text that steers a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from runs_on_record import record

from apteligent_async import Event, EventLog
from apteligent_async.cli import main
from apteligent_async.testing import run_virtually


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Give the log of 45 calls and a login, with a budget of twenty a minute for itself."""
    path = tmp_path_factory.mktemp("log") / "events.jsonl"

    async def run():
        await record(path, calls=45, mode="exclusive")

    run_virtually(run)
    return path


@pytest.fixture
def explain(capsys, monkeypatch):
    """Give the command: it takes flags, and gives its exit code and what it printed."""

    def run(*flags, width=80):
        monkeypatch.setattr(sys, "argv", ["apteligent", "explain", *map(str, flags)])
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def flat(text):
    """Undo the wrapping."""
    return " ".join(text.split())


def test_a_run_is_told_from_head_to_foot(explain, log):
    """Calls, seconds, 429s, windows, what the line waited for; a strip for each window; who waited for what."""
    code, told, errors = explain(log)
    assert (code, errors) == (0, "")
    said = flat(told)
    assert "46 calls in 1" in said
    assert "the service has counted 46 requests, 0 of them answered 429; windows seen: 3." in said
    assert re.search(r"\d+\.\d s \d+% budget used up", said)
    assert re.search(r"2 \+\d+\.\d s #+[-~#]*\| 20 of 20 0 \+\d+\.\d s", said)
    assert "the budget of the window was used up (20 of 20 by this client); the reset was expected at +" in said
    assert re.search(r"Window 2: 20 calls \(\d+ to \d+\), apps\.list, waited \d+\.\d to \d+\.\d s: ", said)


@pytest.mark.parametrize("width", [60, 61, 80, 120, 200])
@pytest.mark.parametrize("flags", [[], ["--call", "25"]])
def test_it_fits_every_width(explain, log, width, flags):
    """No line is longer, nothing is lost, and all of it is ASCII without an escape code."""
    code, told, _ = explain(log, *flags, width=width)
    assert code == 0
    assert max(map(len, told.splitlines())) <= width
    assert told.isascii()
    assert "\x1b" not in told
    firsts = r"\d+ calls|Calls waited|Window|#|$| *\d* *\+|  | *from"
    assert all(re.match(firsts, line) for line in told.splitlines())
    wide = explain(log, *flags, width=200)[1]
    words = re.compile(r"[A-Za-z(][\w,;:.()]*")
    assert words.findall(flat(told)) == words.findall(flat(wide))


def test_one_call_is_told_from_end_to_end(explain, log):
    """It joins the line, waits for one thing after another, starts in a window, and is answered."""
    code, told, _ = explain(log, "--call", "25")
    assert code == 0
    told = flat(told)
    for words in [
        "call 25, apps.list, joins the line in the lane interactive",
        "waits",
        "starts in window 2",
        "succeeded",
    ]:
        assert words in told
        told = told[told.index(words) :]


def test_json_is_one_line_with_all_of_it(explain, log):
    """Standard output holds nothing else, and the sums agree."""
    code, printed, told = explain(log, "--json")
    [line] = printed.splitlines()
    figures = json.loads(line)
    assert code == 0
    assert "46 calls" in told
    assert (figures["calls"], figures["counted"], figures["rate_limited"]) == (46, 46, 0)
    assert sum(window["started"] for window in figures["windows"]) == 46
    assert 0 < figures["waited"]["drained"] < figures["seconds"]
    assert {group["reason"]["cause"] for group in figures["groups"]} >= {"drained"}
    [line] = explain(log, "--call", "25", "--json")[1].splitlines()
    call = json.loads(line)
    assert (call["ticket"], call["attempts"][0]["outcome"]) == (25, "succeeded")
    assert "drained" in {wait["cause"] for wait in call["waits"]}


def test_a_log_that_was_cut_short_is_explained(explain, log, tmp_path):
    """The writer was killed in the middle of a line, while calls waited."""
    whole = log.read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    code, told, errors = explain(tmp_path / "cut")
    assert (code, errors) == (0, "")
    assert "windows seen: 1." in flat(told)


@pytest.mark.parametrize("flags", [[], ["--call", "1"]])
def test_texts_of_the_log_cannot_steer_the_terminal(explain, tmp_path, flags):
    """Control characters and markup are shown, not obeyed, and a long text is cut."""
    evil = "\x1b[2J\x9b\u202e[red]\r\n" + "w" * 5000
    with EventLog(tmp_path / "log") as log:
        log(Event("call.queued", 0.0, {"call": 1, "label": evil, "lane": evil, "ahead": 0}))
        log(Event("line.blocked", 0.0, {"cause": evil, "until": None}))
        log(Event("call.start", 9.0, {"call": 1, "label": evil, "cost": 1, "left": 0}))
        log(Event("call.answer", 9.1, {"call": 1, "outcome": evil}))
    code, told, _ = explain(tmp_path / "log", *flags)
    assert code == 0
    assert "[red]" in told
    assert all(line.isprintable() for line in told.splitlines())
    assert len(told) < 2000


def test_no_call_waited_is_said(explain, tmp_path):
    """There is no list of waits where there were none."""
    with EventLog(tmp_path / "log") as log:
        log(Event("call.start", 1.0, {"call": 1, "label": "apps.list", "cost": 1, "left": 0, "waited_s": 0.0}))
    told = explain(tmp_path / "log")[1]
    assert "1 call in 0.0 s; the service has counted 1 request, 0 of them" in flat(told)
    assert "No call waited in line." in told
    assert "Window 1:" not in told


def test_a_long_run_is_not_shown_in_full(explain, tmp_path):
    """The first windows and groups are shown, and how many there are besides; JSON has them all."""
    with EventLog(tmp_path / "log") as log:
        for number in range(300):
            detail = {"call": number, "label": "apps.list", "cost": 1, "left": 0}
            log(Event("call.queued", number * 10.0, detail))
            log(Event("line.blocked", number * 10.0, {"cause": "drained", "until": number * 10.0 + 5}))
            log(Event("call.start", number * 10.0 + 5, detail))
            log(Event("call.answer", number * 10.0 + 6, detail | {"outcome": "succeeded"}))
            log(Event("window.open", number * 10.0 + 6, {"left": 0, "ends_at": number * 10.0 + 15}))
    _, printed, told = explain(tmp_path / "log", "--json")
    assert "and 250 more" in told
    assert "... and 100 more" in told
    assert len(json.loads(printed)["groups"]) == 300


@pytest.mark.parametrize(
    ("text", "flags", "problem"),
    [
        ("# A title\n", [], "log is no event log: line 1 is not an event.\n"),
        ("", [], "log holds no events.\n"),
        ('{"name": "gate.open", "at": 1, "detail": {}}\n', ["--call", "1"], "this log: it has no call.\n"),
        (None, [], "log: No such file or directory.\n"),
    ],
)
def test_a_file_that_cannot_be_explained_is_one_line(explain, tmp_path, text, flags, problem):
    """Exit code 1, and nothing on standard output."""
    if text is not None:
        (tmp_path / "log").write_text(text)
    code, told, errors = explain(tmp_path / "log", *flags)
    assert (code, told) == (1, "")
    assert errors.startswith("apteligent: ")
    assert errors.endswith(problem)
    assert errors.count("\n") == 1


def test_an_unknown_call_is_told_which_there_are(explain, log):
    """The numbers are those of the log."""
    code, _, errors = explain(log, "--call", "99")
    assert code == 1
    assert errors == "apteligent: There is no call 99 in this log: its calls are numbered 1 to 46.\n"


def test_a_demo_can_be_explained(tmp_path):
    """``--events`` logs all of the demo's calls; a file that cannot be written is one line."""
    command = [sys.executable, "-c", "from apteligent_async.cli import main; main()", "demo", "--apps", "1"]
    command += ["--limit", "60000", "--json", "--events"]
    ended = subprocess.run([*command, "log"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    names = [json.loads(line)["name"] for line in (tmp_path / "log").read_text().splitlines()]
    assert names.count("call.start") == json.loads(ended.stdout)["calls"]
    ended = subprocess.run([*command, "."], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "apteligent: cannot write .: Is a directory. Choose another with --events.\n"
