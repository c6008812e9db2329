"""The line in real time.

| file | what it holds |
| --- | --- |
| `dispatcher` | runs the scheduler: gates, one timer, tenacity's loop |
| `visits` | a call on its way through the line |
| `listeners` | whoever watches it |
"""

from __future__ import annotations

from apteligent_async._dispatch.dispatcher import Dispatcher
from apteligent_async._dispatch.visits import Answer, NotSent, Visit

__all__ = ["Answer", "Dispatcher", "NotSent", "Visit"]
