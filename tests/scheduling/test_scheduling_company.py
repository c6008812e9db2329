"""Tests of the guess how many share a budget, and how much they take."""

from __future__ import annotations

import pytest

from apteligent_async._scheduling.company import MOST_PEERS, Company


@pytest.mark.parametrize(
    ("peers", "used", "own", "guess"),
    [(1, 30, 10, 3), (1, 12, 10, 2), (5, 30, 10, 5), (1, 9, 0, 9), (1, 1000, 1, MOST_PEERS), (1, 26, 10, 3)],
)
def test_one_answer_tells_how_many_there_are_at_least(peers, used, own, guess):
    """Ours is one part of what was used; there are two at least, and never fewer than were guessed before."""
    company = Company(peers=peers)
    company.sense(used=used, own=own)
    assert company.peers == guess


def test_collisions_quadruple_the_guess():
    """As far as peers are told apart."""
    company = Company()
    found = []
    for _ in range(4):
        company.collide()
        found.append(company.peers)
    assert found == [4, 16, MOST_PEERS, MOST_PEERS]


def test_a_collision_is_forgotten_window_by_window():
    """Where nobody was seen to spend, each window takes one away."""
    company = Company()
    company.collide()
    found = []
    for _ in range(5):
        company.close_window(size=20.0, own=5, left=0.0, are_seen=False)
        found.append(company.peers)
    assert found == [3, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("own", "crowd", "peers"), [(5, 1, 4), (18, 1, 2), (5, 9, 8), (0, 1, 7), (1, 1, 20), (3, 4, 7), (8, 1, 2)]
)
def test_our_part_of_a_window_tells_how_many_share_it(own, crowd, peers):
    """If they share it evenly; a window in which nothing was ours tells nothing."""
    company = Company(peers=7, crowd=crowd)
    company.close_window(size=20.0, own=own, left=0.0, are_seen=True)
    assert company.peers == peers


def test_what_others_take_is_averaged():
    """Half of it is the last window's; what nobody was seen to take is nobody's."""
    company = Company()
    company.close_window(size=20.0, own=5, left=3.0, are_seen=True)
    assert company.foreign == 6.0
    company.close_window(size=20.0, own=25, left=3.0, are_seen=True)
    assert company.foreign == 3.0
    company.close_window(size=20.0, own=5, left=3.0, are_seen=False)
    assert company.foreign == 1.5
