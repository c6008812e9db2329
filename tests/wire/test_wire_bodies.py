"""Bodies: whole or refused, unpacked as they come, and never larger than they may be."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteligent_async._wire.bodies import Body, Garbled, Unreadable
from apteligent_async._wire.codec import loads, standard_loads
from apteligent_async.errors import ResponseError

PACKERS = {"": bytes, "identity": bytes, "gzip": gzip.compress, "X-GZIP ": gzip.compress, "deflate": zlib.compress}


def read(parts, coding="", *, most=10_000):
    """Put a body together."""
    body = Body(coding, most=most)
    for part in parts:
        body.add(part)
    return body.whole()


def split(data, places):
    """Cut bytes into parts at any places."""
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(
    plain=st.binary(max_size=2_000) | st.integers(0, 10_000).map(bytes),
    places=st.lists(st.integers(0, 10_000), max_size=6),
    coding=st.sampled_from(sorted(PACKERS)),
)
def test_a_body_is_what_was_packed_however_it_comes(plain, places, coding):
    """In any parts, in each coding that is known."""
    assert read(split(PACKERS[coding](plain), places), coding) == plain


@given(plain=st.binary(max_size=500), most=st.integers(0, 500), coding=st.sampled_from(sorted(PACKERS)))
def test_a_body_may_be_just_as_large_as_the_bound(plain, most, coding):
    """And not a byte larger."""
    packed = PACKERS[coding](plain)
    if len(plain) <= most:
        assert read([packed], coding, most=most) == plain
    else:
        with pytest.raises(Unreadable, match=f"larger than {most} bytes"):
            read([packed], coding, most=most)


def test_a_bomb_is_cut_before_it_goes_off():
    """A hundred million bytes in one part: no more than the bound is ever unpacked."""
    bomb = gzip.compress(bytes(100_000_000), 9)
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            read([bomb], "gzip", most=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@given(plain=st.binary(min_size=1, max_size=300), kept=st.integers(0, 10_000))
def test_half_a_packed_body_is_garbled(plain, kept):
    """It is never taken for a shorter one."""
    packed = gzip.compress(plain)
    with pytest.raises(Garbled):
        read([packed[: 1 + kept % (len(packed) - 1)]], "gzip")


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_a_body_or_a_fault_of_it(data):
    """Whatever they are called."""
    for coding in ("gzip", "deflate"):
        try:
            read([data, data], coding)
        except (Garbled, Unreadable):
            continue


def test_what_follows_a_packed_body_is_not_overlooked():
    """Nor taken for a part of it."""
    with pytest.raises(Garbled, match="follows"):
        read([gzip.compress(b"{}") + b"more"], "gzip")


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_a_coding_that_was_not_asked_for_is_refused(coding):
    """Before anything is unpacked."""
    with pytest.raises(Unreadable, match="not asked for"):
        Body(coding, most=10)


@pytest.mark.parametrize("decode", [loads, standard_loads])
@pytest.mark.parametrize(
    "body", [b"NaN", b'{"a": Infinity}', b"[-Infinity]", b"1e999", b'{"a": -1E400}', b'"\\ud800"', b'{"\\uDFFF": 1}']
)
def test_what_json_does_not_have_is_refused_by_either_decoder(decode, body):
    """No number that is none, and no half of a character, gets as far as a model."""
    with pytest.raises((ResponseError, ValueError)):
        decode(body)


@pytest.mark.parametrize("decode", [loads, standard_loads])
def test_whole_characters_and_large_numbers_are_read(decode):
    """Written as pairs of escapes, or as they are."""
    assert decode(b'["\\ud83d\\ude00", "\xf0\x9f\x98\x80", 1e308]') == ["😀", "😀", 1e308]
