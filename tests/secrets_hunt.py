"""Looks for planted secrets wherever an error or a client could show them."""

from __future__ import annotations

import html
import json
import traceback
from base64 import b64encode
from urllib.parse import quote, quote_plus, urlencode

import attrs


def spellings(secret):
    """Give the ways in which a secret might be written."""
    encoded = {
        quote_plus(secret),
        quote(secret),
        quote(secret, safe=""),
        urlencode({"": secret})[1:],
        html.escape(secret),
    }
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], ascii(secret)[1:-1]}
    in_base64 = {b64encode(secret.encode()).decode().rstrip("="), b64encode(f"{secret}:".encode()).decode()}
    return {secret} | encoded | escaped | in_base64


def texts_of(error):
    """Give every text that a handler of the error could print: messages, fields, causes, frames with their locals."""
    seen, waiting = set(), [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield from (str(each), repr(each), repr(each.args), repr(vars(each)))
        yield from traceback.TracebackException.from_exception(each, capture_locals=True).format()
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def texts_within(thing, *, depth=6):
    """Give the reprs of an object and of what hangs on it."""
    seen, waiting = set(), [(thing, depth)]
    while waiting:
        each, levels = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield repr(each)
        if levels and type(each).__module__.startswith("apteligent_async"):
            names = (
                [field.name for field in attrs.fields(type(each))]
                if attrs.has(type(each))
                else getattr(each, "__dict__", ())
            )
            waiting += [(getattr(each, name), levels - 1) for name in names if hasattr(each, name)]


def assert_hidden(texts, secrets):
    """Fail if any text holds any secret, in any spelling."""
    for text in texts:
        for secret in secrets:
            assert not [spelt for spelt in spellings(secret) if spelt in text], f"a secret in {text[:300]!r}"
