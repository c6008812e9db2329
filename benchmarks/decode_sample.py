"""Measures one decoder once, in this process, on every body; prints µs of processor time by body as JSON.

Started by `benchmarks.decode`, with the interpreter of whichever environment the decoder lives in:

    .venv-rivals/bin/python -m benchmarks.decode_sample msgspec 0.5
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Final

from benchmarks.bodies import BODIES, body

if TYPE_CHECKING:
    from collections.abc import Callable

    Decode = Callable[[bytes], object]

__all__ = ["OWN"]

OWN: Final = ("apteligent_async with speed", "apteligent_async", "orjson alone", "json alone")
"""What needs nothing but the package's own environment: the package on each parser, and the parsers."""


def _decoder(client: str) -> Callable[[str], Decode]:
    """Give what gives the decoder of a body."""
    if client == "json alone":
        return lambda _: json.loads
    if client == "orjson alone":
        import orjson

        return lambda _: orjson.loads
    if client in OWN:
        if client == "apteligent_async":
            sys.modules["orjson"] = None  # type: ignore[assignment]  as if the extra were not installed
        from benchmarks.own_decoding import decoder

        return decoder
    from benchmarks.rivals.decoding import DECODERS

    return DECODERS[client]


def _cost_us(decode: Decode, given: bytes, seconds: float) -> float:
    decode(given)
    began, calls = time.process_time(), 0
    while (spent_s := time.process_time() - began) < seconds:
        decode(given)
        calls += 1
    return spent_s / calls * 1e6


def main() -> None:
    """Measure the decoder named on the command line, each body for so many seconds."""
    client, seconds = sys.argv[1], float(sys.argv[2])
    decoder = _decoder(client)
    print(json.dumps({name: _cost_us(decoder(name), body(name), seconds) for name in BODIES}))


if __name__ == "__main__":
    main()
