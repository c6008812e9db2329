"""Text that must not be shown, however it is printed."""

from __future__ import annotations

import pickle
import reprlib
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire.secret import Secret, hidden

WORDS = st.text(st.characters(categories=["Lu"]), min_size=12)


@given(WORDS)
def test_no_repr_shows_it(word):
    """Alone, in a container, shortened or in a formatted text that quotes it, the word is nowhere."""
    secret = Secret(word)
    for shown in [repr(secret), repr([secret]), repr({"k": secret}), reprlib.repr(secret), f"{secret!r}"]:
        assert word not in shown
        assert word[:5] not in shown


@given(WORDS, st.integers(0, 20), st.integers(0, 20))
def test_its_parts_are_hidden_too(word, start, stop):
    """Whoever cuts it before printing shows nothing either."""
    part = Secret(word)[start:stop]
    assert part == word[start:stop]
    assert isinstance(part, Secret)
    assert repr(Secret(word)[0]) == "'[secret]'"


@given(WORDS)
def test_it_is_the_text_all_the_same(word):
    """It is equal to the text, can be sent, and survives a pickle unseen."""
    secret = Secret(word)
    assert (secret, hash(secret), secret.encode()) == (word, hash(word), word.encode())
    again = pickle.loads(pickle.dumps(secret))
    assert (again, repr(again)) == (word, "'[secret]'")


@pytest.mark.parametrize("value", [None, 3, b"bytes", ["list"]])
def test_what_is_no_text_is_left_for_others_to_refuse(value):
    """Hiding checks nothing."""
    assert hidden(value) is value


def test_a_text_is_hidden():
    """And what is hidden stays so."""
    assert repr(hidden("word")) == repr(hidden(hidden("word"))) == "'[secret]'"


def test_a_traceback_with_locals_does_not_show_it():
    """A crash report that prints local variables prints none of it."""

    def fail(word):
        raise LookupError

    try:
        fail(Secret("PLANTEDWORD"))
    except LookupError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "[secret]" in told
    assert "PLANTEDWORD" not in told.replace('fail(Secret("PLANTEDWORD"))', "")
