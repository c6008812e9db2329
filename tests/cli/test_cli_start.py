"""How the command line starts: it imports what the first page needs, and no more."""

from __future__ import annotations

import subprocess
import sys
import time

EMPTY = "from cyclopts import App; App(name='empty', help='Nothing.')(['--help'], result_action='return_value')"
OURS = "import sys; sys.argv = ['apteligent', '--help']; from apteligent_async.cli import main; main()"


def seconds(code):
    """Run a program and give how long it took, at best of some runs."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    return min(taken)


def test_the_first_page_is_about_as_quick_as_an_empty_application():
    """At most 1.5 times, in the same run."""
    assert seconds(OURS) <= 1.5 * seconds(EMPTY)


def test_the_first_page_imports_no_client():
    """Nor an HTTP library, nor what only some commands need."""
    code = OURS.replace("main()", "\ntry:\n    main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)")
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    )
    assert "cyclopts" in loaded
    assert not loaded & {"httpx", "anyio", "cattrs", "tenacity", "plotext", "altair", "pyarrow", "uvicorn"}
    assert not loaded & {"apteligent_async.client", "apteligent_async.cli.asking", "apteligent_async.cli.demo"}
