"""The import benchmark runs in its short form and names what it should; no figure is a test."""

from __future__ import annotations

import json

import pytest

from benchmarks import imports
from benchmarks.rivals import environment


def test_the_short_form_prints_the_promised_figures(capsys):
    """The short form needs no other package; its last line says what importing costs, and no extra comes along."""
    imports.main(["--quick", "--json"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"ms", "modules", "extras", "ratio_core", "ratio_core_in_use", "rows"} == set(found)
    assert found["extras"] == []
    assert {row["client"] for row in found["rows"]} == {"apteligent_async", "apteligent_async, in use", "core packages"}
    assert all(row["ms"] > 0 and row["modules"] > 0 for row in found["rows"])


def test_extras_are_told_from_what_the_core_brings_in():
    """An optional package counts unless a core package imports it too, and our own modules never do."""
    assert imports._extras(["orjson", "rich", "httpx", "apteligent_async"], beside=["httpx", "rich"]) == ["orjson"]
    assert imports._extras(["prometheus_client"], beside=[]) == ["prometheus_client"]


@pytest.mark.skipif(not environment.is_ready(), reason="the rivals' environment is not installed")
@pytest.mark.parametrize("name", ["openai", "stripe", "githubkit"])
def test_every_rival_can_be_imported(name):
    """Each of them is measured in the rivals' environment."""
    found = environment.ask("benchmarks.import_sample", [name], timeout_s=60)
    assert name in found["packages"]
