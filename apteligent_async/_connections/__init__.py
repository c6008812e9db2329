"""The connections to one origin.

| file | what it holds |
| --- | --- |
| `stack` | the pool: an httpx transport |
| `http11` | one connection straight there: HTTP/1.1 by h11 over a stream of anyio's |
| `proxied` | one connection through a proxy |
| `reaching` | which proxy, and which TLS context |
"""

from __future__ import annotations

from apteligent_async._connections.reaching import has_proxy, is_loopback, open_stack, tls_context
from apteligent_async._connections.stack import CONNECTING_S, ConnectionStack

__all__ = ["CONNECTING_S", "ConnectionStack", "has_proxy", "is_loopback", "open_stack", "tls_context"]
