"""The client: one typed method per endpoint, in groups named like the service's own families.

| file | what it holds |
| --- | --- |
| `client` | `ApteligentClient`: its life, its options, and the calls that belong to no family |
| `apps`, `trends`, `live_stats` | the caller's apps; their last month and their last minutes |
| `error_monitoring`, `performance_management` | pies, graphs and rankings |
| `crashes` | groups of crashes and of handled exceptions |
| `transactions` | userflows |
| `raw` | calls that no method is made for |
| `paging` | lists that come in pages |
| `caller`, `answers` | what a group needs of the client; where its results come from |

Every method builds its request from a row of the table of endpoints and sends it through the one scheduler. What the
service is known to accept, and how surely, stands in each docstring: grade A is attested by official code and a
capture, A1 by official code and a capture of v1, B by official code, C by a third party, and D is a guess. *Both
integrations* are the vendor's own, for New Relic and for Splunk; the *mobile app* is the vendor's too.

Whatever goes wrong on the way of any call is an `ApteligentError`; docstrings name only what is a method's own. An
argument that cannot work is a `ConfigurationError`, and no call was spent.
"""

from __future__ import annotations

from apteligent_async.client.client import ApteligentClient

__all__ = ["ApteligentClient"]
