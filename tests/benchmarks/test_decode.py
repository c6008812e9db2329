"""The decoding benchmark runs in its short form, and every decoder reads every body; no figure is a test."""

from __future__ import annotations

import json

import pytest

from benchmarks import decode
from benchmarks.bodies import BODIES, body, known
from benchmarks.decode_sample import OWN
from benchmarks.own_decoding import decoder
from benchmarks.rivals import environment


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_the_same_each_time_and_become_results(name):
    """What is decoded is equal in all processes, and gives everything back."""
    from apteligent_async import unstructure

    assert body(name) == body(name)
    assert unstructure(decoder(name)(body(name))) == json.loads(body(name))


def test_bodies_are_of_the_promised_sizes():
    """500 apps of 13 attributes, 50 series of 720 points, and 1,000 slices; what is unknown comes on top."""
    apps, graph, pie = (json.loads(body(name))["data"] for name in ("apps", "graph", "pie"))
    assert (len(apps), {len(app) for app in apps.values()}) == (500, {13})
    assert [len(series["points"]) for series in graph["series"]] == [720] * 50
    assert len(pie["slices"]) == 1000
    apps, pie = (json.loads(body(f"{name} with a number in half"))["data"] for name in ("apps", "pie"))
    assert [len(app) for app in apps.values()] == [13, 14] * 250
    assert [len(part) for part in pie["slices"]] == [3, 4] * 500


def test_the_short_form_prints_rows_and_ratios(capsys):
    """The short form needs no other package; its last line holds a row for every decoder of ours and body."""
    decode.main(["--quick", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {(row["client"], row["body"]) for row in found["rows"]} == {
        (client, name) for client in OWN for name in BODIES
    }
    assert all(row["cpu_us"] > 0 for row in found["rows"])
    for client in OWN:
        assert found["ratios"][f"{client}, unknown / none"].keys() == {name for name in BODIES if known(name) != name}
    for client in ("apteligent_async", "apteligent_async with speed"):
        parsing = found["ratios"][f"{client}, of which parsing"]
        assert parsing.keys() == found["ratios"][f"{client}, unknown / none"].keys()


@pytest.mark.skipif(not environment.is_ready(), reason="the rivals' environment is not installed")
@pytest.mark.parametrize("client", ["msgspec", "pydantic"])
def test_every_rival_reads_every_body(client):
    """Each of them is measured in the rivals' environment, on all bodies."""
    costs = environment.ask("benchmarks.decode_sample", [client, "0.01"], timeout_s=60)
    assert list(costs) == list(BODIES)
    assert all(cost > 0 for cost in costs.values())


def test_without_the_extra_the_standard_library_decodes():
    """The row without `speed` is measured in a process that cannot import orjson."""
    import subprocess
    import sys

    code = """
import sys
from benchmarks.decode_sample import _decoder
from benchmarks.bodies import body
_decoder("apteligent_async")("pie")(body("pie"))
from apteligent_async._wire import codec
print(codec._decoder() is codec.standard_loads)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
