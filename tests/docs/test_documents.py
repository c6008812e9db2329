"""Every python block of the README and of every document in docs/ runs.

The conventions, for whoever writes one:

* A block fenced as ``python`` is a whole file: it imports what it uses.
* With a function named ``test_...`` in it, pytest runs it, and every test must pass; otherwise Python runs it, and it
  must end without an error. Warnings are errors.
* A block whose first line is a comment with a file's name, such as ``# conftest.py``, is not run. It is written under
  that name, and stands beside every later block of its document until one of the same name takes its place. Such a
  file may also be fenced as ``toml``.
* A block that is not to be run (a signature, an excerpt) is fenced otherwise, such as ``text`` or ``pycon``.

Blocks run in an empty directory, without the environment's APTELIGENT_ variables and without a network.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve, field, frozen

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(?:python|toml(?=\n# \w+\.toml\n))\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# ([\w/.-]+\.\w+)\n")
ONCE = ["-p", "no:apteligent", "-p", "apteligent_async.testing.plugin"]
"""Load the plugin of the source beside the documents, whether or not it is installed."""

STRICT = ["-Werror", "--strict-markers", "--override-ini=asyncio_default_fixture_loop_scope=function"]
PYTEST = ["-m", "pytest", "-q", *STRICT, *ONCE]
OUTPUT = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


@frozen
class Block:
    """One piece of code, where it stands, and the files that stand beside it."""

    place: str
    text: str
    beside: dict[str, str] = field(factory=dict)

    @property
    def is_tests(self):
        """Whether it is for pytest."""
        return re.search(r"^(async )?def test_", self.text, re.MULTILINE) is not None


def blocks_of(name, text):
    """Give the blocks of a document that are to be run."""
    beside: dict[str, str] = {}
    for match in BLOCK.finditer(text):
        block = Block(f"{name}:{text.count(chr(10), 0, match.start()) + 1}", match[1])
        named = NAMED.match(block.text)
        if named:
            beside[named[1]] = block.text
        else:
            yield evolve(block, beside=dict(beside))


PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("**/*.md"))]
BLOCKS = [block for path in PAGES for block in blocks_of(path.name, path.read_text())]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_blocks_run(block, tmp_path):
    """What a document shows works as it stands."""
    files = block.beside | {"test_block.py": block.text}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = PYTEST if block.is_tests else ["test_block.py"]
    ended = subprocess.run(
        [sys.executable, "-Werror", *command],
        cwd=tmp_path,
        env=_environment(),
        text=True,
        timeout=120,
        check=False,
        **OUTPUT,
    )
    assert ended.returncode == 0, ended.stdout
    assert not re.search(r"\d (skipped|xfailed|deselected)", ended.stdout)


def _environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("APTELIGENT_", "PYTEST_"))}
    return {**kept, "PYTHONPATH": str(DOCS.parent)}


def test_blocks_are_told_apart():
    """Files that are named stand beside the blocks that follow, the latest of each name."""
    fenced = ["first()", "# a.py\none", "def test_it(): ...", "# a.py\ntwo", "x = 1"]
    text = "```text\nno\n```\n```toml\nno\n```\n" + "".join(f"```python\n{code}\n```\n" for code in fenced)
    first, second, third = blocks_of("x.md", text)
    assert (first.text, first.beside, first.place) == ("first()\n", {}, "x.md:7")
    assert (second.is_tests, second.beside) == (True, {"a.py": "# a.py\none\n"})
    assert (third.is_tests, third.beside) == (False, {"a.py": "# a.py\ntwo\n"})


def test_a_named_table_stands_beside_blocks():
    """A plan or a schedule of faults can be shown as what it is, and be read by the code after it."""
    (block,) = blocks_of("x.md", "```toml\n# a.toml\nx = 1\n```\n```python\nrun()\n```\n")
    assert (block.text, block.beside) == ("run()\n", {"a.toml": "# a.toml\nx = 1\n"})
