"""The package's root: what can be imported from it, and what importing it costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from pkgutil import iter_modules

import pytest

import apteligent_async
from apteligent_async import errors

EXTRAS = [
    "altair",
    "cyclopts",
    "coredis",
    "fastapi",
    "opentelemetry",
    "orjson",
    "plotext",
    "prometheus_client",
    "pyarrow",
    "rich",
    "starlette",
    "uvicorn",
    "vl_convert",
    "trio",
    "pytest",
]
PROMISED = [
    "ApteligentClient",
    "PasswordGrant",
    "StaticToken",
    "Region",
    "Priority",
    "RatePolicy",
    "RetryPolicy",
    "MemoryBudget",
    "RedisBudget",
    "SQLiteBudget",
    "DayLabels",
    "Unchecked",
    "unstructure",
    "AppAttribute",
    "ErrorGraph",
    "ErrorGroupBy",
    "ErrorStatus",
    "FilterField",
    "LivePeriod",
    "PerformanceGraph",
    "PerformanceGroupBy",
    "PerformanceSort",
    "SortOrder",
    "SparklineGroupBy",
    "TableSort",
    "ApteligentError",
    "ConfigurationError",
    "ClientStateError",
    "AuthenticationError",
    "BadRequestError",
    "NotFoundError",
    "RateLimitedError",
    "DeadlineExceeded",
    "QueueFull",
    "ServerError",
    "ConnectionFailed",
    "ResponseError",
    "UnsafeLinkError",
]


def run(code):
    """Run a program in an interpreter of its own; give what it printed."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_all_names_are_sorted_and_there():
    """The list of names is complete, without a name twice, and in order."""
    names = apteligent_async.__all__
    assert list(names) == sorted(set(names))
    assert all(getattr(apteligent_async, name) is not None for name in names)
    assert set(PROMISED) <= set(names)


def test_every_error_can_be_caught_from_the_root():
    """Whatever the package raises has a public name, and one root above it."""
    for name in errors.__all__:
        assert name in apteligent_async.__all__
        assert issubclass(getattr(apteligent_async, name), apteligent_async.ApteligentError)


def test_the_root_defines_nothing():
    """It is a table of contents: every public name is at home elsewhere, and the code is imports and lists of names."""
    for name in set(apteligent_async.__all__) - {"__version__", "FilterEncoder"}:
        assert getattr(apteligent_async, name).__module__.startswith("apteligent_async.")
    source = Path(apteligent_async.__file__).read_text(encoding="utf-8")
    assert not re.search(r"^(def|class|async|try|for)\b", source, flags=re.MULTILINE)
    assert re.findall(r"^if .*", source, flags=re.MULTILINE) == ["if TYPE_CHECKING:", "if not TYPE_CHECKING:"]


def test_the_map_of_the_package_is_the_one_that_is_checked():
    """Every room is on the map that the docstring draws, once, and the floors are those of the contract, in order."""
    rooms = {each.name for each in iter_modules(apteligent_async.__path__)} - {"_version", "_on_demand"}
    drawn = [[*takewhile(rooms.__contains__, line.split())] for line in apteligent_async.__doc__.splitlines()]
    assert sorted(room for floor in drawn for room in floor) == sorted(rooms)
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    floors = [set(floor.split(" | ")) for floor in project["tool"]["importlinter"]["contracts"][0]["layers"]]
    known = set().union(*floors)
    assert [floor for row in drawn if (floor := set(row) & known)] == floors


@pytest.mark.parametrize("room", ["_cache", "_connections", "_dispatch", "bulk", "cli", "client", "models"])
def test_the_map_of_a_room_names_what_is_in_it(room):
    """Each file and each room within is on the map once, and nothing is that has gone."""
    there = import_module(f"apteligent_async.{room}")
    rows = [row.split("|")[1] for row in there.__doc__.splitlines() if row.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(each.name for each in iter_modules(there.__path__))


def test_the_root_imports_for_type_checkers_what_it_gives_when_asked():
    """The two lists of homes are one, so that no name is missing in editors or in programs."""
    source = Path(apteligent_async.__file__).read_text(encoding="utf-8")
    [block] = [node for node in ast.parse(source).body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    seen = {f"{node.module}.{name.name}" for node in block.body for name in node.names}
    homes = apteligent_async._HOMES.items()
    assert seen == {f"apteligent_async.{home}.{name}" for home, names in homes for name in names.split()}
    assert set(apteligent_async.__all__) == {name.rpartition(".")[2] for name in seen} | {"__version__"}


def test_a_name_that_is_not_there_is_an_attribute_error():
    """A misspelt name is told at once, and `hasattr` works."""
    assert not hasattr(apteligent_async, "ApteligentCleint")
    with pytest.raises(ImportError, match="ApteligentCleint"):
        from apteligent_async import ApteligentCleint  # noqa: F401


def test_importing_the_root_is_cheap():
    """The client, and with it httpx, is imported when the first of its names is asked for."""
    loaded = run("import sys, apteligent_async; print(*sys.modules)").split()
    assert "apteligent_async" in loaded
    assert [name for name in loaded if name in {"httpx", "anyio", "attrs", "apteligent_async.client"}] == []


def test_importing_brings_in_no_extra():
    """Whoever only calls the service pays for none of the optional libraries."""
    core = "import sys, anyio, attrs, cattrs, httpx, platformdirs, tenacity; before = set(sys.modules)"
    loaded = run(core + "; from apteligent_async import *; print(*(set(sys.modules) - before))").split()
    assert "apteligent_async.client" in loaded
    assert [name for name in loaded if name.split(".")[0] in EXTRAS] == []


def test_importing_reads_no_environment_and_makes_no_tls_context():
    """Authorities are read when the first connection by TLS is made, not before."""
    code = "import os; os.environ['SSL_CERT_FILE'] = '/missing'; import apteligent_async as a; a.ApteligentClient()"
    assert run(code) == ""


def test_making_a_client_opens_nothing():
    """The constructor touches neither a file nor a socket nor a process; the interpreter's own audit says so."""
    code = """
import sys
from apteligent_async import ApteligentClient, PasswordGrant, StaticToken
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
ApteligentClient()
ApteligentClient(PasswordGrant("id", "user", "password"), proxy="http://127.0.0.1:1", base_url="http://127.0.0.1:9")
ApteligentClient(StaticToken("t"))
print(*seen)
"""
    told = [event for event in run(code).split() if not event.startswith("object.")]
    assert told == []


def test_the_public_api_survives_pickling():
    """Credentials do not: what would be written is not hidden, so it is not tested; errors and policies do."""
    import pickle

    error = apteligent_async.RateLimitedError("m", limit=20.0, reset=1.0, endpoint="apps.list", attempts=3)
    again = pickle.loads(pickle.dumps(error))
    assert (again.args, again.limit, again.endpoint, again.attempts) == (("m",), 20.0, "apps.list", 3)
    policy = apteligent_async.RatePolicy(mode="polite")
    assert pickle.loads(pickle.dumps(policy)) == policy
