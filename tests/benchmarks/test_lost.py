"""What lost windows are lost to: a twin that no client can tell from the server, and that has nothing left."""

from __future__ import annotations

import pytest
from attrs import evolve

from benchmarks.cases import START_AT, Case
from benchmarks.core import new_brain
from benchmarks.lost import Witness, has_twin
from benchmarks.meters import Refusals
from benchmarks.runs import play
from benchmarks.surroundings import Link
from benchmarks.zoo import Dialect


def a_case(**changes):
    """Make a case of three windows of fifteen calls in five minutes, on a quick link."""
    case = Case(
        number=1,
        kind="fixed",
        n=45,
        budget=15,
        window_s=300.0,
        dialect=Dialect(is_speed=False, limit="ceil"),
        refusals=Refusals.COUNTED,
        batches=((0.0, 45),),
        link=Link(up_s=0.1, down_s=0.1),
        seed="lost",
    )
    return evolve(case, **changes)


def heard(case):
    """Play it, and give when the server heard of each call."""
    server = Witness(case.server())
    run = play(case, new_brain("exclusive"), server=server)
    assert run.avoidable == 0
    return server.heard


def test_a_client_that_counts_cautiously_has_a_twin_to_fear():
    """Fifteen calls in five minutes may be fourteen in a little less, stated before the call is counted."""
    case = a_case()
    assert has_twin(case, heard(case))


@pytest.mark.parametrize("is_speed", [True, False])
def test_the_twin_refuses_whoever_spends_what_was_left(is_speed):
    """All that it says is the same until then."""
    case = a_case(dialect=Dialect(is_speed=is_speed, limit="ceil", remaining="exact", reset="exact"))
    assert has_twin(case, heard(case))
    bold = play(case, new_brain("exclusive", told=case.dialect), server=(server := Witness(case.server())))
    assert bold.avoidable == 0
    assert not has_twin(case, server.heard), "nothing was left"


@pytest.mark.parametrize(
    "changes",
    [
        {"dialect": Dialect(is_speed=False, is_before=True, limit="ceil")},
        {"kind": "gcra"},
        {"kind": "sliding log"},
        {"window_s": 310.0},  # three calls a minute would be fifteen of 309.999 s, too: no twin holds less
    ],
)
def test_a_server_without_a_twin_is_told_so(changes):
    """Its numbers count the call no differently, it has no windows, or its limit promises the call."""
    case = a_case(**changes)
    assert not has_twin(case, heard(case))


def test_a_twin_that_would_be_told_by_its_resets_is_none():
    """Where the call has no time on its way, nothing hides that a window was shorter."""
    case = a_case(link=Link(up_s=0.0, down_s=0.2))
    found = heard(case)
    assert not has_twin(case, found)
    assert found[0] == START_AT
